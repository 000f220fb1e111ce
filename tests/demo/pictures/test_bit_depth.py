import numpy as np
import pytest

from demo.pictures.bit_depth import to_8_bit


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0, 257, 65535]], np.uint16), [0, 1, 255]),
        (np.array([[0, 128, 257]], np.uint16), [0, 0, 1]),
        (np.array([[0, 128, 257]], ">u2"), [0, 0, 1]),
        (np.array([[0.0, 0.2, 1.0]], np.float32), [0, 51, 255]),
        (np.array([[0.0, 1.0, 1.0]], np.float32), [0, 255, 255]),
        (np.array([[0.0, 127.5, 255.0]], np.float64), [0, 128, 255]),
        (np.array([[0.0, 0.5, 1.06]], np.float32), [0, 128, 255]),  # as after resizing
        (np.array([[-9.0, 127.5, 260.0]], np.float32), [0, 128, 255]),
        (np.array([[0, 128, 256]], np.int32), [0, 0, 1]),  # integers have no such excess
        (np.array([[0.0, 0.5, np.nan]], np.float32), [0, 128, 0]),
        (np.array([[0.0, 1.0, np.inf]], np.float32), [0, 255, 0]),
        (np.array([[-1.0, 0.0, 1.0]], np.float32), [0, 0, 255]),
        (np.array([[0, 1, 255]], np.int32), [0, 1, 255]),
        (np.array([[0, 257, 65535]], np.int32), [0, 1, 255]),
        (np.array([[0, 2**31, 2**32 - 1]], np.uint32), [0, 128, 255]),
        (np.array([[np.nan, np.nan, np.nan]], np.float32), [0, 0, 0]),
    ],
)
def test_the_usual_white_becomes_255(values: np.ndarray, expected: list[int]) -> None:
    assert to_8_bit(values)[0].tolist() == expected


def test_long_pictures_are_scaled_as_one() -> None:
    values = np.linspace(0, 1, 1000, dtype=np.float32)[:, None, None].repeat(3, axis=2)
    assert np.array_equal(to_8_bit(values), np.rint(values.astype(np.float64) * 255).astype(np.uint8))
