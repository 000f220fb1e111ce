"""How far a run is: a bar that moves in a terminal, and once a minute in a log."""

import sys
from collections.abc import Iterable
from typing import TypeVar

from tqdm import tqdm

_Item = TypeVar("_Item")

SECONDS_BETWEEN_LOGGED = 60


def counted(items: Iterable[_Item], title: str, total: int, done: int) -> Iterable[_Item]:
    """Show on the standard error stream how far a run through pictures is.

    Args:
        items: one for each picture still to be done.
        title: a word for the work, such as "cropping".
        total: the pictures of the whole run.
        done: those that an earlier run has done.

    Returns:
        The same items.
    """
    seconds = 0.1 if sys.stderr.isatty() else SECONDS_BETWEEN_LOGGED
    return tqdm(items, title, total, initial=done, unit="picture", mininterval=seconds, maxinterval=seconds)
