from pathlib import Path

import pytest

from demo.dataset.labels import LabelError, Labels, read_labels
from demo.dataset.rules import parse_rule


def read(folder: Path, text: str, *rules: str, encoding: str = "utf-8") -> Labels:
    path = folder / "labels.csv"
    path.write_text(text, encoding=encoding)
    return read_labels(path, [parse_rule(rule) for rule in rules])


def test_columns_of_labels_are_taken_as_they_are(tmp_path: Path) -> None:
    labels = read(tmp_path, "Hat,file,Smiling,identity,split\nyes,a.jpg,no,Ada,train\n,b,true,,val\n")
    assert labels.attributes == ("Hat", "Smiling")
    assert labels.pictures == ("a.jpg", "b")
    assert labels.values.tolist() == [[1, -1], [0, 1]]
    assert labels.people == ("Ada", "")
    assert labels.partitions == (0, 1)


def test_nobody_knows_who_is_called_na(tmp_path: Path) -> None:
    assert read(tmp_path, "file,Hat,identity\na,1,NA\nb,0,unknown\nc,1,p7\n").people == ("", "", "p7")


@pytest.mark.parametrize("separator", [";", "\t"])
def test_names_may_hold_commas_where_something_else_separates(separator: str, tmp_path: Path) -> None:
    lines = ("file,Hat", "Doe, Jane, 1.jpg,1", "Roe, Jane, 2.jpg,-1")
    text = "".join(separator.join(line.rsplit(",", 1)) + "\n" for line in lines)
    labels = read(tmp_path, text)
    assert labels.pictures == ("Doe, Jane, 1.jpg", "Roe, Jane, 2.jpg")
    assert labels.values.tolist() == [[1], [-1]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_tables_of_other_programs_mean_the_same(separator: str, encoding: str, tmp_path: Path) -> None:
    text = ",name,Hat,Ünder\n0,a.jpg,1,-1\n1,b.jpg,-1,\n".replace(",", separator)
    labels = read(tmp_path, text.replace("name", "image_id"), encoding=encoding)
    assert labels.attributes == ("Hat", "Ünder")
    assert labels.values.tolist() == [[1, -1], [-1, 0]]
    assert labels.people is None
    assert labels.partitions is None


def test_without_a_name_for_it_the_first_column_names_the_pictures(tmp_path: Path) -> None:
    assert read(tmp_path, "photo,Hat\na,1\nb,-1\n").pictures == ("a", "b")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("file,A,B\na,1,0\nb,0,1\n", [[1, -1], [-1, 1]]),
        ("file,A,B\na,1,0\nb,-1,1\n", [[1, 0], [-1, 1]]),  # as training reads it
        ("file,A,B\na,1.0,no\nb,0.0,yes\n", [[1, -1], [-1, 1]]),
    ],
)
def test_zero_is_absent_but_beside_minus_one_not_known(text: str, values: list[list[int]], tmp_path: Path) -> None:
    assert read(tmp_path, text).values.tolist() == values


def test_rules_make_attributes_of_any_columns(tmp_path: Path) -> None:
    fairface = (
        "file,age,gender,race,service_test\nval/1.jpg,03-Sep,Male,East Asian,FALSE\n"
        "val/2.jpg,50-59,Female,East Asian,TRUE\nval/3.jpg,30-39,Male,White,TRUE\n"
    )
    labels = read(tmp_path, fairface, "Male=gender:Male", "Young=age:3-9/50-59", "service_test")
    assert labels.attributes == ("Male", "Young", "service_test")
    assert labels.values.tolist() == [[1, 1, -1], [-1, -1, 1], [1, 0, 1]]


def test_a_rule_does_not_change_what_zero_means(tmp_path: Path) -> None:
    assert read(tmp_path, "file,Hat,gender\na,0,f\nb,1,m\n", "Hat", "Male=gender:m").values.tolist() == [
        [-1, -1],
        [1, 1],
    ]


def test_a_column_of_labels_has_a_say_in_zero_even_if_no_rule_takes_it(tmp_path: Path) -> None:
    table = "file,Smiling,Male\na,1,-1\nb,0,1\nc,1,0\n"
    assert read(tmp_path, table, "Smiling").values.tolist() == [[1], [0], [1]]
    assert read(tmp_path, table.replace("Male", "pose"), "Smiling", "Left=pose:-1").values.tolist() == [
        [1, 1], [-1, -1], [1, -1],
    ]  # fmt: skip
    assert read(tmp_path, table.replace("c,1,0", "c,1,0.7"), "Smiling").values.tolist() == [[1], [-1], [1]]


@pytest.mark.parametrize(
    ("text", "rules", "message"),
    [
        ("file,gender\na,Male\nb,Female\n", (), r'holds Male, Female, and labels are .*"NAME=gender:Male"'),
        ("file,gender\na,Male\n", ("Male=sex:Male",), "no column sex; it has file, gender"),
        ("file,gender\na,Male\n", ("Male=gender:Mail",), "gender does not hold Mail; it holds Male"),
        ("file,gender\na,Male\n", ("A=gender:Male", "A=gender:Male"), "occurs twice"),
        ("file,Hat\na,1\na,-1\n", (), "1 pictures have more than one row: a"),
        ("file,Hat,Hat\na,1,1\n", (), "more than one column Hat"),
        ("file,Hat\na,1\nb\n", (), "1 rows with another number of cells than its first line: b"),
        ("file,Hat,split\na,1,first\n", (), "holds first"),
        ("file,Hat,split,partition\na,1,0,0\n", (), "more than one of the columns split, partition"),
        ("a.jpg,1\nb.jpg,-1\n", (), "does not name its columns"),
        ("file,split\na,0\n", (), "no column of labels"),
        ("file,Hat\n", (), "holds no labels"),
    ],
)
def test_a_table_that_cannot_be_used_is_named_with_the_reason(
    text: str, rules: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    with pytest.raises(LabelError, match=rf"labels\.csv(.|\n)*{message}"):
        read(tmp_path, text, *rules)


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(LabelError) as caught:
        read(tmp_path, "file,A,B,split\na,x,1,0\na,1,y,7\n")
    assert all(text in str(caught.value) for text in ("column A", "column B", "more than one row", "holds 7"))


def test_equal_rows_are_no_fault(tmp_path: Path) -> None:
    assert len(read(tmp_path, "file,Hat\na,1\na,1\n").pictures) == 2


@pytest.mark.parametrize("content", [None, b"\xff\xfe\xff"])
def test_a_file_that_is_no_table_is_named(content: bytes | None, tmp_path: Path) -> None:
    if content:
        (tmp_path / "labels.csv").write_bytes(content)
    with pytest.raises(LabelError, match=r"labels\.csv"):
        read_labels(tmp_path / "labels.csv")
