"""Whom bounds apply to: an IPv4 address, or a whole IPv6 network, which has as many addresses as anybody asks for."""

import ipaddress
import os

from starlette.types import Scope

# Many providers give a household this much. Phones, which get a /64 each, then share bounds as they do behind NAT.
_IPV6_PREFIX_BITS = 56

# Where a Space's proxies are: private networks (RFC 1918), those of providers (RFC 6598), and the Space's own machine.
_SPACE_PROXIES = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,127.0.0.1,::1"


def trust_proxies_of_space() -> None:
    """On a Space, have uvicorn take visitors' addresses from its proxies, unless FORWARDED_ALLOW_IPS names others.

    A Space can be reached only through the platform's proxies. Without this, all its visitors count as one address.

    "*" would have uvicorn believe the first entry of X-Forwarded-For, which visitors can write themselves. Given
    networks, it takes the last entry outside them, which the platform has added. If the platform added a public address
    of its own after that, all visitors would still count as one address, but nobody could choose theirs.
    """
    if os.environ.get("SPACE_ID"):
        os.environ.setdefault("FORWARDED_ALLOW_IPS", _SPACE_PROXIES)


def sender_of(scope: Scope) -> str:
    """Who sent a request, as `network_of` counts them; empty if unknown.

    Args:
        scope: the request's ASGI scope. Behind a proxy its client is the visitor, as `caller_address` says.
    """
    host, _ = scope.get("client") or ("", 0)
    return network_of(host)


def network_of(address: str) -> str:
    """What counts as one address for all bounds per address.

    Args:
        address: of a caller; empty if unknown.

    Returns:
        An IPv4 address, even if it was written as IPv6; for IPv6 the network, such as "2001:db8::/56"; any other text
        unchanged.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((parsed.packed, _IPV6_PREFIX_BITS), strict=False))
