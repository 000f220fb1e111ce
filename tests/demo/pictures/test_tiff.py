import io
from typing import Literal

import numpy as np
import pytest
from PIL import Image

from demo.pictures.decode import PictureError, open_picture
from tests.fakes.pictures import page, portrait, rgb, saved, tiff

RGB = rgb(portrait())
GREY = np.asarray(portrait().convert("L"))
GREY_RGB = np.repeat(GREY[..., None], 3, axis=2)
ALPHA = np.full((*GREY.shape, 1), 200, np.uint8)
ON_WHITE = RGB * (200 / 255) + 55
DEEP, DEEP_ALPHA = RGB.astype(np.uint16) * 257, ALPHA.astype(np.uint16) * 257

ByteOrder = Literal["<", ">"]


def in_order(values: np.ndarray, order: ByteOrder) -> np.ndarray:
    return values.astype(values.dtype.newbyteorder(order))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("values", "photometric", "more", "expected"),
    [
        (DEEP, 2, {"planar": 1}, RGB),
        (DEEP, 2, {"planar": 2}, RGB),
        (np.concatenate([DEEP, DEEP_ALPHA], 2), 2, {"planar": 2, "extra": 2}, ON_WHITE),
        (np.concatenate([DEEP, DEEP_ALPHA], 2), 2, {"planar": 1, "extra": 2}, ON_WHITE),
        (np.concatenate([DEEP, DEEP_ALPHA], 2), 2, {"planar": 2, "extra": 0}, RGB),
        (np.concatenate([RGB, ALPHA], 2), 2, {"planar": 2, "extra": 0}, RGB),
        (np.concatenate([RGB, ALPHA], 2), 2, {"planar": 1, "extra": 2}, ON_WHITE),
        (RGB, 2, {"planar": 2}, RGB),
        (GREY.astype(np.uint16) * 257, 1, {}, GREY_RGB),
        (65535 - GREY.astype(np.uint16) * 257, 0, {}, GREY_RGB),
        (255 - GREY, 0, {}, GREY_RGB),
        (GREY.astype(np.float32) / 255, 1, {"format": 3}, GREY_RGB),
        (1 - GREY.astype(np.float32) / 255, 0, {"format": 3}, GREY_RGB),
        (GREY.astype(np.float64) / 255, 1, {"format": 3}, GREY_RGB),
        (RGB.astype(np.float32) / 255, 2, {"format": 3}, RGB),
        (GREY.astype(np.uint32) * 257, 1, {}, GREY_RGB),
        (np.concatenate([255 - RGB, 0 * ALPHA], 2), 5, {}, RGB),
    ],
    ids=str.split(
        "rgb16 planar16 planar16_alpha rgba16 planar16_unused planar8_unused rgba8 planar8 grey16 grey16_white0 "
        "grey8_white0 float float_white0 double rgb_float grey32 cmyk"
    ),
)
def test_every_layout_of_pixels_gives_the_picture(
    values: np.ndarray, photometric: int, more: dict[str, int], expected: np.ndarray, order: ByteOrder
) -> None:
    frame = open_picture(tiff(page(in_order(values, order), photometric, **more), order=order))
    assert np.abs(frame - expected.astype(float)).max() <= 1


@pytest.mark.parametrize(
    ("values", "photometric", "extra"),
    [
        (np.concatenate([RGB, ALPHA], 2), 2, 1),
        (np.concatenate([DEEP, DEEP_ALPHA], 2), 2, 1),
        (np.concatenate([GREY[..., None], ALPHA], 2), 1, 2),
    ],
    ids=["rgb8", "rgb16", "grey8"],
)
def test_planes_that_pillow_does_not_know_are_no_damage(values: np.ndarray, photometric: int, extra: int) -> None:
    with pytest.raises(PictureError, match=r"TIFF of a kind that is not supported.*Save it as JPEG"):
        open_picture(tiff(page(values, photometric, planar=2, extra=extra)))


@pytest.mark.parametrize("compression", [34925, 50000], ids=["lzma", "zstandard"])
def test_compressions_that_opencv_does_not_read_are_no_damage(compression: int) -> None:
    tags = page(65535 - GREY.astype(np.uint16) * 257, 0) | {259: compression}
    with pytest.raises(PictureError, match=r"TIFF of a kind that is not supported.*Save it as JPEG"):
        open_picture(tiff(tags))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "LAB", "I;16", "F"])
@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_compressed_pages_are_the_plain_ones(mode: str, compression: str) -> None:
    image = Image.fromarray(GREY.astype(np.uint16) * 257) if mode == "I;16" else portrait()
    if mode == "F":
        image = Image.fromarray(GREY.astype(np.float32) / 255)
    elif mode != "LAB":
        image = image.convert(mode)
    else:
        image = Image.merge("LAB", portrait().split())
    assert np.array_equal(
        open_picture(saved(image, "TIFF", compression=compression)), open_picture(saved(image, "TIFF"))
    )


def test_uncompressed_luminance_and_chrominance() -> None:
    values = np.asarray(portrait().convert("YCbCr"))
    frame = open_picture(tiff(page(values, 6) | {530: (1, 1)}))
    assert np.abs(frame.astype(int) - RGB).max() <= 6


def test_12_bits_are_scaled_by_their_own_white() -> None:
    values = np.array([[0, 4095, 2048, 1024]])
    packed = bytes([0x00, 0x0F, 0xFF, 0x80, 0x04, 0x00])
    tags = page(values.astype(np.uint16), 1) | {258: (12,), 273: packed}
    assert open_picture(tiff(tags))[0, :, 0].tolist() == [0, 255, 128, 64]


@pytest.mark.parametrize(
    "tags",
    [
        page(np.concatenate([255 - DEEP, DEEP_ALPHA], 2), 5, planar=2),
        page(RGB.astype(np.float16), 2, format=3),
        page(RGB.astype(np.float32), 2, format=3, planar=2),
        page(RGB, 2) | {259: (50001,)},
        page(RGB, 2) | {259: (34712,)},
    ],
    ids=["cmyk16_planar", "half", "float_planar", "webp", "jpeg2000"],
)
def test_what_would_be_read_wrong_gets_a_sentence(tags: dict[int, int | tuple[int, ...] | bytes]) -> None:
    with pytest.raises(PictureError, match=r"TIFF of a kind that is not supported\. Save it as JPEG, PNG"):
        open_picture(tiff(tags))


THUMBNAIL = rgb(portrait(30, 40))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("inside", [(), (1,), (1, 2)])
@pytest.mark.parametrize("subfile", [0, 1])
def test_the_largest_page_is_read_not_a_thumbnail(order: str, inside: tuple[int, ...], subfile: int) -> None:
    pages = (page(THUMBNAIL, 2, subfile=subfile), page(RGB, 2), page(rgb(portrait(20, 20)), 2))
    assert np.array_equal(open_picture(tiff(*pages, order=order, inside=inside)), RGB)


def test_the_largest_page_may_be_of_any_kind() -> None:
    data = tiff(page(THUMBNAIL, 2), page(65535 - GREY.astype(np.uint16) * 257, 0))
    assert np.array_equal(open_picture(data), GREY_RGB)


def test_a_document_gives_its_first_page() -> None:
    pages = [portrait(80, 100), portrait(90, 110), portrait(85, 105)]
    data = saved(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert np.array_equal(open_picture(data), rgb(pages[0]))


def test_the_orientation_of_a_thumbnail_holds_for_the_picture_inside_it() -> None:
    for values in (RGB, 65535 - GREY.astype(np.uint16) * 257):
        large = page(values, 2 if values.ndim == 3 else 0)
        data = tiff(page(THUMBNAIL, 2, subfile=1) | {274: 6}, large, inside=(1,))
        assert np.array_equal(open_picture(data), np.rot90(RGB if values.ndim == 3 else GREY_RGB, 3))
        data = tiff(page(THUMBNAIL, 2, subfile=1) | {274: 6}, large | {274: 3}, inside=(1,))
        assert np.array_equal(open_picture(data), np.rot90(RGB if values.ndim == 3 else GREY_RGB, 2))


def test_a_mask_is_not_the_picture() -> None:
    data = tiff(page(GREY, 4, subfile=4), page(RGB, 2))
    assert np.array_equal(open_picture(data), RGB)


@pytest.mark.parametrize("photometric", [32803, 34892])
def test_raw_pixels_of_a_camera_get_a_sentence(photometric: int) -> None:
    data = tiff(page(THUMBNAIL, 2, subfile=1), page(GREY.astype(np.uint16), photometric), inside=(1,))
    with pytest.raises(PictureError, match=r"camera's raw file, which is not supported\. Export it as JPEG"):
        open_picture(data)


def test_a_large_second_page_is_refused_before_it_is_decoded() -> None:
    huge = page(GREY, 1) | {256: 20_000, 257: 20_000}
    with pytest.raises(PictureError, match="too many pixels"):
        open_picture(tiff(page(THUMBNAIL, 2, subfile=1), huge))


@pytest.mark.parametrize("mode", ["RGB", "F"])
def test_orientation_is_applied_whoever_decodes(mode: str) -> None:
    values = GREY.astype(np.float32) / 255 if mode == "F" else GREY
    upright = open_picture(saved(Image.fromarray(values), "TIFF"))
    for orientation, turns in ((3, 2), (6, 3), (8, 1)):
        turned = open_picture(saved(Image.fromarray(values), "TIFF", tiffinfo={274: orientation}))
        assert np.array_equal(turned, np.rot90(upright, turns))


def test_pages_that_point_to_each_other_end() -> None:
    data = bytearray(saved(portrait(), "TIFF"))
    position = int.from_bytes(data[4:8], "little")
    count = int.from_bytes(data[position : position + 2], "little")
    end = position + 2 + 12 * count
    data[end : end + 4] = position.to_bytes(4, "little")
    assert np.array_equal(open_picture(bytes(data)), RGB)


def test_a_big_tiff_is_read() -> None:
    file = io.BytesIO()
    portrait().save(file, "TIFF", big_tiff=True)
    assert np.array_equal(open_picture(file.getvalue()), RGB)
