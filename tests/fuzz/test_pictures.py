"""Picture files that are damaged, or made to do harm."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.limits import MAX_PIXELS
from demo.pictures.decode import PictureError, open_picture
from tests.fuzz.door import Door
from tests.fuzz.picture_files import BUILT, DAMAGED, FILES

_FRAMES = [open_picture(file) for file in FILES]


def check_good_pictures() -> None:
    for file, frame in zip(FILES, _FRAMES, strict=True):
        assert np.array_equal(open_picture(file), frame)


def open_or_refuse(door: Door, file: bytes) -> None:
    with door.input(PictureError):
        frame = open_picture(file)
        assert (frame.dtype, frame.ndim, frame.shape[2]) == (np.uint8, 3, 3)
        assert frame.flags.c_contiguous
        assert 0 < frame.shape[0] * frame.shape[1] <= MAX_PIXELS


@pytest.fixture(scope="module")
def damaged() -> Door:
    return Door("damaged pictures", check_good_pictures)


@pytest.fixture(scope="module")
def built() -> Door:
    return Door("made-up pictures", check_good_pictures)


@given(file=DAMAGED)
def test_a_damaged_picture_is_read_or_refused_by_a_sentence(damaged: Door, file: bytes) -> None:
    open_or_refuse(damaged, file)


@given(file=BUILT | st.binary(max_size=200))
def test_a_made_up_picture_is_read_or_refused_by_a_sentence(built: Door, file: bytes) -> None:
    open_or_refuse(built, file)
