"""Sends an attack's request over and over, from connections at the same time."""

import asyncio
import threading
from collections import Counter

from demo.benchmark.attack.inputs import Attack

_MAX_HEAD_BYTES = 2**16


class Senders(threading.Thread):
    """Sends until it is told to stop.

    Args:
        attack: what is sent.
        host: of the page.
        port: of the page.
        addresses: from how many addresses the senders say to come.

    Attributes:
        answers: status, "cut off" or "no connection" -> how many requests got that.
    """

    def __init__(self, attack: Attack, host: str, port: int, addresses: int) -> None:
        super().__init__(daemon=True)
        self.answers: Counter[str] = Counter()
        self._attack, self._host, self._port, self._addresses = attack, host, port, addresses
        self._end = threading.Event()

    def run(self) -> None:
        """Send."""
        asyncio.run(self._send_all())

    def stop(self) -> None:
        """Close all connections, also those that wait for an answer."""
        self._end.set()
        self.join()

    async def _send_all(self) -> None:
        senders = [asyncio.create_task(self._send(number)) for number in range(self._attack.senders)]
        await asyncio.to_thread(self._end.wait)
        for sender in senders:
            sender.cancel()
        await asyncio.gather(*senders, return_exceptions=True)

    async def _send(self, number: int) -> None:
        """Send over one connection after another."""
        head = self._attack.head(f"203.0.113.{1 + number % self._addresses}")
        await asyncio.sleep(self._attack.pause_seconds * number / self._attack.senders)  # not all at the same moment
        for body in self._attack.bodies(number):
            try:
                reader, writer = await asyncio.open_connection(self._host, self._port, limit=_MAX_HEAD_BYTES)
            except OSError:
                self.answers["no connection"] += 1
                await asyncio.sleep(1)
                continue
            try:
                writer.write(head)
                writer.write(body)
                await writer.drain()
                self.answers[(await reader.readline()).split()[1].decode()] += 1
            except (OSError, IndexError):  # closed with a reset, or without
                self.answers["cut off"] += 1
            finally:
                writer.transport.abort()
            await asyncio.sleep(self._attack.pause_seconds)
