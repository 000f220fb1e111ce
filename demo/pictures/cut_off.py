"""Pictures whose files lack only their end, such as a JPEG without its end mark, told from those that lack pixels.

The file is decoded with several endings put to it. Where pixels are missing, each ending gives others; where the
pictures are equal, nothing that could follow would have changed them, so everything is there. Pillow's own switch for
cut files (LOAD_TRUNCATED_IMAGES) holds for all threads at once, and paints what is missing grey.
"""

import random
import re
from collections.abc import Callable

from PIL import Image

_NOISE = bytes(random.Random(0).choices(range(1, 255), k=512))  # without the bytes that begin a mark of JPEG
_FILLINGS = (bytes(512), _NOISE)
_JPEG_END = b"\xff\xd9"


def completed(data: bytes, decode: Callable[[bytes], Image.Image]) -> Image.Image | None:
    """The picture in a file without its last bytes; None where any of its pixels is missing.

    Args:
        data: the file, which cannot be decoded as it is.
        decode: opens and loads a picture, or raises any exception.
    """
    endings: tuple[bytes, ...] = _FILLINGS
    if data.startswith(b"\xff\xd8"):
        data = data.rstrip(b"\xff")  # the first half of the end mark
        if not _has_all_scans(data):
            return None
        endings = (_JPEG_END, *(_jpeg_ending(data, filling) for filling in _FILLINGS))
    first: Image.Image | None = None
    for ending in endings:
        try:
            picture = decode(data + ending)
        except Exception:  # decoders raise almost anything on a cut file
            return None
        if first is None:
            first = picture
        elif picture != first:  # of mode, size, palette and pixels
            return None
    return first


def _jpeg_ending(data: bytes, filling: bytes) -> bytes:
    """More pixels, also behind the restart mark that would come next, and an end mark."""
    marks = re.findall(rb"\xff([\xd0-\xd7])", data)
    first = marks[-1][0] + 1 if marks else 0xD0
    return filling + b"".join(bytes((0xFF, 0xD0 | (first + i) & 7)) + filling for i in range(8)) + _JPEG_END


def _has_all_scans(data: bytes) -> bool:
    """Whether every coefficient of every colour of a JPEG was sent to its last bit, by the headers of its scans."""
    missing: dict[tuple[int, int], int] = {}  # (component, coefficient) -> lowest bit sent so far
    position = 2
    while (mark := re.compile(rb"\xff[^\0\xff\xd0-\xd7]", re.DOTALL).search(data, position)) is not None:
        body = data[mark.end() + 2 : mark.end() + int.from_bytes(data[mark.end() : mark.end() + 2], "big")]
        code = mark.group()[1]
        try:
            if code in (0xC0, 0xC1, 0xC2):
                missing = {(body[6 + 3 * i], k): 1 for i in range(body[5]) for k in range(64)}
            elif code == 0xDA:
                start, end, bits = body[1 + 2 * body[0] : 4 + 2 * body[0]]
                scanned = body[1 : 1 + 2 * body[0] : 2]
                missing |= {(component, k): bits & 15 for component in scanned for k in range(start, end + 1)}
        except (IndexError, ValueError):  # cut in the middle of a header
            return False
        position = mark.end() + 2 + len(body)
    return bool(missing) and not any(missing.values())
