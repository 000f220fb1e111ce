import asyncio
from typing import Any

import pytest

from demo.server.http.request_limits import WholeBodies


def ask(
    parts: list[bytes], headers: dict[str, str], *, breaks_off: bool = False, limit: int = 10
) -> tuple[int, bytes | None]:
    """The status that the client gets (0 for none), and the body that the application is handed (None: not called),
    within a limit of so many bytes."""
    arrived: list[bytes] | None = None
    sent: list[dict[str, Any]] = []

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        nonlocal arrived
        arrived = []
        more = True
        while more:
            message = await receive()
            arrived.append(message["body"])
            more = message["more_body"]
        assert await receive() == {"type": "http.disconnect"}  # told, too, while an answer is being made
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    messages: list[dict[str, Any]] = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages[-1]["more_body"] = breaks_off
    messages.append({"type": "http.disconnect"})

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "headers": [(name.encode(), value.encode()) for name, value in headers.items()]}
    asyncio.run(WholeBodies(app, limit)(scope, receive, send))
    return (sent[0]["status"] if sent else 0), None if arrived is None else b"".join(arrived)


@pytest.mark.parametrize("headers", [{"content-length": "10"}, {}])
def test_a_body_within_the_limit_arrives(headers: dict[str, str]) -> None:
    assert ask([b"12345", b"67890"], headers) == (200, b"1234567890")


@pytest.mark.parametrize("length", ["11", "-1", "many"])
def test_a_body_that_says_it_is_larger_is_refused(length: str) -> None:
    assert ask([b"1"], {"content-length": length}) == (413, None)


def test_a_body_that_does_not_say_how_large_it_is_is_refused_too() -> None:
    assert ask([b"12345", b"67890", b"1", b"2"], {}) == (413, None)


def test_a_body_that_breaks_off_is_dropped() -> None:
    assert ask([b"12345", b"678"], {"content-length": "10"}, breaks_off=True) == (0, None)
