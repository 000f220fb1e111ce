"""Truncated files that have all their pixels and lack only their end, such as a JPEG without its end mark.

We decode such a file with several endings appended. If pixels are missing, each ending gives different ones; if all
pictures are equal, no ending has changed anything, so every pixel is there. Pillow's own switch for truncated files
(LOAD_TRUNCATED_IMAGES) applies to all threads at once, and paints missing pixels grey.
"""

import random
from collections.abc import Iterator

from demo.pictures.jpeg_marks import (
    BASELINE,
    END_OF_IMAGE,
    EXTENDED,
    FIRST_RESTART,
    PROGRESSIVE,
    RESTART_MARK,
    SEGMENT_MARK,
    START_OF_IMAGE,
    START_OF_SCAN,
)

_NOISE = bytes(random.Random(0).choices(range(1, 255), k=512))  # without the byte that begins JPEG's marks
_FILLINGS = (bytes(512), _NOISE)
_JPEG_START, _JPEG_END = bytes((0xFF, START_OF_IMAGE)), bytes((0xFF, END_OF_IMAGE))


def completions(data: bytes) -> Iterator[bytes]:
    """The file with each of several endings; the picture is whole if all of them decode to the same.

    Args:
        data: a file that can't be decoded as it is.

    Yields:
        The completed files; none if the file's own headers show that pixels are missing.
    """
    endings: tuple[bytes, ...] = _FILLINGS
    if data.startswith(_JPEG_START):
        data = data.rstrip(b"\xff")  # half of the end mark
        if not _has_all_scans(data):
            return
        endings = (_JPEG_END, *(_jpeg_ending(data, filling) for filling in _FILLINGS))
    for ending in endings:
        yield data + ending


def _jpeg_ending(data: bytes, filling: bytes) -> bytes:
    """More pixels, then each restart mark from the next one on, with more pixels, and an end mark."""
    marks = RESTART_MARK.findall(data)
    first = marks[-1][0] + 1 if marks else FIRST_RESTART
    return filling + b"".join(bytes((0xFF, FIRST_RESTART | (first + i) & 7)) + filling for i in range(8)) + _JPEG_END


def _has_all_scans(data: bytes) -> bool:
    """Whether a JPEG's scan headers announce every coefficient of every component down to its last bit."""
    missing: dict[tuple[int, int], int] = {}  # (component, coefficient) -> lowest bit sent so far
    position = 2
    while (mark := SEGMENT_MARK.search(data, position)) is not None:
        body = data[mark.end() + 2 : mark.end() + int.from_bytes(data[mark.end() : mark.end() + 2], "big")]
        code = mark.group()[1]
        try:
            if code in (BASELINE, EXTENDED, PROGRESSIVE):
                missing = {(body[6 + 3 * i], k): 1 for i in range(body[5]) for k in range(64)}
            elif code == START_OF_SCAN:
                start, end, bits = body[1 + 2 * body[0] : 4 + 2 * body[0]]
                scanned = body[1 : 1 + 2 * body[0] : 2]
                missing |= {(component, k): bits & 15 for component in scanned for k in range(start, end + 1)}
        except (IndexError, ValueError):  # cut off within a header
            return False
        position = mark.end() + 2 + len(body)
    return bool(missing) and not any(missing.values())
