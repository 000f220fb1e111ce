"""Stop work that is no longer wanted: slow work checks now and then whether it still is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")
_IS_WANTED: ContextVar[Callable[[], bool]] = ContextVar("is_wanted", default=lambda: True)
_FOLLOW: ContextVar[Callable[[bool], None]] = ContextVar("follow", default=lambda _: None)


class InterruptedWorkError(Exception):
    """The work is no longer wanted."""


def interruptible(
    is_wanted: Callable[[], bool],
    function: Callable[_Parameters, _Result],
    *arguments: _Parameters.args,
    **named: _Parameters.kwargs,
) -> _Result:
    """Call a function that should stop once it is no longer wanted.

    Args:
        is_wanted: called by `check_wanted`, on the function's thread; may take its time, to let other work go first.
        function: does the work.
        arguments: positional arguments of the function.
        named: keyword arguments of the function.

    Returns:
        What the function returns.

    Raises:
        InterruptedWorkError: it is no longer wanted.
        Exception: anything else that the function raises.
    """
    token = _IS_WANTED.set(is_wanted)
    try:
        return function(*arguments, **named)
    finally:
        _IS_WANTED.reset(token)


@contextmanager
def followed(note: Callable[[bool], None]) -> Iterator[None]:
    """Have the steps of the current work reported.

    Args:
        note: called at each step with True if the work now waits for others, False if it goes on.

    Yields:
        Nothing.
    """
    token = _FOLLOW.set(note)
    try:
        yield
    finally:
        _FOLLOW.reset(token)


@contextmanager
def waiting() -> Iterator[None]:
    """Report to whoever follows the work that it waits for others, however long that takes.

    Yields:
        Nothing.
    """
    note = _FOLLOW.get()
    note(True)
    try:
        yield
    finally:
        note(False)


def check_wanted() -> None:
    """Wait for the current work's turn, and go on if it is still wanted; work outside `interruptible` always is.

    Raises:
        InterruptedWorkError: it is no longer wanted.
    """
    with waiting():
        is_wanted = _IS_WANTED.get()()
    if not is_wanted:
        raise InterruptedWorkError
