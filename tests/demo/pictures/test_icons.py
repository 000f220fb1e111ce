import struct
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from demo.pictures.decode import PictureError, open_picture
from tests.fakes.pictures import portrait, rgb, saved


def icon(*pictures: bytes, kind: int = 1, said: tuple[int, int] = (16, 16)) -> bytes:
    """An icon whose pictures are PNG files or bitmaps; its directory gives all of them the same, wrong size."""
    head, body, position = struct.pack("<3H", 0, kind, len(pictures)), b"", 6 + 16 * len(pictures)
    for picture in pictures:
        head += struct.pack("<4B2H2I", *said, 0, 0, 1, 32, len(picture), position + len(body))
        body += picture
    return head + body


def bitmap(image: Image.Image, depth: int, mask: bytes | None = None) -> bytes:
    """A bitmap as in icons: lowest row first, with a mask in which 1 is transparent."""
    width, height = image.size
    planes = np.asarray(image.convert("RGBA"))[::-1, :, [2, 1, 0, 3]][..., : depth // 8]
    rows = planes.reshape(height, -1)
    rows = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4)))
    mask = bytes((width + 31) // 32 * 4 * height) if mask is None else mask
    return struct.pack("<IiiHHIIiiII", 40, width, 2 * height, 1, depth, 0, 0, 0, 0, 0, 0) + rows.tobytes() + mask


@pytest.mark.parametrize("kind", [1, 2], ids=["ico", "cur"])
@pytest.mark.parametrize("size", [16, 24, 32, 48, 64, 96, 128, 200, 255, 256])
@pytest.mark.parametrize("form", ["png", "rgb", "rgba", "pillow"])
def test_an_icon_of_every_size_is_read(kind: int, size: int, form: str) -> None:
    image = portrait(size, size)
    if form == "pillow":
        data = saved(image, "ICO", sizes=[(size, size)], bitmap_format="bmp")
        data = data[:2] + bytes([kind]) + data[3:]
    else:
        data = icon(saved(image, "PNG") if form == "png" else bitmap(image, 24 if form == "rgb" else 32), kind=kind)
    assert np.array_equal(open_picture(data), rgb(image))


def test_the_largest_picture_is_taken_even_where_the_directory_is_wrong() -> None:
    pictures = [saved(portrait(n, n), "PNG") for n in (32, 300, 64)]
    assert np.array_equal(open_picture(icon(*pictures)), rgb(portrait(300, 300)))
    assert open_picture(saved(portrait(256, 256), "ICO", sizes=[(16, 16), (256, 256), (48, 48)])).shape == (256, 256, 3)


def test_transparency_comes_from_the_pixels_or_else_from_the_mask() -> None:
    image = Image.new("RGBA", (32, 2), (200, 0, 0, 255))
    assert np.all(open_picture(icon(bitmap(image, 24, b"\xff" * 8))) == 255)
    assert np.all(open_picture(icon(bitmap(image, 32, b"\xff" * 8))) == (200, 0, 0))
    image.putalpha(0)
    assert np.all(open_picture(icon(bitmap(image, 32, bytes(8)))) == (200, 0, 0))


@pytest.mark.parametrize("mask", [b"", b"\0", bytes(999)])
def test_a_mask_may_be_missing_short_or_long(mask: bytes) -> None:
    assert np.array_equal(open_picture(icon(bitmap(portrait(), 24, mask))), rgb(portrait()))


def test_missing_pixels_and_false_sizes_are_refused() -> None:
    with pytest.raises(PictureError, match="damaged or cut off"):
        open_picture(icon(bitmap(portrait(), 24)[:9000]))
    huge = struct.pack("<IiiHHIIiiII", 40, 20_000, 40_000, 1, 32, 0, 0, 0, 0, 0, 0)
    for picture in (huge + bytes(99), saved(Image.new("1", (12_000, 12_000)), "PNG")):
        with pytest.raises(PictureError, match="too many pixels"):
            open_picture(icon(picture))


def test_a_long_directory_takes_no_memory() -> None:
    picture = saved(Image.effect_noise((256, 256), 90), "PNG")
    count = 20_000
    entry = struct.pack("<4B2H2I", 16, 16, 0, 0, 1, 32, len(picture), 6 + 16 * count)
    tracemalloc.start()
    assert open_picture(struct.pack("<3H", 0, 1, count) + entry * count + picture).shape == (256, 256, 3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**25


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P"])
@pytest.mark.parametrize("comment", [b"", b"ten bytes."])
@pytest.mark.parametrize("rle", [False, True])
def test_a_tga_that_begins_as_a_cursor_or_pcx_is_a_tga(mode: str, comment: bytes, rle: bool) -> None:
    image = portrait().convert(mode)
    data = saved(image, "TGA", id_section=comment, rle=rle)
    assert np.array_equal(open_picture(data), rgb(image))
    assert np.array_equal(open_picture(data[:-26]), rgb(image))  # the footer came with the second version


def test_pcx_is_read_too() -> None:
    assert np.array_equal(open_picture(saved(portrait(), "PCX")), rgb(portrait()))
