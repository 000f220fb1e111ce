"""Columns of labels and outputs of networks, matched by their names."""

from collections.abc import Sequence


def places(wanted: Sequence[str], known: Sequence[str]) -> list[tuple[int, int]]:
    """Match names in two lists.

    Args:
        wanted: Names to look for.
        known: Names to look in.

    Returns:
        The indices, in wanted and in known, of each name in both; in the order of wanted.
    """
    there = {name: number for number, name in enumerate(known)}
    return [(number, there[name]) for number, name in enumerate(wanted) if name in there]


def listed(names: Sequence[str]) -> str:
    """Join names with commas and add their number; lists all of them, since people look for their own.

    Args:
        names: Names to list.

    Returns:
        The text; "none" for no names.
    """
    return f"{', '.join(names)} ({len(names)})" if names else "none"
