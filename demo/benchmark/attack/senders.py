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
        all_answered: set once each sender has got a status, or was cut off.
    """

    def __init__(self, attack: Attack, host: str, port: int, addresses: int) -> None:
        super().__init__(daemon=True)
        self.answers: Counter[str] = Counter()
        self.all_answered = threading.Event()
        self._attack, self._host, self._port, self._addresses = attack, host, port, addresses
        self._end = threading.Event()
        self._unanswered = set(range(attack.senders))

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
                self._note(number, (await reader.readline()).split()[1].decode())
            except (OSError, IndexError):  # closed with a reset, or without
                self._note(number, "cut off")
            finally:
                writer.transport.abort()
            await asyncio.sleep(self._attack.pause_seconds)

    def _note(self, number: int, answer: str) -> None:
        self.answers[answer] += 1
        self._unanswered.discard(number)
        if not self._unanswered:
            self.all_answered.set()
