"""Picture files for tests, made from the public-domain portrait. What Pillow cannot write is put together here."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

from tests.paths import PORTRAIT


def portrait(width: int = 90, height: int = 110) -> Image.Image:
    with Image.open(PORTRAIT) as image:
        return image.resize((width, height))


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def rgb(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB"))


def chunk(kind: bytes, data: bytes, checksum: int | None = None) -> bytes:
    """A chunk of a PNG, with the right checksum unless another is given."""
    checksum = zlib.crc32(kind + data) if checksum is None else checksum
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def with_chunks(png: bytes, *chunks: bytes, at: int = 33) -> bytes:
    """A PNG with further chunks, after its header unless another position is given."""
    return png[:at] + b"".join(chunks) + png[at:]


def tiff(*pages: dict[int, int | tuple[int, ...] | bytes], order: str = "<", inside: tuple[int, ...] = ()) -> bytes:
    """A TIFF of uncompressed pages. Each is a dictionary of tags, in which tag 273 has the joined bytes of its strips.

    inside: numbers of pages that are SubIFDs of the first page, not in the chain.
    """
    data = bytearray({"<": b"II*\0", ">": b"MM\0*"}[order] + bytes(4))
    places: list[int] = []
    slots: list[int] = []
    first_slot = 4
    for tags in pages:
        entries: dict[int, tuple[int, ...]] = {
            t: v if isinstance(v, tuple) else (v,) for t, v in tags.items() if not isinstance(v, bytes)
        }
        pixels = tags[273]
        assert isinstance(pixels, bytes)
        strips = tags.get(277, 1) if tags.get(284) == 2 else 1
        assert isinstance(strips, int)
        size = len(pixels) // strips
        entries[273] = tuple(len(data) + size * i for i in range(strips))
        entries[279] = (size,) * strips
        if not places and inside:
            entries[330] = (0,) * len(inside)
        data += pixels + bytes(len(pixels) % 2)
        table = b""
        for tag, values in sorted(entries.items()):
            packed = struct.pack(f"{order}{len(values)}I", *values)
            if tag == 330:
                slots = [len(data) + 4 * i for i in range(len(values))]
            if len(values) > 1:
                packed, where = struct.pack(order + "I", len(data)), packed
                data += where
            table += struct.pack(order + "HHI", tag, 4, len(values)) + packed
            if tag == 330 and len(values) == 1:
                slots = [-len(table)]
        places.append(len(data))
        slots = [slot if slot > 0 else len(data) + 2 - slot - 4 for slot in slots]
        data += struct.pack(order + "H", len(entries)) + table + bytes(4)
        if len(places) - 1 in inside:
            struct.pack_into(order + "I", data, slots[inside.index(len(places) - 1)], places[-1])
        else:
            struct.pack_into(order + "I", data, first_slot, places[-1])
            first_slot = len(data) - 4
    return bytes(data)


def page(values: np.ndarray, photometric: int, **more: int) -> dict[int, int | tuple[int, ...] | bytes]:
    """Tags for `tiff` from values (height, width) or (height, width, channels), in the byte order in the file.

    more: further tags, named planar, format, extra or subfile.
    """
    height, width = values.shape[:2]
    samples = values.shape[2] if values.ndim == 3 else 1
    bits = values.dtype.itemsize * 8
    stored = values.transpose(2, 0, 1) if more.get("planar") == 2 else values
    names = {"planar": 284, "format": 339, "extra": 338, "subfile": 254}
    tags: dict[int, int | tuple[int, ...] | bytes] = {names[name]: value for name, value in more.items()}
    return {
        **tags, 256: width, 257: height, 258: (bits,) * samples, 259: 1, 262: photometric, 277: samples, 278: height,
        273: np.ascontiguousarray(stored).tobytes(),
    }  # fmt: skip
