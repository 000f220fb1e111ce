import asyncio
import threading
from typing import Any

import pytest

from demo.server.photo_queue import MAX_WAITING_PHOTOS, PhotoQueue, QueueFullError


def test_one_photo_is_worked_on_at_a_time_and_in_the_order_in_which_they_came() -> None:
    at_work, order = threading.Lock(), []

    def work(number: int) -> None:
        assert at_work.acquire(blocking=False)
        order.append(number)
        at_work.release()

    async def crowd() -> None:
        queue = PhotoQueue()
        await asyncio.gather(*(queue.run(work, number) for number in range(MAX_WAITING_PHOTOS)))

    asyncio.run(crowd())
    assert order == list(range(MAX_WAITING_PHOTOS))


def test_who_finds_no_place_is_turned_away_and_may_come_again() -> None:
    done = threading.Event()

    async def crowd() -> list[Any]:
        queue = PhotoQueue()
        waiting = [asyncio.ensure_future(queue.run(done.wait, 10)) for _ in range(MAX_WAITING_PHOTOS)]
        await asyncio.sleep(0)
        with pytest.raises(QueueFullError):
            await queue.run(done.wait, 10)
        done.set()
        await asyncio.gather(*waiting)
        return [await queue.run(done.wait, 10)]

    assert asyncio.run(crowd()) == [True]


def test_a_place_is_free_again_after_a_failure() -> None:
    def fail() -> None:
        raise KeyError

    async def crowd() -> list[Any]:
        queue = PhotoQueue()
        return [await asyncio.gather(queue.run(fail), return_exceptions=True) for _ in range(2 * MAX_WAITING_PHOTOS)]

    assert {type(error) for [error] in asyncio.run(crowd())} == {KeyError}
