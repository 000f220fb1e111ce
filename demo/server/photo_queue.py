"""The queue in which photos wait, those of visitors as well as those of programs."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from demo.server.answer import answer_on

MAX_WAITING_PHOTOS = 8

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


class QueueFullError(Exception):
    """As many photos wait as may wait; trying again in a moment helps."""


class PhotoQueue:
    """Works on one photo at a time, first come, first served, since a large one takes hundreds of megabytes."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="photo")
        self._places = threading.BoundedSemaphore(MAX_WAITING_PHOTOS)

    async def run(
        self, function: Callable[_Parameters, _Result], *arguments: _Parameters.args, **named: _Parameters.kwargs
    ) -> _Result:
        """Wait for a turn, then call a function on the queue's thread.

        Args:
            function: does all work on the photo, including its decoding.
            arguments: positional arguments of the function.
            named: keyword arguments of the function.

        Returns:
            What the function returns.

        Raises:
            QueueFullError: too many wait already; the function is not called.
            AnalysisError: memory or a device gave out.
            Exception: anything else that the function raises.
        """
        if not self._places.acquire(blocking=False):
            raise QueueFullError
        try:
            return await answer_on(self._pool, function, *arguments, **named)
        finally:
            self._places.release()
