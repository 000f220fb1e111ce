"""Notices when the program hangs, and ends it, so that whatever started it can start it again."""

import asyncio
import faulthandler
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from demo.interruption import followed
from demo.limits import LOOP_HANG_SECONDS, WATCH_SECONDS, WORK_HANG_SECONDS

HANG_STATUS = 70  # the exit status: "internal software error" in sysexits.h
_LAST_WORDS_SECONDS = 5  # then the process ends, even if nobody reads what it says
# Python code that never lets other threads run also stops the watchdog. Then C code ends the process, this much later.
_GRACE_SECONDS = 30


class _Work:
    """Something that has to make a step now and then.

    Attributes:
        name: for people.
        hang_seconds: without a step, after which it counts as hanging.
        moved: when it last made a step, by `time.monotonic`; None while it waits for others.
    """

    def __init__(self, name: str, hang_seconds: float) -> None:
        self.name = name
        self.hang_seconds = hang_seconds
        self.moved: float | None = time.monotonic()

    def note(self, waits: bool = False) -> None:
        """Note a step, after which it may have to wait for others."""
        self.moved = None if waits else time.monotonic()


class Works:
    """The work that threads are doing, and when each piece last made a step. Thread-safe."""

    def __init__(self) -> None:
        self._works: set[_Work] = set()

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Note that this thread is working; each `demo.interruption.check_wanted` in the meantime is a step."""
        work = _Work(f"thread {threading.current_thread().name}", WORK_HANG_SECONDS)
        self._works.add(work)
        try:
            with followed(work.note):
                yield
        finally:
            self._works.discard(work)

    def all(self) -> list[_Work]:
        """All work under way."""
        return list(self._works)

    def still(self, seconds: float) -> list[str]:
        """The names of all work without a step for a while.

        Args:
            seconds: how long.
        """
        latest = time.monotonic() - seconds
        return sorted(work.name for work in self.all() if work.moved is not None and work.moved <= latest)


# The work of all thread pools that serve visitors.
WORKS = Works()


class Watchdog(threading.Thread):
    """Looks every few seconds whether an event loop answers and all `WORKS` make steps, and ends the process if not.

    It counts looks rather than seconds, so that a process that was stopped for a while (by Ctrl+Z, or with its machine)
    doesn't seem to hang when it goes on.

    Args:
        loop: the event loop that answers visitors.

    Attributes:
        looks: how many it has taken.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(name="watchdog", daemon=True)
        self.looks = 0
        self._loop = loop
        self._loop_work = _Work("event loop", LOOP_HANG_SECONDS)
        self._seen: dict[_Work, tuple[float | None, int]] = {}  # when each had moved, and how many looks ago

    def run(self) -> None:
        """Keep looking until the loop is closed."""
        while self._asks_loop():
            _end_if_nobody_looks()
            time.sleep(WATCH_SECONDS)
            hanging = self._look()
            if hanging:
                _end(hanging)
        faulthandler.cancel_dump_traceback_later()

    def _asks_loop(self) -> bool:
        """Ask the loop to note a step; False if it is closed."""
        try:
            self._loop.call_soon_threadsafe(self._loop_work.note)
        except RuntimeError:
            return False
        return True

    def _look(self) -> list[_Work]:
        """Look once. Returns what has made no step for too many looks."""
        self.looks += 1
        works = [self._loop_work, *WORKS.all()]
        self._seen = {work: self._see(work) for work in works}
        return [work for work, (_, looks) in self._seen.items() if looks * WATCH_SECONDS >= work.hang_seconds]

    def _see(self, work: _Work) -> tuple[float | None, int]:
        before, looks = self._seen.get(work, (None, 0))
        moved = work.moved
        return moved, looks + 1 if moved is not None and moved == before else 0


def _end_if_nobody_looks() -> None:
    """Have C code end the process unless this is called again in time. That counts seconds.

    At a terminal this does nothing, since somebody may stop the process with Ctrl+Z for as long as they like.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        with suppress(AttributeError, OSError, ValueError):  # there is no stderr
            faulthandler.dump_traceback_later(LOOP_HANG_SECONDS + _GRACE_SECONDS, exit=True)


def _end(hanging: list[_Work]) -> None:
    """Say what hangs, and end the process."""
    threading.Timer(_LAST_WORDS_SECONDS, os._exit, [HANG_STATUS]).start()
    names = ", ".join(f"{work.name} for {work.hang_seconds:g} s" for work in hanging)
    with suppress(Exception):  # nothing that goes wrong here may keep the process alive
        print(f"app.py: the page hangs ({names}) and ends with status {HANG_STATUS}.", file=sys.stderr, flush=True)
        faulthandler.dump_traceback(sys.stderr)
    os._exit(HANG_STATUS)
