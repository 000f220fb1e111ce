from pathlib import Path

import pytest

from training.data.groups import read_groups
from training.data.tables import DataError


def write(folder: Path, *rows: str, header: str = "image_id,group,age") -> Path:
    (folder / "list_groups.csv").write_text("\n".join([header, *rows]) + "\n")
    return folder


def test_origins_and_lowest_ages_are_in_the_order_of_the_pictures(tmp_path: Path) -> None:
    rows = (
        "a.jpg,East Asian,20-29",
        "b.jpg,Black,more than 70",
        "c.jpg,nan,7",
        "d.jpg,Latino_Hispanic,NA",
        "e.jpg,White,70+",
    )
    found = read_groups(write(tmp_path, *rows), ["e.jpg", "d.jpg", "c.jpg", "b.jpg", "a.jpg"])
    assert found.origins.tolist() == ["White", "Latino Hispanic", "", "Black", "East Asian"]
    assert found.ages.tolist() == [70, -1, 7, 70, 20]


def test_a_table_of_labels_with_other_columns_will_do(tmp_path: Path) -> None:
    write(tmp_path, "a.jpg,30-39,Male,Indian,TRUE", header="file,age,gender,race,service_test")
    found = read_groups(tmp_path, ["a.jpg"])
    assert (found.origins.tolist(), found.ages.tolist()) == (["Indian"], [30])


@pytest.mark.parametrize(
    ("rows", "header", "message"),
    [
        (["a.jpg,Black,03-Sep"], "image_id,group,age", "03-Sep .*spreadsheets"),
        (["a.jpg,Black,old"], "image_id,group,age", "neither years nor a range"),
        (["b.jpg,Black,30"], "image_id,group,age", "lacks 1 of 1 pictures: a.jpg"),
        (["a.jpg,Black,30"], "image_id,colour,age", "one called group"),
        (["a.jpg,Black,30"], "image_id,group,years", "one called age"),
        (["a.jpg,30"], "image_id,age", "1 column .*one called group"),
        (["a.jpg,Black"], "image_id,group", "1 column .*one called age"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, rows: str, header: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_groups(write(tmp_path, *rows, header=header), ["a.jpg"])


def test_a_folder_without_the_table_is_told_what_it_holds(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no list_groups.csv .* image_id, group and age"):
        read_groups(tmp_path, ["a.jpg"])
