"""Download a picture file from the internet, but never from the server's own network (SSRF).

A download fails once it is larger than a picture file may be, and only a few run at the same time.
"""

import asyncio
import ipaddress
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urljoin

import gradio as gr
import httpx
from safehttpx import AsyncSecureTransport, matches_domain_whitelist

from demo.limits import DOWNLOAD_SECONDS, MAX_DOWNLOADS, MAX_PICTURE_BYTES, MAX_REDIRECTS
from demo.server.gradio_internals import caller_address, hosts_in_own_network
from demo.server.turns.line import Line, stay

# Of protocols and of some clouds (RFC 6890); Pythons before 3.12.4 take most of them for public.
_SPECIAL = ipaddress.ip_network("192.0.0.0/24")
# IPv6 addresses by which a network reaches IPv4 ones, in their last 32 bits (RFC 6052).
_IPV4_BEHIND_IPV6 = ipaddress.ip_network("64:ff9b::/96")

_SHOWN_CHARACTERS = 200  # of an address, and of why it can't be fetched, which may name a host


class _FetchError(Exception):
    """An address can't be fetched; the message says why."""


class Downloads:
    """Downloads a few files at a time, at most half of them for one caller; to be called from one event loop.

    Callers who find no place share a turn of their address, for which one of the places is kept.

    It has its own threads: if it used up those that all of Gradio shares, the page wouldn't answer new visitors.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(MAX_DOWNLOADS, thread_name_prefix="download")
        self._line = Line(MAX_DOWNLOADS, MAX_DOWNLOADS // 2)

    async def fetch(self, address: str) -> bytes:
        """Download a file, as the function `fetch` does.

        Args:
            address: the file's http or https address.

        Returns:
            The bytes of the file.

        Raises:
            TurnedAwayError: too many downloads are running.
            gr.Error: the file can't be fetched; the message, for people, says why.
        """
        caller = caller_address()
        self._line.enter(caller)
        download = asyncio.get_running_loop().run_in_executor(self._pool, fetch, address)
        return await stay(self._line, caller, download)


def fetch(address: str) -> bytes:
    """Download a file.

    Its bytes are counted as they arrive: Gradio's own download would first read all that a host sends into memory.

    Args:
        address: the file's http or https address.

    Returns:
        The bytes of the file.

    Raises:
        gr.Error: the file can't be fetched; the message, for people, says why.
    """
    try:
        return asyncio.run(_follow(address))
    except Exception as error:  # httpx raises many kinds of errors
        why = str(error) or "its host does not answer in time."  # only timeouts have no message
        message = f"{address[:_SHOWN_CHARACTERS]} cannot be fetched: {why[:_SHOWN_CHARACTERS]}"
        sendable = message.encode(errors="replace").decode()  # without halves of surrogate pairs
        raise gr.Error(sendable, print_exception=False) from error


async def _follow(address: str) -> bytes:
    """The file at an address, or at the one it redirects to."""
    until = time.monotonic() + DOWNLOAD_SECONDS
    for _ in range(MAX_REDIRECTS + 1):
        found = await asyncio.wait_for(_get(address), max(0.0, until - time.monotonic()))
        if isinstance(found, bytes):
            return found
        address = found
    raise _FetchError("it redirects too often.")


async def _transport(address: str) -> httpx.AsyncBaseTransport | None:
    """A transport that connects to the very host that was checked, outside the server's own network.

    None, for no check, for Hugging Face's hosts, as in Gradio: on a Space these are in the server's own network.
    """
    host = httpx.URL(address).host
    if matches_domain_whitelist(host, hosts_in_own_network()):
        return None
    return AsyncSecureTransport(await _public_address(host))


async def _public_address(host: str) -> str:
    """An address of a host outside the server's own network.

    Not by safehttpx, which lets addresses of providers' and virtual private networks pass (100.64.0.0/10), and asks
    Google about names that it finds in the own network.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise _FetchError(f"its host {host} is not known.") from error
    public = next(filter(is_public, (str(where[0]) for *_, where in found)), None)
    if public is None:
        raise _FetchError(f"its host {host} is in the server's own network.")
    return public


def is_public(address: str) -> bool:
    """Whether an address is one of the whole internet, and not of some network that the server is in.

    Args:
        address: IPv4 or IPv6, as the system writes it.
    """
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        inner = ipaddress.IPv4Address(int(found) % 2**32) if found in _IPV4_BEHIND_IPV6 else found.sixtofour
        found = inner or found
    return found.is_global and not found.is_multicast and found not in _SPECIAL


async def _get(address: str) -> bytes | str:
    """The file, or the address that it redirects to."""
    transport = await _transport(address)
    plain = {"Accept-Encoding": "identity"}  # compressed bytes could unpack to a thousand times as many
    async with (
        httpx.AsyncClient(transport=transport) as client,
        client.stream("GET", address, headers=plain) as answer,
    ):
        if answer.has_redirect_location:
            return urljoin(address, answer.headers["Location"])
        if answer.status_code != httpx.codes.OK:
            raise _FetchError(f"its host answers with status {answer.status_code}.")
        taken = bytearray()
        async for part in answer.aiter_raw():
            taken += part
            if len(taken) > MAX_PICTURE_BYTES:
                raise _FetchError(f"it is larger than {MAX_PICTURE_BYTES // 2**20} MB.")
        return bytes(taken)
