import asyncio
import contextlib
import gc
import weakref
from typing import Any

import pytest
import uvicorn

from demo.server.http.bodies import body_room, request_limits
from demo.server.http.bodies.request_limits import WholeBodies
from demo.server.http.connections import bounded


def ask(
    parts: list[bytes], headers: dict[str, str], *, breaks_off: bool = False, limit: int = 10
) -> tuple[int, bytes | None]:
    """The status that the client gets (0 for none), and the body that the application gets (None: not called), with a
    limit of that many bytes."""
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
        assert await receive() == {"type": "http.disconnect"}  # told, too, while it makes an answer
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    messages: list[dict[str, Any]] = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages[-1]["more_body"] = breaks_off
    messages.append({"type": "http.disconnect"})

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "path": "/", "headers": encoded}
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


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of a refused body is not read unless a test says so."""
    monkeypatch.setattr(request_limits, "REFUSED_BODY_PAUSE_SECONDS", 0)


class Clients:
    """Clients that send a body in parts, all to one server, and note the status of each answer."""

    def __init__(self, app: Any) -> None:
        self.server = WholeBodies(app, 100)
        self.statuses: list[int] = []
        self.stopped = 0  # how many send no more but do not end

    async def send(
        self,
        address: str,
        parts: list[bytes],
        *,
        ends: bool = False,
        headers: Any = (),
        path: str = "/",
        more: asyncio.Event | None = None,
    ) -> None:
        """Send a body. If it does not end and `more` is given, ten more bytes follow once `more` is set."""
        messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
        messages[-1]["more_body"] = not ends

        async def receive() -> Any:
            if messages:
                return messages.pop(0)
            self.stopped += 1
            if more is not None and not more.is_set():
                await more.wait()
                return {"type": "http.request", "body": bytes(10), "more_body": True}
            return await asyncio.Event().wait()

        async def note(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.statuses.append(message["status"])

        scope = {"type": "http", "path": path, "client": (address, 1), "headers": headers}
        await self.server(scope, receive, note)


async def answers(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def test_a_body_that_stops_arriving_is_refused_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_room, "BODY_SECONDS", 0.01)
    clients = Clients(answers)
    asyncio.run(clients.send("one", [b"12345"]))
    asyncio.run(clients.send("one", [b"12345"], ends=True))
    assert clients.statuses == [408, 200]


def test_what_has_come_long_ago_buys_a_body_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_room, "BODY_SECONDS", 0.01)
    monkeypatch.setattr(body_room, "BODY_PROGRESS_SECONDS", 0.02)
    monkeypatch.setattr(body_room, "MIN_BODY_BYTES_PER_SECOND", 0.1)  # at this rate everything here would take minutes
    clients = Clients(answers)
    asyncio.run(asyncio.wait_for(clients.send("one", [bytes(40), bytes(40)]), 30))
    assert clients.statuses == [408]


def test_a_body_that_goes_on_arriving_may_take_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_room, "BODY_SECONDS", 0.0)
    monkeypatch.setattr(body_room, "BODY_PROGRESS_SECONDS", 60.0)
    monkeypatch.setattr(body_room, "MIN_BODY_BYTES_PER_SECOND", 1)
    clients = Clients(answers)

    async def go_on() -> None:
        sending = asyncio.create_task(clients.send("one", [bytes(60)]))
        while not clients.stopped and not sending.done():
            await asyncio.sleep(0)
        await asyncio.wait({sending}, timeout=0.05)
        assert not sending.done()
        sending.cancel()

    asyncio.run(go_on())
    asyncio.run(clients.send("one", [bytes(59)]))  # less than has to come in that time
    assert clients.statuses == [408]


@pytest.fixture
def _small_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_room, "SMALL_BODY_BYTES", 10)
    monkeypatch.setattr(body_room, "MAX_LARGE_BODIES_BYTES_OF_ADDRESS", 50)
    monkeypatch.setattr(body_room, "MAX_LARGE_BODIES_BYTES", 70)
    monkeypatch.setattr(body_room, "MIN_BODY_BYTES_PER_SECOND", 1)  # so that the newest 10 bytes show which is slow
    monkeypatch.setattr(body_room, "_LUMP_SECONDS", 0)


async def held(clients: Clients, address: str, size: int, **named: Any) -> "asyncio.Task[None]":
    """A body of which this much has arrived, and no more comes."""
    stopped = clients.stopped
    sending = asyncio.create_task(clients.send(address, [bytes(size)], **named))
    while clients.stopped == stopped:
        await asyncio.sleep(0)
    return sending


async def stop(tasks: "list[asyncio.Task[None]]") -> None:
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.mark.usefixtures("_small_room")
def test_unfinished_bodies_share_bounds_by_address_and_in_all() -> None:
    clients = Clients(answers)

    async def all_at_once() -> None:
        bodies = [await held(clients, "one", 20) for _ in range(2)]
        await clients.send("one", [bytes(10)], ends=True)  # small
        await clients.send("two", [bytes(20)], ends=True)
        assert clients.statuses == [200, 200]
        await clients.send("two", [bytes(60)])  # too large for one address
        assert clients.statuses == [200, 200, 503]
        assert not any(body.done() for body in bodies)
        await stop(bodies)
        await clients.send("one", [bytes(50)], ends=True)  # the room is free again

    asyncio.run(all_at_once())
    assert clients.statuses == [200, 200, 503, 200]


@pytest.mark.usefixtures("_small_room")
def test_a_full_room_turns_no_newcomer_away_but_the_slowest_of_who_holds_most() -> None:
    clients = Clients(answers)

    async def all_at_once() -> None:
        other = await held(clients, "2001:db8::1", 21)
        slow, fast = await held(clients, "one", 25), await held(clients, "one", 24)
        await clients.send("three", [bytes(20)], ends=True)
        await slow
        assert clients.statuses == [200, 503]
        assert not other.done()
        assert not fast.done()
        network = await held(clients, "2001:db8::2", 15)  # from the same household as the first
        await clients.send("three", [bytes(20)], ends=True)
        await other
        assert clients.statuses == [200, 503, 200, 503]
        assert not fast.done()
        await stop([fast, network])

    asyncio.run(all_at_once())


@pytest.mark.usefixtures("_small_room")
@pytest.mark.parametrize("end", ["takes it", "begins its answer", "returns"])
def test_a_whole_body_does_not_give_way_and_has_its_room_until_the_application_takes_it(end: str) -> None:
    async def all_at_once() -> list[int]:
        asked, go_on, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            if scope["path"] == "/":
                return await answers(scope, receive, send)
            asked.set()
            await go_on.wait()
            if end == "takes it":
                while (await receive())["more_body"]:
                    pass
            elif end == "begins its answer":
                await send({"type": "http.response.start", "status": 202, "headers": []})
            done.set()
            if end != "returns":
                await asyncio.Event().wait()

        clients = Clients(app)
        whole = asyncio.create_task(clients.send("one", [bytes(20), bytes(20)], ends=True, path="/busy"))
        await asked.wait()
        await clients.send("one", [bytes(20)], ends=True)
        go_on.set()
        await (whole if end == "returns" else done.wait())
        await clients.send("one", [bytes(20)], ends=True)
        await stop([whole])
        return [status for status in clients.statuses if status != 202]

    assert asyncio.run(asyncio.wait_for(all_at_once(), 60)) == [503, 200]


class Part(dict[str, Any]):
    """A part of a body that weak references can watch."""


def test_what_the_application_has_not_taken_is_dropped_once_it_begins_its_answer() -> None:
    messages = [Part(type="http.request", body=bytes(20), more_body=False)]
    part = weakref.ref(messages[0])
    kept: list[bool] = []

    async def receive() -> Any:
        return messages.pop()

    async def note(_message: Any) -> None:
        gc.collect()
        kept.append(part() is not None)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        kept.append(part() is not None)
        await answers(scope, receive, send)

    asyncio.run(WholeBodies(app, 100)({"type": "http", "method": "GET", "path": "/", "headers": []}, receive, note))
    assert kept == [True, False, False]


@pytest.mark.usefixtures("_small_room")
def test_a_body_that_is_still_coming_outlives_an_older_one_that_is_not() -> None:
    clients = Clients(answers)

    async def all_at_once() -> None:
        more = asyncio.Event()
        coming = await held(clients, "one", 20, more=more)
        stuck = await held(clients, "one", 20)
        stopped = clients.stopped
        more.set()  # ten more bytes, which are now its newest
        while clients.stopped == stopped:
            await asyncio.sleep(0)
        await clients.send("one", [bytes(20)], ends=True)
        await stuck
        assert clients.statuses == [200, 503]
        assert not coming.done()
        await stop([coming])

    asyncio.run(all_at_once())


def test_a_sender_who_is_refused_can_send_to_the_end_and_finds_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_limits, "REFUSED_BODY_PAUSE_SECONDS", 60.0)
    monkeypatch.setattr(request_limits, "REFUSED_BODY_SECONDS", 600.0)
    body = bytes(30_000_000)  # more than sockets hold

    async def visit() -> bytes:
        server = uvicorn.Server(uvicorn.Config(
            WholeBodies(answers, 100), host="127.0.0.1", port=0, log_level="critical", interface="asgi3",
            http=bounded(2), lifespan="off",
        ))  # fmt: skip
        server.config.load()
        server.lifespan = server.config.lifespan_class(server.config)
        await server.startup()
        reader, writer = await asyncio.open_connection("127.0.0.1", server.servers[0].sockets[0].getsockname()[1])
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body))
        writer.write(body)
        await writer.drain()
        answer = await reader.read()
        await server.shutdown()
        return answer

    answer = asyncio.run(asyncio.wait_for(visit(), 120))
    assert answer.startswith(b"HTTP/1.1 413")
    assert answer.endswith(b"The request is larger than 100 bytes.")


class Endless:
    """Sends a body that never ends, a kilobyte at a time.

    Attributes:
        sent: how many of its bytes were read.
        ended: whether the answer has ended.
    """

    def __init__(self) -> None:
        self.sent = 0
        self.ended = False

    async def receive(self) -> Any:
        await asyncio.sleep(0)
        self.sent += 1000
        return {"type": "http.request", "body": bytes(1000), "more_body": True}

    async def note(self, message: Any) -> None:
        self.ended = message["type"] == "http.response.body" and not message.get("more_body", False)

    def ask(self) -> None:
        scope = {"type": "http", "path": "/", "client": ("one", 1), "headers": [(b"content-length", b"101")]}
        asyncio.run(asyncio.wait_for(WholeBodies(answers, 100)(scope, self.receive, self.note), 60))


@pytest.mark.parametrize(
    ("name", "bound", "most_bytes"),
    [("MAX_REFUSED_BODY_BYTES", 5000, 5000), ("REFUSED_BODY_SECONDS", 0.0, 0)],
)
def test_what_comes_of_a_refused_body_is_read_within_bounds(
    name: str, bound: float, most_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_limits, "REFUSED_BODY_PAUSE_SECONDS", 60.0)
    monkeypatch.setattr(request_limits, "REFUSED_BODY_SECONDS", 600.0)
    monkeypatch.setattr(request_limits, name, bound)
    client = Endless()
    client.ask()
    assert (client.sent, client.ended) == (most_bytes, True)


def test_nobody_waits_for_a_refused_body_of_which_no_more_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_limits, "REFUSED_BODY_PAUSE_SECONDS", 0.01)
    clients = Clients(answers)
    asyncio.run(asyncio.wait_for(clients.send("one", [bytes(101)]), 60))
    assert (clients.statuses, clients.stopped) == ([413], 1)


FILE = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n'


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (FILE + b"\r\n\r\n\r\n--b--", 200),
        (FILE + b"--b\r\n" * 17 + b"--b--", 200),
        (FILE + b"--b\r\n" * 20, 400),
        (b"\r\n" * 3000 + FILE, 400),
        (b"--b" + b" " * 3000 + FILE, 400),
        (FILE + b"--b" + b"\t" * 1023 + b"1", 200),
    ],
)
def test_a_form_with_too_much_for_its_parser_never_gets_there(body: bytes, status: int) -> None:
    clients = Clients(answers)
    clients.server = WholeBodies(answers, len(body))
    headers = [(b"content-type", b"multipart/form-data ;boundary=b")]
    asyncio.run(clients.send("one", [body[:5], body[5:]], ends=True, headers=headers))
    assert (clients.statuses, clients.stopped) == ([status], 0)  # nothing is read beyond the end


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("boundary=" + "b" * 70, 200),
        ("boundary=" + "b" * 71, 400),
        ("boundary=" + "b" * 60_000, 400),
        ("boundary=b; charset=UTF-8", 200),
        ("boundary=b; charset=undefined", 400),
        ("boundary=b; charset=latin-1", 400),
        ('boundary=b; charset=""', 400),
    ],
)
def test_a_form_whose_type_its_parsers_fail_at_is_refused(content_type: str, status: int) -> None:
    clients = Clients(answers)
    headers = [(b"content-type", f"multipart/form-data; {content_type}".encode())]
    asyncio.run(clients.send("one", [b"--b--"], ends=True, headers=headers))
    assert clients.statuses == [status]


def test_padding_is_found_behind_delimiters_that_overlap() -> None:
    clients = Clients(answers)
    clients.server = WholeBodies(answers, 5000)
    headers = [(b"content-type", b"multipart/form-data; boundary=-")]
    asyncio.run(clients.send("one", [b"----" + b" " * 3000], ends=True, headers=headers))
    assert clients.statuses == [400]


UPLOAD = "/gradio_api/upload"
FORM = [(b"content-type", b"multipart/form-data; boundary=b")]


@pytest.mark.parametrize(
    ("body", "path", "headers", "status"),
    [
        (b'{"data": [' + b"[]," * 4_900 + b"[]]}", "/", [], 200),
        (b'{"data": [' + b"[]," * 5_100 + b"[]]}", "/", [], 400),
        (b"[" * 10_100, "/", [], 400),
        (b'{"a":1,' * 5_100, "/", [], 400),
        (b"a&" * 10_100, "/login", [(b"content-type", b"application/x-www-form-urlencoded")], 400),
        (b"x=" + b"%41" * 10_100, "/login", [(b"content-type", b"application/x-www-form-urlencoded")], 400),
        # A panel's call is read as JSON, whatever its content type; an upload is not.
        (b"[]," * 10_100, "/gradio_api/component_server/", FORM, 400),
        (b"[]," * 10_100, UPLOAD, [(b"content-type", b"application/json")], 400),
        (FILE + b"[]," * 10_100 + b"\r\n--b--", UPLOAD, FORM, 200),
        (b'{"data": ["data:image/jpeg;base64,' + b"Zm9v+/" * 100_000 + b'=="]}', "/", [], 200),
    ],
)
def test_a_body_of_many_values_never_gets_to_its_parser(body: bytes, path: str, headers: Any, status: int) -> None:
    clients = Clients(answers)
    clients.server = WholeBodies(answers, len(body))
    half = len(body) // 2
    asyncio.run(clients.send("one", [body[:half], body[half:]], ends=True, headers=headers, path=path))
    assert clients.statuses == [status]
