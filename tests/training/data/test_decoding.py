import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from training.data.decoding import load_all, stderr_caught


@pytest.fixture
def raw() -> bytes:
    """A JPEG of 178 by 218 with smooth and rough parts, about as large as CelebA's."""
    rng = np.random.default_rng(0)
    picture = cv2.resize(rng.integers(0, 256, (28, 23, 3), np.uint8), (178, 218), interpolation=cv2.INTER_CUBIC)
    return cv2.imencode(".jpg", picture)[1].tobytes()


def zeroed(raw: bytes, at: int) -> bytes:
    return raw[:at] + bytes(200) + raw[at + 200 :]


def ones(raw: bytes, at: int) -> bytes:
    return raw[:at] + b"\xff" * 200 + raw[at + 200 :]


def shorter(raw: bytes, at: int) -> bytes:
    return raw[:at] + raw[at + 200 :]


def torn(raw: bytes, at: int) -> bytes:
    return raw[:at] + b"\xff\xd9"


def other_data(raw: bytes, at: int) -> bytes:
    return raw[:at] + np.random.default_rng(1).integers(0, 256, 200, np.uint8).tobytes() + raw[at + 200 :]


def decoded(tmp_path: Path, *contents: bytes) -> list[np.ndarray | None]:
    paths = []
    for number, content in enumerate(contents):
        paths.append(tmp_path / f"{number}.jpg")
        paths[-1].write_bytes(content)
    with ThreadPoolExecutor(2) as threads:
        return load_all(paths, threads)


@pytest.mark.parametrize("damage", [zeroed, ones, shorter, torn, other_data])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.7, 0.9])
def test_damage_inside_the_compressed_data_is_told_of_its_file_alone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], raw: bytes, damage: Callable[[bytes, int], bytes], share: float
) -> None:
    good, bad = raw, damage(raw, int(share * len(raw)) - 200)
    found = decoded(tmp_path, good, bad, good)
    assert [picture is None for picture in found] == [False, True, False]
    expected = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert found[0] is not None
    assert expected is not None
    assert np.array_equal(found[0], expected)
    assert capfd.readouterr().err == ""


def test_a_picture_that_cannot_be_decoded_at_all_is_damaged(tmp_path: Path, raw: bytes) -> None:
    assert decoded(tmp_path, b"", b"no picture", raw[:300]) == [None] * 3


def test_a_progressive_picture_is_judged_alike(tmp_path: Path, raw: bytes) -> None:
    picture = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    good = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    found = decoded(tmp_path, good, zeroed(good, len(good) // 2))
    assert [each is None for each in found] == [False, True]


def test_other_words_on_the_error_stream_are_passed_on(
    tmp_path: Path, raw: bytes, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    imdecode = cv2.imdecode

    def talking(*arguments: Any) -> Any:
        os.write(2, b"libpng warning: a profile\n")
        return imdecode(*arguments)

    monkeypatch.setattr("training.data.decoding.cv2.imdecode", talking)
    found = decoded(tmp_path, raw, zeroed(raw, len(raw) // 2))
    assert [each is None for each in found] == [False, True]
    assert capfd.readouterr().err == "libpng warning: a profile\n" * 2


def test_the_error_stream_is_given_back_after_a_failure(capfd: pytest.CaptureFixture[str]) -> None:
    with suppress(ValueError), stderr_caught():
        os.write(2, b"inside")
        raise ValueError
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"
