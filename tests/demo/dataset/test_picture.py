import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from demo.dataset.picture import CHOICES, FaceChoice, crop_picture
from demo.pictures.decode import open_picture
from demo.pipeline.align import align
from demo.pipeline.detect import FaceFinder
from tests.paths import PORTRAIT


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder()


def beside(small: int, folder: Path) -> str:
    """A picture with one face twice: 240 pixels wide, and this wide."""
    face = Image.open(PORTRAIT).crop((40, 20, 290, 270))
    picture = Image.new("RGB", (520, 250), "grey")
    picture.paste(face.resize((240, 240)), (250, 0))
    picture.paste(face.resize((small, small)), (10, 10))
    path = folder / "pair.png"
    picture.save(path)
    return str(path)


def test_a_crop_is_the_aligned_face(finder: FaceFinder) -> None:
    cropped = crop_picture(finder, "one", str(PORTRAIT))
    frame = open_picture(PORTRAIT)
    (face,) = finder.find_in_photo(frame)
    [crop] = cropped.crops
    assert (cropped.faces, crop.number, crop.box) == (1, 1, face.box)
    image = Image.open(io.BytesIO(crop.jpeg))
    assert (image.format, image.size, image.mode) == ("JPEG", (178, 218), "RGB")
    assert np.abs(np.asarray(image, int) - align(frame, face)).mean() < 2
    assert not image.getexif()


@pytest.mark.parametrize(
    ("small", "numbers"), [(230, {"one": [], "largest": [2], "all": [1, 2]}), (110, {"one": [2], "all": [1, 2]})]
)
def test_of_several_faces_those_are_cropped_that_were_chosen(
    small: int, numbers: dict[FaceChoice, list[int]], finder: FaceFinder, tmp_path: Path
) -> None:
    file = beside(small, tmp_path)
    for choice in numbers:
        assert choice in CHOICES
        cropped = crop_picture(finder, choice, file)
        assert cropped.faces == 2
        assert [crop.number for crop in cropped.crops] == numbers[choice]


def test_faces_are_numbered_row_by_row(finder: FaceFinder, tmp_path: Path) -> None:
    face = Image.open(PORTRAIT).crop((40, 20, 290, 270)).resize((240, 240))
    picture = Image.new("RGB", (520, 520), "grey")
    for place in ((270, 10), (10, 270)):
        picture.paste(face, place)
    picture.save(tmp_path / "rows.png")
    first, second = crop_picture(finder, "all", str(tmp_path / "rows.png")).crops
    assert first.box[0] > second.box[0]
    assert first.box[1] < second.box[1]


def test_what_cannot_be_read_says_why(finder: FaceFinder, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("no picture")
    cropped = crop_picture(finder, "one", str(tmp_path / "a.jpg"))
    assert "'a.jpg' is not a picture" in cropped.failure
    assert not cropped.crops
