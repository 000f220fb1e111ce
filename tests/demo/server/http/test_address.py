import os
import socket
import urllib.request
from collections.abc import Iterator

import httpx
import pytest

from demo.server.http.address import AddressError, as_root, check_can_listen, in_brackets, pass_by_proxies, to_open


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An environment without proxies; afterwards it is as before."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
def test_this_machine_s_addresses_are_its_own(host: str) -> None:
    check_can_listen(host, None)


@pytest.mark.parametrize("host", ["nosuch.invalid", "a..b", "192.0.2.1", "2001:db8::1", "1.2.3.4.5"])
def test_others_are_not(host: str) -> None:
    with pytest.raises(AddressError, match=host):
        check_can_listen(host, None)


def test_a_port_in_use_is_not_the_address_s_fault() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            check_can_listen("127.0.0.1", taken.getsockname()[1])


def test_addresses_as_a_browser_takes_them() -> None:
    assert in_brackets("::1") == "[::1]"
    assert in_brackets("[::1]") == "[::1]"
    assert in_brackets("127.0.0.1") == "127.0.0.1"
    assert to_open("http://[::]:7860/") == "http://[::1]:7860/"
    assert to_open("http://[::1]:7860/") == "http://[::1]:7860/"


@pytest.mark.parametrize(
    ("given", "root"),
    [("", ""), ("/", ""), ("faces", "/faces"), ("/faces/", "/faces"), ("https://a/b/", "https://a/b")],
)
def test_a_root_path(given: str, root: str) -> None:
    assert as_root(given) == root


def test_without_proxies_nothing_changes() -> None:
    assert pass_by_proxies("127.0.0.1") is None
    assert "no_proxy" not in os.environ


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "ALL_PROXY", "https_proxy"])
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1", "::", "my.machine"])
def test_own_calls_pass_by_a_proxy_and_others_go_through(name: str, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "kept.example")
    assert pass_by_proxies(host) is None
    for own in ("localhost", "127.0.0.1", "::1", host, "kept.example"):
        assert urllib.request.proxy_bypass(own)
    assert not urllib.request.proxy_bypass("api.gradio.app")
    assert "http://127.0.0.1:1" in urllib.request.getproxies().values()


@pytest.mark.parametrize("proxy", ["socks://127.0.0.1:1/", "nonsense://127.0.0.1:1"])
def test_a_proxy_that_cannot_be_used_does_no_harm(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", proxy)
    assert pass_by_proxies("127.0.0.1")
    httpx.Client().close()
