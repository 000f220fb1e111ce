import asyncio
import shutil
import ssl
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
import uvicorn

from demo.benchmark.server import free_port
from demo.server import tls
from demo.server.http.connections import bounded
from demo.server.tls import listen_before_handshakes
from tests.demo.server.http.test_connections import LAST_REQUEST, Server, is_closed
from tests.fakes.nginx import SELF_SIGNED, trusting
from tests.missing import missing


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate and its key, in one file."""
    if not shutil.which("openssl"):
        missing("needs openssl")
    file = tmp_path_factory.mktemp("certificate") / "own.pem"
    made = subprocess.run([*SELF_SIGNED, "-keyout", "-"], check=True, capture_output=True)
    file.write_bytes(made.stdout)
    return file


@pytest.fixture(scope="module")
def context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def ask(port: int) -> bytes:
    """The whole answer to an https request, read to the end of its connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting())
    writer.write(LAST_REQUEST)
    return await reader.read()


def test_a_connection_without_its_handshake_counts_and_makes_room(context: ssl.SSLContext) -> None:
    async def visit() -> tuple[bool, bytes]:
        async with Server(context=context) as server:
            (silent, _), _ = await server.connect(), await server.connect()
            server.held.set()
            answer = await ask(server.port)
            return await is_closed(silent), answer

    closed, answer = asyncio.run(asyncio.wait_for(visit(), 60))
    assert closed
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"ok")


def test_a_request_that_comes_with_the_end_of_its_handshake_is_answered(context: ssl.SSLContext) -> None:
    async def visit() -> bytes:
        async with Server(context=context) as server:
            server.held.set()
            reader, writer = await server.connect()
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            client = trusting().wrap_bio(incoming, outgoing)
            sent, answer = False, b""
            while not answer.endswith(b"ok"):
                with suppress(ssl.SSLWantReadError):
                    client.do_handshake()
                    sent = sent or bool(client.write(LAST_REQUEST))
                    answer += client.read(500)
                    continue
                writer.write(outgoing.read())
                incoming.write(await reader.read(2**16))
            writer.close()  # or the server waits half a minute for its goodbye
            return answer

    assert asyncio.run(asyncio.wait_for(visit(), 60)).startswith(b"HTTP/1.1 200")


def test_a_handshake_that_does_not_come_in_its_time_is_cut(
    context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "HANDSHAKE_SECONDS", 0.05)

    async def visit() -> bool:
        async with Server(context=context) as server:
            silent, _ = await server.connect()
            while not server.server.server_state.connections:
                await asyncio.sleep(0.01)
            while server.server.server_state.connections:
                await asyncio.sleep(0.01)
            return await is_closed(silent)

    assert asyncio.run(asyncio.wait_for(visit(), 20))


@pytest.mark.parametrize("sent", [LAST_REQUEST, b""])
def test_who_makes_no_handshake_gets_no_answer_and_is_not_kept(context: ssl.SSLContext, sent: bytes) -> None:
    async def visit() -> bytes:
        async with Server(context=context) as server:
            server.held.set()
            reader, writer = await server.connect()
            writer.write(sent)
            writer.write_eof()
            answer = await reader.read()
            while server.server.server_state.connections:
                await asyncio.sleep(0.01)
            return answer

    assert not asyncio.run(asyncio.wait_for(visit(), 60)).startswith(b"HTTP")


def test_a_server_that_has_started_goes_on_with_connections_that_count_before_their_handshake(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "HANDSHAKE_SECONDS", 0.05)

    async def app(scope: dict[str, str], _receive: object, send: object) -> None:
        assert callable(send)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["scheme"].encode()})

    async def visit() -> tuple[bool, bytes]:
        config = uvicorn.Config(
            app, "127.0.0.1", free_port(), lifespan="off", log_level="critical", ssl_certfile=certificate
        )
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup()
        config.http_protocol_class = bounded(2, config.ssl)
        await listen_before_handshakes(server)
        silent, _ = await asyncio.open_connection("127.0.0.1", config.port)
        closed = await is_closed(silent)
        monkeypatch.undo()
        answer = await ask(config.port)
        await server.shutdown()
        return closed, answer

    closed, answer = asyncio.run(asyncio.wait_for(visit(), 60))
    assert closed
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"https\r\n0\r\n\r\n")
