"""ICC profiles for files that describe their colours in another way: by primaries and a tone curve."""

import struct

import numpy as np

Curve = tuple[float, ...]  # just a gamma, or the five numbers of a curve with a linear foot (ICC's type 3)

_SRGB: Curve = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_D65 = (0.3127, 0.3290)
# x and y of red, green and blue.
_BT709: tuple[float, ...] = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
_ADOBE_RGB = (0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
_DISPLAY_P3 = (0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
_BT2020 = (0.708, 0.292, 0.170, 0.797, 0.131, 0.046)

# Codes of ITU-T H.273, as in PNG and AVIF. HDR's (PQ, HLG) are missing: they need more than a curve.
_CODED_PRIMARIES = {1: _BT709, 9: _BT2020, 12: _DISPLAY_P3}
_CODED_CURVES: dict[int, Curve] = {1: _SRGB, 6: _SRGB, 14: _SRGB, 15: _SRGB, 13: _SRGB, 4: (2.2,), 5: (2.8,), 8: (1.0,)}

_D50 = np.array([0.9642, 1.0, 0.8249])  # the reference white of profiles
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def adobe_rgb() -> bytes:
    """Make the profile of Adobe RGB (1998), which cameras only mention in EXIF.

    Returns:
        The profile.
    """
    return _profile(_ADOBE_RGB, _D65, (563 / 256,))


def coded_profile(primaries: int, curve: int) -> bytes | None:
    """Make the profile for codes of ITU-T H.273, as in PNG and AVIF.

    Args:
        primaries: code of the primaries.
        curve: code of the tone curve.

    Returns:
        The profile; empty for sRGB, None for unsupported codes, such as HDR's.
    """
    if primaries not in _CODED_PRIMARIES or curve not in _CODED_CURVES:
        return None
    if _CODED_PRIMARIES[primaries] == _BT709 and _CODED_CURVES[curve] == _SRGB:
        return b""
    return _profile(_CODED_PRIMARIES[primaries], _D65, _CODED_CURVES[curve])


def gamma_profile(encoding: float, corners: list[float] | None) -> bytes:
    """Make the profile for PNG's gAMA and cHRM chunks.

    Args:
        encoding: exponent with which light was encoded; about 0.45455 is what programs write for sRGB, and counts as
            its curve.
        corners: x and y of white, red, green and blue, eight numbers; None for sRGB's.

    Returns:
        The profile; empty for sRGB, or if the numbers make no sense.
    """
    white, primaries = _D65, _BT709
    if corners is not None:
        white, primaries = (corners[0], corners[1]), tuple(corners[2:])
    curve = _SRGB if 0.43 < encoding < 0.48 else (1 / encoding,) if 0.1 < encoding < 10 else None
    is_srgb = np.allclose((*white, *primaries), (*_D65, *_BT709), atol=0.002)
    if curve is None or (is_srgb and curve == _SRGB):
        return b""
    try:
        return _profile(primaries, white, curve)
    except (np.linalg.LinAlgError, ValueError, ZeroDivisionError, struct.error):
        return b""


def _profile(primaries: tuple[float, ...], white: tuple[float, float], curve: Curve) -> bytes:
    """Build a matrix profile of ICC version 4 with the tags that a colour engine needs."""
    tone = b"para" + struct.pack(">4xHxx", 0 if len(curve) == 1 else 3) + _fixed(curve)
    tags = {b"wtpt": _xyz(_D50), b"rTRC": tone, b"gTRC": tone, b"bTRC": tone}
    for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), _to_d50(primaries, white).T, strict=True):
        tags[name] = _xyz(column)
    position = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += name + struct.pack(">II", position + len(body), len(data))
        body += data
    header = struct.pack(">I4xI4s4s4s12x4s28x", position + len(body), 0x04300000, b"mntr", b"RGB ", b"XYZ ", b"acsp")
    return (header + _fixed(_D50)).ljust(128, b"\0") + table + body


def _to_d50(primaries: tuple[float, ...], white: tuple[float, float]) -> np.ndarray:
    """Compute the matrix (3, 3) from linear RGB to XYZ, adapted to the profiles' white (D50)."""
    columns = np.stack([_lift(x, y) for x, y in zip(primaries[::2], primaries[1::2], strict=True)], axis=1)
    source = _lift(*white)
    matrix = columns * np.linalg.solve(columns, source)
    gains = (_BRADFORD @ _D50) / (_BRADFORD @ source)
    return np.linalg.solve(_BRADFORD, gains[:, None] * (_BRADFORD @ matrix))


def _lift(x: float, y: float) -> np.ndarray:
    """XYZ of a colour with Y = 1, from its chromaticity x and y."""
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _xyz(values: np.ndarray) -> bytes:
    """Encode a tag of type XYZ."""
    return b"XYZ \0\0\0\0" + _fixed(values)


def _fixed(values: np.ndarray | Curve) -> bytes:
    """Encode ICC's signed fixed-point numbers, with 16 fractional bits."""
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))
