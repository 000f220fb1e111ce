import re
from pathlib import Path

from demo.dataset.names import crop_name, crop_stems, paths_below, stem_of


def stems(inputs: list[Path], files: list[Path]) -> list[str]:
    names = [str(file) for file in files]
    return crop_stems(names, paths_below([str(name) for name in inputs], names))


def test_a_crop_is_called_after_its_picture_from_the_named_folder_on(tmp_path: Path) -> None:
    (tmp_path / "val").mkdir()
    files = [tmp_path / "val" / "1.jpg", tmp_path / "val" / "deep" / "b c.JPG", tmp_path / "x" / "é.png"]
    assert stems([tmp_path / "val", files[2]], files) == ["val_1", "val_deep_b_c", "e"]
    assert crop_name("val_1", 2) == "val_1_face2.jpg"
    assert stem_of("val_face1_face2.jpg") == "val_face1"


def test_names_are_unique_safe_and_the_same_whichever_other_pictures_there_are(tmp_path: Path) -> None:
    names = ["a.jpg", "a.png", "A.gif", "=1.jpg", "王.jpg", "李.jpg", "a\nb,c;d.jpg", "\udcff.jpg", "x" * 200 + ".jpg"]
    names.append(f"cut-{'b' * 99}.jpg")  # a hyphen would begin what is left of it
    files = [tmp_path / name for name in names]
    found = stems(files, files)
    assert len({stem.lower() for stem in found}) == len(names)
    assert all(re.fullmatch("[A-Za-z0-9][A-Za-z0-9_-]*", stem) for stem in found)
    assert max(map(len, found)) <= 110
    assert stems(files[:2], files[:2]) == found[:2]
    assert stems(files[::-1], files[::-1]) == found[::-1]
