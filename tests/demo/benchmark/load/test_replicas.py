"""Copies of the page behind nginx, configured as in demo/replicas."""

import http.client
import json
import re
import select
import shutil
import socket
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from gradio_client import Client, handle_file
from PIL import Image

from demo.benchmark.load.nginx import NGINX, serving
from demo.benchmark.load.replicas import COPY_COOKIE, Replicas, configuration, replicas
from demo.benchmark.load.visitors import Panel, make_films
from demo.benchmark.server import free_port
from demo.limits import KEEP_ALIVE_SECONDS, MAX_BODY_BYTES, MAX_WAITING_UPLOAD_BYTES
from demo.paths import NPM_PACKAGES
from demo.server.data_url import to_base64
from tests.fakes.nginx import before_no_copy, trusting
from tests.fakes.panel_page import PanelPage, faces
from tests.fakes.running import running
from tests.missing import missing
from tests.paths import PORTRAIT, ROOT
from tests.processes import eventually

FOLDER = ROOT / "demo" / "replicas"


@pytest.fixture(scope="module")
def _nginx() -> None:
    if not NGINX or not shutil.which("openssl"):
        missing("needs nginx and openssl")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, _nginx: None) -> Iterator[Replicas]:
    with replicas(2, tmp_path_factory.mktemp("replicas")) as served:
        yield served


def get(url: str, **headers: str) -> http.client.HTTPResponse:
    return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60)


def copies_asked(served: Replicas, cookie: str, requests: int) -> set[str]:
    """The copies that answered a visitor, once nginx, which logs after the answer, has logged that many requests."""

    def logged() -> list[str]:
        lines = [line.split() for line in served.access_log.read_text(encoding="utf-8").splitlines()]
        return [line[-2] for line in lines if line[-3] == cookie]

    eventually(lambda: len(logged()) == requests)
    return set(logged())


def post(served: Replicas, picture: bytes, cookie: str, address: str) -> tuple[int, str | None]:
    """Ask about a picture from an address of this machine; returns the status and Retry-After."""
    proxy = urlsplit(served.url)
    connection = http.client.HTTPConnection(proxy.netloc, timeout=120, source_address=(address, 0))
    headers = {"Content-Type": "application/json", "Cookie": f"{COPY_COOKIE}={cookie}"}
    body = json.dumps({"data": [to_base64(picture)]})
    connection.request("POST", "/gradio_api/run/analyse_base64", body, headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.getheader("Retry-After")


def test_a_browser_gets_a_cookie_with_the_page_and_stays_with_one_copy(served: Replicas) -> None:
    cookies = []
    for _ in range(16):
        with get(served.url) as page:
            [cookie] = page.headers.get_all("Set-Cookie") or []
        assert "HttpOnly" in cookie
        cookies.append(cookie.partition(";")[0])
    asked = []
    for cookie in cookies:
        for path in ("", "config", "healthz"):
            with get(served.url + path, Cookie=cookie) as answer:
                assert answer.status == 200
                assert not answer.headers.get_all("Set-Cookie")
        asked.append(copies_asked(served, cookie.partition("=")[2], 3))
    assert {len(copies) for copies in asked} == {1}
    assert len(set.union(*asked)) == len(served.pages)


def test_live_frames_of_a_visitor_are_followed(served: Replicas) -> None:
    [film] = make_films(1)
    panel = Panel(served.url, "analyse_frame")
    connection = panel.connect()
    for frame in film[:6]:
        answer = panel.ask(connection, {"visitor": "follow", "frame": frame, "crop": None}, "follow")
        assert [face["number"] for face in answer["faces"]] == [1]
    connection.close()
    assert len(copies_asked(served, "follow", 6)) == 1


def test_programs_upload_ask_and_fetch_at_one_copy(served: Replicas) -> None:
    client = Client(served.url, verbose=False)
    answers = [client.predict(handle_file(PORTRAIT), api_name="/analyse") for _ in range(3)]
    assert [len(answer["faces"]) for answer in answers] == [1, 1, 1]
    assert [path for page in served.pages for path in page.uploads.rglob("*") if path.is_file()] == []


def test_one_address_cannot_hold_all_places_of_a_copy(served: Replicas, tmp_path: Path) -> None:
    with Image.open(PORTRAIT) as portrait:
        portrait.resize((2400, 3000)).save(tmp_path / "large.jpg", quality=80)
    large, small = (tmp_path / "large.jpg").read_bytes(), PORTRAIT.read_bytes()
    with ThreadPoolExecutor(10) as pool:
        greedy = [pool.submit(post, served, large, "crowd", "127.0.0.2") for _ in range(10)]
        # Some are turned away at once: by then the address has all the places it can get.
        turned_away = next(done.result() for done in as_completed(greedy) if done.result()[0] != 200)
        other = post(served, small, "crowd", "127.0.0.3")
        answers = [done.result() for done in greedy]
    assert turned_away[0] == 503
    assert float(turned_away[1] or 0) > 0
    assert {status for status, _ in answers} == {200, 503}
    assert other[0] == 200


def test_one_address_cannot_hold_all_connections(served: Replicas) -> None:
    proxy = urlsplit(served.url)
    where = (proxy.hostname or "", proxy.port or 0)
    unfinished = f"POST /healthz HTTP/1.1\r\nHost: {proxy.hostname}\r\nContent-Length: 1000\r\n\r\n{{".encode()
    with ExitStack() as stack:
        crowd = [stack.enter_context(socket.create_connection(where, 60, ("127.0.0.4", 0))) for _ in range(201)]
        for connection in crowd:
            connection.sendall(unfinished)
        [refused, *_], _, _ = select.select(crowd, (), (), 60)
        assert refused.recv(500).startswith(b"HTTP/1.1 429")
        with get(served.url + "healthz") as answer:
            assert answer.status == 200


@pytest.mark.usefixtures("_nginx")
def test_connections_without_a_whole_request_are_closed(tmp_path: Path) -> None:
    port = free_port()
    text, found = re.subn("client_header_timeout 5s;", "client_header_timeout 1s;", configuration(port, [free_port()]))
    assert found == 1
    with serving(text, port, tmp_path), ExitStack() as stack:
        for part in (b"", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), 30))
            connection.sendall(part)
            with suppress(ConnectionResetError):
                assert connection.recv(500) == b""


@pytest.mark.usefixtures("_nginx")
def test_nginx_takes_the_main_configuration(tmp_path: Path) -> None:
    main = (FOLDER / "main.conf").read_text(encoding="utf-8")
    (tmp_path / "conf.d").mkdir()
    for theirs, ours in (
        ("user nginx;", ""),
        ("/var/log/nginx", str(tmp_path)),
        ("/run", str(tmp_path)),
        ("/etc/nginx/conf.d", str(tmp_path / "conf.d")),
    ):
        assert theirs in main
        main = main.replace(theirs, ours)
    (tmp_path / "main.conf").write_text(main, encoding="utf-8")
    (tmp_path / "conf.d" / "page.conf").write_text(configuration(free_port(), [free_port()]), encoding="utf-8")
    subprocess.run([str(NGINX), "-t", "-c", str(tmp_path / "main.conf"), "-p", str(tmp_path)], check=True)


@pytest.mark.usefixtures("_nginx")
def test_visitors_of_the_benchmark_keep_their_addresses_behind_the_proxy(tmp_path: Path) -> None:
    port = free_port()
    with running(PanelPage(lambda *_: faces())) as page:
        with serving(configuration(port, [page.server_port]), port, tmp_path):
            lone = Panel(f"http://127.0.0.1:{port}/", "analyse_frame")
            for panel in (lone, lone.called_from("198.18.0.1"), lone.called_from("198.18.0.2")):
                connection = panel.connect()
                panel.ask(connection, {})
                connection.close()
        assert page.addresses == {"127.0.0.1", "198.18.0.1", "198.18.0.2"}


def test_visitors_of_a_copy_that_is_gone_are_answered_by_another(served: Replicas) -> None:
    [film] = make_films(1)
    panel = Panel(served.url, "analyse_frame")
    with get(served.url + "healthz", Cookie=f"{COPY_COOKIE}=bereft"):
        pass
    [copy] = copies_asked(served, "bereft", 1)
    [page] = [page for page in served.pages if copy.endswith(f":{page.port}")]
    page.stop()
    connection = panel.connect()
    answer = panel.ask(connection, {"visitor": "bereft", "frame": film[0], "crop": None}, "bereft")
    connection.close()
    assert len(answer["faces"]) == 1


@pytest.fixture(scope="module")
def port_of_no_copy(tmp_path_factory: pytest.TempPathFactory, _nginx: None) -> Iterator[int]:
    with before_no_copy(tmp_path_factory.mktemp("no_copy")) as port:
        yield port


def ask_by_https(port: int, name: str | None, host: str) -> bytes:
    """The beginning of the answer to a request for `host`, on a connection that names another host or none."""
    plain = socket.create_connection(("127.0.0.1", port), 60)
    with plain, trusting().wrap_socket(plain, server_hostname=name) as connection:
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        return connection.recv(500)


def test_the_pages_own_host_is_answered(port_of_no_copy: int) -> None:
    assert ask_by_https(port_of_no_copy, "example.org", "example.org").startswith(b"HTTP/1.1 502")  # no copy is there


@pytest.mark.parametrize("name", ["evil.example", None])
def test_who_asks_for_another_host_gets_no_certificate(port_of_no_copy: int, name: str | None) -> None:
    with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"):
        ask_by_https(port_of_no_copy, name, "example.org")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1"])
def test_a_request_that_names_another_host_is_not_answered(port_of_no_copy: int, host: str) -> None:
    assert ask_by_https(port_of_no_copy, "example.org", host) == b""


def test_the_compose_file_builds_and_joins_what_there_is() -> None:
    services = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))["services"]
    page, proxy = services["page"], services["proxy"]
    context = (FOLDER / page["build"]["context"]).resolve()
    lines = [line.split() for line in page["build"]["dockerfile_inline"].splitlines() if line.startswith("COPY")]
    copied = [name for _, *names, _ in lines for name in names if not names[0].startswith("--from")]
    assert context == ROOT
    assert all((ROOT / name).exists() for name in copied)
    assert (ROOT / lines[-1][-1]) == NPM_PACKAGES
    assert [volume.partition(":")[0] for volume in proxy["volumes"]] == ["./main.conf", "./nginx.conf", "./tls"]
    assert all((FOLDER / name).is_file() for name in ("main.conf", "nginx.conf"))
    assert "server page:7860;" in (FOLDER / "nginx.conf").read_text(encoding="utf-8")
    assert "7860" in page["build"]["dockerfile_inline"]


def test_the_image_installs_only_what_was_tested() -> None:
    page = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))["services"]["page"]
    steps = page["build"]["dockerfile_inline"].replace("\\\n", " ").splitlines()
    installs = [step.split() for step in steps if step.startswith("RUN") and "install" in step and "pip" in step]
    files = [step[step.index("-r") + 1] for step in installs]
    assert files == ["locks/torch-cpu.txt", "locks/page.txt"]
    for step, file in zip(installs, files, strict=True):
        others = {"--no-cache-dir", "--index-url", "https://download.pytorch.org/whl/cpu"}
        safe = ["--require-hashes"] if file == "locks/page.txt" else ["--no-deps"]
        assert {*step} - others == {"RUN", "pip", "install", *safe, "--only-binary", ":all:", "-r", file}
    assert "COPY demo/replicas/locks locks" in steps
    assert "RUN pip check" in steps
    [locked] = re.findall(r"^# .* Python (\d+\.\d+)\.$", (FOLDER / "locks" / "page.txt").read_text("utf-8"), re.M)
    assert f"FROM python:{locked}-slim" in steps
    assert page["platform"] == "linux/amd64"  # whose files' hashes are locked


def test_the_proxy_closes_an_idle_connection_before_the_page_does() -> None:
    """Otherwise it would send some requests into connections that the page is just closing."""
    upstream = re.search(r"^upstream copies \{\n(.*?)^\}", (FOLDER / "nginx.conf").read_text("utf-8"), re.M | re.S)
    assert upstream
    seconds = re.search(r"^ *keepalive_timeout (\d+)s;", upstream[1], re.M)
    assert seconds
    assert int(seconds[1]) < KEEP_ALIVE_SECONDS


def test_the_proxy_s_key_is_neither_in_an_image_nor_in_a_commit() -> None:
    services = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))["services"]
    [keys] = [volume.split(":")[0] for volume in services["proxy"]["volumes"] if volume.split(":")[1].endswith("/tls")]
    folder = (FOLDER / keys).relative_to(ROOT).as_posix()
    assert folder in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert f"/{folder}/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_a_copy_s_folder_holds_all_uploads_that_may_wait_and_those_that_are_written() -> None:
    page = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))["services"]["page"]
    folders = dict(entry.split(":", 1) for entry in page["tmpfs"] if ":" in entry)
    size = re.search(r"\bsize=(\d+)m\b", folders[page["environment"]["GRADIO_TEMP_DIR"]])
    assert size
    assert int(size[1]) * 2**20 >= MAX_WAITING_UPLOAD_BYTES + 2 * MAX_BODY_BYTES
