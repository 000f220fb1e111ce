import asyncio
from typing import Any

import pytest

from demo.server.http.page_turns import PageTurns


class Pages:
    """The middleware before an app that makes an answer once it is let go.

    Attributes:
        held: set to let it answer.
        begun: addresses whose answers were begun, in their order.
        at_once: the most that were being made at the same time.
    """

    def __init__(self) -> None:
        self.held = asyncio.Event()
        self.begun: list[str] = []
        self.at_once = self._now = 0
        self._turns = PageTurns(self._app)

    async def _app(self, scope: Any, _receive: Any, send: Any) -> None:
        self.begun.append(scope["client"][0])
        self._now += 1
        self.at_once = max(self.at_once, self._now)
        await self.held.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"page"})
        self._now -= 1

    def get(
        self, address: str = "a", path: str = "/", root_path: str = "", reading: "asyncio.Event | None" = None
    ) -> "tuple[asyncio.Task[bytes], asyncio.Event]":
        """Ask for a page; gives the answer's body, and an event with which to hang up.

        Args:
            address: of the visitor.
            path: of the page.
            root_path: where a proxy serves it.
            reading: set once the visitor reads; None for one who does from the start.
        """
        hung_up, asked, body = asyncio.Event(), [{"type": "http.request", "body": b""}], bytearray()

        async def receive() -> Any:
            if asked:
                return asked.pop()
            await hung_up.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if reading:
                await reading.wait()
            body.extend(message.get("body", b""))

        async def ask() -> bytes:
            scope = {"type": "http", "method": "GET", "path": path, "root_path": root_path, "client": (address, 1)}
            await self._turns(scope, receive, send)
            return bytes(body)

        return asyncio.create_task(ask()), hung_up


async def settle() -> None:
    """Let all tasks go on until they wait for something from outside."""
    for _ in range(20):
        await asyncio.sleep(0)


PATHS = ["/", "/config", "/config/", "/gradio_api/info", "/gradio_api/info/", "/gradio_api/openapi.json"]


@pytest.mark.parametrize("path", [*PATHS, "/faces/", "/faces", "/faces/config"])
def test_one_is_made_at_a_time_and_addresses_take_turns(path: str) -> None:
    async def visit() -> tuple[list[str], int, list[bytes]]:
        pages = Pages()
        asked = [pages.get(address, path, "/faces" if "faces" in path else "")[0] for address in "aaab"]
        await settle()
        pages.held.set()
        answers = await asyncio.gather(*asked)
        return pages.begun, pages.at_once, answers

    assert asyncio.run(asyncio.wait_for(visit(), 60)) == (["a", "a", "b", "a"], 1, [b"page"] * 4)


@pytest.mark.parametrize("path", ["/healthz", "/gradio_api/queue/data", "/gradio_api/mcp/", "/assets/a.js"])
def test_nothing_else_waits(path: str) -> None:
    async def visit() -> int:
        pages = Pages()
        asked = [pages.get(path=path)[0] for _ in range(3)]
        await settle()
        pages.held.set()
        await asyncio.gather(*asked)
        return pages.at_once

    assert asyncio.run(asyncio.wait_for(visit(), 60)) == 3


def test_for_a_visitor_who_has_hung_up_in_line_no_page_is_made() -> None:
    async def visit() -> list[str]:
        pages = Pages()
        first, _ = pages.get("first")
        gone, hung_up = pages.get("gone")
        last, _ = pages.get("last")
        await settle()
        hung_up.set()
        assert await gone == b""
        pages.held.set()
        await asyncio.gather(first, last)
        return pages.begun

    assert asyncio.run(asyncio.wait_for(visit(), 60)) == ["first", "last"]


def test_a_page_that_is_being_made_keeps_its_turn_though_its_visitor_hangs_up() -> None:
    async def visit() -> list[str]:
        pages = Pages()
        _, hung_up = pages.get("gone")
        pages.get("next")
        await settle()
        hung_up.set()
        await settle()
        return pages.begun

    assert asyncio.run(asyncio.wait_for(visit(), 60)) == ["gone"]


def test_nobody_keeps_a_turn_by_reading_slowly() -> None:
    async def visit() -> tuple[bytes, bool]:
        pages = Pages()
        pages.held.set()
        slow, _ = pages.get(reading=asyncio.Event())
        other, _ = pages.get("b")
        return await other, slow.done()

    assert asyncio.run(asyncio.wait_for(visit(), 60)) == (b"page", False)
