"""Lets addresses take turns at something on an event loop, a few at a time."""

import asyncio

from demo.server.turns.rounds import Rounds


class FairTurns:
    """Gives everybody a first turn, then everybody a second, and so on (`Rounds`); to be used from one event loop.

    Args:
        most: how many may have their turn at the same time.
    """

    def __init__(self, most: int) -> None:
        self._free = most
        self._waiting: Rounds[asyncio.Future[None]] = Rounds()

    async def begin(self, address: str) -> None:
        """Wait for a turn, which lasts until `end`. Whoever is cancelled gets none.

        Args:
            address: who waits; empty if unknown, and then counted as a different address.
        """
        if self._free:
            self._free -= 1
            return
        called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.put(address, called)
        try:
            await called
        except asyncio.CancelledError:
            if not called.cancelled():  # it had just been called
                self.end()
            raise

    def end(self) -> None:
        """End a turn, so that the next one can begin."""
        while self._waiting:
            called = self._waiting.take()
            if not called.cancelled():
                called.set_result(None)
                return
        self._free += 1
