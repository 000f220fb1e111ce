import asyncio
import logging
import random
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from typing import Any

import pytest
import uvicorn

from demo.limits import MIN_BODY_BYTES_PER_SECOND, UNREAD_SECONDS
from demo.server.http import connections
from demo.server.http.connections import bounded
from demo.server.http.files.versions import kept_answer

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class Server:
    """Uvicorn with an application that answers once it is let go, for at most two connections or as many as given.

    It takes this machine for a proxy, unless `proxies` says otherwise.

    Attributes:
        held: set to let it answer.
        asked: set once a request is there.
        server: the uvicorn server.
    """

    def __init__(
        self, body: bytes = b"ok", most: int = 2, proxies: str = "127.0.0.0/8", context: ssl.SSLContext | None = None
    ) -> None:
        self.held = asyncio.Event()
        self.asked = asyncio.Event()
        self._body, self._proxies, self._class = body, proxies, bounded(most, context)
        self._clients: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def app(self, scope: Any, _receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            self.asked.set()
            await self.held.wait()
            headers = [(b"content-length", b"%d" % len(self._body))]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": self._body})

    async def __aenter__(self) -> "Server":
        config = uvicorn.Config(
            self.app, host="127.0.0.1", port=0, log_level="critical", interface="asgi3", http=self._class,
            lifespan="off", forwarded_allow_ips=self._proxies, timeout_keep_alive=3600,
        )  # fmt: skip
        self.server = uvicorn.Server(config)
        config.load()
        self.server.lifespan = config.lifespan_class(config)
        await self.server.startup()
        self.port = self.server.servers[0].sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.held.set()
        for _, writer in self._clients:
            writer.transport.abort()  # or the end would wait until they have read their answers
        await self.server.shutdown()

    async def connect(self, address: str = "127.0.0.1") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        pair = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(address, 0))
        self._clients.append(pair)  # otherwise those that a test does not name would close
        return pair

    async def begin_body(self, address: str = "127.0.0.1", body: bytes = b"") -> asyncio.StreamReader:
        """A connection whose request has arrived except for most of its body; waits until the server has it."""
        reader, writer = await self.connect(address)
        self.asked.clear()
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + body)
        await self.asked.wait()
        here: Any = self.server.server_state.connections
        while body and not any(one.conn.body_bytes for one in here):
            await asyncio.sleep(0.01)
        return reader

    async def is_answered(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        self.held.set()
        writer.write(REQUEST)
        return (await reader.read(500)).startswith(b"HTTP/1.1 200")

    @property
    def here(self) -> list[Any]:
        """The server's side of the connections."""
        return list(self.server.server_state.connections)

    async def two_who_wait(self, address: str = "127.0.0.1") -> list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Two connections, one opened after the other, whose requests the application holds."""
        pair = [await self.connect(address), await self.connect(address)]
        for _, writer in pair:
            self.asked.clear()
            writer.write(REQUEST)
            await self.asked.wait()
        return pair


async def is_closed(reader: asyncio.StreamReader) -> bool:
    try:
        return await asyncio.wait_for(reader.read(1), 60) == b""
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


def test_a_connection_on_which_no_further_request_begins_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "KEEP_ALIVE_SECONDS", 0.01)

    async def visit() -> bool:
        async with Server() as server:
            reader, writer = await server.connect()
            assert await server.is_answered(reader, writer)
            return await is_closed(reader)

    assert asyncio.run(visit())


def test_of_a_burst_no_more_stay_than_are_allowed() -> None:
    async def visit() -> int:
        async with Server() as server:
            with ExitStack() as stack:
                clients = [stack.enter_context(socket.socket()) for _ in range(20)]
                for client in clients:  # while the loop is blocked, so that it finds all of them at once
                    client.connect(("127.0.0.1", server.port))
                _, writer = await server.connect()  # its turn comes after theirs
                server.held.set()
                writer.write(REQUEST)
                await server.asked.wait()
                return len(server.server.server_state.connections)

    assert asyncio.run(visit()) == 2


def test_what_is_being_answered_is_not_closed() -> None:
    async def visit() -> bytes:
        async with Server() as server:
            pair = await server.two_who_wait()
            third, _ = await server.connect()
            assert await is_closed(third)
            server.held.set()
            return await pair[0][0].read(500)

    assert asyncio.run(visit()).startswith(b"HTTP/1.1 200")


def test_a_request_without_its_body_makes_room_before_an_idle_connection() -> None:
    async def visit() -> bool:
        async with Server() as server:
            idle = await server.connect()
            begun = await server.begin_body()
            await server.connect()
            return await is_closed(begun) and await server.is_answered(*idle)

    assert asyncio.run(visit())


def test_a_body_that_goes_on_arriving_stays_longer_than_an_idle_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MIN_BODY_BYTES_PER_SECOND", 1)

    async def visit() -> tuple[bool, int]:
        async with Server() as server:
            await server.begin_body(body=bytes(1000))
            idle, _ = await server.connect()
            await server.connect()
            return await is_closed(idle), len(server.server.server_state.connections)

    assert asyncio.run(visit()) == (True, 2)


@pytest.mark.parametrize(("proxies", "closed"), [("", "crowd"), ("127.0.0.0/8", "other")])
def test_the_address_that_holds_most_makes_room_unless_it_is_a_proxy(
    proxies: str, closed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MANY_CONNECTIONS_OF_ADDRESS", 1)

    async def visit() -> str:
        async with Server(most=3, proxies=proxies) as server:
            readers = {"other": await server.begin_body("127.0.0.3")}
            readers["crowd"], _ = await server.connect("127.0.0.2")
            await server.connect("127.0.0.2")
            await server.connect("127.0.0.4")
            ends = {asyncio.create_task(is_closed(reader)): name for name, reader in readers.items()}
            [first], _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            return ends[first]

    assert asyncio.run(visit()) == closed


@pytest.mark.parametrize(("proxies", "newcomer"), [("", "127.0.0.4"), ("", "127.0.0.2"), ("127.0.0.0/8", "127.0.0.4")])
def test_a_crowd_that_is_being_answered_makes_room_for_anybody_but_its_own(
    proxies: str, newcomer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MANY_CONNECTIONS_OF_ADDRESS", 1)

    async def visit() -> str:
        async with Server(most=3, proxies=proxies) as server:
            (oldest, _), _ = await server.two_who_wait("127.0.0.2")
            readers = {"an answer": oldest, "idle": (await server.connect("127.0.0.3"))[0]}
            readers["new"], _ = await server.connect(newcomer)
            ends = {asyncio.create_task(is_closed(reader)): name for name, reader in readers.items()}
            [first], _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            return ends[first]

    of_crowd = "an answer" if newcomer == "127.0.0.4" else "new"
    assert asyncio.run(visit()) == (of_crowd if not proxies else "idle")


def test_a_connection_without_a_request_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "IDLE_CONNECTION_SECONDS", 0.01)

    async def visit() -> bool:
        async with Server() as server:
            reader, writer = await server.connect()
            writer.write(REQUEST[:10])
            return await is_closed(reader)

    assert asyncio.run(visit())


def test_a_further_request_that_does_not_arrive_is_cut_though_bytes_keep_coming(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "KEEP_ALIVE_SECONDS", 3600)

    async def visit() -> bool:
        async with Server() as server:
            reader, writer = await server.connect()
            assert await server.is_answered(reader, writer)
            monkeypatch.setattr(connections, "IDLE_CONNECTION_SECONDS", 0.1)
            closing = asyncio.create_task(is_closed(reader))
            while not closing.done():
                writer.write(b"G")  # so slowly that the headers do not become too long
                await asyncio.sleep(0.01)
            return closing.result()

    assert asyncio.run(visit())


def test_a_further_request_that_arrives_in_parts_may_take_long_to_answer() -> None:
    async def visit() -> tuple[list[bool], bool]:
        async with Server() as server:
            reader, writer = await server.connect()
            assert await server.is_answered(reader, writer)
            server.held.clear()
            server.asked.clear()
            [here] = server.here
            waits = [not here.deadline.cancelled()]
            writer.write(REQUEST[:10])
            while here.deadline.cancelled():
                await asyncio.sleep(0.01)
            writer.write(REQUEST[10:])
            await server.asked.wait()
            waits.append(not here.deadline.cancelled())
            server.held.set()
            return waits, (await reader.read(500)).startswith(b"HTTP/1.1 200")

    assert asyncio.run(asyncio.wait_for(visit(), 60)) == ([False, False], True)


def test_an_answer_that_goes_on_for_long_makes_room_where_all_are_being_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "LONG_ANSWER_SECONDS", 0)

    async def visit() -> bytes:
        async with Server() as server:
            pair = await server.two_who_wait()
            reader, writer = await server.connect()
            assert await is_closed(pair[0][0])
            server.held.set()
            writer.write(REQUEST)
            return await reader.read(500)

    assert asyncio.run(visit()).startswith(b"HTTP/1.1 200")


UNREAD = bytes(64 * 2**20)  # more than a socket's own buffers take
LAST_REQUEST = REQUEST.replace(b"Host", b"Connection: close\r\nHost")


@asynccontextmanager
async def unread_answer(server: Server) -> AsyncIterator[None]:
    """A client that reads nothing of its answer, after which the connection is to be closed."""
    with socket.socket() as client:
        client.connect(("127.0.0.1", server.port))
        client.sendall(LAST_REQUEST)
        while not any(one.transport.is_closing() for one in server.server.server_state.connections):
            await asyncio.sleep(0.01)
        yield


def test_a_closing_connection_whose_answer_is_not_read_counts_and_makes_room() -> None:
    async def visit() -> list[bool]:
        async with Server(UNREAD) as server:
            server.held.set()
            async with unread_answer(server):
                open_ones = [await server.connect() for _ in range(2)]
                while len(here := server.server.server_state.connections) != len(open_ones):
                    await asyncio.sleep(0.01)
                return [one.transport.is_closing() for one in here]

    assert asyncio.run(asyncio.wait_for(visit(), 60)) == [False, False]


def test_a_connection_that_does_not_read_its_answer_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "UNREAD_SECONDS", 0.05)

    async def visit() -> int:
        async with Server(UNREAD) as server:
            server.held.set()
            async with unread_answer(server):
                while server.server.server_state.connections:
                    await asyncio.sleep(0.01)
            return server.server.server_state.total_requests

    assert asyncio.run(asyncio.wait_for(visit(), 60)) == 1


def test_a_connection_that_reads_slowly_keeps_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "UNREAD_SECONDS", 4.0)
    monkeypatch.setattr(connections, "MIN_READ_BYTES", 1)

    async def visit() -> int:
        async with Server(bytes(16 * 2**20)) as server:
            server.held.set()
            reader, writer = await server.connect()
            writer.write(LAST_REQUEST)
            read = 0
            while part := await reader.read(2**17):
                read += len(part)
                await asyncio.sleep(0.08)  # more than four seconds in all
            return read

    assert asyncio.run(asyncio.wait_for(visit(), 120)) > 16 * 2**20


def test_the_next_request_begins_once_the_answer_before_has_been_read() -> None:
    async def visit() -> tuple[bool, int]:
        async with Server(UNREAD) as server:
            server.held.set()
            reader, writer = await server.connect()
            writer.write(REQUEST + LAST_REQUEST)
            await server.asked.wait()
            [here] = server.here
            while not here.flow.write_paused:
                await asyncio.sleep(0.01)
            has_begun = not here.cycle.response_complete
            return has_begun, len(await reader.read()) // len(UNREAD)

    assert asyncio.run(asyncio.wait_for(visit(), 120)) == (False, 2)


@pytest.mark.parametrize(("bytes_per_second", "stays"), [(16 * 1024, False), (MIN_BODY_BYTES_PER_SECOND, True)])
def test_an_answer_is_to_be_read_about_as_fast_as_a_body_is_to_be_sent(bytes_per_second: int, stays: bool) -> None:
    async def visit() -> bool:
        async with Server(UNREAD) as server:
            server.held.set()
            async with unread_answer(server):
                [here] = server.here
                here.check_reader(here.transport.get_write_buffer_size() + bytes_per_second * UNREAD_SECONDS)
                return not here.is_cut

    assert asyncio.run(asyncio.wait_for(visit(), 60)) == stays


FILE = random.Random(0).randbytes(3 * 2**20 + 1)


class Serves(Server):
    """Answers with a file of the page."""

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        await kept_answer("face.task", self._body)(scope, receive, send)


def test_of_a_file_that_is_not_read_no_more_is_held_than_two_pieces() -> None:
    async def visit() -> int:
        async with Serves(UNREAD) as server:
            with socket.socket() as client:
                client.connect(("127.0.0.1", server.port))
                client.sendall(REQUEST)
                while True:  # until the sockets have taken what they can, and so much waits that the writer pauses
                    held = [one.transport.get_write_buffer_size() for one in server.server.server_state.connections]
                    if sum(held) > 2**16:
                        return sum(held)
                    await asyncio.sleep(0.01)

    assert asyncio.run(asyncio.wait_for(visit(), 60)) <= 2 * 2**16


@pytest.mark.parametrize(
    ("proxies", "newcomer", "most_of_address", "unread_goes"),
    [("", "127.0.0.4", 32, True), ("127.0.0.0/8", "127.0.0.2", 1, True), ("", "127.0.0.2", 1, False)],
)
def test_files_that_are_not_read_make_room_for_a_new_connection_but_of_a_crowd_not_for_its_own(
    proxies: str, newcomer: str, most_of_address: int, unread_goes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MANY_CONNECTIONS_OF_ADDRESS", most_of_address)

    async def visit() -> tuple[bool, bool, bool]:
        async with Serves(UNREAD, proxies=proxies) as server:
            with ExitStack() as stack:
                for count in (1, 2):  # one after the other, so that the first has waited for longest
                    client = stack.enter_context(socket.socket())
                    client.bind(("127.0.0.2", 0))
                    client.connect(("127.0.0.1", server.port))
                    client.sendall(REQUEST)
                    while [one.flow.write_paused for one in server.here].count(True) < count:
                        await asyncio.sleep(0.01)
                first, second = sorted(server.here, key=lambda one: one.begun)
                reader, writer = await server.connect(newcomer)
                try:
                    writer.write(REQUEST)
                    is_answered = (await reader.read(500)).startswith(b"HTTP/1.1 200")
                except ConnectionError:
                    is_answered = False
                return is_answered, first.is_cut, second.is_cut

    assert asyncio.run(asyncio.wait_for(visit(), 60)) == (unread_goes, unread_goes, False)


def test_of_files_that_are_not_read_the_one_that_has_waited_longest_makes_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "UNREAD_SECONDS", 3600)

    async def visit() -> tuple[bool, bool]:
        async with Serves(UNREAD) as server:
            (reader, reads_on), (_, reads_not) = [await server.connect() for _ in range(2)]
            for count, writer in enumerate((reads_on, reads_not), 1):
                writer.write(REQUEST)
                while [one.flow.write_paused for one in server.here].count(True) < count:
                    await asyncio.sleep(0.01)
            first, second = sorted(server.here, key=lambda one: one.begun)
            before = first.unread_since
            while first.unread_since == before:
                await reader.read(2**20)
            await server.connect()
            while not (first.is_cut or second.is_cut):
                await asyncio.sleep(0.01)
            return first.is_cut, second.is_cut

    assert asyncio.run(asyncio.wait_for(visit(), 60)) == (False, True)


@pytest.mark.parametrize(("method", "body"), [(b"GET", FILE), (b"HEAD", b"")])
def test_a_file_in_pieces_arrives_whole_and_leaves_the_connection_open(method: bytes, body: bytes) -> None:
    async def visit() -> tuple[bytes, bytes]:
        async with Serves(FILE) as server:
            reader, writer = await server.connect()
            for _ in range(2):
                writer.write(REQUEST.replace(b"GET", method))
                head = await reader.readuntil(b"\r\n\r\n")
                assert await reader.readexactly(len(body)) == body
            writer.write(LAST_REQUEST.replace(b"GET", method))
            return head, (await reader.read()).partition(b"\r\n\r\n")[2]

    head, last = asyncio.run(asyncio.wait_for(visit(), 60))
    assert head.startswith(b"HTTP/1.1 200")
    assert b"content-length: %d\r\n" % len(FILE) in head
    assert last == body


@pytest.mark.parametrize(
    ("more", "status"),
    [
        (b"", b"200"),
        (b"A: " + b"a" * 16_000 + b"\r\n", b"200"),
        (b"A: " + b"a" * 120_000 + b"\r\n", b"431"),
        (b"A: a\r\n" * 20_000, b"431"),
        (b"A: " + b"a" * 10_000_000, b"431"),  # the rest comes while the answer is on its way
    ],
)
def test_long_headers_are_refused_by_a_sentence_and_the_connection_closed(
    more: bytes, status: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "REFUSED_HEADERS_SECONDS", 1.0)

    async def visit() -> tuple[bytes, bytes]:
        async with Server() as server:
            server.held.set()
            reader, writer = await server.connect()
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n" + more + b"\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            return head, b"" if status == b"200" else await reader.read()

    head, sentence = asyncio.run(asyncio.wait_for(visit(), 60))
    assert head.startswith(b"HTTP/1.1 " + status)
    assert sentence == (b"" if status == b"200" else b"The request's headers are larger than 16384 bytes.")


CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


class Reads(Server):
    """Answers once a request's whole body is there."""

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        while (message := await receive()).get("more_body", False):
            pass
        if message["type"] == "http.request":
            await super().app(scope, receive, send)


@pytest.mark.parametrize(
    ("chunks", "status"),
    [
        (b"1\r\na\r\n" * 200, b"200"),  # some lines of a small form, each in a chunk
        (b"1\r\na\r\n" * 300, b"400"),
        (b"ff\r\n" + bytes(255) + b"\r\n", b"200"),
        ((b"ff\r\n" + bytes(255) + b"\r\n") * 1_000, b"200"),
        ((b"40\r\n" + bytes(64) + b"\r\n") * 1_000, b"400"),
    ],
)
def test_a_body_in_tiny_chunks_is_refused(chunks: bytes, status: bytes) -> None:
    async def visit() -> bytes:
        async with Reads() as server:
            server.held.set()
            reader, writer = await server.connect()
            writer.write(CHUNKED + chunks + b"0\r\n\r\n")
            return await reader.read(500)

    assert asyncio.run(visit()).startswith(b"HTTP/1.1 " + status)


def test_each_request_of_a_connection_may_have_its_chunks() -> None:
    async def visit() -> list[bytes]:
        async with Server() as server:
            server.held.set()
            reader, writer = await server.connect()
            answers = []
            for _ in range(3):
                writer.write(CHUNKED + b"1\r\na\r\n" * 200 + b"0\r\n\r\n")
                answers.append((await reader.readuntil(b"ok"))[9:12])
            return answers

    assert asyncio.run(visit()) == [b"200"] * 3


def test_a_body_that_is_malformed_after_its_answer_writes_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    async def visit() -> bool:
        async with Server() as server:
            server.held.set()
            reader, writer = await server.connect()
            writer.write(CHUNKED)
            await reader.readuntil(b"ok")
            writer.write(b"no number\r\n")
            return await is_closed(reader)

    assert asyncio.run(visit())
    assert [record for record in caplog.records if record.exc_info or record.name == "asyncio"] == []


def test_lines_that_strangers_cause_are_logged_seldom_and_others_always() -> None:
    seldom = connections._Seldom("socket.accept()", "Invalid HTTP request")
    failure = logging.makeLogRecord({"msg": "socket.accept() out of system resource", "exc_info": (None, None, None)})
    assert [seldom.filter(failure) for _ in range(3)] == [True, False, False]
    assert failure.exc_info is None
    invalid = logging.makeLogRecord({"msg": "Invalid HTTP request received."})
    assert [seldom.filter(invalid) for _ in range(3)] == [True, False, False]
    assert all(seldom.filter(logging.makeLogRecord({"msg": "another"})) for _ in range(3))
