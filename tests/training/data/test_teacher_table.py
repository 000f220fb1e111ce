import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from demo.pipeline.table import COLUMNS
from training.data.celeba import Split
from training.data.tables import DataError
from training.data.teacher_table import is_table, table_logits

NAMES = ("A", "B")


def pictures(*paths: str) -> Split:
    return Split(tuple(map(Path, paths)), np.zeros((len(paths), 2), bool), NAMES, np.arange(len(paths)))


def table(folder: Path, *rows: tuple[str, ...], header: tuple[str, ...] = ("file", *NAMES)) -> str:
    path = folder / "answers.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return str(path)


def answers(path: str, split: Split) -> np.ndarray:
    return expit(table_logits(path, split))


def test_rows_are_joined_by_picture_and_columns_by_name(tmp_path: Path) -> None:
    path = table(tmp_path, ("some/where/2.jpg", "0.25", "x", "0.75"), header=("file", "B", "Other", "A"))
    np.testing.assert_allclose(answers(path, pictures("data/1.jpg", "data/2.jpg")), [[np.nan] * 2, [0.75, 0.25]])


@pytest.mark.parametrize("unknown", ["", "NA", "nan"])
def test_an_unknown_cell_says_nothing_and_0_and_1_stay_finite(tmp_path: Path, unknown: str) -> None:
    path = table(tmp_path, ("1.jpg", unknown, "1.000000"), ("2.jpg", "0.000000", unknown), ("3.jpg", "0.1", unknown))
    found = table_logits(path, pictures("1.jpg", "2.jpg"))
    assert np.isnan(found).tolist() == [[True, False], [False, True]]
    assert found[0, 1] == pytest.approx(-found[1, 0]) == pytest.approx(14.5, abs=0.1)


def test_the_largest_of_several_faces_counts_in_annotates_form(tmp_path: Path) -> None:
    header = (*COLUMNS, *NAMES)
    sizes = [("10", "12"), ("90", "100"), ("50", "60")]
    rows = [("1.jpg", str(n), "0", "0", *size, f"0.{n}", "0.5") for n, size in enumerate(sizes, start=1)]
    np.testing.assert_allclose(answers(table(tmp_path, *rows, header=header), pictures("1.jpg")), [[0.2, 0.5]])


def test_the_paths_decide_where_folders_share_a_name(tmp_path: Path) -> None:
    there = pictures("data/one/img/1.jpg", "data/two/img/1.jpg", "data/two/img/2.jpg")
    path = table(tmp_path, ("/elsewhere/data/two/img/1.jpg", "0.1", "0.2"), ("2.jpg", "0.3", "0.4"))
    np.testing.assert_allclose(answers(path, there), [[np.nan] * 2, [0.1, 0.2], [0.3, 0.4]])
    both = table(tmp_path, ("two\\img\\1.jpg", "0.1", "0.2"), ("one\\img\\1.jpg", "0.5", "0.6"))
    np.testing.assert_allclose(answers(both, there)[:2], [[0.5, 0.6], [0.1, 0.2]])


def test_a_row_of_a_foreign_folder_is_not_taken_for_one_of_the_data(tmp_path: Path) -> None:
    path = table(tmp_path, ("other/img/1.jpg", "0.1", "0.2"), ("data/img/1.jpg", "0.3", "0.4"))
    np.testing.assert_allclose(answers(path, pictures("data/img/1.jpg")), [[0.3, 0.4]])


def test_a_row_about_another_picture_of_the_folders_is_not_taken_for_its_namesakes(tmp_path: Path) -> None:
    path = table(tmp_path, ("data/img/1.jpg", "0.1", "0.2"), ("data/img/2.jpg", "0.3", "0.4"))
    train, valid = pictures("data/img/1.jpg", "mine/img/2.jpg"), [Path("data/img/2.jpg")]
    np.testing.assert_allclose(expit(table_logits(path, train, valid)), [[0.1, 0.2], [np.nan] * 2])


def test_a_row_is_not_given_to_the_namesake_that_others_leave_over(tmp_path: Path) -> None:
    path = table(tmp_path, ("data/img/1.jpg", "0.1", "0.2"), ("data/a/img/1.jpg", "0.3", "0.4"))
    with pytest.raises(DataError, match=r"does not tell which 1\.jpg a row is of.*leave out rows of other pictures"):
        answers(path, pictures("data/img/1.jpg", "data/b/img/1.jpg"))


def test_the_apostrophe_before_a_formula_is_passed_over(tmp_path: Path) -> None:
    path = table(tmp_path, ("'=1.jpg", "0.1", "0.2"), ("'-2/'3.jpg", "0.3", "0.4"))
    np.testing.assert_allclose(answers(path, pictures("=1.jpg", "-2/'3.jpg")), [[0.1, 0.2], [0.3, 0.4]])


@pytest.mark.parametrize(
    ("rows", "header", "message"),
    [
        ([("1.jpg", "1.5", "0")], ("file", *NAMES), "has 1.5 as A of 1.jpg; it takes probabilities from 0 to 1"),
        ([("1.jpg", "yes", "0")], ("file", *NAMES), "has yes as A of 1.jpg"),
        (
            [("1.jpg", "1", "0"), ("3.jpg", "", "1")],
            ("file", *NAMES),
            "holds decisions, .*annotate without --decisions",
        ),
        ([("1.jpg", "1.0", "0.0")], ("file", *NAMES), "holds decisions"),
        ([("1.jpg", "0.1", "0"), ("1.jpg", "0.2", "0")], ("file", *NAMES), "more than one row of 1.jpg, without"),
        ([("1.jpg", "0.1", "0")], ("file", "C", "D"), r"has a column for none of A, B \(2\)"),
        ([("x/7.jpg", "0.1", "0")], ("file", *NAMES), "for any of the 3 pictures, such as 1.jpg; its first"),
        ([("3.jpg", "0.1", "0")], ("file", *NAMES), "does not tell which 3.jpg a row is of"),
    ],
)
def test_a_table_that_cannot_be_used_is_named(
    tmp_path: Path, rows: list[tuple[str, ...]], header: tuple[str, ...], message: str
) -> None:
    path = table(tmp_path, *rows, header=header)
    with pytest.raises(DataError, match=message) as caught:
        table_logits(path, pictures("one/1.jpg", "one/3.jpg", "two/3.jpg"))
    assert path in str(caught.value)


def test_what_annotate_writes_with_decisions_is_refused_and_with_probabilities_is_taken(tmp_path: Path) -> None:
    header, face = (*COLUMNS, *NAMES), ("1", "0", "0", "90", "100")
    decisions = [("1.jpg", *face, "1", ""), ("2.jpg", *face, "0", "1")]
    there = pictures("1.jpg", "2.jpg")
    with pytest.raises(DataError, match="holds decisions"):
        table_logits(table(tmp_path, *decisions, header=header), there)
    sure = table(tmp_path, decisions[0], ("2.jpg", *face, "0", "0.9"), header=header)
    assert np.isfinite(table_logits(sure, there)[1]).all()
    certain = [("1.jpg", *face, "1.000000", ""), ("2.jpg", *face, "0.000000", "1.000000")]
    np.testing.assert_allclose(
        answers(table(tmp_path, *certain, header=header), there), [[1.0, np.nan], [0.0, 1.0]], atol=1e-6
    )


def test_a_parquet_table_is_no_file_of_weights(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"answers\.parquet is a Parquet table: a table must be CSV"):
        is_table(str(tmp_path / "answers.parquet"))
    assert is_table("ANSWERS.CSV")
    assert not is_table("weights.safetensors")
