import io

import numpy as np
import pytest
from PIL import Image

from demo.limits import MAX_PLAIN_BYTES
from demo.pictures import decode
from demo.pictures.decode import PictureError, open_picture
from demo.pictures.jpeg_cost import is_plain_frame
from tests.paths import PORTRAIT

PLAIN = PORTRAIT.read_bytes()


def jpeg(mode: str = "RGB", size: tuple[int, int] = (64, 48), *, progressive: bool = False) -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, "grey" if mode == "RGB" else 99).save(file, "JPEG", progressive=progressive)
    return file.getvalue()


def of_scans(count: int, size: tuple[int, int] = (64, 48)) -> bytes:
    """A progressive JPEG that repeats its last scan again and again."""
    data = jpeg("L", size, progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + data[-2:]


BASE = jpeg()
COSTLY = {
    "scans": of_scans(101),
    "scans of many pixels": of_scans(30, (6500, 6500)),
    "empty segments": BASE[:2] + b"\xff\xfe\0\2" * 5000 + BASE[2:],
    "fill bytes": BASE[:2] + b"\xff" * 100_000 + BASE[2:],
    "stray bytes": BASE[:2] + b"\xff\xfe\0\2" + bytes(100_000) + BASE[2:],
    "nothing but stray bytes": BASE[:2] + b"\xff\xfe\0\2" + bytes(100_000),
    "an early end mark": BASE[:2] + b"\xff\xd9" + b"\xff\xfe\0\2" * 5000 + BASE[2:],
    "pixels as text": b"P3\n64 64\n255\n" + b"1 " * (MAX_PLAIN_BYTES // 2),
}


@pytest.mark.parametrize("data", COSTLY.values(), ids=COSTLY)
def test_what_would_take_long_is_refused_before_it_is_opened(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    monkeypatch.setattr(decode.Image, "open", lambda *arguments, **_: opened.append(arguments))
    with pytest.raises(PictureError, match=r"^'a\.jpg' has .*Save it"):
        open_picture(data, "a.jpg")
    assert not opened
    monkeypatch.undo()
    assert open_picture(PLAIN).shape


@pytest.mark.parametrize("progressive", [False, True])
def test_what_programs_write_is_opened(progressive: bool) -> None:
    metadata = b"".join(b"\xff\xed\0\x10" + bytes(14) for _ in range(300))
    data = jpeg(progressive=progressive)
    plain = open_picture(data)
    assert np.array_equal(open_picture(data[:2] + b"\xff" * 100 + metadata + data[2:]), plain)
    assert open_picture(b"P2\n2 1\n255\n0 255\n").tolist() == [[[0] * 3, [255] * 3]]


def test_a_plain_frame_is_baseline_in_one_scan_with_short_headers() -> None:
    assert is_plain_frame(BASE)
    assert is_plain_frame(jpeg("L"))
    parted = BASE.replace(b"\xff\xda\0\x0c\x03\1\0\2\x11\3\x11", b"\xff\xda\0\x08\x01\1\0", 1)
    assert parted != BASE
    for other in (
        jpeg(progressive=True),
        of_scans(1),
        parted,
        COSTLY["empty segments"],
        BASE[:2] + b"\xff" + BASE[2:],
        BASE[:100],
        b"",
        b"\x89PNG",
    ):
        assert not is_plain_frame(other)
