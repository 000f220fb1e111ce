"""The queue in which photos wait, those of visitors as well as those of programs."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from demo.limits import MAX_WAITING_PHOTOS
from demo.server.answer import answer_on
from demo.server.gradio_internals import caller_address
from demo.server.line import Line

PHOTO_THREADS = 2
# A larger file, in bytes or characters of base64, is a large photo; to work on one takes hundreds of megabytes.
MAX_SMALL_SIZE = 2_000_000

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


class PhotoQueue:
    """Works on a few photos at a time, first come, first served, and on one large photo beside them.

    To be called from one event loop.
    """

    def __init__(self) -> None:
        self._small = ThreadPoolExecutor(PHOTO_THREADS, thread_name_prefix="photo")
        self._large = ThreadPoolExecutor(1, thread_name_prefix="large photo")
        self._line = Line(MAX_WAITING_PHOTOS, PHOTO_THREADS)

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
            guest: tells those who come again from others, so that they keep their turn; None for who does not.
            size: of the photo's file, in bytes or characters.
            function: does all work on the photo, including its decoding.
            arguments: positional arguments of the function.
            named: keyword arguments of the function.

        Returns:
            What the function returns.

        Raises:
            TurnedAwayError: too many wait already; the function is not called.
            AnalysisError: memory or a device gave out.
            Exception: anything else that the function raises.
        """
        address = caller_address()
        self._line.enter(address, guest)
        try:
            pool = self._small if size <= MAX_SMALL_SIZE else self._large
            return await answer_on(pool, function, *arguments, **named)
        finally:
            self._line.leave(address)
