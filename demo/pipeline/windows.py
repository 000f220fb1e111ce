"""Which windows of a picture the face detector looks at."""

from math import ceil, log2

Window = tuple[int, int, int, int]

# So many tiles along the longer side of every picture, where that has at least so many pixels.
TILE_LIMITS = {2: 320, 4: 640, 8: 2048}
# The detector misses faces under about this share of what it sees.
LEAST_SHARE = 0.15
# Shows faces of 24 pixels; smaller ones are too small to judge.
LEAST_SIDE = 160
# Small windows, all together; about 1.2 seconds of work.
MOST_WINDOWS = 600
# How far on the next small window begins, as a share of the side: a face of up to 0.4 of it lies whole in one of them.
_STRIDE = 0.6
# Windows this little larger than the smallest show nearly the same faces.
_NEARLY_AS_SMALL = 1.1


def whole(width: int, height: int) -> list[Window]:
    return [(0, 0, width, height)]


def with_room(width: int, height: int) -> list[Window]:
    """The picture and as much room around it."""
    return [(-width // 2, -height // 2, 2 * width, 2 * height)]


def tiles(width: int, height: int, parts: int) -> list[Window]:
    """Square windows of a share of the longer side, each half over the next; none where they would be too small."""
    longest = max(width, height)
    return squares(width, height, longest // parts, 0.5) if longest >= TILE_LIMITS[parts] else []


def squares(width: int, height: int, side: int, stride: float = _STRIDE) -> list[Window]:
    """Square windows over all of the picture, cut to it where it is narrower; each begins `stride` sides on at most."""
    across, down = min(side, width), min(side, height)
    return [(left, top, across, down) for top in _starts(height, side, stride) for left in _starts(width, side, stride)]


def small_sides(width: int, height: int) -> list[int]:
    """Sides of the small windows that go on where the tiles end, from large to small, in pixels.

    The smallest ones are of `LEAST_SIDE`, or as small as `MOST_WINDOWS` allow; each is at least half the one before.
    """
    longest = max(width, height)
    tile = longest / max((parts for parts, limit in TILE_LIMITS.items() if longest >= limit), default=1)
    coarse = min(tile, min(width, height) / LEAST_SHARE)
    least = float(LEAST_SIDE)
    while sum(_count(width, height, side) for side in _sides(coarse, least)) > MOST_WINDOWS:
        least *= 1.02
    return _sides(coarse, least)


def _sides(coarse: float, least: float) -> list[int]:
    """From under `coarse` down to `least` in even steps of at most 2."""
    if coarse < _NEARLY_AS_SMALL * least:
        return []
    steps = ceil(log2(coarse / least))
    return [round(coarse * (least / coarse) ** (step / steps)) for step in range(1, steps + 1)]


def _count(width: int, height: int, side: int) -> int:
    return len(_starts(width, side, _STRIDE)) * len(_starts(height, side, _STRIDE))


def _starts(length: int, side: int, stride: float) -> list[int]:
    """Where windows of `side` begin so that they cover `length`, at most `stride` sides apart."""
    if length <= side:
        return [0]
    gaps = ceil((length - side) / (stride * side))
    return [round(i * (length - side) / gaps) for i in range(gaps + 1)]
