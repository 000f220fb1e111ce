"""The queue in which photos wait, from visitors as well as from programs."""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import ParamSpec, TypeVar

from demo.interruption import InterruptedWorkError, interruptible
from demo.limits import (
    LATE_PHOTO_SECONDS,
    MAX_LATE_BYTES,
    MAX_LATE_BYTES_OF_ADDRESS,
    MAX_LATE_PHOTOS,
    MAX_LATE_PHOTOS_OF_ADDRESS,
    MAX_SHORT_STEPS,
    MAX_WAITING_PHOTOS,
    PHOTO_THREADS,
    SET_ASIDE_SECONDS,
    SMALL_PHOTO_SIZE,
    UNDISTURBED_SECONDS,
)
from demo.server.answer import answer_on
from demo.server.gradio_internals import caller_address
from demo.server.turns.line import Line, TurnedAwayError, stay

_POLL_SECONDS = 0.02  # between checks whether it is a photo's turn to go on

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


@dataclass(eq=False)
class _Work:
    """A photo that is being worked on, or waits for its turn.

    Attributes:
        address: where it comes from.
        began: when the work began, by `time.monotonic`; infinite while it waits.
        is_wanted: false once it has to give its place to others.
        steps: how often it has checked whether it is still wanted: once per window, face or moment of decoding.
    """

    address: str
    began: float = math.inf
    is_wanted: bool = True
    steps: int = 0


@dataclass(eq=False)
class _Late:
    """A called photo that has arrived after its place was released, and waits for another.

    Attributes:
        sender: its address, or its guest if that is unknown.
        size: in bytes or characters.
    """

    sender: str
    size: int


class PhotoQueue:
    """Works on a few photos at a time, first come, first served, and on one large photo beside them.

    So that nobody waits long for a slow photo, the next one starts beside it after `SET_ASIDE_SECONDS`. Of the photos
    that take more than `MAX_SHORT_STEPS`, only the two oldest go on at a time: if all did, they would keep their places
    until the last one ends. If somebody finds no place, a photo that has been worked on for more than
    `UNDISTURBED_SECONDS` gives up its place and has to come again: one from an address that holds several, or, for an
    address that holds none, any but the two that began first. Whoever found no place gets it before everybody in line.

    A photo that was called but is slow to arrive loses its reserved place, but not its turn. The queue can't see how
    much of it has arrived, and if it kept places for as long as a slow connection needs, it would also keep them for
    those who send nothing. Once they have arrived, a few such photos wait here for the next place and needn't be sent
    again.

    A cancelled call gives its place back when its thread stops, at its next step.

    To be called from one event loop.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(MAX_WAITING_PHOTOS, thread_name_prefix="photo")
        self._small, self._large = asyncio.Semaphore(PHOTO_THREADS), asyncio.Semaphore(1)
        self._line = Line(MAX_WAITING_PHOTOS, PHOTO_THREADS)
        self._works: list[_Work] = []  # in the order in which they began
        self._late: list[_Late] = []
        self._calm_until = 0.0  # no photo gives up its place before, by `time.monotonic`

    def reserve(self, guest: str) -> None:
        """Keep a place for somebody who found none before and is about to send the photo.

        Args:
            guest: as for `run`.

        Raises:
            TurnedAwayError: too many are still waiting.
        """
        address = caller_address()
        try:
            self._line.reserve(address, guest)
        except TurnedAwayError:
            self._make_room(address, guest)
            raise

    async def run(
        self,
        guest: str | None,
        size: int,
        function: Callable[_Parameters, _Result],
        *arguments: _Parameters.args,
        **named: _Parameters.kwargs,
    ) -> _Result:
        """Wait for a turn, then call a function on one of the queue's threads.

        Args:
            guest: identifies those who come again, so that they keep their turn; None for programs, which share a turn
                with others of their address.
            size: of the photo's file, in bytes or characters.
            function: does all work on the photo, including its decoding.
            arguments: positional arguments of the function.
            named: keyword arguments of the function.

        Returns:
            What the function returns.

        Raises:
            TurnedAwayError: too many are waiting already, so the function isn't called; or others need its place.
            AnalysisError: memory, a device or a library failed.
            Exception: anything else that the function raises.
        """
        address = caller_address()
        if guest is not None and self._line.is_called(guest):
            await self._await_place(address, guest, _Late(address or guest, size))
        try:
            self._line.enter(address, guest)
        except TurnedAwayError:
            self._make_room(address, guest)
            raise
        work = _Work(address)
        call = partial(interruptible, partial(self._goes_on, work), partial(function, *arguments, **named))
        working = asyncio.ensure_future(self._work_on(work, size, call))
        try:
            return await stay(self._line, address, working)
        except InterruptedWorkError as error:
            raise self._line.send_away(address, guest, gave_way=True) from error
        except asyncio.CancelledError:
            work.is_wanted = False
            if math.isinf(work.began):
                working.cancel()
            raise

    async def _await_place(self, address: str, guest: str, photo: _Late) -> None:
        """Wait a while for a place for a called photo, unless many already do, in all or of its sender."""
        late = [*self._late, photo]
        own = [other for other in late if other.sender == photo.sender]
        if not (
            _is_within(late, MAX_LATE_PHOTOS, MAX_LATE_BYTES)
            and _is_within(own, MAX_LATE_PHOTOS_OF_ADDRESS, MAX_LATE_BYTES_OF_ADDRESS)
        ):
            return
        self._late.append(photo)
        until = time.monotonic() + LATE_PHOTO_SECONDS
        try:
            self._line.keep(guest, LATE_PHOTO_SECONDS)
            while not self._line.has_place(address, guest) and time.monotonic() < until:
                self._make_room(address, guest)
                await asyncio.sleep(_POLL_SECONDS)
        except asyncio.CancelledError:
            self._line.stop_keeping(guest)
            raise
        finally:
            self._late.remove(photo)

    async def _work_on(self, work: _Work, size: int, call: Callable[[], _Result]) -> _Result:
        """Call a function once it is its turn, and let the next one begin when it ends or has taken a while."""
        async with self._small if size <= SMALL_PHOTO_SIZE else self._large:
            work.began = time.monotonic()
            self._works.append(work)
            answer = asyncio.ensure_future(answer_on(self._pool, call))
            answer.add_done_callback(lambda _: self._works.remove(work))
            await asyncio.wait({answer}, timeout=SET_ASIDE_SECONDS)
        return await answer

    def _goes_on(self, work: _Work) -> bool:
        """Count a step, wait for the photo's turn to go on, and return whether it is wanted. Runs on the pool."""
        work.steps += 1
        while work.is_wanted and work in self._long_works()[PHOTO_THREADS:]:
            time.sleep(_POLL_SECONDS)
        return work.is_wanted

    def _long_works(self) -> list[_Work]:
        """The photos with many steps, oldest first."""
        return [work for work in tuple(self._works) if work.steps > MAX_SHORT_STEPS]

    def _make_room(self, address: str, guest: str | None) -> None:
        """Take the place of the photo that has been worked on longest, if long enough, for a guest who finds none.

        The guest is put first in line for it, and gets one place at a time, however often they ask. An address that
        holds several more places gives one up first. A guest whose address holds none may take anybody's, except from
        the photos that began first: those go on, so that slow photos get finished. Whoever gave way before waits for
        their turn instead, or slow photos would drive each other out again and again, and none would get finished.
        Only one photo gives way at a time, and for guests without a turn, whose number can't be told, only one in a
        while. Programs of one address count as one guest.
        """
        if self._line.is_first(address, guest) or self._line.has_given_way(address, guest):
            return
        now = time.monotonic()
        if now < self._calm_until or not all(work.is_wanted for work in self._works):
            return
        held = Counter(work.address for work in self._works)
        several = [work for work in self._works if held[work.address] > held[address] + 1]
        others = [] if held[address] else self._works[PHOTO_THREADS:]
        longest = now - UNDISTURBED_SECONDS
        chosen = next((work for work in (*several, *others) if work.began <= longest), None)
        if chosen:
            chosen.is_wanted = False
            self._line.put_first(address, guest)
            if not self._line.is_first(address, guest):
                self._calm_until = now + UNDISTURBED_SECONDS


def _is_within(photos: Collection[_Late], most: int, most_bytes: int) -> bool:
    return len(photos) <= most and sum(photo.size for photo in photos) <= most_bytes
