import json
import logging
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from demo.server.http.refusals import BUSY, CallStatuses
from tests.paths import ROOT

FILE = {"_type": "gradio.FileData"}


@pytest.fixture
def ask(url: str, cache: Path) -> Any:
    """Status and text of an answer. No answer may name a folder of this machine or carry a traceback, and all must
    carry the headers."""

    def ask(path: str, body: Any = None, method: str | None = None, **headers: str) -> tuple[int, str]:
        data = json.dumps(body).encode() if isinstance(body, dict | list) else body
        headers = {"Content-Type": "application/json", **headers}
        call = urllib.request.Request(f"{url}{path}", data, headers, method=method)
        try:
            answer = urllib.request.urlopen(call, timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        text = answer.read().decode()
        assert str(ROOT) not in text
        assert str(cache) not in text
        assert "Traceback" not in text
        assert " object at 0x" not in text
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors" in answer.headers["Content-Security-Policy"]
        return answer.status, text

    return ask


def sentence(text: str) -> str:
    told = json.loads(text)
    said = str(told.get("detail") or told["error"])
    assert " " in said
    assert said.endswith(".")
    return said


@pytest.mark.parametrize(
    "path",
    [
        *("/etc/passwd", "none.jpg", "", "../x", "file:///etc/passwd", "ftp://a/b", "\0", "a" * 5000),
        *(str(ROOT / "README.md"), 5, None, []),
    ],
)
def test_a_path_that_is_no_upload_is_refused_and_no_folder_named(ask: Any, path: Any) -> None:
    call = {"data": [{"path": path, "meta": FILE}]}
    status, text = ask("gradio_api/run/analyse", call)
    assert status == 400
    assert "no upload" in sentence(text)
    event = json.loads(ask("gradio_api/call/analyse", call)[1])["event_id"]
    status, text = ask(f"gradio_api/call/analyse/{event}")
    assert "event: error" in text
    assert "no upload" in text


def test_a_web_address_is_not_fetched(ask: Any) -> None:
    status, text = ask("gradio_api/run/analyse", {"data": [{"path": "http://127.0.0.1:1/", "meta": FILE}]})
    assert status == 400
    assert "not fetched" in sentence(text)
    assert ask("gradio_api/file=http://127.0.0.1:1/")[0] == 403


@pytest.mark.parametrize("values", [[], ["a", "b", "c", "d"]])
@pytest.mark.parametrize("name", ["analyse", "analyse_base64"])
def test_another_number_of_values(ask: Any, name: str, values: list[str]) -> None:
    status, text = ask(f"gradio_api/run/{name}", {"data": values})
    assert status == 400
    assert "number of values" in sentence(text)


@pytest.mark.parametrize("value", [5, None, {}, [], "x", {"path": "/etc/passwd"}])
@pytest.mark.parametrize("name", ["analyse", "analyse_base64"])
def test_a_value_of_another_kind(ask: Any, name: str, value: Any) -> None:
    status, text = ask(f"gradio_api/run/{name}", {"data": [value]})
    assert status == 400
    assert sentence(text)


@pytest.mark.parametrize("way", ["run", "api", "call", "call/v2"])
def test_a_function_that_is_not_there(ask: Any, way: str) -> None:
    status, text = ask(f"gradio_api/{way}/none", {} if way == "call/v2" else {"data": []})
    assert status == 404
    assert "no such function" in sentence(text)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("gradio_api/run/analyse", {"data": ["x"], "fn_index": 99}, 404),
        ("gradio_api/queue/join", {"data": [], "session_hash": "a", "fn_index": 99}, 404),
        ("gradio_api/call/v2/analyse", {"other": 1}, 422),
        ("gradio_api/component_server/", {"data": 1, "component_id": 999, "session_hash": "a", "fn_name": "x"}, 404),
        ("gradio_api/component_server/", {"data": 1, "component_id": 1, "session_hash": "a", "fn_name": "x"}, 404),
        ("gradio_api/component_server/", b"{", 400),
        ("gradio_api/none", None, 404),
        ("none", {}, 404),
        ("static/" + "x" * 3000, None, 404),  # longer than the name of a file may be
        ("assets/" + "x" * 3000, None, 404),
    ],
)
def test_what_is_not_there(ask: Any, path: str, body: Any, status: int, caplog: pytest.LogCaptureFixture) -> None:
    answer = ask(path, body)
    assert answer[0] == status
    assert sentence(answer[1])
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("options", ["boundary=" + "b" * 300, "boundary=b; charset=undefined"])
def test_an_upload_of_a_type_that_no_parser_takes(ask: Any, options: str, caplog: pytest.LogCaptureFixture) -> None:
    status, text = ask("gradio_api/upload", b"--b--", **{"Content-Type": f"multipart/form-data; {options}"})
    assert status == 400
    assert text.startswith("The form")
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("host", ["a:b", "[::g]"])
@pytest.mark.parametrize("path", ["", "config", "gradio_api/info"])
def test_a_host_that_is_no_address(ask: Any, path: str, host: str, caplog: pytest.LogCaptureFixture) -> None:
    status, text = ask(path, **{"X-Forwarded-Host": host})
    assert status == 400
    assert "no address" in sentence(text)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("body", [b"{bad", b"\xff\xfe", [], {}, {"data": "x" * 1000}, {"data": None}])
def test_a_malformed_call_is_not_sent_back(ask: Any, body: Any) -> None:
    status, text = ask("gradio_api/run/analyse_base64", body)
    assert status == 422
    assert sentence(text)
    assert "xxx" not in text


@pytest.mark.parametrize(
    ("path", "method"), [("gradio_api/upload", "GET"), ("gradio_api/run/x", "PUT"), ("", "DELETE")]
)
def test_another_method(ask: Any, path: str, method: str) -> None:
    status, text = ask(path, None, method)
    assert status == 405
    assert sentence(text)


def test_an_event_that_is_not_there_ends_its_stream_in_order(ask: Any) -> None:
    assert "event: error" in ask("gradio_api/call/analyse/none")[1]


@pytest.mark.parametrize(
    "path", ["", "config", "gradio_api/info", "gradio_api/openapi.json", "theme.css", "static/none"]
)
def test_nothing_tells_where_the_server_keeps_things(ask: Any, path: str) -> None:
    ask(path)


def test_a_call_that_is_turned_away_is_told_after_how_many_seconds_to_come_again() -> None:
    async def turned_away(scope: Scope, receive: Receive, send: Send) -> None:
        body = {"error": "Many pictures are waiting.", "title": BUSY, "duration": 7}
        await JSONResponse(body, status_code=500)(scope, receive, send)

    answer = TestClient(CallStatuses(turned_away)).post("/gradio_api/run/analyse_base64")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
    assert answer.json()["error"] == "Many pictures are waiting."
