import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from demo.server.turns.fair_turns import FairTurns


class Desk:
    """One turn at a time, taken from the start, and a note of whose turn it has been since."""

    def __init__(self) -> None:
        self.turns = FairTurns(1)
        self.called: list[str] = []

    async def come(self, address: str, name: str) -> None:
        await self.turns.begin(address)
        self.called.append(name)
        self.turns.end()

    def give(self, address: str, *names: str) -> list["asyncio.Task[None]"]:
        return [asyncio.create_task(self.come(address, name)) for name in names]


def at_desk(visit: Callable[[Desk], Coroutine[Any, Any, list[str]]]) -> list[str]:
    async def whole() -> list[str]:
        desk = Desk()
        await desk.turns.begin("first")
        return await asyncio.wait_for(visit(desk), 60)

    return asyncio.run(whole())


def test_each_address_has_one_turn_in_a_round() -> None:
    async def visit(desk: Desk) -> list[str]:
        given = [*desk.give("a", "a1", "a2", "a3"), *desk.give("b", "b1"), *desk.give("", "unknown 1", "unknown 2")]
        await asyncio.sleep(0)  # so that they are in line
        desk.turns.end()
        await asyncio.gather(*given)
        return desk.called

    assert at_desk(visit) == ["a1", "b1", "unknown 1", "unknown 2", "a2", "a3"]


def test_whoever_is_cancelled_gets_no_turn_even_if_just_called() -> None:
    async def visit(desk: Desk) -> list[str]:
        [gone, called, last] = desk.give("a", "gone", "just called", "last")
        await asyncio.sleep(0)
        gone.cancel()
        desk.turns.end()
        called.cancel()  # before it learns that its turn has come
        await last
        await desk.come("b", "later")
        return desk.called

    assert at_desk(visit) == ["last", "later"]
