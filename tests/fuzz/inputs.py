"""What strangers might send: good files with bytes changed, and JSON of any form."""

from collections.abc import Sequence

from hypothesis import strategies as st

# Lengths, offsets and counts at which programs go wrong, in both byte orders.
_EXTREMES = [
    number.to_bytes(size, order)
    for size in (1, 2, 4, 8)
    for number in (0, 1, 2 ** (8 * size - 1) - 1, 2 ** (8 * size - 1), 2 ** (8 * size) - 1)
    for order in ("big", "little")
]
_HEAD_BYTES = 256  # in which a file says what it is


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
