"""Whom bounds hold for: an address of the internet, or the network that hands out as many as anybody asks for."""

import ipaddress

from starlette.types import Scope

_IPV6_PREFIX_BITS = 64  # what providers give to one household at least, in which each device takes any address


def sender_of(scope: Scope) -> str:
    """Who sent a request, as `network_of` counts them; empty where that is not known.

    Args:
        scope: the request's ASGI scope. Behind a proxy its client is the visitor, as `caller_address` says.
    """
    host, _ = scope.get("client") or ("", 0)
    return network_of(host)


def network_of(address: str) -> str:
    """What counts as one address where addresses are bounded.

    Args:
        address: of a caller; empty where it is not known.

    Returns:
        An IPv4 address as it is, also one that is written as IPv6; for IPv6 the network, such as "2001:db8::/64"; any
        other text as it is.
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
