"""PNG files without the ancillary chunks that make Pillow fail.

A wrong checksum in a comment, or a comment that unpacks to megabytes, makes Pillow refuse the whole picture. Browsers
skip such chunks, and so do we: Pillow gets the critical chunks, and only those ancillary ones that are sound and change
how the pixels look.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from typing import IO

from PIL import Image

from demo.limits import MAX_PNG_ANCILLARY_BYTES, MAX_PNG_CHUNKS, MAX_PNG_TEXT_BYTES
from demo.pictures.formats import check_size
from slimnet.colour.icc_profile import coded_profile, gamma_profile

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_ANCILLARY = (b"tRNS", b"eXIf", b"iCCP", b"cICP", b"sRGB", b"gAMA", b"cHRM", *_TEXTS)
# Where some programs write EXIF's orientation.
_EXIF_TEXTS = (b"Raw profile type exif\0", b"XML:com.adobe.xmp\0")


def open_png(file: IO[bytes]) -> Image.Image:
    """Open a PNG; an animation becomes its still picture.

    Args:
        file: a PNG file, read from its beginning.

    Returns:
        The picture as `Image.open` returns it; `info["icc_profile"]` is empty if the colours are sRGB.

    Raises:
        TooManyPixelsError: the picture is too large, by its header.
        ValueError: its header is cut off, or it has too many chunks.
        PIL.UnidentifiedImageError: Pillow can't make sense of it.
    """
    reduced, profile = _reduced(file)
    image = Image.open(reduced, formats=("PNG",))
    image.info["icc_profile"] = profile
    return image


def _reduced(file: IO[bytes]) -> tuple[IO[bytes], bytes]:
    """The file in memory with only the chunks that Pillow needs, and the picture's ICC profile, if any."""
    file.seek(0)
    parts = [file.read(len(SIGNATURE))]
    ancillary: dict[bytes, bytes] = {}
    header = b""
    for kind, chunk in _chunks(file):
        data = chunk[8:-4]
        if kind == b"IHDR" and not header:
            header = data
            check_size(*struct.unpack(">II", header[:8]))
        if not kind[0] & 0x20:  # a capital first letter: a critical chunk
            parts.append(chunk)
            continue
        name = data.partition(b"\0")[0] + b"\0" if kind in _TEXTS else kind
        is_sound = zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big")
        if not is_sound or name in ancillary or (kind in _TEXTS and name not in _EXIF_TEXTS):
            continue
        ancillary[name] = data
        if kind == b"eXIf" or (kind in _TEXTS and _has_small_text(kind, data)):
            parts.append(chunk)
        elif kind == b"tRNS" and _fits_transparency(data, header, parts):
            parts.append(_as_pillow_compares(data, header))
    return io.BytesIO(b"".join(parts)), _profile(ancillary)


def _chunks(file: IO[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Name and bytes of each chunk up to the end of the picture or file; unwanted chunks are not read."""
    position = file.tell()
    size = file.seek(0, io.SEEK_END)
    file.seek(position)
    for _ in range(MAX_PNG_CHUNKS):
        if len(start := file.read(8)) < 8 or not start[4:].isalpha():
            return
        length, kind = int.from_bytes(start[:4], "big"), start[4:]
        if kind[0] & 0x20 and (kind not in _ANCILLARY or length > MAX_PNG_ANCILLARY_BYTES):
            file.seek(length + 4, io.SEEK_CUR)
            continue
        yield kind, start + file.read(min(length + 4, size))  # a false length must not allocate memory
        if kind == b"IEND":
            return
    raise ValueError("there are too many chunks")


def _fits_transparency(data: bytes, header: bytes, parts: list[bytes]) -> bool:
    """Whether a tRNS chunk has the right length for its kind of picture."""
    colours = {0: 2, 2: 6}
    if header[9] == 3:
        return any(part[4:8] == b"PLTE" and len(data) <= (len(part) - 12) // 3 for part in parts)
    return len(data) == colours.get(header[9], 0) > 0


def _as_pillow_compares(data: bytes, header: bytes) -> bytes:
    """A tRNS chunk with the value that Pillow compares pixels with; empty if it cannot compare them.

    Pillow scales grey pixels of 2 and 4 bits to 8, but not the transparent value. Of 16 bits in each colour it keeps 8,
    by which it would take other colours for the transparent one.
    """
    depth, kind = header[8], header[9]
    if kind == 0 and depth in (2, 4):
        data = struct.pack(">H", min(int.from_bytes(data, "big"), 2**depth - 1) * (255 // (2**depth - 1)))
    elif kind == 2 and depth == 16:
        return b""
    body = b"tRNS" + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def _profile(ancillary: dict[bytes, bytes]) -> bytes:
    """The colour profile that ancillary chunks describe: the first sound one in the standard's order."""
    code = ancillary.get(b"cICP", b"")
    if len(code) == 4 and code[2] == 0 and (profile := coded_profile(code[0], code[1])) is not None:
        return profile
    if profile := _unpacked(ancillary.get(b"iCCP", b"").partition(b"\0")[2][1:], MAX_PNG_ANCILLARY_BYTES):
        return profile
    if len(ancillary.get(b"sRGB", b"")) == 1 or len(gamma := ancillary.get(b"gAMA", b"")) != 4:
        return b""
    corners = ancillary.get(b"cHRM", b"")
    numbers = [value / 100_000 for value in struct.unpack(">8I", corners)] if len(corners) == 32 else None
    return gamma_profile(int.from_bytes(gamma, "big") / 100_000, numbers)


def _has_small_text(kind: bytes, data: bytes) -> bool:
    """Whether a text chunk unpacks to no more than Pillow accepts."""
    text = data.partition(b"\0")[2]
    if kind == b"iTXt" and text[:1] == b"\1":
        return bool(_unpacked(text[2:].split(b"\0", 2)[-1], MAX_PNG_TEXT_BYTES))
    return kind != b"zTXt" or bool(_unpacked(text[1:], MAX_PNG_TEXT_BYTES))


def _unpacked(packed: bytes, largest: int) -> bytes:
    """The content of a compressed chunk; empty if damaged or larger than `largest` bytes."""
    unpacker = zlib.decompressobj()
    try:
        content = unpacker.decompress(packed, largest)
    except zlib.error:
        return b""
    return content if unpacker.eof else b""
