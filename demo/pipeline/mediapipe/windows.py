"""Which windows of a picture the face detector looks at, as `Window`: left, top, width, height in whole pixels."""

from math import ceil, log2

from demo.limits import MAX_WINDOWS

Window = tuple[int, int, int, int]

# Tiles per longer side -> its minimum length in pixels.
TILE_LIMITS = {2: 320, 4: 640, 8: 2048}
# The detector misses faces smaller than about this share of its input.
MIN_FACE_SHARE = 0.15
# Side of the smallest windows in pixels: they show faces of 24 pixels; smaller faces are too small to judge.
MIN_SIDE = 160
# Distance between small windows, as a share of their side: a face of up to 0.4 of a side lies whole in one of them.
_STRIDE = 0.6
# Windows only this much larger than the smallest show nearly the same faces.
_NEARLY_AS_SMALL = 1.1


def whole(width: int, height: int) -> list[Window]:
    """The whole picture as a single window.

    Args:
        width: of the picture, in pixels.
        height: of the picture, in pixels.

    Returns:
        A list of only that window.
    """
    return [(0, 0, width, height)]


def with_room(width: int, height: int) -> list[Window]:
    """One window twice as wide and high as the picture, which is in its middle.

    Args:
        width: of the picture, in pixels.
        height: of the picture, in pixels.

    Returns:
        A list of only that window; it begins at negative coordinates.
    """
    return [(-width // 2, -height // 2, 2 * width, 2 * height)]


def tiles(width: int, height: int, parts: int) -> list[Window]:
    """Square windows, each overlapping the next by half.

    Args:
        width: of the picture, in pixels.
        height: of the picture, in pixels.
        parts: tiles per longer side, a key of `TILE_LIMITS`.

    Returns:
        An empty list if the tiles would be too small.
    """
    longest = max(width, height)
    return squares(width, height, longest // parts, 0.5) if longest >= TILE_LIMITS[parts] else []


def squares(width: int, height: int, side: int, stride: float = _STRIDE) -> list[Window]:
    """Square windows over the whole picture, clipped if the picture is narrower.

    Args:
        width: of the picture, in pixels.
        height: of the picture, in pixels.
        side: of a window, in pixels.
        stride: largest step from one window to the next, as a share of the side.

    Returns:
        The windows, row by row.
    """
    across, down = min(side, width), min(side, height)
    return [(left, top, across, down) for top in _starts(height, side, stride) for left in _starts(width, side, stride)]


def small_sides(width: int, height: int) -> list[int]:
    """Sides of the small windows, starting below the tiles.

    Args:
        width: of the picture, in pixels.
        height: of the picture, in pixels.

    Returns:
        From large to small, in pixels, each at least half the previous one. The last one is `MIN_SIDE`, or as small as
        `MAX_WINDOWS` allows.
    """
    longest = max(width, height)
    tile = longest / max((parts for parts, limit in TILE_LIMITS.items() if longest >= limit), default=1)
    coarse = min(tile, min(width, height) / MIN_FACE_SHARE)
    least = float(MIN_SIDE)
    while sum(_count(width, height, side) for side in _sides(coarse, least)) > MAX_WINDOWS:
        least *= 1.02
    return _sides(coarse, least)


def _sides(coarse: float, least: float) -> list[int]:
    """Sides from below `coarse` down to `least`, in equal ratios of at most 2."""
    if coarse < _NEARLY_AS_SMALL * least:
        return []
    steps = ceil(log2(coarse / least))
    return [round(coarse * (least / coarse) ** (step / steps)) for step in range(1, steps + 1)]


def _count(width: int, height: int, side: int) -> int:
    return len(_starts(width, side, _STRIDE)) * len(_starts(height, side, _STRIDE))


def _starts(length: int, side: int, stride: float) -> list[int]:
    """Where windows of `side` begin to cover `length`, at most `stride` sides apart."""
    if length <= side:
        return [0]
    gaps = ceil((length - side) / (stride * side))
    return [round(i * (length - side) / gaps) for i in range(gaps + 1)]
