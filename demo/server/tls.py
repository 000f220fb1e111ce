"""TLS that begins once a connection is counted: asyncio itself reports a connection only after its handshake."""

import asyncio
import ssl
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from demo.limits import HANDSHAKE_SECONDS


class AfterHandshake(H11Protocol):
    """A connection that exists as soon as it is accepted, and makes its TLS handshake, if any, by itself.

    Attributes:
        tls: for the handshake; None for plain connections.
    """

    tls: ssl.SSLContext | None = None
    _handshake: "asyncio.Task[None] | None" = None
    _early: list[bytes] | None = None  # what was sent right after the handshake, until we know that it has ended

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # noqa: D102
        super().connection_made(transport)
        if self.tls is not None:
            transport.pause_reading()
            self._early = []
            self._handshake = self.loop.create_task(self._shake_hands(transport, self.tls))

    def data_received(self, data: bytes) -> None:  # noqa: D102
        if self._early is None:
            super().data_received(data)
        else:
            self._early.append(data)

    async def _shake_hands(self, plain: asyncio.Transport, tls: ssl.SSLContext) -> None:
        encrypted = None
        try:
            encrypted = await self.loop.start_tls(
                plain, self, tls, server_side=True, ssl_handshake_timeout=HANDSHAKE_SECONDS
            )
        except OSError:  # includes TLS's errors and timeouts: it wasn't TLS, took too long, or the client has left
            plain.abort()
        if encrypted is None:  # or it was cut meanwhile, in which case asyncio doesn't always say that it is lost
            self.connection_lost(None)
        elif self in self.connections:
            super().connection_made(encrypted)
            early, self._early = b"".join(self._early or ()), None
            if early:
                self.data_received(early)


async def listen_before_handshakes(server: uvicorn.Server) -> None:
    """Let a running server accept plain connections, whose class makes the handshakes.

    uvicorn leaves handshakes to asyncio, which gives each up to a minute before there is a connection to count.

    Args:
        server: its configuration already names that class, and a fixed port.
    """
    config = server.config
    for before in server.servers:
        before.close()

    def make() -> asyncio.Protocol:
        values: dict[str, Any] = {
            "config": config,
            "server_state": server.server_state,
            "app_state": server.lifespan.state,
        }
        return config.http_protocol_class(**values)

    listening = asyncio.get_running_loop().create_server(make, config.host, config.port, backlog=config.backlog)
    server.servers = [await listening]
