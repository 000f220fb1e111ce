"""Threads that serve addresses in turn, so that an address with a lot of work delays nobody else's first piece."""

import heapq
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any, ParamSpec, TypeVar

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


@dataclass(order=True)
class _Piece:
    """A waiting piece of work.

    Attributes:
        round: in which it is due; each address has one piece in a round.
        number: rises with each new piece, and decides the order within a round.
        address: whose it is.
        call: does the work.
        answer: the future result.
    """

    round: int
    number: int
    address: str = field(compare=False)
    call: Callable[[], Any] = field(compare=False)
    answer: "Future[Any]" = field(compare=False)


class FairThreads:
    """Does everybody's first waiting piece of work, then everybody's second, and so on. Thread-safe.

    This is fair queueing, by rounds. A new address begins in the next round: otherwise a stream of new addresses could
    keep the current round from ending. Nothing is kept about an address without work.

    Args:
        threads: how many pieces are done at the same time.
        name: the threads' names begin with it.
    """

    def __init__(self, threads: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._lock = threading.Lock()
        self._numbers = count()
        self._waiting: list[_Piece] = []  # a heap
        self._round = 0  # of the piece begun last
        self._last_rounds: dict[str, int] = {}  # address -> the round of its last waiting piece

    def of(self, address: str) -> Executor:
        """An executor for the work of one address.

        Args:
            address: empty if unknown; each piece then counts as a different address's.
        """
        return _Threads(self, address)

    def put(self, address: str, call: Callable[[], _Result]) -> "Future[_Result]":
        """Have a piece of work done.

        Args:
            address: as for `of`.
            call: does the work.

        Returns:
            The future result.
        """
        answer: Future[_Result] = Future()
        with self._lock:
            piece = _Piece(self._next_round(address), next(self._numbers), address, call, answer)
            heapq.heappush(self._waiting, piece)
        self._pool.submit(self._do_next)  # whichever piece is next by then
        return answer

    def _next_round(self, address: str) -> int:
        """The round of an address's next piece."""
        if not address:
            return self._round + 1
        own = self._last_rounds.get(address, self._round) + 1
        self._last_rounds[address] = own
        return own

    def _do_next(self) -> None:
        """Do the piece whose turn it is, on a thread of the pool."""
        with self._lock:
            piece = heapq.heappop(self._waiting)
            self._round = piece.round
            if self._last_rounds.get(piece.address) == piece.round:
                del self._last_rounds[piece.address]
        if not piece.answer.set_running_or_notify_cancel():
            return
        try:
            piece.answer.set_result(piece.call())
        except BaseException as error:  # raised where the answer is awaited, as with any executor
            piece.answer.set_exception(error)
            del piece  # otherwise the error's traceback and the answer would keep each other alive


class _Threads(Executor):
    """The threads, working for one address."""

    def __init__(self, threads: FairThreads, address: str) -> None:
        self._threads, self._address = threads, address

    def submit(
        self, fn: Callable[_Parameters, _Result], /, *args: _Parameters.args, **kwargs: _Parameters.kwargs
    ) -> "Future[_Result]":
        """Like `Executor.submit`, but the work waits for the address's turn."""
        return self._threads.put(self._address, partial(fn, *args, **kwargs))
