"""Open TIFF files, including kinds of pixels that Pillow misreads or can't read."""

import io
from typing import IO

import cv2
import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError
from PIL.ExifTags import Base as Tag

from demo.limits import MAX_TIFF_DECODED_BYTES
from demo.pictures.bit_depth import to_8_bit
from demo.pictures.formats import TooManyPixelsError, UnsupportedPictureError, check_size, raw_file
from demo.pictures.tiff_pages import Page, main_page, read_pages, with_first_page

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _YCBCR = 0, 1, 2, 6
_CFA, _LINEAR_RAW = 32803, 34892
_UNCOMPRESSED = 1
# What Pillow and OpenCV decode themselves: CCITT, LZW, JPEG, deflate, PackBits, ThunderScan, LZMA, Zstandard.
_COMPRESSIONS = (1, 2, 3, 4, 5, 6, 7, 8, 32771, 32773, 32809, 32946, 34676, 34677, 34925, 50000)
_PILLOW_COMPRESSIONS = (34925, 50000)  # those that OpenCV can't read: LZMA, Zstandard


def open_tiff(file: IO[bytes]) -> Image.Image:
    """Open the picture of a TIFF file: its first page, or the largest if the first is only a thumbnail.

    Args:
        file: a TIFF file, read from its beginning.

    Returns:
        The picture as `Image.open` returns it, or with 8 bits per sample if Pillow would misread its pixels.

    Raises:
        TooManyPixelsError: the page is too large, by its tags.
        UnsupportedPictureError: it holds a camera's raw pixels, or an unsupported kind of pixels.
        ValueError: OpenCV cannot decode the page.
        PIL.UnidentifiedImageError: it has no page with pixels, and Pillow can't open it either.
    """
    pages = list(read_pages(file))
    if any(page.photometric in (_CFA, _LINEAR_RAW) or Tag.CFARepeatPatternDim in page.tags for page in pages):
        raise raw_file()
    page = main_page(pages)
    file.seek(0)
    if page is None:
        return Image.open(file, formats=("TIFF",))
    check_size(page.width, page.height)
    is_for_opencv = _is_for_opencv(page)
    if page.compression not in _COMPRESSIONS or (is_for_opencv and page.compression in _PILLOW_COMPRESSIONS):
        raise _unsupported()
    if page is not pages[0]:
        file = io.BytesIO(with_first_page(file.read(), page.offset))
    image = _read_by_opencv(file, page) if is_for_opencv else _open_by_pillow(file, page)
    if page is not pages[0] and Tag.Orientation not in page.tags:  # a thumbnail's orientation is its picture's, too
        image.getexif()[Tag.Orientation] = pages[0].number(Tag.Orientation, 1)
    return image


def _open_by_pillow(file: IO[bytes], page: Page) -> Image.Image:
    try:
        return _mended(Image.open(file, formats=("TIFF",)), page)
    except UnidentifiedImageError as error:
        raise _unsupported() from error


def _unsupported() -> UnsupportedPictureError:
    return UnsupportedPictureError(
        "is a TIFF of a kind that is not supported. Save it as JPEG, PNG or a TIFF of 8 bits."
    )


def _is_for_opencv(page: Page) -> bool:
    """Whether Pillow would misread or refuse a page that OpenCV, as we have tried, reads correctly."""
    planar = page.is_planar and page.samples > 1
    is_plain = page.compression == _UNCOMPRESSED
    if page.photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO) and page.samples == 1:
        is_inverted = page.photometric == _WHITE_IS_ZERO and page.number(Tag.SampleFormat, 1) == 1
        return page.bits in (32, 64) or (page.bits == 16 and is_inverted)
    if page.photometric == _RGB and page.samples == 3 and page.bits in (32, 64):
        return not planar
    if page.photometric == _RGB and page.samples > 3 and planar and is_plain and page.bits in (8, 16):
        return not any(page.tags.get(Tag.ExtraSamples, (1,)))  # the extra channels mean nothing
    return page.photometric == _YCBCR and is_plain and page.bits == 8 and not planar


def _read_by_opencv(file: IO[bytes], page: Page) -> Image.Image:
    """Decode the page as an upright picture with 8 bits per sample."""
    is_deep = page.photometric != _YCBCR and page.number(Tag.PlanarConfiguration, 1) == 1 and page.bits >= 16
    if is_deep and page.pixels * page.samples * page.bits // 8 > MAX_TIFF_DECODED_BYTES:
        raise TooManyPixelsError("its pixels are too many for their depth")
    file.seek(0)
    values = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_UNCHANGED if is_deep else cv2.IMREAD_COLOR)
    if values is None:
        raise ValueError("OpenCV cannot decode the page")
    grey_or_bgr = to_8_bit(values) if is_deep else values
    if page.photometric == _WHITE_IS_ZERO:
        grey_or_bgr = 255 - grey_or_bgr
    image = Image.fromarray(np.ascontiguousarray(grey_or_bgr[..., ::-1]) if grey_or_bgr.ndim == 3 else grey_or_bgr)
    profile = page.tags.get(Tag.InterColorProfile)
    if isinstance(profile, bytes):  # the tag can have any type
        image.info["icc_profile"] = profile
    return image


def _mended(image: ImageFile.ImageFile, page: Page) -> Image.Image:
    """Correct what Pillow misreads: 16 bits as 8, or 12 as 16."""
    if page.bits == 12:
        if image.mode != "I;16":
            raise _unsupported()
        image.load()
        mended = Image.fromarray(to_8_bit(np.asarray(image).astype(np.float32) * np.float32(1 / 4095)))
        mended.info = image.info
        return mended
    if page.compression == _UNCOMPRESSED and page.is_planar and page.samples > 1:
        is_premultiplied = 1 in page.tags.get(Tag.ExtraSamples, ())  # by an opacity that no plane is named for
        if is_premultiplied or image.mode == "LA" or (page.bits == 16 and image.mode not in ("RGB", "RGBA")):
            raise _unsupported()
        if page.bits == 16:
            order = "B" if image.tag_v2.prefix == b"MM" else "L"  # type: ignore[attr-defined]
            image.tile = [_deep(tile, order) for tile in image.tile]
    return image


def _deep(tile: ImageFile._Tile, order: str) -> ImageFile._Tile:
    """A tile of one plane with its full 16 bits; Pillow only says which band it is."""
    band, *layout = tuple(tile.args or ())
    return tile._replace(args=(f"{band};16{order}", *layout))
