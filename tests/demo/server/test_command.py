import asyncio
import base64
import functools
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gradio  # noqa: F401 - before command.main, whose temporary folder it would take for that of all later tests
import pytest
from PIL import Image

from demo.benchmark.server import free_port
from demo.limits import MAX_QUEUED_CALLS
from demo.paths import WEIGHTS
from demo.server import command
from tests.fakes.nginx import SELF_SIGNED, open_anyway
from tests.missing import missing
from tests.paths import PORTRAIT, ROOT
from tests.processes import children_of, first_line, wait_until_ended


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """The command sets signal handlers for its own process, which is the tests' process here."""
    # Windows has no SIGHUP.
    names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in map(signal.Signals.__getitem__, names)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_missing_weights_are_one_clear_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert command.main(["--weights", str(tmp_path / "none.safetensors")]) == 2
    message = capsys.readouterr().err
    assert message.startswith("app.py: ")
    assert "none.safetensors" in message
    assert message.count("\n") == 1


def test_damaged_weights_are_one_clear_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    weights = tmp_path / "cut.safetensors"
    weights.write_bytes(WEIGHTS.read_bytes()[:1000])
    assert command.main(["--weights", str(weights)]) == 2
    message = capsys.readouterr().err
    assert "cut.safetensors" in message
    assert message.count("\n") == 1


def test_a_port_in_use_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert command.main(["--port", str(port)]) == 2
    assert str(port) in capsys.readouterr().err


def test_the_page_that_is_served_is_watched_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    watched: list[asyncio.AbstractEventLoop] = []

    class Watchdog:
        def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
            watched.append(loop)

        def start(self) -> None:
            raise KeyboardInterrupt

    pages: list[Any] = []
    monkeypatch.setattr(command, "bound_connections", pages.append)
    monkeypatch.setattr(command, "Watchdog", Watchdog)
    monkeypatch.setenv("GRADIO_ROOT_PATH", "faces/")
    assert command.main(["--device", "cpu"]) == 0
    assert len(watched) == 1
    [page] = pages
    assert page.root_path == "/faces"
    assert page._queue.max_size == MAX_QUEUED_CALLS
    assert page._queue.ANALYTICS_MAX_EVENTS == 1  # as forget_unfetched leaves it


def test_a_page_that_does_not_come_up_is_one_clear_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradio.networking.url_ok", lambda _: False)
    assert command.main(["--device", "cpu"]) == 2
    message = capsys.readouterr().err
    assert message.startswith("app.py: the page did not come up")
    assert message.count("\n") == 1


def test_the_tool_for_language_models_needs_its_package(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(SystemExit) as end:
        command.main(["--mcp"])
    assert end.value.code == 2
    assert "pip install 'gradio[mcp]'" in capsys.readouterr().err


def test_the_tool_is_offered_if_the_environment_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: object())
    monkeypatch.setenv("GRADIO_MCP_SERVER", "True")
    assert command.parse_arguments([]).mcp is True


def test_the_operator_is_named_by_option_or_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLIMNET_OPERATOR", raising=False)
    assert command.parse_arguments([]).operator is None
    monkeypatch.setenv("SLIMNET_OPERATOR", "")  # as a Space may leave a variable
    assert command.parse_arguments([]).operator is None
    monkeypatch.setenv("SLIMNET_OPERATOR", "A Museum")
    assert command.parse_arguments([]).operator == "A Museum"
    assert command.parse_arguments(["--operator", " Another\nMuseum "]).operator == "Another Museum"


@pytest.mark.parametrize("name", ["", " \t", "M\udcfcseum"])
def test_an_operator_without_a_readable_name_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        command.parse_arguments(["--operator", name])
    assert end.value.code == 2
    assert "--operator" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["0", "-1", "65536"])
def test_a_port_that_cannot_be_is_said(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        command.main(["--port", port])
    assert end.value.code == 2
    assert f"--port {port}" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["x", "0", "65536"])
def test_so_is_one_from_the_environment(
    port: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GRADIO_SERVER_PORT", port)
    with pytest.raises(SystemExit) as end:
        command.main([])
    assert end.value.code == 2
    assert f"GRADIO_SERVER_PORT={port}: " in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--ssl_certfile", __file__],
        ["--ssl_keyfile", __file__],
        ["--ssl_certfile", "none", "--ssl_keyfile", "none"],
        ["--ssl_certfile", __file__, "--ssl_keyfile", __file__],
    ],
)
def test_a_certificate_needs_its_key_and_both_must_be_right(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        command.main(arguments)
    assert end.value.code == 2
    assert "error: " in capsys.readouterr().err


def test_a_temporary_folder_that_cannot_be_used_is_one_clear_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", __file__)
    assert command.main([]) == 2
    message = capsys.readouterr().err
    assert message.startswith(f"app.py: no temporary folder can be made in {__file__}")
    assert message.count("\n") == 1


@pytest.mark.parametrize("host", ["nosuch.invalid", "192.0.2.1"])
def test_a_host_that_is_not_this_machine_is_one_clear_line(
    host: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_up(name: Any, *others: Any, **named: Any) -> Any:  # without asking anybody, which can take long
        if name == "nosuch.invalid":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return found(name, *others, **named)

    found = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert command.main(["--host", host]) == 2
    message = capsys.readouterr().err
    assert message.startswith(f"app.py: --host {host}: ")
    assert message.count("\n") == 1


def test_on_a_space_its_proxies_are_believed_about_visitors_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "somebody/faces")
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "")  # so that it is as before afterwards
    monkeypatch.delenv("FORWARDED_ALLOW_IPS")
    assert command.main(["--host", "nosuch.invalid"]) == 2
    assert "10.0.0.0/8" in os.environ["FORWARDED_ALLOW_IPS"].split(",")


def test_a_page_is_shared_only_if_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert command.parse_arguments([]).share is False  # with None, Gradio shares on Kaggle and SageMaker
    assert command.parse_arguments(["--share"]).share is True
    monkeypatch.setenv("GRADIO_SHARE", "True")
    assert command.parse_arguments([]).share is True


def test_sharing_through_a_proxy_that_cannot_be_used_is_one_clear_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "")  # so that both are as before afterwards
    monkeypatch.setenv("all_proxy", "socks://127.0.0.1:1")
    assert command.main(["--share"]) == 2
    message = capsys.readouterr().err
    assert message.startswith("app.py: --share cannot go through the proxy")
    assert message.count("\n") == 1


@pytest.mark.parametrize(
    "site", ["example.org", "https://example.org/page", "https://a b", "https://a;script-src *", "*"]
)
def test_only_a_site_can_frame_the_page(site: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        command.main(["--frame_ancestors", site])
    assert end.value.code == 2
    assert "is not the address of a site" in capsys.readouterr().err


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@contextmanager
def served(
    folder: Path, opened: str = "http://127.0.0.1:{}/", **own: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The program as users start it, and its address; its temporary files go into the folder.

    Args:
        folder: For its temporary files.
        opened: The address that it says, with {} for the port.
        **own: Variables of its environment.
    """
    port = free_port()
    environment = {**os.environ, "GRADIO_SERVER_PORT": str(port), "GRADIO_TEMP_DIR": str(folder), **own}
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "app.py")],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert first_line(process).strip().endswith(f" {opened.format(port)}")
            yield process, opened.format(port)
        finally:
            process.kill()


BODY = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n1\r\n--b--\r\n'
FORM = {"Content-Type": "multipart/form-data; boundary=b"}
JSON = {"Content-Type": "application/json"}
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever the tests' environment names


def upload(url: str) -> None:
    DIRECT.open(urllib.request.Request(f"{url}gradio_api/upload", BODY, FORM)).close()


def names(folder: Path) -> list[str]:
    found = [Path(parent, file) for parent, _, files in os.walk(folder) for file in files]  # a folder may just go
    return [path.name for path in found if path.is_file() and path.name != ".ses"]


@pytest.mark.skipif(os.name != "posix", reason="Windows sends no such signals")
@pytest.mark.parametrize(
    ("host", "proxy", "opened", "signals"),
    [
        ("0.0.0.0", "http_proxy=http://127.0.0.1:1", "http://localhost:{}/", ["SIGTERM"]),
        ("127.0.0.1", "ALL_PROXY=socks5://127.0.0.1:1", "http://127.0.0.1:{}/", ["SIGINT", "SIGINT"]),
        ("::1", "HTTP_PROXY=http://127.0.0.1:1", "http://[::1]:{}/", ["SIGHUP"]),
        ("::", "all_proxy=socks://127.0.0.1:1", "http://[::1]:{}/", ["SIGTERM"]),
    ],
)
def test_it_serves_where_gradios_environment_says_whatever_the_proxy_and_ends_without_a_trace(
    host: str, proxy: str, opened: str, signals: list[str], tmp_path: Path
) -> None:
    if ":" in host and not has_ipv6():
        pytest.skip("needs IPv6")
    name, _, value = proxy.partition("=")
    own = {name: value, "GRADIO_SERVER_NAME": host, "no_proxy": "", "NO_PROXY": ""}
    # These would have Gradio wait before the page is guarded, open ports of its own, and share the page.
    own |= {"GRADIO_DEBUG": "1", "GRADIO_NUM_WORKERS": "2", "KAGGLE_KERNEL_RUN_TYPE": "Interactive"}
    with served(tmp_path, opened, **own) as (process, url), ExitStack() as open_ones:
        assert "SlimNet Faces" in DIRECT.open(url).read().decode()
        upload(url)
        assert names(tmp_path) == ["a.jpg"]
        # None of these may keep it from ending cleanly: a client that follows a call, an upload still on its way, and
        # a photo that is being analysed.
        photo = photo_call()
        called = urllib.request.Request(f"{url}gradio_api/call/analyse_base64", photo, JSON)
        event = json.load(DIRECT.open(called))["event_id"]
        open_ones.enter_context(DIRECT.open(f"{called.full_url}/{event}"))
        for path, content_type, body in (
            ("upload", FORM["Content-Type"], BODY[:50]),
            ("run/analyse_base64", "application/json", photo),
        ):
            address = (urlsplit(url).hostname, urlsplit(url).port or 0)
            connection = open_ones.enter_context(socket.create_connection(address))
            head = f"POST /gradio_api/{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\n"
            length = len(BODY) if path == "upload" else len(body)
            connection.sendall(f"{head}Content-Length: {length}\r\n\r\n".encode() + body)
        for each in signals:
            process.send_signal(getattr(signal, each))
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "SlimNet Faces has ended." in output
    assert "Traceback" not in errors
    # Nothing stays, not even an upload that nobody asked about, or an empty folder.
    assert list(tmp_path.iterdir()) == []


@functools.cache
def photo_call() -> bytes:
    """The body of a call to analyse a picture that takes seconds."""
    file = io.BytesIO()
    with Image.open(PORTRAIT) as face:
        face.resize((6000, 6000)).save(file, "JPEG")
    return json.dumps({"data": [base64.b64encode(file.getvalue()).decode()]}).encode()


def test_what_a_kill_has_left_goes_at_the_next_start_which_can_be_ended_at_once(tmp_path: Path) -> None:
    with served(tmp_path) as (process, url):
        upload(url)
        started = children_of(process.pid)
        process.kill()
    wait_until_ended(started)
    assert names(tmp_path) == ["a.jpg"]
    [left] = tmp_path.iterdir()
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "app.py")],
        env={**os.environ, "GRADIO_TEMP_DIR": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        while set(tmp_path.iterdir()) <= {left}:  # its own folder is not made yet
            assert process.poll() is None
            time.sleep(0.01)
        assert not left.exists()
        process.terminate()
        _, errors = process.communicate(timeout=60)
    assert errors == ""
    assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_it_serves_https_at_the_next_free_port_and_within_its_bounds(tmp_path: Path) -> None:
    if not shutil.which("openssl"):
        missing("needs openssl")
    pem = tmp_path / "own.pem"
    pem.write_bytes(subprocess.run([*SELF_SIGNED, "-keyout", "-"], check=True, capture_output=True).stdout)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port()))
        taken.listen()
        port = taken.getsockname()[1]
        own = {**os.environ, "GRADIO_SERVER_PORT": str(port), "GRADIO_TEMP_DIR": str(tmp_path)}
        command_line = [sys.executable, str(ROOT / "app.py"), "--ssl_certfile", str(pem), "--ssl_keyfile", str(pem)]
        with subprocess.Popen(command_line, env=own, stdout=subprocess.PIPE, text=True) as process:
            try:
                url = first_line(process).split()[-1]
                assert url.startswith("https://127.0.0.1:")
                assert (urlsplit(url).port or 0) > port
                assert open_anyway(url)[0] == 200
                assert open_anyway(url, urllib.request.Request(url, headers={"A": "a" * 20_000}))[0] == 431
                for letters, status in ((64, 400), (65, 422)):
                    body = json.dumps({"data": [""], "session_hash": "x" * letters}).encode()
                    call = urllib.request.Request(f"{url}gradio_api/run/analyse_base64", body, JSON)
                    assert open_anyway(url, call)[0] == status
            finally:
                process.kill()
