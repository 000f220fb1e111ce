import asyncio
import gc
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from demo.interruption import InterruptedWorkError, check_wanted
from demo.limits import MAX_SHORT_STEPS, MAX_WAITING_PHOTOS, PHOTO_THREADS, SMALL_PHOTO_SIZE
from demo.server.turns import line, photo_queue
from demo.server.turns.line import TurnedAwayError
from demo.server.turns.photo_queue import PhotoQueue

LARGE = SMALL_PHOTO_SIZE + 1


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """No photo takes long unless a test says so, however busy the machine is."""
    monkeypatch.setattr(photo_queue, "SET_ASIDE_SECONDS", 60.0)


class Work:
    """Photos that are done when a test says so.

    Attributes:
        done: set to end them.
        order: their numbers, as they were begun.
        at_once: the most that were worked on at the same time.
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
        answer = await queue.run(None, SMALL_PHOTO_SIZE, small, 7)
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


class SlowDecoder:
    """A decoder that never finishes a picture; it stops when the picture is no longer wanted, or when a test ends.

    Attributes:
        begun: the numbers of the pictures, as they were begun.
        given_up: the pictures that were no longer wanted.
        ended: set at the end of a test.
    """

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.given_up: list[int] = []
        self.ended = threading.Event()

    def __call__(self, number: int) -> int:
        self.begun.append(number)
        try:
            while not self.ended.wait(0.001):
                check_wanted()
            check_wanted()  # so that any picture that has lost its place is told so
        except InterruptedWorkError:
            self.given_up.append(number)
            raise
        return number


def calls_from(monkeypatch: pytest.MonkeyPatch, addresses: Iterable[str]) -> None:
    """Make the calls of a test come from these addresses in turn."""
    following = iter(addresses)
    monkeypatch.setattr(photo_queue, "caller_address", lambda: next(following))


@pytest.mark.parametrize("size", [1, LARGE])
def test_pictures_whose_decoding_never_ends_keep_nobody_waiting(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_queue, "SET_ASIDE_SECONDS", 0.001)
    slow = SlowDecoder()

    async def crowd() -> list[Any]:
        queue = PhotoQueue()
        waiting = [asyncio.ensure_future(queue.run(None, size, slow, n)) for n in range(MAX_WAITING_PHOTOS - 1)]
        await asyncio.sleep(0)
        answer = await queue.run(None, size, lambda: "hers")
        begun = len(slow.begun)
        slow.ended.set()
        return [answer, begun, await asyncio.gather(*waiting)]

    assert asyncio.run(crowd()) == ["hers", MAX_WAITING_PHOTOS - 1, list(range(MAX_WAITING_PHOTOS - 1))]


@pytest.mark.parametrize(
    ("addresses", "slowest"),
    [
        (["one", "two"] * (MAX_WAITING_PHOTOS // 2), 0),
        ([str(number) for number in range(MAX_WAITING_PHOTOS)], PHOTO_THREADS),  # the oldest are finished
    ],
)
def test_where_all_places_are_taken_another_address_gets_that_of_the_slowest_picture(
    addresses: list[str], slowest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo_queue, "SET_ASIDE_SECONDS", 0.001)
    monkeypatch.setattr(photo_queue, "UNDISTURBED_SECONDS", 0.0)
    calls_from(monkeypatch, [*addresses, *["hers"] * 100])
    slow = SlowDecoder()

    async def crowd() -> list[Any]:
        queue = PhotoQueue()
        waiting = [asyncio.ensure_future(queue.run(str(n), 1, slow, n)) for n in range(MAX_WAITING_PHOTOS)]
        while len(slow.begun) < MAX_WAITING_PHOTOS:
            await asyncio.sleep(0.001)
        with pytest.raises(TurnedAwayError):
            await queue.run("she", 1, slow, 99)
        while not slow.given_up:
            await asyncio.sleep(0.001)
        [told] = (await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED))[0]
        queue.reserve("she")
        answer = await queue.run("she", 1, lambda: "hers")
        slow.ended.set()
        return [answer, told.exception(), await results(waiting)]

    answer, told, answers = asyncio.run(crowd())
    assert answer == "hers"
    assert told.place == 2  # behind her
    assert slow.given_up == [slowest]
    assert answers == [TurnedAwayError if number == slowest else number for number in range(MAX_WAITING_PHOTOS)]


def test_a_program_gets_the_place_that_two_greedy_addresses_ask_for_again_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(photo_queue, "SET_ASIDE_SECONDS", 0.001)
    monkeypatch.setattr(photo_queue, "UNDISTURBED_SECONDS", 0.0)
    calls_from(monkeypatch, [*["one", "two"] * (MAX_WAITING_PHOTOS // 2), "hers", "one", "two", "hers"])
    slow = SlowDecoder()

    async def crowd() -> str:
        queue = PhotoQueue()
        waiting = [asyncio.ensure_future(queue.run(None, 1, slow, n)) for n in range(MAX_WAITING_PHOTOS)]
        while len(slow.begun) < MAX_WAITING_PHOTOS:
            await asyncio.sleep(0.001)
        with pytest.raises(TurnedAwayError):
            await queue.run(None, 1, slow, 99)
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for number in (8, 9):
            with pytest.raises(TurnedAwayError):
                await queue.run(None, 1, slow, number)
        answer = await queue.run(None, 1, lambda: "hers")
        slow.ended.set()
        await asyncio.gather(*waiting, return_exceptions=True)
        return answer

    assert asyncio.run(asyncio.wait_for(crowd(), 30)) == "hers"


def test_who_gave_way_to_others_takes_nobody_s_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_queue, "SET_ASIDE_SECONDS", 0.001)
    monkeypatch.setattr(photo_queue, "UNDISTURBED_SECONDS", 0.0)
    slow = SlowDecoder()
    calls_from(
        monkeypatch, [*map(str, range(MAX_WAITING_PHOTOS)), "hers", "hers", *[str(PHOTO_THREADS)] * 3, *["his"] * 2]
    )

    async def crowd() -> tuple[str, list[int]]:
        queue = PhotoQueue()
        waiting = [asyncio.ensure_future(queue.run(None, 1, slow, n)) for n in range(MAX_WAITING_PHOTOS)]
        while len(slow.begun) < MAX_WAITING_PHOTOS:
            await asyncio.sleep(0.001)
        with pytest.raises(TurnedAwayError):
            await queue.run("she", 1, slow, 99)
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        waiting.append(asyncio.ensure_future(queue.run("she", 1, slow, 8)))
        while len(slow.begun) <= MAX_WAITING_PHOTOS:
            await asyncio.sleep(0.001)
        for guest in (None, "another", None):  # of the address whose photo gave way
            with pytest.raises(TurnedAwayError):
                await queue.run(guest, 1, slow, 99)
        with pytest.raises(TurnedAwayError):
            await queue.run("he", 1, slow, 99)
        await asyncio.wait([one for one in waiting if not one.done()], return_when=asyncio.FIRST_COMPLETED)
        answer = await queue.run("he", 1, lambda: "his")
        slow.ended.set()
        await asyncio.gather(*waiting, return_exceptions=True)
        return answer, slow.given_up

    assert asyncio.run(asyncio.wait_for(crowd(), 30)) == ("his", [PHOTO_THREADS, PHOTO_THREADS + 1])


@pytest.mark.parametrize("others", [0, 4])
def test_the_place_that_is_freed_for_somebody_is_not_taken_by_those_before_them(
    others: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo_queue, "SET_ASIDE_SECONDS", 0.001)
    monkeypatch.setattr(photo_queue, "UNDISTURBED_SECONDS", 600.0)
    slow = SlowDecoder()
    names = iter(range(100))
    monkeypatch.setattr(photo_queue, "caller_address", lambda: f"address {next(names)}")

    async def crowd() -> Any:
        queue = PhotoQueue()
        waiting = [asyncio.ensure_future(queue.run(None, 1, slow, n)) for n in range(MAX_WAITING_PHOTOS)]
        while len(slow.begun) < MAX_WAITING_PHOTOS:
            await asyncio.sleep(0.001)
        for number in range(others):  # before any photo has taken long
            with pytest.raises(TurnedAwayError):
                queue.reserve(f"other {number}")
        monkeypatch.setattr(photo_queue, "UNDISTURBED_SECONDS", 0.0)
        monkeypatch.setattr(photo_queue, "caller_address", lambda: "hers")
        for _ in range(3):  # one place is freed, however often she asks
            with pytest.raises(TurnedAwayError):
                queue.reserve("she")
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        answer = await queue.run("she", 1, lambda: "hers")
        slow.ended.set()
        await asyncio.gather(*waiting, return_exceptions=True)
        return answer, len(slow.given_up)

    assert asyncio.run(asyncio.wait_for(crowd(), 30)) == ("hers", 1)


@pytest.mark.parametrize(
    ("address", "guests", "next_inside", "expected"),
    [
        ("", [None] * 20, "2", 1),  # they get no turns, so only one in a while
        ("greedy", [None] * 20, "greedy", 1),  # they share a turn, and the place that it gives them
        ("greedy", [str(number) for number in range(20)], "another", 2),  # one for each of the first two of them
    ],
)
def test_however_many_of_an_address_ask_one_photo_at_a_time_gives_way(
    address: str, guests: list[str | None], next_inside: str, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo_queue, "SET_ASIDE_SECONDS", 0.001)
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(photo_queue, "time", SimpleNamespace(monotonic=lambda: clock.now, sleep=time.sleep))
    asks = [address] * 20
    calls_from(monkeypatch, [*map(str, range(MAX_WAITING_PHOTOS)), *asks, next_inside, *asks])
    slow = SlowDecoder()

    async def ask(queue: PhotoQueue, guests: list[str | None]) -> None:
        for guest in guests:
            with pytest.raises(TurnedAwayError):
                await queue.run(guest, 1, slow, 99)

    async def crowd() -> list[int]:
        queue = PhotoQueue()
        waiting = [asyncio.ensure_future(queue.run(None, 1, slow, n)) for n in range(MAX_WAITING_PHOTOS)]
        while len(slow.begun) < MAX_WAITING_PHOTOS:
            await asyncio.sleep(0.001)
        clock.now += photo_queue.UNDISTURBED_SECONDS
        await ask(queue, guests)
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        waiting.append(asyncio.ensure_future(queue.run(guests[0], 1, slow, 8)))  # in the place that is free again
        while len(slow.begun) <= MAX_WAITING_PHOTOS:
            await asyncio.sleep(0.001)
        await ask(queue, guests[1:])
        while len(slow.given_up) < expected:
            await asyncio.sleep(0.001)
        slow.ended.set()
        await asyncio.gather(*waiting, return_exceptions=True)
        return slow.given_up

    assert len(asyncio.run(asyncio.wait_for(crowd(), 30))) == expected


def test_a_photo_that_was_called_and_takes_long_to_arrive_waits_for_the_next_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(line, "RESERVED_SECONDS", 0.0)
    names = iter(range(100))
    monkeypatch.setattr(photo_queue, "caller_address", lambda: f"address {next(names)}")

    async def crowd() -> tuple[bool, str]:
        queue, work = PhotoQueue(), Work()
        queue.reserve("she")
        waiting = [asyncio.ensure_future(queue.run(None, 1, work, number)) for number in range(MAX_WAITING_PHOTOS)]
        await begun(work, PHOTO_THREADS)
        hers = asyncio.ensure_future(queue.run("she", 1, lambda: "hers"))
        await asyncio.sleep(0)
        is_waiting = not hers.done()
        work.done.set()
        await asyncio.gather(*waiting)
        return is_waiting, await hers

    assert asyncio.run(asyncio.wait_for(crowd(), 30)) == (True, "hers")


@pytest.mark.parametrize(
    ("address", "most", "sizes", "waits"),
    [
        ("class", {}, [1, 1], [True, True]),
        ("class", {"MAX_LATE_PHOTOS_OF_ADDRESS": 1}, [1, 1], [True, False]),
        ("class", {"MAX_LATE_BYTES_OF_ADDRESS": 10}, [6, 4, 1], [True, True, False]),
        ("", {"MAX_LATE_PHOTOS_OF_ADDRESS": 1}, [1, 1], [True, True]),
        ("", {"MAX_LATE_PHOTOS": 2}, [1, 1, 1], [True, True, False]),
        ("", {"MAX_LATE_BYTES": 10}, [9, 9, 1], [True, False, True]),
    ],
)
def test_called_photos_that_take_long_to_arrive_wait_within_bounds_of_number_and_bytes(
    address: str, most: dict[str, int], sizes: list[int], waits: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, bound in most.items():
        monkeypatch.setattr(photo_queue, name, bound)
    monkeypatch.setattr(line, "RESERVED_SECONDS", 0.0)
    names = [f"address {number}" for number in range(MAX_WAITING_PHOTOS)]
    calls_from(monkeypatch, [*[address] * len(sizes), *names, *[address] * len(sizes)])

    async def crowd() -> list[bool]:
        queue, work = PhotoQueue(), Work()
        for number in range(len(sizes)):
            queue.reserve(f"pupil {number}")
        waiting = [asyncio.ensure_future(queue.run(None, 1, work, number)) for number in range(MAX_WAITING_PHOTOS)]
        await begun(work, PHOTO_THREADS)
        late = [asyncio.ensure_future(queue.run(f"pupil {n}", size, str)) for n, size in enumerate(sizes)]
        await asyncio.sleep(0)
        is_waiting = [not photo.done() for photo in late]
        work.done.set()
        await asyncio.gather(*waiting, *late, return_exceptions=True)
        assert [photo.exception() is None for photo in late] == is_waiting
        return is_waiting

    assert asyncio.run(asyncio.wait_for(crowd(), 30)) == waits


def test_no_place_is_kept_for_a_called_photo_that_hangs_up_while_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "RESERVED_SECONDS", 0.0)
    names = iter(range(100))
    monkeypatch.setattr(photo_queue, "caller_address", lambda: f"address {next(names)}")

    async def crowd() -> str:
        queue, first, work = PhotoQueue(), Work(), Work()
        queue.reserve("she")
        leaving = asyncio.ensure_future(queue.run(None, 1, first, 0))
        waiting = [asyncio.ensure_future(queue.run(None, 1, work, n)) for n in range(1, MAX_WAITING_PHOTOS)]
        await begun(work, PHOTO_THREADS - 1)
        hers = asyncio.ensure_future(queue.run("she", 1, lambda: "hers"))
        await asyncio.sleep(0)
        hers.cancel()
        await asyncio.gather(hers, return_exceptions=True)
        first.done.set()
        await leaving
        late = asyncio.ensure_future(queue.run(None, 1, lambda: "late"))
        await asyncio.sleep(0)
        work.done.set()
        await asyncio.gather(*waiting)
        return await late

    assert asyncio.run(asyncio.wait_for(crowd(), 30)) == "late"


async def results(waiting: list["asyncio.Task[int]"]) -> list[Any]:
    """The results, or the types of the errors."""
    found = await asyncio.gather(*waiting, return_exceptions=True)
    return [type(answer) if isinstance(answer, Exception) else answer for answer in found]


def test_of_photos_of_many_steps_two_go_on_at_a_time_the_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_queue, "SET_ASIDE_SECONDS", 0.001)
    running: set[int] = set()
    at_once: list[set[int]] = []
    begun: set[int] = set()
    go_on = threading.Event()

    def work_on(number: int) -> int:
        for _ in range(MAX_SHORT_STEPS + 1):
            check_wanted()
        begun.add(number)
        assert go_on.wait(10)
        for _ in range(20):
            check_wanted()
            running.add(number)
            at_once.append(set(running))
            time.sleep(0.001)
        running.remove(number)
        return number

    async def crowd() -> list[Any]:
        queue = PhotoQueue()
        waiting = [asyncio.ensure_future(queue.run(None, 1, work_on, n)) for n in range(MAX_WAITING_PHOTOS - 1)]
        while not begun >= {0, 1}:
            await asyncio.sleep(0.001)
        short = await queue.run(None, 1, lambda: "short")
        go_on.set()
        return [short, await asyncio.gather(*waiting)]

    assert asyncio.run(crowd()) == ["short", list(range(MAX_WAITING_PHOTOS - 1))]
    assert max(len(together) for together in at_once) == PHOTO_THREADS
    assert at_once[0] <= {0, 1}


@pytest.mark.parametrize(
    ("addresses", "undisturbed"),
    [
        (["hers"] * 4 + ["his"] * 3 + ["another"], 60.0),  # nobody has been worked on for long
        ([str(number) for number in range(8)], 0.0),  # nobody holds more than one place
        ([""] * 8, 0.0),  # addresses are not known
    ],
)
def test_no_picture_loses_its_place_to_those_who_hold_as_many_or_before_it_has_taken_long(
    addresses: list[str], undisturbed: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo_queue, "SET_ASIDE_SECONDS", 0.001)
    monkeypatch.setattr(photo_queue, "UNDISTURBED_SECONDS", undisturbed)
    calls_from(monkeypatch, [*addresses, addresses[-1], addresses[0]])
    slow = SlowDecoder()

    async def crowd() -> list[Any]:
        queue = PhotoQueue()
        waiting = [asyncio.ensure_future(queue.run(str(n), 1, slow, n)) for n in range(8)]
        while len(slow.begun) < 8:
            await asyncio.sleep(0.001)
        for guest in "ab":
            with pytest.raises(TurnedAwayError):
                await queue.run(guest, 1, slow, 99)
        slow.ended.set()
        return await results(waiting)

    assert asyncio.run(crowd()) == list(range(8))


@pytest.mark.parametrize("set_aside", [60.0, 0.001])
def test_a_call_that_is_cancelled_stops_its_thread(
    set_aside: float, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(photo_queue, "SET_ASIDE_SECONDS", set_aside)
    slow = SlowDecoder()

    async def hang_up() -> list[Any]:
        queue = PhotoQueue()
        call = asyncio.ensure_future(queue.run(None, 1, slow, 1))
        while not slow.begun:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.05)  # beyond the shorter time
        call.cancel()
        [answer] = await asyncio.gather(call, return_exceptions=True)
        while not slow.given_up:
            await asyncio.sleep(0.001)
        return [type(answer), await queue.run(None, 1, lambda: "next")]

    assert asyncio.run(asyncio.wait_for(hang_up(), 10)) == [asyncio.CancelledError, "next"]
    gc.collect()  # then asyncio logs exceptions that nobody has retrieved
    assert caplog.records == []


def test_a_call_that_is_cancelled_keeps_its_place_until_its_thread_has_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_queue, "SET_ASIDE_SECONDS", 0.001)

    async def hang_up() -> str:
        queue, work = PhotoQueue(), Work()
        calls = [asyncio.ensure_future(queue.run(None, 1, work, number)) for number in range(MAX_WAITING_PHOTOS)]
        await begun(work, MAX_WAITING_PHOTOS)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        with pytest.raises(TurnedAwayError):
            await queue.run(None, 1, work, 99)
        work.done.set()
        while True:
            await asyncio.sleep(0.01)
            with suppress(TurnedAwayError):
                return await queue.run(None, 1, lambda: "next")

    assert asyncio.run(asyncio.wait_for(hang_up(), 10)) == "next"


def test_a_call_that_is_cancelled_before_its_turn_gives_back_its_place_at_once() -> None:
    async def hang_up() -> list[int]:
        queue, work = PhotoQueue(), Work()
        begin = [asyncio.ensure_future(queue.run(None, 1, work, number)) for number in range(PHOTO_THREADS)]
        await begun(work, PHOTO_THREADS)
        waiting = [asyncio.ensure_future(queue.run(None, 1, work, 99)) for _ in range(MAX_WAITING_PHOTOS)]
        await asyncio.sleep(0)
        for call in waiting:
            call.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        after = [asyncio.ensure_future(queue.run(None, 1, work, n)) for n in range(PHOTO_THREADS, MAX_WAITING_PHOTOS)]
        await asyncio.sleep(0)
        work.done.set()
        return await asyncio.gather(*begin, *after)

    assert asyncio.run(asyncio.wait_for(hang_up(), 10)) == list(range(MAX_WAITING_PHOTOS))


def test_a_place_is_free_again_after_a_failure() -> None:
    def fail() -> None:
        raise KeyError

    async def crowd() -> list[Any]:
        queue = PhotoQueue()
        calls = (queue.run(None, 1, fail) for _ in range(2 * MAX_WAITING_PHOTOS))
        return [await asyncio.gather(call, return_exceptions=True) for call in calls]

    assert {type(error) for [error] in asyncio.run(crowd())} == {KeyError}
