"""Where the page is served: at an address of this machine, which the program itself calls past any proxy."""

import errno
import os
import socket
import urllib.request

import httpx

_LOOPBACKS = ("localhost", "127.0.0.1", "::1")


class AddressError(ValueError):
    """The page cannot be served at an address; the message says why."""


def check(host: str, port: int | None) -> None:
    """Make sure that a server may listen at an address.

    Args:
        host: host name or IP address.
        port: port number; None for any free port.

    Raises:
        AddressError: the host is unknown, or not this machine.
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
    """The system's error where nobody may listen there, else None."""
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            if os.name == "posix":  # on Windows it would let two programs listen at one port
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind(where)
    except OSError as error:
        return error
    return None


def in_brackets(host: str) -> str:
    """A host as a URL has it: an IPv6 address in brackets.

    Args:
        host: host name or IP address, with or without brackets.
    """
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def to_open(address: str) -> str:
    """The web address of the page as a browser can open it.

    Args:
        address: Gradio's address of the page, which may hold `[::]`, all addresses of this machine, as its host.

    Returns:
        The address with the loopback address `[::1]` in place of `[::]`.
    """
    return address.replace("//[::]:", "//[::1]:")


def as_root(path: str) -> str:
    """The path at which a proxy serves the page, in the form that Gradio compares.

    Args:
        path: a path with or without slashes at its ends, or a whole URL.

    Returns:
        A path such as `/faces`, the URL, or "" for the root.
    """
    path = path.strip("/")
    return path if not path or "://" in path else f"/{path}"


def pass_by_proxies(host: str) -> str | None:
    """Let this process call itself at `host` directly, where its environment names proxies for everything else.

    To be called before Gradio is imported, which prepares connections at that point.

    Args:
        host: host name or IP address at which the page is served.

    Returns:
        Why the proxies cannot be used at all, in which case nothing goes through them from now on; else None.
    """
    proxies = {scheme: address for scheme, address in urllib.request.getproxies().items() if scheme != "no"}
    if not proxies:
        return None
    # Those of the system's settings on Windows and macOS hold only while the environment says nothing.
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
