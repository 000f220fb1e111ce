"""Windows icons and cursors: opens the largest picture in a file."""

import io
import struct
from typing import IO

from PIL import Image

from demo.pictures.formats import check_size
from demo.pictures.png_chunks import SIGNATURE, open_png

_HEADER_BYTES = 40


def open_icon(file: IO[bytes]) -> Image.Image | None:
    """Open the largest picture of an .ico or .cur file.

    Sizes come from each picture's own header, not from the directory, which is often wrong.

    Args:
        file: an .ico or .cur file, read from its beginning.

    Returns:
        The picture, not loaded yet; None if the file is not an icon after all, since a TGA can begin like one.

    Raises:
        TooManyPixelsError: the picture is too large, by its header.
        ValueError: pixels are missing.
    """
    file.seek(0)
    data = file.read()
    reserved, kind, count = struct.unpack("<3H", data[:6].ljust(6, b"\0"))
    if reserved or kind not in (1, 2) or not count or len(data) < 6 + 16 * count:
        return None
    places = [struct.unpack_from("<II", data, 6 + 16 * i + 8) for i in range(count)]
    measured = [
        (*_measure(data[start : start + min(size, _HEADER_BYTES)]), start, size)
        for size, start in places
        if start >= 6 + 16 * count
    ]
    width, height, depth, start, size = max(
        measured, key=lambda found: (found[0] * found[1], found[2]), default=(0, 0, 0, 0, 0)
    )
    if not width:
        return None
    check_size(width, height)
    picture = data[start : start + size]
    if picture.startswith(SIGNATURE):
        return open_png(io.BytesIO(picture))
    bitmap, has_opacity = _with_mask(picture, width, height, depth)
    entry = struct.pack("<4B2H2I", width & 255, height & 255, 0, 0, 1, 32 if has_opacity else 24, len(bitmap), 22)
    return Image.open(io.BytesIO(struct.pack("<3H", 0, 1, 1) + entry + bitmap), formats=("ICO",))


def _with_mask(picture: bytes, width: int, height: int, depth: int) -> tuple[bytes, bool]:
    """A bitmap with its mask in the right place, and whether its pixels have an opacity of their own instead.

    Pillow looks for the mask at the end of the file, but many programs leave it out, shorten it or add bytes after it.
    In old 32-bit icons the pixels' opacity is 0 everywhere, and the mask counts instead.
    """
    header, compression, colours = (int.from_bytes(picture[at : at + 4], "little") for at in (0, 16, 32))
    palette = 4 * (colours or 2**depth) if depth <= 8 else 12 if compression == 3 and header == 40 else 0
    pixels_end = header + palette + (width * depth + 31) // 32 * 4 * height
    end = pixels_end + (width + 31) // 32 * 4 * height
    if len(picture) < pixels_end:
        raise ValueError("pixels of the icon are missing")
    has_opacity = depth == 32 and any(picture[pixels_end - 4 * width * height : pixels_end][3::4])
    return picture[:end].ljust(end, b"\0"), has_opacity


def _measure(head: bytes) -> tuple[int, int, int]:
    """Width, height and bits per pixel from a picture's own header; zeros if it has none."""
    if head.startswith(SIGNATURE) and len(head) >= 24:
        return *struct.unpack(">II", head[16:24]), 32
    if len(head) >= _HEADER_BYTES and head[:4] in (b"\x28\0\0\0", b"\x6c\0\0\0", b"\x7c\0\0\0"):
        width, height, _, depth = struct.unpack("<iiHH", head[4:16])
        if width > 0 and height > 1:  # the height includes the mask
            return width, height // 2, depth
    return 0, 0, 0
