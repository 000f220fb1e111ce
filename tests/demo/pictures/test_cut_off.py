import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from demo.pictures.decode import PictureError, open_picture
from tests.fakes.pictures import portrait, rgb, saved

JPEGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "grey": {"mode": "L"},
    "progressive": {"progressive": True},
    "optimised": {"optimize": True},
    "restart": {"restart_marker_blocks": 2},
    "restart_rows": {"restart_marker_rows": 1},
    "fine": {"subsampling": 0, "quality": 100},
}


def jpeg(mode: str = "RGB", **options: Any) -> bytes:
    return saved(portrait().convert(mode), "JPEG", **options)


@pytest.mark.parametrize("kind", JPEGS)
def test_a_jpeg_without_its_end_mark_is_read(kind: str) -> None:
    data = jpeg(**JPEGS[kind])
    whole = open_picture(data)
    assert np.array_equal(open_picture(data[:-1]), whole)
    assert np.array_equal(open_picture(data[:-2]), whole)
    assert np.array_equal(open_picture(data[:-2] + bytes(700)), whole)
    assert np.array_equal(open_picture(data + b"more, as phones append it"), whole)


@pytest.mark.parametrize("kind", JPEGS)
def test_a_jpeg_without_some_of_its_pixels_is_refused(kind: str) -> None:
    data = jpeg(**JPEGS[kind])
    header = data.rindex(b"\xff\xda") if kind != "progressive" else data.index(b"\xff\xda")
    cuts = [len(data) - n for n in (4, 5, 8, 20, 60)] + list(range(header + 12, len(data) - 60, 97))
    for cut in cuts:
        with pytest.raises(PictureError, match="damaged or cut off"):
            open_picture(data[:cut])


def test_a_jpeg_cut_between_its_scans_or_restarts_is_refused() -> None:
    for data, mark in ((jpeg(progressive=True), b"\xff\xda"), (jpeg(restart_marker_blocks=2), b"\xff\xd3")):
        places = [i for i in range(len(data)) if data[i : i + 2] == mark]
        assert len(places) > 2
        for place in places[1:]:
            with pytest.raises(PictureError, match="damaged or cut off"):
                open_picture(data[:place])
            with pytest.raises(PictureError, match="damaged or cut off"):
                open_picture(data[: place + 1])


def test_an_image_of_one_colour_without_some_of_its_pixels_is_refused() -> None:
    data = saved(Image.new("RGB", (400, 300), (128, 128, 128)), "JPEG")
    assert open_picture(data[:-2]).shape == (300, 400, 3)
    with pytest.raises(PictureError, match="damaged or cut off"):
        open_picture(data[:-60])


@pytest.mark.parametrize("size", [(88, 64), (89, 64), (90, 64), (91, 64)])
@pytest.mark.parametrize("kind", ["BMP", "GIF", "PNG", "WEBP"])
def test_other_files_without_their_last_bytes_are_read_or_refused_but_never_changed(
    kind: str, size: tuple[int, int]
) -> None:
    data = saved(portrait(*size), kind)
    whole = open_picture(data)
    read = 0
    for cut in range(1, 40):
        try:
            frame = open_picture(data[:-cut])
        except PictureError:
            continue
        assert np.array_equal(frame, whole), cut
        read += 1
    # The padding of a row, the trailer of a GIF and the end chunk of a PNG hold no pixels.
    assert read >= {"BMP": -3 * size[0] % 4, "GIF": 2, "PNG": 12, "WEBP": 0}[kind]


def test_what_is_cut_off_costs_no_other_thread_its_checks() -> None:
    from PIL import ImageFile

    open_picture(jpeg()[:-2])
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def test_a_file_on_disk_is_completed_too(tmp_path: Path) -> None:
    path = tmp_path / "holiday.jpg"
    path.write_bytes(jpeg()[:-2])
    assert np.array_equal(open_picture(path), rgb(Image.open(io.BytesIO(jpeg()))))
