from typing import Any

import pytest

from demo.server.network import network_of, sender_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_the_addresses_of_an_ipv6_network_count_as_one(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("scope", "sender"),
    [
        ({"client": ("2001:db8::1", 4242)}, "2001:db8::/64"),
        ({"client": None}, ""),  # as at a Unix socket
        ({}, ""),
    ],
)
def test_who_sent_a_request_may_not_be_known(scope: dict[str, Any], sender: str) -> None:
    assert sender_of(scope) == sender
