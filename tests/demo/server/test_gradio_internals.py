"""What each inner part of Gradio does that the page relies on, so that we notice a release that changes one."""

import asyncio
import gc
import inspect
import json
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from gradio.queueing import Event
from gradio.routes import App
from gradio.state_holder import SessionState, StateHolder
from gradio.tunneling import CURRENT_TUNNELS, Tunnel
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.server import gradio_internals
from demo.server.http.gate import CLOSED
from demo.server.page import launch_options
from tests.fakes.host import serving
from tests.processes import eventually

FORWARDED = tuple(
    ({"X-Forwarded-For": address}, counted)
    for address, counted in (("203.0.113.7", "203.0.113.7"), ("2001:db8::1:2:3:4", "2001:db8::/56"))
)
UPLOAD = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n1\r\n--b--\r\n'
GRADIO_NOTES = SessionState._update_value_in_config  # before any page of these tests is built
# The paths that Gradio offers and the gate lets through. None hands out a file or fetches an address. Those for
# monitoring and for the "vibe" editor answer 403 unless they are switched on.
OPEN = {
    *("", "assets/{}", "config", "favicon.ico", "login", "logout", "manifest.json", "monitoring", "monitoring/summary"),
    *("monitoring/{}", "pwa_icon", "pwa_icon/{}", "robots.txt", "static/{}", "svelte/{}", "theme.css"),
    *("gradio_api/api/{}", "gradio_api/app_id", "gradio_api/call/v2/{}", "gradio_api/call/v2/{}/{}"),
    *("gradio_api/call/{}", "gradio_api/call/{}/{}", "gradio_api/cancel", "gradio_api/component_server"),
    *("gradio_api/info", "gradio_api/login_check", "gradio_api/openapi.json"),
    *("gradio_api/queue/data", "gradio_api/queue/join", "gradio_api/queue/status", "gradio_api/reset"),
    *("gradio_api/run/{}", "gradio_api/runs", "gradio_api/startup-events", "gradio_api/theme.css", "gradio_api/token"),
    *("gradio_api/undo-vibe-edit", "gradio_api/upload", "gradio_api/user"),
    *("gradio_api/vibe-code", "gradio_api/vibe-edit", "gradio_api/vibe-starter-queries"),
}


class Marked:
    """ASGI middleware that marks every answer with a header."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-marked", b"yes")]
            await send(message)

        await self._app(scope, receive, send_marked)


@dataclass
class Served:
    """A page that uses all these inner parts."""

    url: str
    page: gr.Blocks
    uploads: set[str]
    panel: int  # number of a gr.HTML that has a function

    def ask(self, path: str, data: Any = None, **headers: str) -> tuple[int, str, bool]:
        """Status and text of an answer, and whether it is marked."""
        body = data if data is None or isinstance(data, bytes) else json.dumps({"data": data}).encode()
        request = urllib.request.Request(self.url + path, body, {"Content-Type": "application/json"} | headers)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.read().decode(), "x-marked" in answer.headers
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(), "x-marked" in error.headers


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    uploads: set[str] = set()

    def fail(text: str) -> str:
        raise KeyError(text)

    def see(value: str) -> str:
        return value

    async def never(value: str) -> str:
        await asyncio.Event().wait()
        return value

    async def panel_function(said: str) -> str:
        return f"{said} from {gradio_internals.caller_address()}"

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("gradio")))
        with gr.Blocks(analytics_enabled=False) as page:
            gr.api(fail, api_name="fail", queue=False)
            gr.api(gradio_internals.caller_address, api_name="address", queue=False)
            gr.api(see, api_name="queued")
            gr.api(never, api_name="never")
            file, text = gr.File(), gr.Textbox()
            panel = gr.HTML(server_functions=[panel_function, see])
            gradio_internals.read_values_by(file, lambda upload: f"read {Path(upload.path).name}")
            gr.Button().click(see, file, text, api_name="see", queue=False)
        gradio_internals.note_uploads_in(page, uploads)
        gradio_internals.refuse_web_addresses(page)
        gradio_internals.refuse_by_sentences(page)
        options = {"app_kwargs": {"lifespan": gradio_internals.around_whole_server(Marked)}, "show_error": True}
        _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, run_history=False, **options)
        yield Served(url, page, uploads, panel._id)
        page.close()


def upload(served: Served) -> str:
    _, text, _ = served.ask("gradio_api/upload", UPLOAD, **{"Content-Type": "multipart/form-data; boundary=b"})
    return json.loads(text)[0]


def test_the_event_loop_of_the_page_is_found_and_answers(served: Served) -> None:
    answers = threading.Event()
    gradio_internals.event_loop_of(served.page).call_soon_threadsafe(answers.set)
    assert answers.wait(60)


def test_the_function_of_a_panel_is_found_and_knows_who_calls(served: Served) -> None:
    scope = {"type": "http", "app": served.page.app, "client": ("192.0.2.1", 80), "headers": []}
    function = gradio_internals.server_function(scope, served.panel, "panel_function")
    assert function is not None
    assert asyncio.run(function("hello")) == "hello from 192.0.2.1"
    others = ((served.panel, "see"), (served.panel, "none"), (served.panel, "__init__"), (999, "panel_function"))
    assert [gradio_internals.server_function(scope, *other) for other in others] == [None] * 4


def test_a_function_that_fails_names_nothing(served: Served) -> None:
    _, text, _ = served.ask("gradio_api/run/fail", ["/a/secret/path"])
    answer = json.loads(text)
    assert (answer["error"], answer["title"]) == (gradio_internals.FAILURE, gradio_internals.FAILED)
    assert "secret" not in text


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ([], "another number of values"),
        ([{"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}], "no upload"),
        ([{"path": "a.jpg", "meta": None}], "no upload"),
    ],
)
def test_values_that_no_function_takes_are_refused_by_a_sentence(
    served: Served, values: list[Any], sentence: str
) -> None:
    _, text, _ = served.ask("gradio_api/run/see", values)
    assert sentence in json.loads(text)["error"]


def test_a_web_address_is_refused_before_anything_is_fetched(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safehttpx.is_public_ip", lambda _: True)
    with serving() as host:
        value = {"path": host.at("/file"), "meta": {"_type": "gradio.FileData"}}
        assert "not fetched" in served.ask("gradio_api/run/see", [value])[1]
        assert host.asked == []


def test_an_upload_is_noted_and_read_as_the_page_says(served: Served) -> None:
    path = upload(served)
    assert path in served.uploads
    assert gradio_internals.noted_uploads({"app": served.page.app}) is served.uploads
    status, text, _ = served.ask("gradio_api/run/see", [{"path": path, "meta": {"_type": "gradio.FileData"}}])
    assert (status, json.loads(text)["data"]) == (200, ["read a.txt"])
    assert [block.temp_files for block in served.page.blocks.values() if getattr(block, "temp_files", None)] == []


def test_a_call_comes_from_the_address_that_a_proxy_on_this_machine_names(served: Served) -> None:
    for headers, address in (({}, "127.0.0.1"), *FORWARDED):
        text = served.ask("gradio_api/run/address", [], **headers)[1]
        assert json.loads(text)["data"] == [address]
    assert gradio_internals.caller_address() == ""


def number_of(served: Served, name: str) -> int:
    """The number of a function of the page."""
    [number] = [number for number, function in served.page.fns.items() if function.api_name == name]
    return number


def join(served: Served, name: str, session: str, value: str) -> str:
    """Put a call into the queue; returns its event id."""
    body = {"data": [value], "fn_index": number_of(served, name), "session_hash": session}
    event: str = json.loads(served.ask("gradio_api/queue/join", json.dumps(body).encode())[1])["event_id"]
    return event


def keep_methods(queue: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put back at the end what `forget_unfetched` replaces."""
    for name in ("reset_iterators", "remove_from_queue", "ANALYTICS_MAX_EVENTS"):
        monkeypatch.setattr(queue, name, getattr(queue, name))


def test_a_call_that_is_cancelled_is_forgotten(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = served.page._queue
    keep_methods(queue, monkeypatch)
    gradio_internals.forget_unfetched(served.page, 0.0)
    join(served, "never", "first", "")
    eventually(lambda: any(queue.active_jobs))
    waiting = join(served, "never", "waiting", "")
    # For the call that has begun, another event is named: Gradio cancels it by its function.
    for session, event in (("waiting", waiting), ("first", "another")):
        body = {"session_hash": session, "fn_index": number_of(served, "never"), "event_id": event}
        served.ask("gradio_api/cancel", json.dumps(body).encode())
    eventually(lambda: not queue.pending_event_ids_session.keys() & {"first", "waiting"})
    eventually(lambda: not queue.event_ids_to_events)
    assert len(queue.event_analytics) == 1


def test_what_a_call_in_the_queue_gave_is_forgotten_when_it_has_ended(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_methods(served.page._queue, monkeypatch)
    gradio_internals.forget_unfetched(served.page, 0.0)
    called = join(served, "queued", "quiet", "picture")
    eventually(lambda: called not in served.page._queue.event_ids_to_events)
    left = [kept for kept in gc.get_objects() if type(kept) is Event and kept._id == called]
    assert [(event.data, event.request) for event in left] == [(None, None)] * len(left)


def test_a_result_that_nobody_fetches_is_forgotten(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = served.page._queue
    keep_methods(queue, monkeypatch)

    def call(session: str, value: str) -> str:
        event = join(served, "queued", session, value)
        eventually(lambda: event not in queue.event_ids_to_events)
        return event

    gradio_internals.forget_unfetched(served.page, 60.0)
    kept = call("one", "kept")
    gradio_internals.forget_unfetched(served.page, 0.0)
    call("one", "forgotten")
    call("another", "forgotten")
    eventually(lambda: queue.pending_event_ids_session == {"one": {kept}})
    assert list(queue.pending_messages_per_session) == ["one"]
    answer = served.ask("gradio_api/queue/data?session_hash=one")[1]
    assert '"data":["kept"]' in answer
    assert "forgotten" not in answer


def test_the_name_of_a_session_is_bounded(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StateHolder, "__getitem__", StateHolder.__getitem__)  # it is put back at the end
    gradio_internals.bound_session_names(36)
    for path in ("gradio_api/queue/join", "gradio_api/run/queued", "gradio_api/component_server"):
        for name, is_taken in (("x" * 36, True), ("x" * 37, False), ("x<gradio-sep>", False)):
            body = {"data": ["hi"], "fn_index": number_of(served, "queued"), "session_hash": name}
            called = {"component_id": served.panel, "fn_name": "panel_function"} if "server" in path else {}
            status, text, _ = served.ask(path, json.dumps(body | called).encode())
            assert (status, "up to 36 letters" in text) == ((200, False) if is_taken else (422, True))
            assert (name in served.page.app.state_holder) is is_taken


def test_a_session_keeps_nothing_of_what_a_call_gives_and_gets(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def kept(name: str, *values: Any) -> str:
        body = {"data": values, "fn_index": number_of(served, "see"), "session_hash": name}
        assert served.ask("gradio_api/run/see", json.dumps(body).encode())[0] == 200
        return str(served.page.app.state_holder[name].config_values)

    value = {"path": upload(served), "meta": {"_type": "gradio.FileData"}}
    monkeypatch.setattr(SessionState, "_update_value_in_config", GRADIO_NOTES)
    assert "a.txt" in kept("before", value)  # else Gradio keeps nothing any more, and neither need we
    gradio_internals.keep_no_values()
    assert "a.txt" not in kept("after", value)


def test_middleware_stands_around_what_gradio_answers_by_itself(served: Served) -> None:
    for headers in ({}, {"Origin": "null"}, {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}):
        for path in ("", "config", "gradio_api/none"):
            assert served.ask(path, **headers)[2]


class NoNotes:
    """ASGI middleware that lets no request leave anything behind."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(gradio_internals.that_leaves_no_note(scope), receive, send)


def test_no_request_leaves_a_note_for_others_or_for_good(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    app = served.page.app
    monkeypatch.setattr(app, "middleware_stack", NoNotes(app.middleware_stack))
    for path in ("info", "info/", "info?all_endpoints=True", "openapi.json"):
        served.ask(f"gradio_api/{path}", **{"X-Forwarded-Host": "evil.example"})
        _, text, _ = served.ask(f"gradio_api/{path}")
        assert "/see" in text
        assert "evil.example" not in text
    served.ask("gradio_api/call/v2/see", b"{}", **{"X-Forwarded-Host": "evil.example"})
    assert "evil.example" not in str([app.api_info, app.all_app_info, app.page_api_info])
    assert served.url.rstrip("/") in served.ask("gradio_api/info")[1]
    form = {"Content-Type": "multipart/form-data; boundary=b"}
    tracked: list[str] = []
    monkeypatch.setattr("gradio.route_utils.FileUploadProgress.track", lambda _, name: tracked.append(name))
    assert served.ask("gradio_api/upload?upload_id=a", UPLOAD, **form)[0] == 200
    assert tracked == []


def test_gradio_still_has_what_closing_relies_on(served: Served) -> None:
    assert hasattr(served.page.server.config, "timeout_graceful_shutdown")
    assert isinstance(CURRENT_TUNNELS, list)
    assert callable(Tunnel.kill)
    assert "verbose" in inspect.signature(gr.Blocks.close).parameters


def test_the_tool_for_language_models_finds_what_it_fetches_by() -> None:
    assert all(isinstance(pattern, str) for pattern in gradio_internals.hosts_in_own_network())


def test_every_option_that_the_page_is_served_with_is_one_of_gradio_s(tmp_path: Path) -> None:
    assert set(launch_options(tmp_path)) <= set(inspect.signature(gr.Blocks.launch).parameters)


def test_gradio_offers_no_address_that_nobody_has_looked_at() -> None:
    with gr.Blocks(analytics_enabled=False) as page:
        gr.Textbox()
    page.run_history = False  # as launch_options has it
    offered = [path for path in App.create_app(page).openapi()["paths"] if not CLOSED.search(path)]
    assert {re.sub(r"{\w+}", "{}", path.strip("/")) for path in offered} <= OPEN
