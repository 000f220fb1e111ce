"""Scale pixel values of 16 bits and more, or floating ones, to the 8 bits of ordinary pictures."""

import numpy as np

_ROWS_AT_ONCE = 256  # to need little memory besides the picture


def to_8_bit(values: np.ndarray) -> np.ndarray:
    """Scale integer or floating values to uint8, by the smallest usual white point that none exceeds.

    Floats up to 1 are taken for 0..1; 16-bit integers always for 0..65535. NaN and infinity become black.

    Args:
        values: (height, width) or (height, width, channels), of any number type.

    Returns:
        The same shape, uint8.
    """
    white = 65535.0 if values.dtype == np.uint16 else _white(values)
    result = np.empty(values.shape, np.uint8)
    for top in range(0, len(values), _ROWS_AT_ONCE):
        rows = np.nan_to_num(values[top : top + _ROWS_AT_ONCE].astype(np.float64), posinf=0.0, neginf=0.0)
        result[top : top + _ROWS_AT_ONCE] = np.clip(np.rint(rows * (255.0 / white)), 0, 255)
    return result


def _white(values: np.ndarray) -> float:
    usual = (255.0, 65535.0) if values.dtype.kind in "iu" else (1.0, 255.0, 65535.0)
    largest = float(np.max(values, where=np.isfinite(values), initial=0))
    return next((bound for bound in usual if largest <= bound), largest)
