import contextlib
import io
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from demo.pictures.decode import PictureError, open_picture
from tests.fakes.pictures import chunk, portrait, rgb, saved, with_chunks

PNG = saved(portrait(), "PNG")
RGB = rgb(portrait())
BOMB = zlib.compress(bytes(2**25))  # 32 MB from 32 kB


@pytest.mark.parametrize(
    "side",
    [
        chunk(b"zTXt", b"prompt\0\0" + BOMB),
        chunk(b"iTXt", b"prompt\0\1\0\0\0" + BOMB),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + BOMB),
        chunk(b"zTXt", b"Raw profile type exif\0\0" + BOMB),
        chunk(b"iCCP", b"profile\0\0" + BOMB),
        chunk(b"tEXt", b"prompt\0" + b"x" * 3_000_000),
        chunk(b"tEXt", b"prompt\0x") * 10_000,
        chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(bytes(2**20))) * 100,
    ],
    ids=["zTXt", "iTXt", "xmp", "exif", "iCCP", "tEXt", "many", "many_packed"],
)
def test_large_side_chunks_are_passed_over(side: bytes) -> None:
    assert np.array_equal(open_picture(with_chunks(PNG, side)), RGB)


@pytest.mark.parametrize(
    "kind", "tEXt zTXt iTXt gAMA cHRM sRGB pHYs tIME eXIf iCCP bKGD sBIT hIST sPLT tRNS cICP abCd".split()
)
@pytest.mark.parametrize("position", ["before", "behind"])
def test_damaged_side_chunks_are_passed_over(kind: str, position: str) -> None:
    at = 33 if position == "before" else len(PNG) - 12
    for data in (b"", b"\0", b"ab", b"\xff" * 7, b"name\0\0" + b"\x80" * 40):
        good_length_bad_sum = chunk(kind.encode(), data, checksum=1)
        assert np.array_equal(open_picture(with_chunks(PNG, good_length_bad_sum, at=at)), RGB)
        bad_length = chunk(kind.encode(), data)
        assert np.array_equal(open_picture(with_chunks(PNG, bad_length, at=at)), RGB), data


def test_a_wrong_checksum_of_the_header_is_refused() -> None:
    damaged = PNG[:29] + b"\0\0\0\0" + PNG[33:]
    with pytest.raises(PictureError):
        open_picture(damaged)


def test_a_wrong_checksum_of_pixels_does_no_harm_but_wrong_pixels_are_refused() -> None:
    place = PNG.index(b"IDAT")
    end = place + 4 + int.from_bytes(PNG[place - 4 : place], "big")
    assert np.array_equal(open_picture(PNG[:end] + b"\0\0\0\0" + PNG[end + 4 :]), RGB)
    middle = (place + end) // 2
    with pytest.raises(PictureError, match="damaged"):
        open_picture(PNG[:middle] + bytes((PNG[middle] ^ 8,)) + PNG[middle + 1 :])


def test_a_false_length_takes_no_memory(tmp_path: Path) -> None:
    place = PNG.index(b"IDAT")
    path = tmp_path / "long.png"
    path.write_bytes(PNG[: place - 4] + b"\xff\xff\xff\xf0" + PNG[place:])
    tracemalloc.start()
    with contextlib.suppress(PictureError):
        open_picture(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**26


def test_transparency_and_orientation_are_kept() -> None:
    image = portrait().quantize(16)
    data = saved(image, "PNG", transparency=3)
    assert np.all(open_picture(data)[np.asarray(image) == 3] == 255)
    exif = Image.Exif()
    exif[0x0112] = 6
    assert np.array_equal(open_picture(saved(portrait(), "PNG", exif=exif)), np.rot90(RGB, 3))


@pytest.mark.parametrize(
    ("depth", "row", "expected"),
    [(1, 0b01 << 6, [0, 255]), (2, 0b00011011, [0, 255, 170, 255]), (4, 0x01, [0, 255]), (4, 0x2F, [34, 255])],
)
def test_the_transparent_grey_is_white_at_any_depth(depth: int, row: int, expected: list[int]) -> None:
    header = struct.pack(">IIBBBBB", len(expected), 1, depth, 0, 0, 0, 0)
    picture = made_of((b"IHDR", header), (b"tRNS", b"\0\1"), (b"IDAT", zlib.compress(bytes([0, row]))))
    assert open_picture(picture)[0, :, 0].tolist() == expected


def test_of_colours_with_16_bits_only_the_transparent_one_may_become_white() -> None:
    header = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" + bytes(6) + b"\x80\0" * 3)
    picture = made_of((b"IHDR", header), (b"tRNS", b"\x80\0" * 3), (b"IDAT", pixels))
    assert open_picture(picture)[0, 0].tolist() == [0, 0, 0]


def made_of(*chunks: tuple[bytes, bytes]) -> bytes:
    return PNG[:8] + b"".join(chunk(kind, data) for kind, data in (*chunks, (b"IEND", b"")))


def test_orientation_written_as_a_text_is_kept() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    block = exif.tobytes()
    text = b"\nexif\n%8d\n" % len(block) + block.hex().encode() + b"\n"
    packed = chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(text))
    assert np.array_equal(open_picture(with_chunks(PNG, packed)), np.rot90(RGB, 3))


def test_an_animation_gives_its_still_picture_and_no_more() -> None:
    data = saved(portrait(), "PNG", save_all=True, append_images=[portrait().rotate(90)], duration=100)
    assert b"acTL" in data
    assert np.array_equal(open_picture(data), RGB)
    damaged = data[:-300]  # the second frame is cut off
    assert np.array_equal(open_picture(damaged), RGB)


def test_millions_of_chunks_are_refused() -> None:
    file = io.BytesIO(with_chunks(PNG, chunk(b"tIME", b"") * 500_001))
    with pytest.raises(PictureError, match="damaged"):
        open_picture(file.getvalue())
