"""The room for large request bodies until the page takes them. When it is full, one that arrives slowly gives way."""

import asyncio
import time
from collections import Counter, deque

from demo.limits import (
    BODY_PROGRESS_SECONDS,
    BODY_SECONDS,
    MAX_BODY_SECONDS,
    MAX_LARGE_BODIES_BYTES,
    MAX_LARGE_BODIES_BYTES_OF_ADDRESS,
    MIN_BODY_BYTES_PER_SECOND,
    SMALL_BODY_BYTES,
)

_LUMP_SECONDS = 0.1  # parts that arrive within this time count as one lump, however small they are


class NoRoomError(Exception):
    """There is no room for a body, or it has to give way to others."""


class ArrivingBody:
    """A body that arrives in parts; to be created on the event loop.

    Args:
        address: who sends it.

    Attributes:
        address: who sends it.
        size: bytes that have arrived.
        is_whole: whether all of it has arrived.
        given_up: a future, done once the body has to give way.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.size = 0
        self.is_whole = False
        self.given_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._began = time.monotonic()
        # When its newest lumps began, and their sizes: just enough lumps to hold `_progress_bytes`.
        self._newest: deque[tuple[float, int]] = deque()
        self._newest_bytes = 0

    def add(self, size: int) -> None:
        """Note that a part has arrived.

        Args:
            size: of the part, in bytes.
        """
        self.size += size
        self._newest_bytes += size
        now = time.monotonic()
        if self._newest and now - self._newest[-1][0] < _LUMP_SECONDS:
            began, before = self._newest.pop()
            self._newest.append((began, before + size))
        else:
            self._newest.append((now, size))
        while self._newest_bytes - self._newest[0][1] >= _progress_bytes():
            self._newest_bytes -= self._newest.popleft()[1]

    @property
    def seconds_left(self) -> float:
        """How long its next part may take from now. Bytes that came long ago buy no more time."""
        end = self._began + BODY_SECONDS
        if self._newest_bytes >= _progress_bytes():
            end = max(end, self.moved + BODY_PROGRESS_SECONDS)
        return max(0.0, min(end, self._began + MAX_BODY_SECONDS) - time.monotonic())

    @property
    def moved(self) -> float:
        """When its newest `_progress_bytes` began to arrive: the earlier, the slower the body."""
        return self._newest[0][0] if self._newest else self._began


class BodyRoom:
    """Shares the bytes that `demo.limits` allows for large bodies among all addresses.

    A newcomer isn't turned away because others came first: the address that holds most gives up its slowest body. So a
    few addresses that fill the room and then send next to nothing can't keep others out. Whole bodies never give way;
    the page takes them in a moment.
    """

    def __init__(self) -> None:
        self._bodies: dict[ArrivingBody, int] = {}  # large body -> the bytes it holds
        self._held: Counter[str] = Counter()  # address -> the bytes its bodies hold

    def make(self, body: ArrivingBody) -> None:
        """Make room for what has arrived of a body, if it is large; called after each of its parts.

        Args:
            body: any body.

        Raises:
            NoRoomError: this very body has to give way.
        """
        if body.size <= SMALL_BODY_BYTES:
            return
        self._held[body.address] += body.size - self._bodies.get(body, 0)
        self._bodies[body] = body.size
        while crowd := self._crowd(body.address):
            slowest = min(crowd, key=lambda one: one.moved)
            self.leave(slowest)
            if slowest is body:
                raise NoRoomError
            if not slowest.given_up.done():
                slowest.given_up.set_result(None)

    def leave(self, body: ArrivingBody) -> None:
        """Take back the room of a body that is given up, or that the page has taken.

        Args:
            body: any body.
        """
        self._held -= Counter({body.address: self._bodies.pop(body, 0)})  # also drops addresses at zero

    def _crowd(self, address: str) -> list[ArrivingBody]:
        """The arriving bodies, all of one address, of which one has to give way; none while there is room."""
        arriving = [body for body in self._bodies if not body.is_whole]
        if self._held[address] <= MAX_LARGE_BODIES_BYTES_OF_ADDRESS:
            if self._held.total() <= MAX_LARGE_BODIES_BYTES:
                return []
            address = max((body.address for body in arriving), key=lambda one: self._held[one])
        return [body for body in arriving if body.address == address]


def _progress_bytes() -> float:
    """How many bytes of a body must arrive in each `BODY_PROGRESS_SECONDS`."""
    return MIN_BODY_BYTES_PER_SECOND * BODY_PROGRESS_SECONDS
