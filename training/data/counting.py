"""Progress of long work on pictures: a bar in a terminal, or a line each minute in a log."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

SECONDS_BETWEEN_LINES = 60.0


@contextmanager
def counted(title: str, total: int, done: int = 0, *, reports: bool = True) -> Iterator[Callable[[int], object]]:
    """Report the progress of some work on the standard error stream.

    Args:
        title: Name of the work, such as "decoding pictures".
        total: The final count.
        done: The count to start from.
        reports: Whether this process reports; of several, only one does.

    Yields:
        A function to call with how much more is done.
    """
    if not reports:
        yield lambda _: None
    elif sys.stderr.isatty():
        with tqdm(total=total, initial=done, desc=title, leave=False) as bar:
            yield bar.update
    else:
        yield _Lines(title, total, done)


class _Lines:
    """Writes a line each minute.

    Args:
        title: Name of the work.
        total: The final count.
        done: The count to start from.
    """

    def __init__(self, title: str, total: int, done: int) -> None:
        self._title, self._total = title, total
        self._before = self._done = done
        self._started = self._last = time.monotonic()

    def __call__(self, more: int) -> None:
        """Count, and write a line if the last one, or the start, is a minute ago."""
        self._done += more
        now = time.monotonic()
        if now - self._last < SECONDS_BETWEEN_LINES:
            return
        self._last = now
        left = (now - self._started) * (self._total - self._done) / max(1, self._done - self._before)
        print(f"{self._title}: {self._done:,} of {self._total:,}, {in_words(left)} left", file=sys.stderr, flush=True)


def in_words(seconds: float) -> str:
    """Put a time into words, in minutes or in hours and minutes.

    Args:
        seconds: The time.
    """
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min"
