import threading
from concurrent.futures import Future
from functools import partial

import pytest

from demo.server.turns.fair_threads import FairThreads


class Desk:
    """One thread that is kept busy until a test lets go, and a note of what it has done since.

    Attributes:
        done: names of pieces of work, in the order in which they were done.
    """

    def __init__(self) -> None:
        self.threads = FairThreads(1, "test")
        self.done: list[str] = []
        self._open, begun = threading.Event(), threading.Event()
        self._given: list[Future[None]] = []

        def keep_busy() -> None:
            begun.set()
            assert self._open.wait(10)

        self.threads.put("first", keep_busy)
        assert begun.wait(10)

    def give(self, address: str, *names: str) -> None:
        """Submit pieces of work for an address."""
        self._given += [self.threads.put(address, partial(self.done.append, name)) for name in names]

    def let_go(self) -> list[str]:
        """The names, once everything is done."""
        self._open.set()
        for given in self._given:
            given.result(10)
        return self.done


def test_each_address_has_one_piece_in_a_round_and_rounds_keep_the_order_of_coming() -> None:
    desk = Desk()
    desk.give("a", "a1", "a2", "a3")
    desk.give("b", "b1", "b2")
    desk.give("c", "c1")
    assert desk.let_go() == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_pieces_of_addresses_that_are_not_known_come_in_their_order() -> None:
    desk = Desk()
    desk.give("", "1", "2", "3")
    desk.give("a", "a1", "a2")
    desk.give("", "4")
    assert desk.let_go() == ["1", "2", "3", "a1", "4", "a2"]


def test_ever_new_addresses_keep_nobody_waiting_for_good() -> None:
    desk = Desk()
    desk.give("a", "a1", "a2")

    def come(number: int) -> None:
        desk.done.append(f"new {number}")
        if number < 5:
            desk._given.append(desk.threads.put(f"new {number + 1}", partial(come, number + 1)))

    desk._given.append(desk.threads.put("new 0", partial(come, 0)))
    done = desk.let_go()
    while len(done) < 8:
        desk.let_go()
    assert done.index("a2") <= 3


def test_the_answer_or_the_error_of_a_piece_comes_back_and_one_that_is_given_up_is_not_done() -> None:
    desk = Desk()
    threads = desk.threads.of("a")
    given = threads.submit(divmod, 7, 2)
    wrong = threads.submit(int, "no number")
    given_up = threads.submit(desk.done.append, "given up")
    assert given_up.cancel()
    desk.give("a", "last")
    assert desk.let_go() == ["last"]
    assert given.result(10) == (3, 1)
    with pytest.raises(ValueError, match="no number"):
        wrong.result(10)
