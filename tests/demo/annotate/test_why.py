import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from demo.annotate.__main__ import main
from demo.annotate.why import draw_why
from slimnet.explain import Cells, Explanation
from tests.paths import PORTRAIT

CELLS = Cells((0, 100, 218), (0, 60, 120, 178))


def drawn(maps: list[list[float]], bias: float = 0.0) -> np.ndarray:
    grey = np.full((218, 178, 3), 128, np.uint8)
    explanation = Explanation(np.array([[maps]], np.float32), np.array([bias], np.float32), CELLS)
    return np.asarray(draw_why(grey, explanation, "Smiling")).astype(int)


def test_what_is_for_is_blue_what_is_against_orange_and_the_rest_is_left_as_it_was() -> None:
    picture = drawn([[2.0, 0.0, -2.0], [0.0, 0.0, 0.0]])
    blue, plain, orange = (picture[20, x] for x in (20, 260, 700))
    assert blue[2] > blue[0] + 50
    assert orange[0] > orange[2] + 50
    np.testing.assert_array_equal(plain, [128, 128, 128])


def test_a_stronger_cell_is_stronger_coloured_and_signs_tell_both_apart_without_colour() -> None:
    picture = drawn([[4.0, 1.0, -1.0], [3.0, -3.0, 2.0]])
    strong, weak = picture[20, 20], picture[20, 260]
    assert strong[2] - strong[0] > 2 * (weak[2] - weak[0]) > 0
    # The two weakest have no number: the middle of a "1" would be an upright line, too.
    upright = [picture[194, x] - picture[170, x] for x in (360, 596)]
    assert (upright[0] > 20).all()
    assert (abs(upright[1]) < 5).all()


def test_the_caption_adds_up(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr("demo.annotate.why.ImageDraw.ImageDraw.text", lambda _pen, _at, text, **_: written.append(text))
    drawn([[2.0, 0.5, -1.0], [0.0, 0.0, 0.0]], bias=-0.5)
    assert "Smiling: 73.1 %, log-odds +1.00" in written
    assert "for +2.50, against -1.00, without a face -0.50" in written


def test_each_face_gets_a_picture_beside_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo, out = tmp_path / "photo.jpg", tmp_path / "results.csv"
    photo.write_bytes(PORTRAIT.read_bytes())
    assert main([str(photo), "--out", str(out), "--device", "cpu", "--why", "Smiling"]) == 0
    [made] = (tmp_path / "results-why").iterdir()
    assert re.search(r"photo\.jpg-[0-9a-f]{8}-face-1\.png$", made.name)
    with Image.open(made) as picture:
        assert picture.size[0] == 4 * 178
        assert picture.size[1] > 4 * 218
    assert out.is_file()
    other = tmp_path.with_name(f"{tmp_path.name}_photo.jpg")  # the same but for the _ in place of the slash
    other.write_bytes(PORTRAIT.read_bytes())
    both = [str(photo), str(other), "--out", str(tmp_path / "both.csv"), "--device", "cpu", "--why", "Smiling"]
    assert main(both) == 0
    assert len(list((tmp_path / "both-why").iterdir())) == 2
    capsys.readouterr()
    for wrong, told in (
        (["--why", "smiling"], "there is no attribute smiling; choose one of 5_o_Clock_Shadow"),
        (["--why", "Smiling", "--workers", "2"], "leave out --workers"),
    ):
        with pytest.raises(SystemExit):
            main([str(photo), "--out", str(out), *wrong])
        assert told in capsys.readouterr().err


def test_drawn_pictures_are_not_read_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "photo.jpg").write_bytes(PORTRAIT.read_bytes())
    for attribute in ("Smiling", "Male"):
        command = [str(tmp_path), "--out", str(tmp_path / "results.csv"), "--device", "cpu", "--why", attribute]
        assert main([*command, "--restart"]) == 0
        assert "Pictures: 1," in capsys.readouterr().err


def test_a_long_name_is_cut_between_characters(tmp_path: Path) -> None:
    deep = tmp_path / ("ä" * 60) / ("漢" * 60)
    deep.mkdir(parents=True)
    photo = deep / "photo.jpg"
    shutil.copy(PORTRAIT, photo)
    out = tmp_path / "results.csv"
    assert main([str(photo), "--out", str(out), "--device", "cpu", "--why", "Smiling"]) == 0
    [made] = (tmp_path / "results-why").iterdir()
    assert made.name.encode()  # no half of a character
    assert re.search("漢_photo", made.name)
