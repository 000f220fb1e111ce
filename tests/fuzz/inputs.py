"""What strangers might send: good files with bytes changed, and JSON of any form."""

import copy
import math
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

# Lengths, offsets and counts at which programs go wrong, in both byte orders.
_EXTREMES = [
    number.to_bytes(size, order)
    for size in (1, 2, 4, 8)
    for number in (0, 1, 2 ** (8 * size - 1) - 1, 2 ** (8 * size - 1), 2 ** (8 * size) - 1)
    for order in ("big", "little")
]
_HEAD_BYTES = 256  # in which a file says what it is

# Ends of the range from 0 to 1 and the numbers next to them.
_ENDS = [0.0, -0.0, math.ulp(0.0), math.nextafter(1.0, 0.0), 1.0, 0, 1]
# Numbers outside that range, those that are none, and what only looks like a number.
_NO_SHARES = [
    *(-math.ulp(0.0), math.nextafter(1.0, 2.0), -1, 2, 1e308, 10**400),
    *(math.nan, math.inf, -math.inf, "nan", "0.5", "", None, True),
]


@st.composite
def mutated(draw: st.DrawFn, files: Sequence[bytes], most_edits: int = 6) -> bytes:
    """A file with some of its bytes overwritten, removed, repeated or added, or joined to another file."""
    data = draw(st.sampled_from(files))
    for _ in range(draw(st.integers(0, most_edits))):
        data = _edited(draw, data, files)
    return data


def _edited(draw: st.DrawFn, data: bytes, files: Sequence[bytes]) -> bytes:
    kind = draw(st.sampled_from(("overwrite", "overwrite", "flip", "cut", "remove", "repeat", "insert", "splice")))
    end = draw(st.sampled_from((len(data), min(len(data), _HEAD_BYTES))))
    start = draw(st.integers(0, max(0, end - 1)))
    if kind == "overwrite":
        new = draw(st.sampled_from(_EXTREMES) | st.binary(min_size=1, max_size=16))
        return data[:start] + new + data[start + len(new) :]
    if kind == "flip":
        bit = 1 << draw(st.integers(0, 7))
        return data[:start] + bytes(byte ^ bit for byte in data[start : start + 1]) + data[start + 1 :]
    if kind == "cut":
        return data[:start]
    if kind == "insert":
        return data[:start] + draw(st.binary(max_size=64)) + data[start:]
    if kind == "splice":
        other = draw(st.sampled_from(files))
        return data[:start] + other[draw(st.integers(0, len(other))) :]
    stop = start + draw(st.integers(1, 64))
    times = draw(st.integers(2, 50)) if kind == "repeat" else 0
    return data[:start] + data[start:stop] * times + data[stop:]


def json_values(*leaves: st.SearchStrategy) -> st.SearchStrategy:
    """A JSON value of any form that has some of these leaves in it."""
    leaf = st.one_of(
        *leaves, st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30), st.just("\ud800")
    )
    return st.recursive(
        leaf,
        lambda value: st.lists(value, max_size=4) | st.dictionaries(st.text(max_size=12), value, max_size=4),
        max_leaves=8,
    )


def mistaken(good: dict[str, object], *leaves: st.SearchStrategy) -> st.SearchStrategy:
    """A JSON object like a good one, but with some values missing or replaced."""
    return st.fixed_dictionaries(
        {}, optional={key: st.just(value) | json_values(*leaves) for key, value in good.items()}
    )


def shares() -> st.SearchStrategy[float]:
    """A number from 0 to 1, often one of the ends or next to it."""
    return st.sampled_from(_ENDS) | st.floats(0, 1)


@st.composite
def bent(draw: st.DrawFn, good: Any, most_edits: int = 3) -> Any:
    """A JSON value like a good one, with something wrong at any depth: numbers, lengths, orders or names."""
    value = copy.deepcopy(good)
    for _ in range(draw(st.integers(1, most_edits))):
        structural = draw(st.booleans())
        places = [place for place in _places(value) if isinstance(place[0][place[1]], list | dict) == structural]
        if places:
            (_restructure if structural else _change)(draw, *draw(st.sampled_from(places)))
    return value


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """All that a JSON value holds, as lists or objects and a key of each."""
    if isinstance(value, list | dict):
        for key in range(len(value)) if isinstance(value, list) else [*value]:
            yield value, key
            yield from _places(value[key])


def _change(draw: st.DrawFn, parent: Any, key: Any) -> None:
    """Put something else in the place of a number."""
    parent[key] = draw(st.one_of(shares(), shares(), shares(), st.sampled_from(_NO_SHARES)))


def _restructure(draw: st.DrawFn, parent: Any, key: Any) -> None:
    """Change a list or an object that is in another."""
    value = parent[key]
    kinds = ["remove", "replace"]
    kinds += ["reverse", "shorten", "lengthen"] if isinstance(value, list) else []
    kinds += ["rename"] if isinstance(parent, dict) else []
    kind = draw(st.sampled_from(kinds))
    if kind == "replace":
        parent[key] = draw(json_values())
    elif kind == "reverse":
        value.reverse()
    elif kind == "shorten":
        parent[key] = value[:-1]
    elif kind == "lengthen":
        parent[key] = value + copy.deepcopy(value[-1:])
    else:
        del parent[key]
        if kind == "rename":
            parent[draw(st.text(max_size=12) | st.sampled_from([*parent, ""]))] = value
