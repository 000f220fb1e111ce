import errno
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from demo.limits import MAX_PIXELS, MAX_SIDE_PIXELS
from demo.pictures.decode import PictureError, open_picture
from demo.pictures.formats import HEAD_BYTES
from tests.fakes.pictures import PORTRAIT, saved


def test_path_string_and_bytes_give_the_same_frame() -> None:
    frame = open_picture(PORTRAIT)
    assert (frame.shape, frame.dtype, frame.flags.c_contiguous) == ((425, 340, 3), np.uint8, True)
    assert np.array_equal(frame, open_picture(str(PORTRAIT)))
    assert np.array_equal(frame, open_picture(PORTRAIT.read_bytes()))


@pytest.mark.parametrize(
    ("image", "kind", "expected"),
    [
        (Image.new("L", (4, 3), 77), "PNG", (77, 77, 77)),
        (Image.new("1", (4, 3), 1), "PNG", (255, 255, 255)),
        (Image.new("RGBA", (4, 3), (255, 0, 0, 0)), "PNG", (255, 255, 255)),
        (Image.new("RGBA", (4, 3), (200, 0, 0, 255)), "PNG", (200, 0, 0)),
        (Image.new("LA", (4, 3), (0, 0)), "PNG", (255, 255, 255)),
        (Image.new("RGB", (4, 3), (10, 200, 30)).quantize(4), "PNG", (10, 200, 30)),
        (Image.new("CMYK", (4, 3), (0, 255, 255, 0)), "TIFF", (255, 0, 0)),
        (Image.new("RGB", (4, 3), (9, 8, 7)), "BMP", (9, 8, 7)),
        (Image.new("F", (4, 3), 0.2), "TIFF", (51, 51, 51)),
        (Image.new("I", (4, 3), 65535), "TIFF", (255, 255, 255)),
        (Image.new("RGB", (1, 1), (9, 8, 7)), "PNG", (9, 8, 7)),
    ],
)
def test_every_mode_becomes_rgb(image: Image.Image, kind: str, expected: tuple[int, int, int]) -> None:
    frame = open_picture(saved(image, kind))
    assert frame.shape == (image.height, image.width, 3)
    assert np.all(frame == expected)


def test_a_transparent_palette_colour_becomes_white() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([200, 0, 0, 0, 0, 200])
    image.putpixel((1, 0), 1)
    assert open_picture(saved(image, "PNG", transparency=0)).tolist() == [[[255, 255, 255], [0, 0, 200]]]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_is_scaled_not_clipped(kind: str) -> None:
    values = np.array([[0, 257, 25700, 65535]], np.uint16)
    assert open_picture(saved(Image.fromarray(values), kind))[0, :, 0].tolist() == [0, 1, 100, 255]


def test_a_dark_netpbm_picture_stays_dark_and_one_of_floats_is_read() -> None:
    deep = b"P5 3 1 65535\n" + np.array([[0, 128, 257]], ">u2").tobytes()
    assert open_picture(deep)[0, :, 0].tolist() == [0, 0, 1]
    floats = b"Pf\n3 1\n-1.0\n" + np.array([[0, 0.2, 1]], "<f4").tobytes()
    assert open_picture(floats)[0, :, 0].tolist() == [0, 51, 255]


def test_gif_gives_its_first_frame() -> None:
    first, second = Image.new("RGB", (5, 5), "red"), Image.new("RGB", (5, 5), "blue")
    data = saved(first, "GIF", save_all=True, append_images=[second], duration=100)
    assert np.all(open_picture(data) == (255, 0, 0))


def test_exif_orientation_is_applied() -> None:
    image = Image.new("RGB", (6, 4))
    image.putpixel((0, 0), (255, 255, 255))
    exif = Image.Exif()
    exif[0x0112] = 6  # must be turned right: the first row becomes the last column
    frame = open_picture(saved(image, "PNG", exif=exif))
    assert frame.shape == (6, 4, 3)
    assert frame[0, 3].tolist() == [255, 255, 255]
    assert frame.sum() == 3 * 255


def test_48_megapixels_are_opened() -> None:
    assert open_picture(saved(Image.new("L", (8000, 6000)), "PNG", compress_level=1)).shape == (6000, 8000, 3)


def test_a_picture_may_be_as_wide_as_formats_allow() -> None:
    assert open_picture(saved(Image.new("L", (MAX_SIDE_PIXELS, 2)), "PNG")).shape == (2, MAX_SIDE_PIXELS, 3)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"this is a text, not a picture\n" * 9, "not a picture"),
        (PORTRAIT.read_bytes()[:20_000], "damaged or cut off"),
        (saved(Image.effect_noise((64, 64), 50), "PNG")[:900], "damaged or cut off"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100), "HEIC"),
        (saved(Image.new("1", (10_000, MAX_PIXELS // 10_000 + 1)), "PNG"), "too many pixels"),
        (saved(Image.new("1", (20_000, 20_000)), "PNG"), "too many pixels"),
        (saved(Image.new("1", (MAX_SIDE_PIXELS + 1, 1)), "PNG"), "wider or higher than 65535 pixels"),
        (saved(Image.new("1", (1, MAX_SIDE_PIXELS + 1)), "TIFF"), "wider or higher than 65535 pixels"),
        (saved(Image.new("RGB", (9, 9)), "EPS"), "EPS or PostScript file, which is not supported"),
    ],
    ids=["empty", "text", "jpeg", "png", "heic", "large", "bomb", "wide", "high", "eps"],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_what_cannot_be_opened_says_why(data: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=message):
        open_picture(data)
    path = tmp_path / "holiday.jpg"
    path.write_bytes(data)
    with pytest.raises(PictureError, match=f"'holiday.jpg'.*{message}"):
        open_picture(path)


def test_missing_files_and_folders_say_so(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"'none.jpg' does not exist"):
        open_picture(tmp_path / "none.jpg")
    with pytest.raises(PictureError, match="not a file"):
        open_picture(tmp_path)


def test_a_disk_that_fails_is_not_called_a_damaged_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if size != HEAD_BYTES:
                raise OSError(errno.ESTALE, "Stale file handle")
            return super().read(size)

    file = Failing(PORTRAIT.read_bytes())
    monkeypatch.setattr(Path, "open", lambda *_: file)
    with pytest.raises(PictureError, match=rf"^'{PORTRAIT.name}' cannot be read: Stale file handle\.$"):
        open_picture(PORTRAIT)
