"""TIFF files: which of their pages is the picture, and those kinds of pixels that Pillow reads wrong or not at all."""

import io
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

import cv2
import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from demo.pictures.bit_depth import to_8_bit
from demo.pictures.formats import TooManyPixelsError, UnsupportedPictureError, check_size, raw_file

_MOST_PAGES = 64  # looked at; longer documents are no photos
_MOST_DECODED_BYTES = 712_000_000  # as many as MAX_PIXELS of 16 bits and four channels take
_MOST_ENTRIES = 4096
_LARGEST_PROFILE_BYTES = 2**20
_LARGEST_VALUE_BYTES = 4096  # of any other tag that matters here

_SUBFILE, _OLD_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 254, 255, 256, 257, 258, 259, 262
_CFA_PATTERN = 33421
_ORIENTATION, _SAMPLES, _PLANAR, _SUB_PAGES, _EXTRA, _FORMAT, _PROFILE = 274, 277, 284, 330, 338, 339, 34675
_TAGS = frozenset((_SUBFILE, _OLD_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _ORIENTATION))
_TAGS |= {_SAMPLES, _PLANAR, _SUB_PAGES, _EXTRA, _FORMAT, _PROFILE, _CFA_PATTERN}
_TYPES = {1: "B", 3: "H", 4: "I", 7: "B", 13: "I", 16: "Q", 18: "Q"}

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _YCBCR = 0, 1, 2, 6
_CFA, _LINEAR_RAW = 32803, 34892
_UNCOMPRESSED = 1
# Those inside Pillow and OpenCV: CCITT, LZW, JPEG, deflate, PackBits, ThunderScan, LZMA, Zstandard.
_COMPRESSIONS = (1, 2, 3, 4, 5, 6, 7, 8, 32771, 32773, 32809, 32946, 34676, 34677, 34925, 50000)
_PILLOW_COMPRESSIONS = (34925, 50000)  # of these, the ones that OpenCV does not read: LZMA, Zstandard


@dataclass(frozen=True, eq=False)
class _Page:
    """One image file directory: where it stands in the file, and its tags, each some whole numbers."""

    offset: int
    tags: dict[int, Sequence[int]]

    def number(self, tag: int, default: int) -> int:
        return (self.tags.get(tag) or (default,))[0]

    @property
    def pixels(self) -> int:
        return self.number(_WIDTH, 0) * self.number(_HEIGHT, 0)

    @property
    def is_reduced(self) -> bool:
        return bool(self.number(_SUBFILE, 0) & 1) or self.number(_OLD_SUBFILE, 1) == 2

    @property
    def is_mask(self) -> bool:
        return bool(self.number(_SUBFILE, 0) & 4) or self.number(_PHOTOMETRIC, 1) == 4


def open_tiff(file: IO[bytes]) -> Image.Image:
    """Open the picture of a TIFF file: its first page, or the largest where the first is only a thumbnail.

    Returns:
        an open picture, as `Image.open` gives it, or one of 8 bits where Pillow does not read its kind right.

    Raises:
        TooManyPixelsError: the page says so.
        UnsupportedPictureError: it holds a camera's raw pixels, or pixels of a kind that is not read.
    """
    pages = list(_pages(file))
    if any(page.number(_PHOTOMETRIC, 0) in (_CFA, _LINEAR_RAW) or _CFA_PATTERN in page.tags for page in pages):
        raise raw_file()
    page = _picture(pages)
    file.seek(0)
    if page is None:
        return Image.open(file, formats=("TIFF",))
    check_size(page.number(_WIDTH, 0), page.number(_HEIGHT, 0))
    compression, is_for_opencv = page.number(_COMPRESSION, _UNCOMPRESSED), _is_for_opencv(page)
    if compression not in _COMPRESSIONS or (is_for_opencv and compression in _PILLOW_COMPRESSIONS):
        raise _unsupported()
    if page is not pages[0]:
        file = io.BytesIO(_with_first_page(file.read(), page.offset))
    image = _read_by_opencv(file, page) if is_for_opencv else _open_by_pillow(file, page)
    if page is not pages[0] and _ORIENTATION not in page.tags:  # a thumbnail's holds for the picture inside it, too
        image.getexif()[_ORIENTATION] = pages[0].number(_ORIENTATION, 1)
    return image


def _open_by_pillow(file: IO[bytes], page: _Page) -> Image.Image:
    try:
        return _mended(Image.open(file, formats=("TIFF",)), page)
    except UnidentifiedImageError as error:
        raise _unsupported() from error


def _unsupported() -> UnsupportedPictureError:
    return UnsupportedPictureError(
        "is a TIFF of a kind that is not supported. Save it as JPEG, PNG or a TIFF of 8 bits."
    )


def _pages(file: IO[bytes]) -> Iterator[_Page]:
    """The pages in their order, each followed by those inside it; what is damaged is left out."""
    file.seek(0)
    head = file.read(16)
    order = "<" if head[:2] == b"II" else ">"
    is_big = head[2:4] in (b"\x2b\0", b"\0\x2b")
    if len(head) < 16:
        return
    waiting = [struct.unpack(order + "Q", head[8:16])[0] if is_big else struct.unpack(order + "I", head[4:8])[0]]
    seen = {0}
    while waiting and len(seen) <= _MOST_PAGES:
        offset = waiting.pop(0)
        if offset in seen:
            continue
        seen.add(offset)
        try:
            tags, following = _directory(file, offset, order, is_big)
        except (struct.error, OSError, OverflowError, ValueError):  # outside the file
            continue
        yield _Page(offset, tags)
        waiting = [*tags.get(_SUB_PAGES, ()), *waiting, following][: 2 * _MOST_PAGES]


def _directory(file: IO[bytes], offset: int, order: str, is_big: bool) -> tuple[dict[int, Sequence[int]], int]:
    """The tags of one page that matter here, and the offset of the next page, or 0."""
    counter, entry, field = ("Q", "HHQ8s", "Q") if is_big else ("H", "HHI4s", "I")
    file.seek(offset)
    (count,) = struct.unpack(order + counter, file.read(struct.calcsize(order + counter)))
    if count > _MOST_ENTRIES:
        raise ValueError("not a directory")
    size = struct.calcsize(order + entry)
    table = file.read(count * size)
    tags: dict[int, Sequence[int]] = {}
    for tag, kind, length, inline in struct.iter_unpack(order + entry, table):
        if tag not in _TAGS or kind not in _TYPES:
            continue
        needed = length * struct.calcsize(order + _TYPES[kind])
        if needed > (_LARGEST_PROFILE_BYTES if tag == _PROFILE else _LARGEST_VALUE_BYTES):
            continue
        if needed > len(inline):
            file.seek(struct.unpack(order + field, inline)[0])
            inline = file.read(needed)
        value = inline[:needed]
        tags[tag] = value if _TYPES[kind] == "B" else struct.unpack(f"{order}{length}{_TYPES[kind]}", value)
    file.seek(offset + struct.calcsize(order + counter) + len(table))
    following = file.read(struct.calcsize(order + field)).ljust(struct.calcsize(order + field), b"\0")
    return tags, struct.unpack(order + field, following)[0]


def _picture(pages: list[_Page]) -> _Page | None:
    """The first page, unless that is called a reduced one or a mask, or another has more than twice its pixels."""
    whole = [page for page in pages if not page.is_mask and page.pixels]
    if not whole:
        return None
    largest = max(whole, key=lambda page: page.pixels)  # the first of equal ones
    first = pages[0]
    if first in whole and (largest.pixels <= 2 * first.pixels and not (first.is_reduced and largest is not first)):
        return first
    return largest


def _with_first_page(data: bytes, offset: int) -> bytes:
    """The file with another page as its first, so that nothing seeks past Pillow's check of sizes."""
    order = "<" if data[:2] == b"II" else ">"
    if data[2:4] in (b"\x2b\0", b"\0\x2b"):
        return data[:8] + struct.pack(order + "Q", offset) + data[16:]
    return data[:4] + struct.pack(order + "I", offset) + data[8:]


def _is_for_opencv(page: _Page) -> bool:
    """Whether Pillow would read a page wrong or not at all, and OpenCV, as was tried, right."""
    photometric, samples = page.number(_PHOTOMETRIC, _WHITE_IS_ZERO), page.number(_SAMPLES, 1)
    bits, planar = page.number(_BITS, 1), page.number(_PLANAR, 1) == 2 and samples > 1
    is_plain = page.number(_COMPRESSION, _UNCOMPRESSED) == _UNCOMPRESSED
    if photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO) and samples == 1:
        return bits in (32, 64) or (bits == 16 and photometric == _WHITE_IS_ZERO and page.number(_FORMAT, 1) == 1)
    if photometric == _RGB and samples == 3 and bits in (32, 64):
        return not planar
    if photometric == _RGB and samples > 3 and planar and is_plain and bits in (8, 16):
        return not any(page.tags.get(_EXTRA, (1,)))  # the further channels mean nothing
    return photometric == _YCBCR and is_plain and bits == 8 and not planar


def _read_by_opencv(file: IO[bytes], page: _Page) -> Image.Image:
    """The page as an upright picture of 8 bits."""
    photometric, bits = page.number(_PHOTOMETRIC, _WHITE_IS_ZERO), page.number(_BITS, 1)
    is_deep = photometric != _YCBCR and page.number(_PLANAR, 1) == 1 and bits >= 16
    if is_deep and page.pixels * page.number(_SAMPLES, 1) * bits // 8 > _MOST_DECODED_BYTES:
        raise TooManyPixelsError("its pixels are too many for their depth")
    file.seek(0)
    values = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_UNCHANGED if is_deep else cv2.IMREAD_COLOR)
    if values is None:
        raise ValueError("OpenCV cannot decode the page")
    grey_or_bgr = to_8_bit(values) if is_deep else values
    if photometric == _WHITE_IS_ZERO:
        grey_or_bgr = 255 - grey_or_bgr
    image = Image.fromarray(np.ascontiguousarray(grey_or_bgr[..., ::-1]) if grey_or_bgr.ndim == 3 else grey_or_bgr)
    if profile := page.tags.get(_PROFILE):
        image.info["icc_profile"] = bytes(profile)
    return image


def _mended(image: ImageFile.ImageFile, page: _Page) -> Image.Image:
    """The picture, opened by Pillow, where that takes 16 bits for 8, or 12 for 16."""
    bits, is_plain = page.number(_BITS, 1), page.number(_COMPRESSION, _UNCOMPRESSED) == _UNCOMPRESSED
    if bits == 12:
        if image.mode != "I;16":
            raise _unsupported()
        image.load()
        mended = Image.fromarray(to_8_bit(np.asarray(image).astype(np.float32) * np.float32(1 / 4095)))
        mended.info = image.info
        return mended
    if is_plain and page.number(_PLANAR, 1) == 2 and page.number(_SAMPLES, 1) > 1:
        has_mixed_colours = 1 in page.tags.get(_EXTRA, ())  # multiplied by their opacity, for which no plane has a name
        if has_mixed_colours or image.mode == "LA" or (bits == 16 and image.mode not in ("RGB", "RGBA")):
            raise _unsupported()
        if bits == 16:
            order = "B" if image.tag_v2.prefix == b"MM" else "L"  # type: ignore[attr-defined]
            image.tile = [_deep(tile, order) for tile in image.tile]
    return image


def _deep(tile: ImageFile._Tile, order: str) -> ImageFile._Tile:
    """A piece of one plane, of which Pillow says only that it is red, for example, with its 16 bits."""
    band, *layout = tuple(tile.args or ())
    return tile._replace(args=(f"{band};16{order}", *layout))
