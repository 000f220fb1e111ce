import base64
import gc
import http.client
import json
import logging
import re
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import gradio.utils
import pytest
from gradio.routes import App
from gradio_client import Client, handle_file
from starlette.testclient import TestClient

from demo.device_files import DeviceFilesError
from demo.limits import MAX_WAITING_PHOTOS
from demo.paths import BROWSER
from demo.server.api import endpoints
from demo.server.gradio_internals import frontend_folder
from demo.server.http.files.scripts import SCRIPTS
from demo.server.page import device_addresses, launch_options, masthead
from slimnet import ATTRIBUTES, Predictor
from tests.paths import ASSETS
from tests.processes import eventually


def test_no_selector_is_of_a_form_that_gradio_breaks() -> None:
    """It splits a selector at every comma, even inside brackets, as in :is(a, b)."""
    for path in BROWSER.rglob("*.css"):
        for selector in re.findall(r"([^{}]*)\{", re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)):
            assert selector.lstrip().startswith("@") or not re.search(r"\([^)]*,", selector), (path.name, selector)


def test_only_the_endpoints_are_open_to_programs(url: str) -> None:
    named = Client(url, verbose=False).view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert list(named) == ["/analyse", "/analyse_base64", "/schema"]


@pytest.mark.parametrize(
    ("space", "asked", "ssr_mode"), [(None, None, False), (None, "True", None), ("user/space", "True", False)]
)
def test_node_renders_the_page_only_where_an_operator_asks(
    space: str | None, asked: str | None, ssr_mode: bool | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spaces set the variable themselves, and would show Gradio's link preview before the page's own."""
    for name, value in (("SPACE_ID", space), ("GRADIO_SSR_MODE", asked)):
        monkeypatch.delenv(name, raising=False)
        if value:
            monkeypatch.setenv(name, value)
    assert launch_options(tmp_path)["ssr_mode"] is ssr_mode


def test_a_monitor_is_told_that_the_page_answers(url: str) -> None:
    with urllib.request.urlopen(f"{url}healthz") as answer:
        assert answer.read() == b"ok\n"
        assert answer.headers["Cache-Control"] == "no-store"


def queued(url: str) -> str:
    """Put a call into Gradio's queue; returns the address of its answer."""
    address = f"{url}gradio_api/call/analyse_base64"
    call = urllib.request.Request(address, b'{"data": ["aGk="]}', {"Content-Type": "application/json"})
    return f"{address}/{json.load(urllib.request.urlopen(call))['event_id']}"


def post(url: str, body: bytes, kind: str = "application/json") -> Any:
    """The JSON that answers a request, also if it has failed."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, {"Content-Type": kind})) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


def call_with(url: str, text: str) -> None:
    """Give a text to the page in each way that programs have: as a picture in base64, and as the name of an upload."""
    picture = json.dumps({"data": [text], "session_hash": "visitor"}).encode()
    assert "error" in post(f"{url}gradio_api/run/analyse_base64", picture)
    called = f"{url}gradio_api/call/analyse_base64"
    urllib.request.urlopen(f"{called}/{post(called, picture)['event_id']}").read()
    head = f'--x\r\nContent-Disposition: form-data; name="files"; filename="{text}.jpg"\r\n\r\nno picture\r\n--x--\r\n'
    [path] = post(f"{url}gradio_api/upload", head.encode(), "multipart/form-data; boundary=x")
    file = json.dumps({"data": [{"path": path, "meta": {"_type": "gradio.FileData"}}]}).encode()
    called = f"{url}gradio_api/call/analyse"
    urllib.request.urlopen(f"{called}/{post(called, file)['event_id']}").read()


def holding(text: str) -> list[str]:
    """The containers in this process that hold a text, or one that it is a part of."""
    gc.collect()
    found = []
    for container in gc.get_objects():
        if type(container) is dict:
            values = [*container.keys(), *container.values()]
        elif type(container) in (list, tuple, set, frozenset, deque):
            values = [*container]
        else:
            continue
        held = [value for value in values if type(value) is str and text in value]
        held += [value for value in values if type(value) in (bytes, bytearray) and text.encode() in value]
        if held:
            found.append(f"{type(container).__name__} of {len(values)}")
    return found


def test_nothing_that_a_call_gave_is_left_in_memory(url: str) -> None:
    call_with(url, base64.b64encode(b"the visitor's own").decode().rstrip("="))
    eventually(lambda: not holding(base64.b64encode(b"the visitor's own").decode().rstrip("=")))


def test_programs_wait_for_each_other_in_the_photo_queue_alone(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, done = threading.Semaphore(0), threading.Event()

    def analyse(*_: Any) -> str:
        begun.release()
        assert done.wait(20)
        return "read"

    monkeypatch.setattr(endpoints, "_analyse", analyse)
    try:
        inside = [queued(url) for _ in range(MAX_WAITING_PHOTOS // 2)]
        assert all(begun.acquire(timeout=20) for _ in inside)
        one_more = urllib.request.urlopen(queued(url)).read().decode()
    finally:
        done.set()
    assert one_more.startswith("event: error")
    assert "Many pictures are waiting. Try again in" in one_more
    assert ['data: ["read"]' in urllib.request.urlopen(address).read().decode() for address in inside] == [True] * 4


def test_gradio_makes_its_costly_pages_one_at_a_time(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    copy, lock, at_once = gradio.utils.safe_deepcopy, threading.Lock(), [0, 0]  # now, and at most

    def counted(value: Any) -> Any:
        with lock:
            at_once[:] = at_once[0] + 1, max(at_once[0] + 1, at_once[1])
        time.sleep(0.02)  # so that others would meet it
        with lock:
            at_once[0] -= 1
        return copy(value)

    monkeypatch.setattr(gradio.utils, "safe_deepcopy", counted)
    paths = ["", "config", "config/", "gradio_api/info", "gradio_api/info/", "?page="] * 2
    with ThreadPoolExecutor(len(paths)) as pool:
        statuses = list(pool.map(lambda path: urllib.request.urlopen(url + path).status, paths))
    assert statuses == [200] * len(paths)
    assert at_once == [0, 1]


def test_nothing_about_a_visit_is_recorded(url: str) -> None:
    config = json.load(urllib.request.urlopen(f"{url}config"))
    assert config["run_history"] is False
    assert config["analytics_enabled"] is False


def test_another_site_can_neither_call_nor_read(url: str) -> None:
    for path in ("config", "gradio_api/run/schema", "gradio_api/component_server/", "gradio_api/upload"):
        for method in ("GET", "POST", "OPTIONS"):
            headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
            call = urllib.request.Request(f"{url}{path}", headers=headers, method=method)
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(call)
            assert refused.value.status == 403
            assert "Access-Control-Allow-Origin" not in refused.value.headers
            assert refused.value.headers["X-Content-Type-Options"] == "nosniff"


def test_every_kind_of_answer_carries_the_headers(url: str) -> None:
    for path in ("", "config", "theme.css", "favicon.ico", "gradio_api/info"):
        with urllib.request.urlopen(f"{url}{path}") as answer:
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Content-Security-Policy"].endswith("frame-ancestors 'self'")


@pytest.mark.parametrize("accepted", ["br", "gzip, br", "gzip", "identity"])
def test_no_file_is_compressed_anew_for_a_visitor(url: str, accepted: str) -> None:
    script = next(path.name for path in frontend_folder().glob("index-*.js") if path.stat().st_size > 1000)
    language = SCRIPTS.address("page.js").replace("page.js", "languages/de.json")
    once = "gzip" if "gzip" in accepted else None
    others = ("static/img/logo.svg", "theme.css", "gradio_api/openapi.json")
    for path, encoding in ((f"assets/{script}", once), (language, once), *((name, None) for name in others)):
        asked = urllib.request.Request(f"{url}{path}", headers={"Accept-Encoding": accepted})
        with urllib.request.urlopen(asked) as answer:
            assert answer.headers["Content-Encoding"] == encoding


def test_no_page_and_no_client_asks_for_an_answer_without_end(url: str) -> None:
    assert not json.load(urllib.request.urlopen(f"{url}config"))["connect_heartbeat"]


def test_a_space_is_shown_in_the_frame_of_its_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SPACE_ID", "user/space")
    lifespan = launch_options(tmp_path, ["https://a.example"])["app_kwargs"]["lifespan"]
    app = App.create_app(gr.Blocks(analytics_enabled=False), app_kwargs={"lifespan": lifespan})
    with TestClient(app) as client:
        policy = client.get("/none").headers["Content-Security-Policy"]
    assert policy.endswith("frame-ancestors 'self' https://a.example https://huggingface.co")


def test_no_font_or_style_comes_from_elsewhere(url: str) -> None:
    config = json.load(urllib.request.urlopen(f"{url}config"))
    style = urllib.request.urlopen(f"{url}theme.css").read().decode() + config["css"]
    assert config["stylesheets"] == []
    assert not re.search(r"""url\(["']?(https?:)?//|@import""", style)


def test_nothing_that_the_page_says_takes_a_smile_for_an_emotion(url: str) -> None:
    """A program that reads emotions has to tell people something else than this one."""
    served = [urllib.request.urlopen(url + path).read().decode() for path in ("", "config", "gradio_api/info")]
    page = json.loads(served[1])
    assert any("Start camera" in str(component["props"].get("html_template")) for component in page["components"])
    words = r"\b(emotion|mood|feel|felt|happ(y|iness)|sad(ness)?\b|ang(ry|er)\b|sentiment|affect(ive|ion))\w*"
    texts = [*map(json.dumps, page["components"]), page["css"], served[2], *re.findall("<title>.*?</title>", served[0])]
    assert [match[0] for text in texts for match in re.finditer(words, text, re.IGNORECASE)] == []


def test_an_operator_is_told_why_browsers_cannot_read_faces_themselves(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def missing(_weights: Path) -> dict[str, bytes]:
        raise DeviceFilesError("onnxruntime-web is not installed")

    monkeypatch.setattr("demo.server.page.device_files", missing)
    caplog.set_level(logging.WARNING)  # the level that is shown unless the operator chooses another
    assert device_addresses(ASSETS / "slimnet_celeba.safetensors") is None
    assert "onnxruntime-web is not installed" in caplog.text


def test_the_masthead_counts_what_the_weights_have() -> None:
    shipped = masthead(Predictor(ASSETS / "slimnet_celeba.safetensors", "cpu"))
    assert "40 attributes" in shipped
    assert "571,304 parameters" in shipped
    assert "celebrities" in shipped
    smoking: Any = SimpleNamespace(attributes=("Smoking",), parameters=1234)
    other = masthead(smoking)
    assert "1 attribute, live" in other
    assert "1,234 parameters" in other
    assert "celebrities" not in other


def test_a_real_face_goes_all_the_way(url: str) -> None:
    answer = Client(url, verbose=False).predict(
        picture=handle_file(ASSETS / "examples" / "eileen_collins.jpg"), api_name="/analyse"
    )
    [face] = answer["faces"]
    x, y, width, height = face["box"]
    assert x < 170 < x + width  # the middle of the face lies at (170, 125)
    assert y < 125 < y + height
    assert list(face["probabilities"]) == list(ATTRIBUTES)
    assert all(0 <= probability <= 1 for probability in face["probabilities"].values())


def test_a_malformed_call_is_told_what_was_wrong(url: str) -> None:
    call = f"{url}gradio_api/call/analyse"
    body = json.dumps({"data": [{"path": "picture.jpg"}]}).encode()
    request = urllib.request.Request(call, body, {"Content-Type": "application/json"})
    event = json.load(urllib.request.urlopen(request))["event_id"]
    answer = urllib.request.urlopen(f"{call}/{event}").read().decode()
    assert "event: error" in answer
    assert "meta" in answer


def test_a_request_larger_than_any_picture_is_refused(url: str) -> None:
    address = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port)
    connection.putrequest("POST", "/gradio_api/component_server/")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(10**9))
    connection.endheaders(b"{")
    assert connection.getresponse().status == 413
    connection.close()


def test_nothing_is_kept_of_an_upload_that_breaks_off(url: str, cache: Path) -> None:
    address = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port)
    connection.putrequest("POST", "/gradio_api/upload")
    connection.putheader("Content-Type", "multipart/form-data; boundary=b")
    connection.putheader("Content-Length", "100000")
    connection.endheaders(
        b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n' + b"1" * 50_000
    )
    connection.sock.settimeout(60)
    connection.sock.shutdown(socket.SHUT_WR)
    assert connection.sock.recv(1) == b""  # the server has read all there is, and seen the end
    connection.close()
    eventually(lambda: not [path for path in cache.rglob("*") if path.is_file()])


def test_nothing_is_kept_of_a_file_where_gradio_does_not_look(url: str, cache: Path) -> None:
    form = b'--b\r\nContent-Disposition: form-data; name="other"; filename="a.jpg"\r\n\r\n1\r\n--b--\r\n'
    header = {"Content-Type": "multipart/form-data; boundary=b"}
    urllib.request.urlopen(urllib.request.Request(f"{url}gradio_api/upload", form, header)).close()
    eventually(lambda: not [path for path in cache.rglob("*") if path.is_file()])  # just after the answer
