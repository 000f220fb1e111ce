"""Threads that work for addresses in turn, so that one with many pieces of work delays nobody's first."""

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
    """A piece of work that waits.

    Attributes:
        round: in which it is to be done; each address has one piece in a round.
        number: in the order in which pieces came, by which they are done within a round.
        address: whose it is.
        call: does it.
        answer: what it gives.
    """

    round: int
    number: int
    address: str = field(compare=False)
    call: Callable[[], Any] = field(compare=False)
    answer: "Future[Any]" = field(compare=False)


class FairThreads:
    """Does the n-th waiting piece of each address after everybody's piece before the n-th. Thread-safe.

    Whoever comes anew begins in the next round, not in the present one: otherwise ever new addresses could keep that
    from its end. Nothing is kept of an address that has nothing to be done (fair queueing, by rounds).

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
        self._last_rounds: dict[str, int] = {}  # address -> that of the last piece of it that waits

    def of(self, address: str) -> Executor:
        """An executor whose work counts as an address's.

        Args:
            address: empty where it is not known; each piece is then nobody else's.
        """
        return _Threads(self, address)

    def put(self, address: str, call: Callable[[], _Result]) -> "Future[_Result]":
        """Have a piece of work done.

        Args:
            address: as for `of`.
            call: does the work.

        Returns:
            What it gives.
        """
        answer: Future[_Result] = Future()
        with self._lock:
            piece = _Piece(self._next_round(address), next(self._numbers), address, call, answer)
            heapq.heappush(self._waiting, piece)
        self._pool.submit(self._do_next)  # whichever that is by then
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
        except BaseException as error:  # to be raised where the answer is awaited, as by any executor
            piece.answer.set_exception(error)
            del piece  # else the error's traceback and the answer would keep each other


class _Threads(Executor):
    """The threads, as one address uses them."""

    def __init__(self, threads: FairThreads, address: str) -> None:
        self._threads, self._address = threads, address

    def submit(
        self, fn: Callable[_Parameters, _Result], /, *args: _Parameters.args, **kwargs: _Parameters.kwargs
    ) -> "Future[_Result]":
        """As `Executor.submit`; the work waits for the address's turn."""
        return self._threads.put(self._address, partial(fn, *args, **kwargs))
