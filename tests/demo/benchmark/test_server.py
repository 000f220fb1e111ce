import signal
import socket
import urllib.request
from pathlib import Path

import pytest

from demo.benchmark.server import NotServedError, PageServer, free_port

SERVE = """
import sys
from http.server import SimpleHTTPRequestHandler, test
test(SimpleHTTPRequestHandler, port=int(sys.argv[-1]), bind="127.0.0.1")
"""


def test_a_page_is_served_until_it_is_stopped_and_again_at_the_same_address(tmp_path: Path) -> None:
    server = PageServer(("-c", SERVE), tmp_path)
    for how in (signal.SIGTERM, signal.SIGKILL):
        server.start()
        assert urllib.request.urlopen(server.url).status == 200
        server.stop(how)
        with pytest.raises(OSError, match="refused"):
            urllib.request.urlopen(server.url)


def test_a_proxy_of_the_environment_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    with PageServer(("-c", SERVE), tmp_path) as server:
        assert server.process is not None
        assert server.process.poll() is None


def test_it_ends_also_when_what_is_done_with_it_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), PageServer(("-c", SERVE), tmp_path) as server:
        raise ZeroDivisionError
    assert server.process is not None
    assert server.process.poll() is not None


def test_it_ends_also_when_the_wait_for_it_is_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(urllib.request.OpenerDirector, "open", interrupt)
    server = PageServer(("-c", SERVE), tmp_path)
    with pytest.raises(KeyboardInterrupt), server:
        pass
    assert server.process is not None
    assert server.process.poll() is not None


def test_a_server_that_ends_at_once_is_reported_with_its_last_words(tmp_path: Path) -> None:
    server = PageServer(("-c", "raise SystemExit('the weights are missing')"), tmp_path)
    with pytest.raises(NotServedError, match="the weights are missing"):
        server.start()


def test_a_free_port_is_one_that_no_connection_is_lent(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 1024 <= free_port() < 32_768
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        monkeypatch.setattr("random.sample", lambda *_: [taken.getsockname()[1]])
        with pytest.raises(NotServedError, match="no port from 20000 to 31999 is free"):
            free_port()


def test_no_port_is_given_twice() -> None:
    assert len({free_port() for _ in range(400)}) == 400
