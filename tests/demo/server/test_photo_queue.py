import asyncio
import threading
from typing import Any

import pytest

from demo.limits import MAX_WAITING_PHOTOS
from demo.server import photo_queue
from demo.server.line import TurnedAwayError
from demo.server.photo_queue import MAX_SMALL_SIZE, PHOTO_THREADS, PhotoQueue

LARGE = MAX_SMALL_SIZE + 1


class Work:
    """Photos that are done when a test says so.

    Attributes:
        done: set to end them.
        order: their numbers, as they were begun.
        at_once: how many were worked on at the same time at most.
    """

    def __init__(self) -> None:
        self.done = threading.Event()
        self.order: list[int] = []
        self.at_once = 0
        self._now = 0
        self._lock = threading.Lock()

    def __call__(self, number: int) -> int:
        with self._lock:
            self.order.append(number)
            self._now += 1
            self.at_once = max(self.at_once, self._now)
        assert self.done.wait(10)
        with self._lock:
            self._now -= 1
        return number


async def begun(work: Work, count: int) -> None:
    while len(work.order) < count:
        await asyncio.sleep(0.001)


def test_a_few_photos_are_worked_on_at_a_time_and_begun_in_the_order_in_which_they_came() -> None:
    async def crowd() -> Work:
        queue, work = PhotoQueue(), Work()
        waiting = [asyncio.ensure_future(queue.run(None, 1, work, number)) for number in range(MAX_WAITING_PHOTOS)]
        await begun(work, PHOTO_THREADS)
        work.done.set()
        await asyncio.gather(*waiting)
        return work

    work = asyncio.run(crowd())
    assert sorted(work.order) == list(range(MAX_WAITING_PHOTOS))
    assert sorted(work.order[:PHOTO_THREADS]) == list(range(PHOTO_THREADS))
    assert work.at_once == PHOTO_THREADS


def test_of_large_photos_one_is_worked_on_and_it_keeps_no_small_one_waiting() -> None:
    async def crowd() -> tuple[int, int]:
        queue, large, small = PhotoQueue(), Work(), Work()
        small.done.set()
        waiting = [asyncio.ensure_future(queue.run(None, LARGE, large, number)) for number in range(4)]
        await begun(large, 1)
        answer = await queue.run(None, MAX_SMALL_SIZE, small, 7)
        large.done.set()
        await asyncio.gather(*waiting)
        return answer, large.at_once

    assert asyncio.run(crowd()) == (7, 1)


def test_who_finds_no_place_is_told_when_to_come_again_and_keeps_a_turn() -> None:
    async def crowd() -> list[Any]:
        queue, work = PhotoQueue(), Work()
        waiting = [asyncio.ensure_future(queue.run(None, 1, work, number)) for number in range(MAX_WAITING_PHOTOS)]
        await asyncio.sleep(0)
        places = []
        for guest in ("she", "he", "she", None):
            with pytest.raises(TurnedAwayError) as told:
                await queue.run(guest, 1, work, 0)
            places.append(told.value.place)
            assert 0 < told.value.seconds <= 20
        work.done.set()
        await asyncio.gather(*waiting)
        return [places, await queue.run("she", 1, work, 9)]

    assert asyncio.run(crowd()) == [[1, 2, 1, 3], 9]


def test_one_address_cannot_hold_all_places(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = iter(["greedy"] * MAX_WAITING_PHOTOS + ["another"])
    monkeypatch.setattr(photo_queue, "caller_address", lambda: next(addresses))

    async def crowd() -> list[Any]:
        queue, work = PhotoQueue(), Work()
        waiting = [asyncio.ensure_future(queue.run(None, 1, work, n)) for n in range(MAX_WAITING_PHOTOS + 1)]
        await asyncio.sleep(0)
        work.done.set()
        return await asyncio.gather(*waiting, return_exceptions=True)

    *greedy, other = asyncio.run(crowd())
    assert sum(isinstance(answer, TurnedAwayError) for answer in greedy) == MAX_WAITING_PHOTOS // 2
    assert other == MAX_WAITING_PHOTOS


def test_a_place_is_free_again_after_a_failure() -> None:
    def fail() -> None:
        raise KeyError

    async def crowd() -> list[Any]:
        queue = PhotoQueue()
        calls = (queue.run(None, 1, fail) for _ in range(2 * MAX_WAITING_PHOTOS))
        return [await asyncio.gather(call, return_exceptions=True) for call in calls]

    assert {type(error) for [error] in asyncio.run(crowd())} == {KeyError}
