"""Threads that serve addresses in turn, so that an address with a lot of work delays nobody else's first piece."""

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, ParamSpec, TypeVar

from demo.server.turns.rounds import Rounds

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class _Piece:
    """A waiting piece of work.

    Attributes:
        call: does the work.
        answer: the future result.
    """

    call: Callable[[], Any]
    answer: "Future[Any]"


class FairThreads:
    """Does everybody's first waiting piece of work, then everybody's second, and so on (`Rounds`). Thread-safe.

    Args:
        threads: how many pieces are done at the same time.
        name: the threads' names begin with it.
    """

    def __init__(self, threads: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._lock = threading.Lock()
        self._waiting: Rounds[_Piece] = Rounds()

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
            self._waiting.put(address, _Piece(call, answer))
        self._pool.submit(self._do_next)  # whichever piece is next by then
        return answer

    def _do_next(self) -> None:
        """Do the piece whose turn it is, on a thread of the pool."""
        with self._lock:
            piece = self._waiting.take()
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
