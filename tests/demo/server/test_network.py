import asyncio
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from demo.server.network import network_of, sender_of, trust_proxies_of_space


def sender_at(peer: str, *forwarded: str) -> str:
    """Whom a server of now counts as the sender of a request from a peer, with such headers X-Forwarded-For."""
    senders: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        senders.append(sender_of(scope))

    async def unused(*_: object) -> Any:
        raise NotImplementedError

    headers = [(b"x-forwarded-for", entry.encode()) for entry in forwarded]
    scope: Any = {"type": "http", "client": (peer, 4242), "headers": headers}
    server: Any = ProxyHeadersMiddleware(app, uvicorn.Config(app).forwarded_allow_ips)  # type: ignore[arg-type]
    asyncio.run(server(scope, unused, unused))
    return senders[0]


@pytest.fixture
def on_space(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a Space, in which no proxy is named."""
    monkeypatch.setenv("SPACE_ID", "somebody/faces")
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "")  # so that it is as before afterwards
    monkeypatch.delenv("FORWARDED_ALLOW_IPS")


@pytest.mark.usefixtures("on_space")
def test_on_a_space_each_visitor_counts_as_the_address_that_the_platform_names() -> None:
    assert sender_at("10.16.3.80", "203.0.113.7") == "10.16.3.80"
    trust_proxies_of_space()
    assert sender_at("10.16.3.80", "203.0.113.7") == "203.0.113.7"
    assert sender_at("10.16.3.80", "203.0.113.7, 10.16.44.2") == "203.0.113.7"
    assert sender_at("10.16.3.80", "2001:db8::1:2:3:4") == "2001:db8::/56"
    assert sender_at("10.16.3.80") == "10.16.3.80"


@pytest.mark.usefixtures("on_space")
@pytest.mark.parametrize("forged", [["198.51.100.1, 203.0.113.7"], ["10.1.1.1", "203.0.113.7"], ["x,, 203.0.113.7"]])
def test_nobody_on_a_space_can_choose_their_address(forged: list[str]) -> None:
    trust_proxies_of_space()
    assert sender_at("10.16.3.80", *forged) == "203.0.113.7"


@pytest.mark.usefixtures("on_space")
def test_an_operator_of_a_space_names_other_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "192.0.2.1")
    trust_proxies_of_space()
    assert sender_at("10.16.3.80", "203.0.113.7") == "10.16.3.80"
    assert sender_at("192.0.2.1", "203.0.113.7") == "203.0.113.7"


def test_elsewhere_no_other_machine_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SPACE_ID", "FORWARDED_ALLOW_IPS"):
        monkeypatch.delenv(name, raising=False)
    trust_proxies_of_space()
    assert sender_at("10.16.3.80", "203.0.113.7") == "10.16.3.80"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/56"),
        ("2001:DB8:1:ff::", "2001:db8:1::/56"),
        ("2001:db8:1:100::", "2001:db8:1:100::/56"),
        ("fe80::1%eth0", "fe80::/56"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_the_addresses_of_an_ipv6_network_count_as_one(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("scope", "sender"),
    [
        ({"client": ("2001:db8::1", 4242)}, "2001:db8::/56"),
        ({"client": None}, ""),  # as at a Unix socket
        ({}, ""),
    ],
)
def test_who_sent_a_request_may_not_be_known(scope: dict[str, Any], sender: str) -> None:
    assert sender_of(scope) == sender
