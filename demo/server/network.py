"""Whom bounds apply to: an IPv4 address, or a whole IPv6 network, which has as many addresses as anybody asks for."""

import ipaddress

from starlette.types import Scope

_IPV6_PREFIX_BITS = 64  # providers give a household at least such a network; its devices take any address in it


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
        An IPv4 address, even if it was written as IPv6; for IPv6 the network, such as "2001:db8::/64"; any other text
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
