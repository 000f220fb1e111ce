"""Reads the pages of a TIFF file (its image file directories), and decides which one is the picture."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from PIL.ExifTags import Base as Tag

from demo.limits import MAX_TIFF_ENTRIES, MAX_TIFF_PAGES, MAX_TIFF_PROFILE_BYTES, MAX_TIFF_VALUE_BYTES

_TAGS = frozenset(
    (
        Tag.BitsPerSample,
        Tag.CFARepeatPatternDim,
        Tag.Compression,
        Tag.ExtraSamples,
        Tag.ImageLength,
        Tag.ImageWidth,
        Tag.InterColorProfile,
        Tag.NewSubfileType,
        Tag.Orientation,
        Tag.PhotometricInterpretation,
        Tag.PlanarConfiguration,
        Tag.SampleFormat,
        Tag.SamplesPerPixel,
        Tag.SubIFDs,
        Tag.SubfileType,
    )
)
_TYPES = {1: "B", 3: "H", 4: "I", 7: "B", 13: "I", 16: "Q", 18: "Q"}  # integers, by struct's names


@dataclass(frozen=True, eq=False)
class Page:
    """One image file directory.

    Attributes:
        offset: where it begins in the file, in bytes.
        tags: tag -> its values, for those tags that matter here and hold integers.
    """

    offset: int
    tags: dict[int, Sequence[int]]

    def number(self, tag: int, default: int) -> int:
        """The first value of a tag.

        Args:
            tag: number of the tag.
            default: the value if the page has no such tag.
        """
        return (self.tags.get(tag) or (default,))[0]

    @property
    def width(self) -> int:
        """In pixels; 0 if the page does not say."""
        return self.number(Tag.ImageWidth, 0)

    @property
    def height(self) -> int:
        """In pixels; 0 if the page does not say."""
        return self.number(Tag.ImageLength, 0)

    @property
    def samples(self) -> int:
        """Values per pixel."""
        return self.number(Tag.SamplesPerPixel, 1)

    @property
    def bits(self) -> int:
        """Bits of the first value of a pixel."""
        return self.number(Tag.BitsPerSample, 1)

    @property
    def photometric(self) -> int:
        """What the values mean, from PhotometricInterpretation."""
        return self.number(Tag.PhotometricInterpretation, 0)

    @property
    def compression(self) -> int:
        """From Compression; 1 for none."""
        return self.number(Tag.Compression, 1)

    @property
    def is_planar(self) -> bool:
        """Whether each channel is stored separately."""
        return self.number(Tag.PlanarConfiguration, 1) == 2

    @property
    def pixels(self) -> int:
        """Width times height; 0 if the page lacks one of them."""
        return self.width * self.height

    @property
    def is_reduced(self) -> bool:
        """Whether it is marked as a thumbnail."""
        return bool(self.number(Tag.NewSubfileType, 0) & 1) or self.number(Tag.SubfileType, 1) == 2

    @property
    def is_mask(self) -> bool:
        """Whether it is marked as the transparency mask of another page."""
        return bool(self.number(Tag.NewSubfileType, 0) & 4) or self.photometric == 4


def read_pages(file: IO[bytes]) -> Iterator[Page]:
    """Read the pages in order, each followed by those inside it; leaves out damaged ones.

    Args:
        file: a TIFF or BigTIFF file, read from its beginning.

    Yields:
        The pages, at most 64.
    """
    file.seek(0)
    head = file.read(16)
    order = "<" if head[:2] == b"II" else ">"
    is_big = head[2:4] in (b"\x2b\0", b"\0\x2b")
    if len(head) < 16:
        return
    waiting = [struct.unpack(order + "Q", head[8:16])[0] if is_big else struct.unpack(order + "I", head[4:8])[0]]
    seen = {0}
    while waiting and len(seen) <= MAX_TIFF_PAGES:
        offset = waiting.pop(0)
        if offset in seen:
            continue
        seen.add(offset)
        try:
            tags, following = _directory(file, offset, order, is_big)
        except (struct.error, OSError, OverflowError, ValueError):  # points outside the file
            continue
        yield Page(offset, tags)
        waiting = [*tags.get(Tag.SubIFDs, ()), *waiting, following][: 2 * MAX_TIFF_PAGES]


def _directory(file: IO[bytes], offset: int, order: str, is_big: bool) -> tuple[dict[int, Sequence[int]], int]:
    """The tags of a page that matter here, and the offset of the next page, or 0."""
    counter, entry, field = ("Q", "HHQ8s", "Q") if is_big else ("H", "HHI4s", "I")
    file.seek(offset)
    (count,) = struct.unpack(order + counter, file.read(struct.calcsize(order + counter)))
    if count > MAX_TIFF_ENTRIES:
        raise ValueError("not a directory")
    size = struct.calcsize(order + entry)
    table = file.read(count * size)
    tags: dict[int, Sequence[int]] = {}
    for tag, kind, length, inline in struct.iter_unpack(order + entry, table):
        if tag not in _TAGS or kind not in _TYPES:
            continue
        needed = length * struct.calcsize(order + _TYPES[kind])
        if needed > (MAX_TIFF_PROFILE_BYTES if tag == Tag.InterColorProfile else MAX_TIFF_VALUE_BYTES):
            continue
        if needed > len(inline):
            file.seek(struct.unpack(order + field, inline)[0])
            inline = file.read(needed)
        value = inline[:needed]
        tags[tag] = value if _TYPES[kind] == "B" else struct.unpack(f"{order}{length}{_TYPES[kind]}", value)
    file.seek(offset + struct.calcsize(order + counter) + len(table))
    following = file.read(struct.calcsize(order + field)).ljust(struct.calcsize(order + field), b"\0")
    return tags, struct.unpack(order + field, following)[0]


def main_page(pages: list[Page]) -> Page | None:
    """The page to show: the first, unless it is marked as a thumbnail or a mask, or another is twice as large.

    Args:
        pages: all pages, in order.

    Returns:
        The page; None if no page has any pixels.
    """
    whole = [page for page in pages if not page.is_mask and page.pixels]
    if not whole:
        return None
    largest = max(whole, key=lambda page: page.pixels)  # the first, if several are equal
    first = pages[0]
    if first in whole and (largest.pixels <= 2 * first.pixels and not (first.is_reduced and largest is not first)):
        return first
    return largest


def with_first_page(data: bytes, offset: int) -> bytes:
    """Make another page the first, so that nothing gets past Pillow's check of sizes by seeking.

    Args:
        data: the file.
        offset: where the page begins in the file, in bytes.

    Returns:
        The file with a header that points to this page.
    """
    order = "<" if data[:2] == b"II" else ">"
    if data[2:4] in (b"\x2b\0", b"\0\x2b"):
        return data[:8] + struct.pack(order + "Q", offset) + data[16:]
    return data[:4] + struct.pack(order + "I", offset) + data[8:]
