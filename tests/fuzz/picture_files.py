"""Small picture files in every format that is read, and strategies for damaged and made-up ones."""

import struct

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from tests.fakes.pictures import chunk, page, portrait, saved, tiff
from tests.fuzz.inputs import mutated

_SMALL = portrait(40, 52)
_DEEP = np.asarray(_SMALL.convert("L")).astype(np.uint16) * 257
_WRITTEN: dict[str, bytes] = {
    "baseline": saved(_SMALL, "JPEG", quality=80),
    "progressive": saved(_SMALL, "JPEG", progressive=True),
    "CMYK": saved(_SMALL.convert("CMYK"), "JPEG"),
    "two pictures": saved(_SMALL, "MPO", save_all=True, append_images=[_SMALL]),
    "PNG": saved(_SMALL, "PNG"),
    "palette": saved(_SMALL.quantize(16), "PNG", transparency=0),
    "16 bits": saved(Image.fromarray(_DEEP), "PNG"),
    "animated PNG": saved(_SMALL, "PNG", save_all=True, append_images=[_SMALL.rotate(90)]),
    "WebP": saved(_SMALL, "WEBP"),
    "lossless WebP": saved(_SMALL.convert("RGBA"), "WEBP", lossless=True),
    "GIF": saved(_SMALL.quantize(32), "GIF", save_all=True, append_images=[_SMALL.quantize(8)]),
    "AVIF": saved(_SMALL, "AVIF"),
    "BMP": saved(_SMALL, "BMP"),
    "run-length BMP": saved(_SMALL.convert("P"), "BMP"),
    "PPM": saved(_SMALL, "PPM"),
    "text": b"P3\n2 2\n255\n" + b"1 2 3 " * 4,
    "PCX": saved(_SMALL, "PCX"),
    "JPEG 2000": saved(_SMALL, "JPEG2000"),
    "TGA": saved(_SMALL, "TGA", compression="tga_rle"),
    "ICO": saved(_SMALL, "ICO", sizes=[(16, 16), (32, 32)]),
    "TIFF": saved(_SMALL, "TIFF"),
    "LZW": saved(_SMALL, "TIFF", compression="tiff_lzw"),
    "deflate": saved(_SMALL, "TIFF", compression="tiff_adobe_deflate"),
    "JPEG in TIFF": saved(_SMALL, "TIFF", compression="jpeg"),
    "deep TIFF": saved(Image.fromarray(_DEEP), "TIFF"),
    "fax": saved(_SMALL.convert("1"), "TIFF", compression="group4"),
    "planes": tiff(page(np.asarray(_SMALL), 2, planar=2)),
    "two pages": tiff(page(np.asarray(_SMALL.resize((8, 8))), 2, subfile=1), page(np.asarray(_SMALL), 2), order=">"),
}
FILES = list(_WRITTEN.values())
JPEGS = [_WRITTEN[name] for name in ("baseline", "progressive", "CMYK", "two pictures")]
_SIGNATURES = [data[:12] for data in FILES] + [
    b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\xff\xff\xff\x7fWEBPVP8X", b"\0\0\0\x20ftypavif",
    b"II+\0\x08\0\0\0", b"MM\0*", b"\0\0\2\0\1\0", b"P6\n", b"P7\n", b"PF\n", b"\xff\x4f\xff\x51",
]  # fmt: skip


def _png(size: tuple[int, int], depth: int, colour: int, chunks: list[tuple[bytes, bytes]]) -> bytes:
    header = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunk(*each) for each in chunks)


def _jpeg(segments: list[tuple[int, bytes]]) -> bytes:
    return b"\xff\xd8" + b"".join(
        bytes((0xFF, code)) + struct.pack(">H", len(body) + 2) + body for code, body in segments
    )


_SIDES = st.sampled_from((0, 1, 7, 40, 2**15, 2**31 - 1))
_CHUNKS = st.tuples(
    st.sampled_from(b"IDAT IEND PLTE tRNS gAMA iCCP zTXt iTXt eXIf acTL fcTL fdAT pHYs sBIT".split()),
    st.binary(max_size=60) | st.sampled_from([_WRITTEN["PNG"][41:120], saved(_SMALL, "TIFF")[:200]]),
)
_SEGMENTS = st.tuples(
    st.integers(0xC0, 0xFE), st.binary(max_size=40) | st.sampled_from([b"\x08\0\x10\0\x10\3\1\x22\0\2\x11\1\3\x11\1"])
)
_NUMBERS = st.integers(0, 2**32 - 1) | st.sampled_from((0, 1, 2, 3, 8, 16, 32, 40, 52, 65535))
_TAGS = st.dictionaries(
    st.sampled_from((254, 256, 257, 258, 259, 262, 266, 274, 278, 284, 317, 320, 322, 323, 330, 338, 339, 34665)),
    _NUMBERS | st.lists(_NUMBERS, min_size=2, max_size=4).map(tuple),
    max_size=6,
)


def _tiff(pages: list[tuple[dict[int, int | tuple[int, ...]], int, bytes]], order: str) -> bytes:
    whole = {256: 8, 257: 8, 258: 8, 259: 1, 262: 1, 278: 8}
    return tiff(*[{**whole, **tags, 277: samples, 273: pixels} for tags, samples, pixels in pages], order=order)


BUILT = st.one_of(
    st.builds(lambda head, rest: head + rest, st.sampled_from(_SIGNATURES), st.binary(max_size=300)),
    st.builds(
        _png,
        st.tuples(_SIDES, _SIDES),
        st.sampled_from((1, 2, 4, 8, 16, 3)),
        st.integers(0, 7),
        st.lists(_CHUNKS, max_size=8),
    ),
    st.builds(_jpeg, st.lists(_SEGMENTS, max_size=10)),
    st.builds(
        _tiff,
        st.lists(st.tuples(_TAGS, st.integers(1, 4), st.binary(min_size=1, max_size=80)), min_size=1, max_size=3),
        st.sampled_from("<>"),
    ),
)
DAMAGED = mutated(FILES)
