"""Scale pixel values of 16 bits or more, or floats, to the 8 bits of ordinary pictures."""

import numpy as np

_ROWS_AT_ONCE = 256  # needs little memory beside the picture


def to_8_bit(values: np.ndarray) -> np.ndarray:
    """Scale integers or floats to uint8, by the smallest usual white point that fits.

    Integers never exceed it, while floats may by up to a factor of two, since resizing and bright lights do: what does
    is cut off at white. So floats up to 2 count as 0..1, and unsigned 16-bit integers always as 0..65535. NaN and
    infinity become black.

    Args:
        values: (height, width) or (height, width, channels), of any number type.

    Returns:
        The same shape, uint8.
    """
    has_16_bits = values.dtype.kind == "u" and values.dtype.itemsize == 2  # in either byte order
    white = 65535.0 if has_16_bits else _white(values)
    result = np.empty(values.shape, np.uint8)
    for top in range(0, len(values), _ROWS_AT_ONCE):
        rows = np.nan_to_num(values[top : top + _ROWS_AT_ONCE].astype(np.float64), posinf=0.0, neginf=0.0)
        result[top : top + _ROWS_AT_ONCE] = np.clip(np.rint(rows * (255.0 / white)), 0, 255)
    return result


def _white(values: np.ndarray) -> float:
    usual, excess = ((255.0, 65535.0), 1) if values.dtype.kind in "iu" else ((1.0, 255.0, 65535.0), 2)
    largest = float(np.max(values, where=np.isfinite(values), initial=0))
    return next((bound for bound in usual if largest <= excess * bound), largest)
