import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes import celeba
from training.data.celeba import DataError, read_celeba
from training.data.tables import read_table

Rows = list[list[str]]
Change = Callable[[Rows], Rows]


def rewrite(
    path: Path,
    change: Change,
    separator: str = ",",
    encoding: str = "utf-8",
    end: str = "\n",
    quoting: Any = csv.QUOTE_MINIMAL,
) -> None:
    """Rewrite a CSV table with changed rows, as other programs do."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator=end, quoting=quoting).writerows(change(rows))
    path.write_bytes(text.getvalue().encode(encoding))


def same(rows: Rows) -> Rows:
    return rows


def name_last(rows: Rows) -> Rows:
    return [[*row[1:], row[0]] for row in rows]


def name_second(rows: Rows) -> Rows:
    return [[row[1], row[0], *row[2:]] for row in rows]


def numbered(header: str) -> Change:
    return lambda rows: [[header, *rows[0]], *([str(n), *row] for n, row in enumerate(rows[1:]))]


def renamed(rows: Rows) -> Rows:
    return [["Filename", *rows[0][1:]], *rows[1:]]


def decimal(rows: Rows) -> Rows:
    return [rows[0], *([row[0], *(f"{value}.0" for value in row[1:])] for row in rows[1:])]


def trailing(rows: Rows) -> Rows:
    return [[*row, ""] for row in rows]


def unnamed(rows: Rows) -> Rows:
    return [["", *rows[0][1:]], *rows[1:]]


def short_header(rows: Rows) -> Rows:
    return [rows[0][1:], *rows[1:]]


def row_names(rows: Rows) -> Rows:
    return [rows[0], *([str(n), *row] for n, row in enumerate(rows[1:], 1))]


def two_indices(rows: Rows) -> Rows:
    return numbered("Unnamed: 0.1")(numbered("Unnamed: 0")(rows))


CHANGES = [same, name_last, name_second, numbered("Unnamed: 0"), numbered(""), numbered("index"), renamed, decimal,
           trailing, unnamed, short_header, row_names, two_indices]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=[f"{number} {each.__name__}" for number, each in enumerate(CHANGES)])
@pytest.mark.parametrize("separator", [",", ";", "\t", " "])
def test_tables_mean_the_same_whichever_program_wrote_them(tmp_path: Path, change: Change, separator: str) -> None:
    if separator == " " and change in (trailing, unnamed, CHANGES[4]):
        pytest.skip("an empty cell cannot be told between blanks, unless it is quoted")
    before = read_celeba(celeba.write(tmp_path))
    for stem in ("list_attr_celeba", "list_eval_partition"):
        rewrite(tmp_path / f"{stem}.csv", change, separator)
    after = read_celeba(tmp_path)
    for name, split in before.items():
        assert after[name].fingerprint() == split.fingerprint()


@pytest.mark.parametrize(
    "options",
    [{"encoding": "utf-8-sig"}, {"encoding": "utf-16", "separator": "\t"}, {"end": "\r\n"}, {"end": "\r"},
     {"quoting": csv.QUOTE_ALL}, {"quoting": csv.QUOTE_ALL, "separator": " "}],
    ids=str,
)  # fmt: skip
def test_bytes_around_the_cells_do_not_matter(tmp_path: Path, options: dict[str, Any]) -> None:
    before = read_celeba(celeba.write(tmp_path))["train"].fingerprint()
    for stem in ("list_attr_celeba", "list_eval_partition"):
        rewrite(tmp_path / f"{stem}.csv", same, **options)
    assert read_celeba(tmp_path)["train"].fingerprint() == before


@pytest.mark.parametrize("change", [same, name_last, lambda rows: [rows[0][1:], *rows[1:]]], ids=["", "last", "R"])
def test_attributes_may_have_dots_in_their_names(tmp_path: Path, change: Change) -> None:
    path = tmp_path / "t.csv"
    path.write_text("image_id,Hair.Black,Bags.Under.Eyes\n1.jpg,1,-1\n2.jpg,-1,1\n")
    rewrite(path, change)
    table = read_table(path)
    assert table.columns == ("Hair.Black", "Bags.Under.Eyes")
    assert table.rows == {"1.jpg": ["1", "-1"], "2.jpg": ["-1", "1"]}


def test_labels_never_move_to_another_column(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("Male,Young,Hat\n1.jpg,1,-1,\n2.jpg,-1,1,\n")  # R's row names, and a label that is never known
    with pytest.raises(DataError, match="Male may be the pictures' column or the first one of labels"):
        read_table(path)
    path.write_text("image_id,Male,Young\n1.jpg,1,-1,\n2.jpg,-1,1,\n")  # a separator at each line's end
    assert read_table(path).columns == ("Male", "Young")
    path.write_text("Male,Young,Hat\n1.jpg,1,-1,\n2.jpg,-1,1,1\n")
    assert read_table(path).rows["1.jpg"] == ["1", "-1", ""]


def test_a_first_picture_of_another_format_is_no_line_of_names(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("1.PNG,0\n2.jpg,1\n3.jpg,1\n")
    assert read_table(path).rows == {"1.PNG": ["0"], "2.jpg": ["1"], "3.jpg": ["1"]}


def test_the_line_that_tells_excel_the_separator_is_passed_over(tmp_path: Path) -> None:
    before = read_celeba(celeba.write(tmp_path))["train"].fingerprint()
    table = tmp_path / "list_attr_celeba.csv"
    table.write_text("sep=;\n" + table.read_text().replace(",", ";"))
    assert read_celeba(tmp_path)["train"].fingerprint() == before


def test_partitions_need_no_line_of_names_and_may_be_words(tmp_path: Path) -> None:
    before = read_celeba(celeba.write(tmp_path))["valid"].fingerprint()
    table = tmp_path / "list_eval_partition.csv"
    rewrite(table, lambda rows: rows[1:])
    assert read_celeba(tmp_path)["valid"].fingerprint() == before
    words = {"0": "train", "1": "val", "2": "test"}
    rewrite(table, lambda rows: [["partition", "image_id"], *([words[part], name] for name, part in rows)])
    assert read_celeba(tmp_path)["valid"].fingerprint() == before


def test_the_partition_is_picked_by_its_name(tmp_path: Path) -> None:
    before = read_celeba(celeba.write(tmp_path))["valid"].fingerprint()
    table = tmp_path / "list_eval_partition.csv"
    rewrite(table, lambda rows: [[*row, "x"] for row in rows])
    assert read_celeba(tmp_path)["valid"].fingerprint() == before
    rewrite(table, lambda rows: [["image_id", "a", "b"], *rows[1:]])
    with pytest.raises(DataError, match=r"2 columns .*: a, b; there must be one, or one partition"):
        read_celeba(tmp_path)


def test_labels_without_names_are_said_to_be_so(tmp_path: Path) -> None:
    celeba.write(tmp_path)
    rewrite(tmp_path / "list_attr_celeba.csv", lambda rows: rows[1:])
    with pytest.raises(DataError, match=r"list_attr_celeba\.csv does not name its columns: the first line"):
        read_celeba(tmp_path)


def test_a_column_that_is_no_label_is_named_rather_than_every_image(tmp_path: Path) -> None:
    celeba.write(tmp_path)
    rewrite(tmp_path / "list_attr_celeba.csv", lambda rows: [[*row, f"p{n}"] for n, row in enumerate(rows)])
    with pytest.raises(DataError) as caught:
        read_celeba(tmp_path)
    assert "leaves others out): p0" in str(caught.value)
    assert "labels other than" not in str(caught.value)


def test_a_line_of_nothing_but_quotes_is_no_row(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('image_id,Smiling,\na.jpg,1,\nb.jpg,-1,\n""')
    assert read_table(path).rows == {"a.jpg": ["1"], "b.jpg": ["-1"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image_id,a\n1,1\n2,-1\n", r"no column of picture names, such as 000001\.jpg.*Its first row: 1 1"),
        ("a,b,c\n1.jpg,2.jpg,1\n", "2 columns of picture names"),
        ("image_id,a,,b\n1.jpg,1,1,1\n2.jpg,1,1,1\n", "a column without a name, after a"),
        ("image_id,a\n", "holds no rows"),
        ("", "holds no rows"),
    ],
)
def test_a_table_that_cannot_be_understood_is_named_with_the_reason(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_table(path)


def test_a_table_that_was_cut_off_names_the_torn_row(tmp_path: Path) -> None:
    celeba.write(tmp_path)
    table = tmp_path / "list_attr_celeba.csv"
    rewrite(table, lambda rows: [*rows[:-1], rows[-1][:2]])
    torn = table.read_text().splitlines()[-1].split(",")[0]
    with pytest.raises(DataError, match=f"1 rows with another number of labels: {torn}"):
        read_celeba(tmp_path)


def test_identities_are_read_as_the_other_tables(tmp_path: Path) -> None:
    data = celeba.write(tmp_path)
    names = [path.name for path in read_celeba(data)["train"].paths]
    lines = [f"{n};{n // 4};{name}" for n, name in enumerate(names)]
    (data / "identity_CelebA.csv").write_text("\n".join([";identity;image_id", *lines]))
    found = read_celeba(data)["train"].identities
    assert np.array_equal(found[:, None] == found, np.arange(16)[:, None] // 4 == np.arange(16) // 4)
