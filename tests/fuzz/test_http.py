"""Requests to the page as it is served: any bytes, forms, JSON calls, and calls of the tool for language models."""

import base64
import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fakes.pictures import portrait, saved
from tests.fakes.served_page import served_page
from tests.fuzz.door import Door
from tests.fuzz.inputs import json_values, mistaken, mutated
from tests.fuzz.picture_files import DAMAGED
from tests.missing import package

_UPLOAD, _RUN, _CALL = "/gradio_api/upload", "/gradio_api/run/analyse_base64", "/gradio_api/call/analyse"
_PANELS, _TOOL = "/gradio_api/component_server/", "/gradio_api/mcp/"
_JSON = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
_PORTRAIT = base64.b64encode(saved(portrait(160, 200), "JPEG")).decode()
_ANSWER_SECONDS = 60.0
_MAX_ANSWER_BYTES = 100_000  # of an answer, that the test looks at
# The test leaves a stream, or a request that promises more than it sends, after this time.
_PATIENCE_SECONDS = 0.3


class Server:
    """The page's address, and requests to it."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._host, self._port = address.hostname or "", address.port or 0
        self._right = self._good_answer()
        parts = json.loads(self.ask("GET", "/config")[1])["components"]
        self.panels = {name: part["id"] for part in parts for name in part["props"].get("server_fns", ())}

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_ANSWER_SECONDS)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def post(self, path: str, value: object) -> tuple[int, bytes]:
        return self.ask("POST", path, json.dumps(value).encode(), _JSON)

    def send(self, request: bytes, patience_seconds: float = _PATIENCE_SECONDS) -> int | None:
        """Send bytes as they are; returns the answer's status, or None if there is no answer within that time."""
        with socket.create_connection((self._host, self._port), patience_seconds) as connection:
            try:
                connection.sendall(request)
                answer = http.client.HTTPResponse(connection)
                answer.begin()
                answer.read(_MAX_ANSWER_BYTES)
            except (OSError, http.client.HTTPException):
                return None
            return answer.status

    def check_good_input(self) -> None:
        assert self._good_answer() == self._right

    def _good_answer(self) -> Any:
        status, answer = self.post(_RUN, {"data": [_PORTRAIT]})
        [found] = json.loads(answer)["data"]
        assert (status, len(found["faces"])) == (200, 1)
        return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gradio")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    package("mcp", "needs gradio[mcp]")
    with served_page(folder, mcp=True, bounded=True) as url:
        yield Server(url)


@pytest.fixture(scope="module")
def door(server: Server) -> Door:
    return Door("requests", server.check_good_input)


def check_answer(door: Door, status: int, answer: bytes) -> None:
    """A call is answered, or refused with a sentence, in JSON or plain; it never fails."""
    assert status < 500, answer
    if status >= 400:
        door.refused += 1
        assert answer.strip()
        assert b"Traceback" not in answer


_HEADERS = st.sampled_from(
    (
        "Host: x", "Content-Length: 5", "Content-Length: -1", "Transfer-Encoding: chunked", "Expect: 100-continue",
        "Upgrade: websocket", "Origin: null", "Origin: http://[", "Cookie: \xff", "Range: bytes=9-1",
        "Content-Type: multipart/form-data; boundary=" + "b" * 300, "X-Forwarded-Host: [::",
        "Sec-Fetch-Site: same-origin", "Accept-Language: " + "a," * 999, "Content-Encoding: gzip", "Connection: close",
    )
)  # fmt: skip
_PATHS = st.sampled_from(
    (
        "/", "/config", "/gradio_api/info", "/gradio_api/file=/etc/passwd", "//x/..", "/%00",
        "/gradio_api/queue/data?session_hash=%ff", "/gradio_api/heartbeat/\xff", "/theme.css", _UPLOAD, _RUN, _CALL,
        _PANELS, _TOOL, "*", "http://[", "/" + "a" * 5000,
    )
)  # fmt: skip
_METHODS = st.sampled_from(("GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "CONNECT", "g\0", "PRI"))


def _request(method: str, path: str, headers: list[str], body: bytes) -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", *headers, "", ""]).encode("latin-1") + body


REQUESTS = st.builds(_request, _METHODS, _PATHS, st.lists(_HEADERS, max_size=5), st.binary(max_size=40))
_GOOD_REQUESTS = [
    _request("GET", "/config", ["Host: x", "Connection: close"], b""),
    _request("POST", _RUN, ["Host: x", "Content-Type: application/json", "Content-Length: 14"], b'{"data": [""]}'),
    _request("POST", _RUN, ["Host: x", "Transfer-Encoding: chunked"], b'e\r\n{"data": [""]}\r\n0\r\n\r\n'),
]


def _form_of_type(options: str) -> bytes:
    """An upload that once got status 500 because of its form's type."""
    kind = f"Content-Type: multipart/form-data; {options}"
    return _request("POST", _UPLOAD, ["Host: x", "Content-Length: 5", kind], b"--b--")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        *zip(_GOOD_REQUESTS, (200, 400, 422), strict=True),
        (_form_of_type("boundary=" + "b" * 300), 400),
        (_form_of_type("boundary=b; charset=undefined"), 400),
    ],
)
def test_a_whole_request_is_answered(server: Server, request_: bytes, status: int) -> None:
    assert server.send(request_, _ANSWER_SECONDS) == status


@given(request=REQUESTS | mutated(_GOOD_REQUESTS))
@example(request=_form_of_type("boundary=" + "b" * 300))
@example(request=_form_of_type("boundary=b; charset=undefined"))
@example(request=_request("GET", "/config", ["Host: x", "A: " + "a" * 120_000], b""))
def test_no_bytes_make_a_request_that_the_server_fails_at(door: Door, server: Server, request: bytes) -> None:
    with door.input():
        status = server.send(request)
        assert status is None or status < 500 or status == 501, status
        door.refused += status is None or status >= 400


_DISPOSITIONS = st.sampled_from(
    (
        'form-data; name="files"; filename="a.jpg"', 'form-data; name="files"; filename="../../a"',
        "form-data; name=files", 'form-data; name="x"', 'FORM-DATA; NAME="files"; FileName="a\0"',
        'form-data; name="files"; filename="' + "é" * 300 + '"', 'form-data; name="files"; filename="=1+1.jpg"',
        "form-data; name=\"files\"; filename*=utf-8''%ff", 'form-data; filename="."', ";",
    )
)  # fmt: skip
_PARTS = st.builds(
    lambda disposition, more, body: f"Content-Disposition: {disposition}\r\n{more}\r\n".encode() + body,
    _DISPOSITIONS, st.sampled_from(("", "Content-Type: image/jpeg\r\n", "Content-Length: 9\r\n", ":\r\n")),
    st.binary(max_size=60) | DAMAGED,
)  # fmt: skip
FORMS = st.builds(
    lambda parts, end: b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + end,
    st.lists(_PARTS, max_size=4), st.sampled_from((b"--b--\r\n", b"--b--", b"--b", b"", b"--c--\r\n")),
)  # fmt: skip
_GOOD_FORM = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n0123\r\n--b--\r\n'


@given(form=FORMS | mutated([_GOOD_FORM]))
def test_a_form_is_taken_or_refused_and_no_file_stays(door: Door, server: Server, form: bytes) -> None:
    with door.input():
        status, answer = server.ask("POST", _UPLOAD, form, {"Content-Type": "multipart/form-data; boundary=b"})
        check_answer(door, status, answer)
        paths = json.loads(answer) if status == 200 else []
        for path in paths:
            call = {"data": [{"path": path, "meta": {"_type": "gradio.FileData"}}]}
            event = json.loads(server.post(_CALL, call)[1])["event_id"]
            assert server.ask("GET", f"{_CALL}/{event}")[1].startswith((b"event: complete", b"event: error"))
        assert not any(Path(path).exists() for path in paths)


_PICTURES = st.just(_PORTRAIT) | DAMAGED.map(lambda file: base64.b64encode(file).decode())
_FILES = mistaken(
    {"path": "a.jpg", "url": "http://127.0.0.1/", "meta": {"_type": "gradio.FileData"}, "orig_name": "a", "size": 3}
)
_DATA = st.lists(_PICTURES | _FILES | st.sampled_from(("accuracy", "f1")) | json_values(), max_size=3)
BODIES = st.one_of(
    st.builds(lambda data: {"data": data}, _DATA),
    mistaken(
        {"data": [_PORTRAIT], "session_hash": "s", "fn_index": 0, "event_id": "e", "event_data": None, "trigger_id": 1}
    ),
    json_values(),
)


@given(path=st.sampled_from((_RUN, _CALL, "/gradio_api/run/schema", "/gradio_api/queue/join")), body=BODIES)
def test_a_call_is_answered_or_refused(door: Door, server: Server, path: str, body: Any) -> None:
    with door.input():
        check_answer(door, *server.post(path, body))


@given(name=st.sampled_from(("analyse_frame", "analyse_photo")), message=json_values(_PICTURES), data=st.data())
def test_a_panels_call_is_answered_or_refused(
    door: Door, server: Server, name: str, message: Any, data: st.DataObject
) -> None:
    good = {"component_id": server.panels[name], "fn_name": name, "session_hash": "visitor", "data": message}
    with door.input():
        check_answer(door, *server.post(_PANELS, data.draw(st.just(good) | mistaken(good))))


_ARGUMENTS = mistaken({"picture": _PORTRAIT, "operating_point": "f1"}, _PICTURES)
TOOL_CALLS = st.one_of(
    st.builds(
        lambda arguments, number: {
            "jsonrpc": "2.0", "id": number, "method": "tools/call",
            "params": {"name": "read_faces", "arguments": arguments},
        },
        _ARGUMENTS, st.integers(0, 9) | json_values(),
    ),
    mistaken({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}),
    json_values(),
)  # fmt: skip


@given(call=TOOL_CALLS)
def test_a_language_models_call_is_answered_or_refused(door: Door, server: Server, call: Any) -> None:
    with door.input():
        check_answer(door, *server.post(_TOOL, call))
