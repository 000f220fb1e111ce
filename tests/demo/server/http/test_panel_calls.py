import asyncio
import http.client
import json
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from demo.server.gradio_internals import caller_address
from demo.server.http.panel_calls import PanelCalls


class Counted:
    """ASGI middleware that notes the addresses that get past it."""

    def __init__(self, app: ASGIApp, passed: list[str]) -> None:
        self._app, self._passed = app, passed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._passed.append(scope.get("path", ""))
        await self._app(scope, receive, send)


@dataclass
class Slow:
    """What is known of a panel's function that never ends."""

    begun: threading.Event = field(default_factory=threading.Event)
    cancelled: threading.Event = field(default_factory=threading.Event)


@dataclass
class Panel:
    """A page with a panel behind the middleware."""

    url: str
    component: int
    passed: list[str] = field(default_factory=list)
    slow: Slow = field(default_factory=Slow)

    def call(self, **changed: Any) -> dict[str, Any]:
        """A call as the page's scripts make it."""
        return {"component_id": self.component, "fn_name": "answer", "session_hash": "a", "data": 1} | changed

    def ask(self, body: Any, *, directly: bool = True) -> tuple[int, str | None, str]:
        """Status, type and text of an answer; only Gradio knows the address without a slash at its end."""
        address = f"{self.url}gradio_api/component_server{'/' if directly else ''}"
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(address, data, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.headers["Content-Type"], answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers["Content-Type"], error.read().decode()


@contextmanager
def serving(folder: Path, **launch: Any) -> Iterator[Panel]:
    """Serve a page with a panel, with these options."""

    async def answer(message: Any) -> dict[str, Any]:
        return {"said": message, "from": caller_address(), "number": 1 / 3, "none": None}

    def wait(message: Any) -> Any:
        return message

    async def never(message: Any) -> None:  # noqa: ARG001
        slow.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            slow.cancelled.set()
            raise

    passed: list[str] = []
    slow = Slow()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder))
        with gr.Blocks(analytics_enabled=False) as page:
            component = gr.HTML("", server_functions=[answer, wait, never])
        middleware = [Middleware(PanelCalls), Middleware(Counted, passed=passed)]
        options = {"app_kwargs": {"middleware": middleware}, "run_history": False, **launch}
        _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, **options)
        yield Panel(url, component._id, passed, slow)
        page.close()


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    with serving(tmp_path_factory.mktemp("gradio")) as panel:
        yield panel


@pytest.mark.parametrize("data", [1, None, {"visitor": "ä", "frame": "x" * 300_000}, [1.5, "\u2028"]])
def test_a_panel_is_answered_as_gradio_answers_and_past_it(panel: Panel, data: Any) -> None:
    expected = panel.ask(panel.call(data=data), directly=False)
    panel.passed.clear()
    assert panel.ask(panel.call(data=data)) == expected
    assert panel.passed == []
    assert json.loads(expected[2])["said"] == data
    assert json.loads(expected[2])["from"] == "127.0.0.1"


@pytest.mark.parametrize(
    "change",
    [
        {"component_id": 999},
        {"component_id": "x"},
        {"component_id": None},
        {"fn_name": "none"},
        {"fn_name": "__class__"},
        {"fn_name": "wait"},  # not async: it runs on a thread of Gradio's
        {"session_hash": 5},
        {"data": "\ud800"},  # half of a pair of characters
    ],
)
def test_another_call_goes_on_to_gradio_as_it_came(panel: Panel, change: dict[str, Any]) -> None:
    expected = panel.ask(panel.call(**change), directly=False)
    panel.passed.clear()
    assert panel.ask(panel.call(**change)) == expected
    assert panel.passed == ["/gradio_api/component_server/"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5", b"\xff", b'{"data": 1}', b'{"component_id": 1, "data": NaN}'])
def test_what_is_no_call_goes_on_to_gradio(panel: Panel, body: bytes) -> None:
    panel.passed.clear()
    assert panel.ask(body) == panel.ask(body, directly=False)
    assert len(panel.passed) == 2


def test_an_answer_is_cancelled_when_its_caller_hangs_up(panel: Panel) -> None:
    server = urllib.parse.urlsplit(panel.url)
    connection = http.client.HTTPConnection(server.hostname or "", server.port, timeout=10)
    body = json.dumps(panel.call(fn_name="never"))
    connection.request("POST", "/gradio_api/component_server/", body, {"Content-Type": "application/json"})
    assert panel.slow.begun.wait(10)
    assert not panel.slow.cancelled.is_set()
    connection.close()
    assert panel.slow.cancelled.wait(10)


def test_a_page_with_a_password_answers_nobody_who_has_not_given_it(tmp_path: Path) -> None:
    with serving(tmp_path, auth=("visitor", "secret")) as panel:
        assert panel.ask(panel.call())[0] == 401
