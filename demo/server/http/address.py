"""Where the page is served: an address of this machine that the program itself can call without any proxy."""

import errno
import os
import socket
import urllib.request

import httpx

_LOOPBACKS = ("localhost", "127.0.0.1", "::1")


class AddressError(ValueError):
    """The page can't be served at this address; the message says why."""


def check_can_listen(host: str, port: int | None) -> None:
    """Check that a server can listen at an address.

    Args:
        host: host name or IP address.
        port: port number; None for any free port.

    Raises:
        AddressError: the host is unknown, or isn't this machine.
        OSError: the port is taken or not allowed.
    """
    try:
        found = socket.getaddrinfo(host, port or 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise AddressError(f"--host {host}: no such host is known") from error
    refusals = [_refusal(family, where) for family, _, _, _, where in found]
    if None in refusals:
        return
    refusal = refusals[0]
    assert refusal is not None
    if refusal.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EINVAL):
        raise AddressError(f"--host {host}: this is not an address of this machine") from refusal
    raise refusal


def _refusal(family: socket.AddressFamily, where: tuple[object, ...]) -> OSError | None:
    """The system's error if no server can listen there, else None."""
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            if os.name == "posix":  # on Windows it would let two programs listen at the same port
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind(where)
    except OSError as error:
        return error
    return None


def in_brackets(host: str) -> str:
    """Write a host as in a URL, with an IPv6 address in brackets.

    Args:
        host: host name or IP address, with or without brackets.
    """
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def to_open(address: str) -> str:
    """The page's web address in a form that a browser can open.

    Args:
        address: Gradio's address of the page, whose host may be `[::]`, meaning all addresses of this machine.

    Returns:
        The address with `[::1]` (loopback) in place of `[::]`.
    """
    return address.replace("//[::]:", "//[::1]:")


def as_root(path: str) -> str:
    """The path at which a proxy serves the page, in the form in which Gradio compares it.

    Args:
        path: a path with or without slashes at either end, or a whole URL.

    Returns:
        A path such as `/faces`, the URL, or "" for the root.
    """
    path = path.strip("/")
    return path if not path or "://" in path else f"/{path}"


def pass_by_proxies(host: str) -> str | None:
    """Let this process call itself at `host` directly, even if its environment names proxies.

    Call it before importing Gradio, which sets up connections on import.

    Args:
        host: host name or IP address at which the page is served.

    Returns:
        Why the proxies can't be used at all, in which case nothing goes through them from now on; else None.
    """
    proxies = {scheme: address for scheme, address in urllib.request.getproxies().items() if scheme != "no"}
    if not proxies:
        return None
    # On Windows and macOS the system's proxies count only while the environment names none, so they are copied there.
    os.environ.update({f"{scheme}_proxy": address for scheme, address in proxies.items()})
    named = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    _except_from_proxies(",".join(filter(None, (named, *_LOOPBACKS, host))))
    try:
        httpx.Client().close()
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        _except_from_proxies("*")
        return str(error)
    return None


def _except_from_proxies(hosts: str) -> None:
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = hosts
