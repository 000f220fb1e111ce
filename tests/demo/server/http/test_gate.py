import asyncio
import json
from typing import Any

import pytest

from demo.server.http.gate import Gate, is_own

PAGE = {"host": "example.org:7860"}


def ask(path: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    """The status and body that a request gets; 200 and "in" if it is let in."""
    sent: list[dict[str, Any]] = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"in"})

    async def nothing_more() -> Any:
        return None

    async def send(message: Any) -> None:
        sent.append(message)

    names = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": names}
    asyncio.run(Gate(app)(scope, nothing_more, send))
    return sent[0]["status"], sent[1]["body"].decode()


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_another_site_is_told_why_it_is_not_answered(method: str) -> None:
    status, body = ask("/config", method, host="example.org", origin="https://evil.example")
    assert status == 403
    assert "another site" in json.loads(body)["detail"]


def test_what_the_page_itself_asks_is_let_in() -> None:
    assert ask("/gradio_api/upload", "POST", host="example.org", origin="https://example.org") == (200, "in")


@pytest.mark.parametrize(
    "path",
    [
        *("/gradio_api/file=" + address for address in ("http://a/", "HTTPS://a/", "//a/", "ftp://a", "/etc/passwd")),
        *("/gradio_api/file/etc/passwd", "/gradio_api//file=x", "/faces/gradio_api/file=x"),
        *("/gradio_api/proxy=http://a/", "/gradio_api/deep_link", "/gradio_api/process_recording"),
        *("/gradio_api/heartbeat/a", "/gradio_api/upload_progress"),
    ],
)
def test_files_and_what_would_make_some_and_streams_without_end_are_closed(path: str) -> None:
    assert ask(path)[0] == 403


def test_uploads_are_not() -> None:
    assert ask("/gradio_api/upload", "POST")[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},  # curl, gradio_client
        {"sec-fetch-mode": "cors"},  # Node.js
        {"origin": "http://example.org:7860"},
        {"origin": "http://EXAMPLE.org:7860"},
        # If proxies change the host or drop the port, a browser still says where a call comes from, if it uses https.
        {"host": "127.0.0.1:7860", "origin": "https://faces.example", "sec-fetch-site": "same-origin"},
        {"host": "127.0.0.1:7860", "origin": "https://faces.example", "x-forwarded-host": "faces.example"},
        {"host": "a", "origin": "http://faces.example:81", "x-forwarded-host": "b, faces.example:81"},
        {"host": "faces.example", "origin": "http://faces.example:8080"},
        {"host": "faces.example:443", "origin": "https://faces.example"},
        {"host": "user-space.hf.space", "origin": "https://user-space.hf.space", "sec-fetch-site": "same-origin"},
        {"host": "127.0.0.1:7860", "origin": "http://localhost:7860", "sec-fetch-site": "cross-site"},
        {"host": "[::1]:7860", "origin": "http://[::1]:7860"},
    ],
)
def test_own_calls(headers: dict[str, str]) -> None:
    assert is_own("POST", PAGE | headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://[broken"},
        {"origin": "http://example.org:99999"},
        {"origin": "http://example.org"},
        {"origin": "http://example.org:3000"},
        {"origin": "http://evil.example:7860"},
        {"origin": "http://example.org.evil.example:7860"},
        {"origin": "http://evil.example@example.org.evil.example:7860"},
        {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"host": "127.0.0.1:7860", "origin": "http://localhost:3000"},
        {"host": "user-space.hf.space", "origin": "https://other-space.hf.space", "sec-fetch-site": "cross-site"},
        {"host": "user-space.hf.space", "origin": "https://huggingface.co", "sec-fetch-site": "cross-site"},
    ],
)
def test_calls_of_others(headers: dict[str, str]) -> None:
    assert not is_own("POST", PAGE | headers)


def test_a_link_from_another_site_opens_the_page() -> None:
    assert is_own("GET", PAGE | {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"})
