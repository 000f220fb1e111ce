import asyncio
import logging
import socket
from contextlib import ExitStack
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from demo.server.http import connections
from demo.server.http.connections import bounded

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class Server:
    """Uvicorn with an application that answers when it is let go, for at most two connections."""

    def __init__(self) -> None:
        self.held = asyncio.Event()
        self.asked = asyncio.Event()

    async def app(self, scope: Any, _receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            self.asked.set()
            await self.held.wait()
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
            await send({"type": "http.response.body", "body": b"ok"})

    async def __aenter__(self) -> "Server":
        protocol = bounded(H11Protocol, 2)
        config = uvicorn.Config(
            self.app, host="127.0.0.1", port=0, log_level="critical", interface="asgi3", http=protocol, lifespan="off"
        )
        self.server = uvicorn.Server(config)
        config.load()
        self.server.lifespan = config.lifespan_class(config)
        await self.server.startup()
        self.port = self.server.servers[0].sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.held.set()
        await self.server.shutdown()

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)


async def is_closed(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.read(1) == b""
    except ConnectionError:
        return True


def test_the_oldest_idle_connection_makes_room_for_a_new_one() -> None:
    async def visit() -> bytes:
        async with Server() as server:
            server.held.set()
            (first, _), (_, _) = await server.connect(), await server.connect()
            reader, writer = await server.connect()
            assert await is_closed(first)
            writer.write(REQUEST)
            return await reader.read(500)

    assert asyncio.run(visit()).startswith(b"HTTP/1.1 200")


def test_of_a_burst_no_more_stay_than_are_allowed() -> None:
    async def visit() -> int:
        async with Server() as server:
            with ExitStack() as stack:
                clients = [stack.enter_context(socket.socket()) for _ in range(20)]
                for client in clients:  # while the loop waits, so that it finds all of them at once
                    client.connect(("127.0.0.1", server.port))
                _, writer = await server.connect()  # whose turn comes after theirs
                server.held.set()
                writer.write(REQUEST)
                await server.asked.wait()
                return len(server.server.server_state.connections)

    assert asyncio.run(visit()) == 2


def test_what_is_being_answered_is_not_closed() -> None:
    async def visit() -> bytes:
        async with Server() as server:
            pair = [await server.connect(), await server.connect()]
            for _, writer in pair:
                server.asked.clear()
                writer.write(REQUEST)
                await server.asked.wait()
            third, _ = await server.connect()
            assert await is_closed(third)
            server.held.set()
            return await pair[0][0].read(500)

    assert asyncio.run(visit()).startswith(b"HTTP/1.1 200")


def test_a_connection_without_a_request_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "IDLE_CONNECTION_SECONDS", 0.01)

    async def visit() -> bool:
        async with Server() as server:
            reader, writer = await server.connect()
            writer.write(REQUEST[:10])
            return await is_closed(reader)

    assert asyncio.run(visit())


def test_failures_to_accept_are_logged_seldom_and_other_errors_always() -> None:
    seldom = connections._SeldomAcceptFailures()
    failure = logging.makeLogRecord({"msg": "socket.accept() out of system resource", "exc_info": (None, None, None)})
    assert [seldom.filter(failure) for _ in range(3)] == [True, False, False]
    assert failure.exc_info is None
    assert all(seldom.filter(logging.makeLogRecord({"msg": "another"})) for _ in range(3))
