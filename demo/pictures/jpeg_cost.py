"""What a JPEG would cost to decode, by its headers: a few kilobytes of scans can keep a decoder busy for minutes."""

from collections.abc import Iterator
from dataclasses import dataclass

from demo.limits import (
    MAX_FRAME_SEGMENTS,
    MAX_HEADER_SEGMENTS,
    MAX_SCANNED_PIXELS,
    MAX_SCANS,
    MAX_STRAY_BYTES,
)
from demo.pictures.formats import CostlyPictureError
from demo.pictures.jpeg_marks import (
    BASELINE,
    END_OF_IMAGE,
    FRAMES,
    SEGMENT_MARK,
    START_OF_IMAGE,
    START_OF_SCAN,
    TEMPORARY,
)


@dataclass(frozen=True)
class _Segment:
    code: int
    body: bytes
    stray: int  # bytes before it that belong to no segment


def check_cost(data: bytes) -> None:
    """Check that a JPEG has no more scans, segments and stray bytes than programs write.

    Args:
        data: a JPEG file, possibly damaged.

    Raises:
        CostlyPictureError: decoding it would take far longer than is usual for its size.
    """
    pixels = scans = stray = 0
    for number, segment in enumerate(_segments(data), 1):
        stray += segment.stray if not scans else 0
        if segment.code in FRAMES and not pixels:
            pixels = int.from_bytes(segment.body[1:3], "big") * int.from_bytes(segment.body[3:5], "big")
        scans += segment.code == START_OF_SCAN
        if scans > MAX_SCANS or scans * pixels > MAX_SCANNED_PIXELS:
            raise CostlyPictureError("has too many scans for its size. Save it again as JPEG or PNG.")
        if number > MAX_HEADER_SEGMENTS or stray > MAX_STRAY_BYTES:
            raise CostlyPictureError("has too much in its headers. Save it again as JPEG or PNG.")


def is_plain_frame(data: bytes) -> bool:
    """Whether a JPEG is like a browser's own: baseline, in a single scan, with short headers.

    Args:
        data: anything.
    """
    components = 0
    for number, segment in enumerate(_segments(data), 1):
        if number > MAX_FRAME_SEGMENTS or segment.stray:
            return False
        if segment.code in FRAMES:
            if segment.code != BASELINE or components:
                return False
            components = segment.body[5] if len(segment.body) > 5 else 0
        if segment.code == START_OF_SCAN:  # a decoder stops after this scan if it has every component
            return 0 < components == (segment.body[0] if segment.body else 0)
    return False


def _segments(data: bytes) -> Iterator[_Segment]:
    """The segments up to the end mark, skipping coded pixels; a last one with code 0 if the headers just break off."""
    position = 2
    coded = scanned = False
    while (
        mark := SEGMENT_MARK.search(data, position, len(data) if coded else position + MAX_STRAY_BYTES + 2)
    ) is not None:
        code = data[mark.end() - 1]
        stray = 0 if coded else mark.end() - 2 - position
        if code == END_OF_IMAGE and scanned:  # before any scan, Pillow goes on
            return
        if code in (TEMPORARY, START_OF_IMAGE, END_OF_IMAGE):
            body, end = b"", mark.end()
        else:
            length = int.from_bytes(data[mark.end() : mark.end() + 2], "big")
            end = mark.end() + max(2, length)
            body = data[mark.end() + 2 : end]
        yield _Segment(code, body, stray)
        coded = code == START_OF_SCAN
        scanned = scanned or coded
        position = end
    if not scanned:
        yield _Segment(0, b"", len(data) - position)
