from typing import Any

from training.report.outside import who_it_fails


def part(images: int = 40, **who: str) -> dict[str, Any]:
    return {
        "group": None, "gender": None, "age": None, "images": images, "right": 0.9, "interval": [0.8, 0.95],
        "answered": 0.5, "right_answers": 0.98, **who,
    }  # fmt: skip


def told(*groups: dict[str, Any]) -> str:
    row = {
        "attribute": "Young", "everybody": part(), "adults": part(), "groups": [*groups], "ages": [],
        "unlabelled": [], "worst": groups[0],
    }  # fmt: skip
    return who_it_fails({"sets": [{"name": "Faces", "split": None, "images": 40, "attributes": [row]}]})


def test_groups_have_a_column_for_each_gender() -> None:
    text = told(part(group="Black", gender="female"), part(30, group="White", gender="male"))
    assert "Least often right for Black women: 90.0 (80.0–95.0) of 40." in text
    assert "| adults | women | men |" in text
    assert "| Black | 90.0 (80.0–95.0) of 40 | – |" in text


def test_groups_of_a_set_without_genders_have_one_column() -> None:
    text = told(part(group="Black"), part(30, group="White"))
    assert "Least often right for Black people: 90.0 (80.0–95.0) of 40." in text
    assert "| adults | all |" in text
    assert "| White | 90.0 (80.0–95.0) of 30 |" in text
