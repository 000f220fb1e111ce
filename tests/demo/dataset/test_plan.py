from pathlib import Path

import numpy as np

from demo.dataset.labels import Labels
from demo.dataset.plan import Picture, plan


def labels(people: tuple[str, ...] | None, partitions: tuple[int, ...] | None = None) -> Labels:
    return Labels(("Hat",), ("a", "b", "c"), np.array([[1], [-1], [0]], np.int8), people, partitions)


def parts(pictures: list[Picture], share: float = 0.5) -> list[int]:
    return [picture.partition(f"content {n}", share) for n, picture in enumerate(pictures)]


def test_a_person_is_in_one_part_alone() -> None:
    """With many names, each person's pictures stay together, and people are spread by the share."""
    validated = []
    for number in range(300):
        people = (f"Ada {number}", f"Ada {number}", "")
        pictures = plan(["/d/a.jpg", "/d/b.jpg", "/d/x.jpg"], [], labels(people), False)
        assert [picture.person for picture in pictures] == [f"Ada_{number}", f"Ada_{number}", ""]
        assert len(set(parts(pictures[:2]))) == 1
        validated.append(parts(pictures)[0])
    assert 100 < sum(validated) < 200
    assert parts(pictures, 0) == [0, 0, 0]


def test_without_people_copies_of_a_picture_are_in_one_part() -> None:
    pictures = [Picture(f"{number}.jpg", str(number)) for number in range(100)]
    for content in ("one", "other", "third", "fourth"):
        assert len({picture.partition(content, 0.5) for picture in pictures}) == 1
    assert 0 < sum(parts(pictures, 0.2)) < 40


def test_the_tables_part_goes_first() -> None:
    pictures = plan(["/d/a.jpg", "/d/b.jpg", "/d/c.jpg"], [], labels(("p", "p", "p"), (2, 0, 1)), False)
    assert parts(pictures) == [2, 0, 1]


def test_folders_may_be_people_where_the_table_names_none(tmp_path: Path) -> None:
    files = []
    for name in ("Ada L/a.jpg", "Ada L/b.jpg", "王/c.jpg", "d.jpg"):
        (tmp_path / "lfw" / name).parent.mkdir(parents=True, exist_ok=True)
        files.append(str(tmp_path / "lfw" / name))
    assert [each.person for each in plan(files, [str(tmp_path / "lfw")], None, True)] == [
        "lfw/Ada_L", "lfw/Ada_L", "lfw/王", "lfw",
    ]  # fmt: skip
    nobody = tmp_path / "lfw" / "unknown"  # as tables call it
    nobody.mkdir()
    for given in (nobody, nobody.parent):
        assert plan([str(nobody / "a.jpg")], [str(given)], None, True)[0].person == ""
    named = plan(files, [str(tmp_path / "lfw")], labels(("Bea", "", "")), True)
    assert [each.person for each in named] == ["Bea", "lfw/Ada_L", "lfw/王", ""]
    assert [bool(each.left_out) for each in named] == [False, False, False, True]
    assert {each.person for each in plan(files, [str(tmp_path / "lfw")], None, False)} == {""}
