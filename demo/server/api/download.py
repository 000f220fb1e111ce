"""Download a picture file from the internet, but never from the server's own network (SSRF).

A download fails once it is larger than a picture file may be, and only a few run at the same time.
"""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urljoin

import gradio as gr
import httpx
from safehttpx import AsyncSecureTransport, async_validate_url, matches_domain_whitelist

from demo.limits import DOWNLOAD_SECONDS, MAX_DOWNLOADS, MAX_PICTURE_BYTES, MAX_REDIRECTS
from demo.server.gradio_internals import caller_address, hosts_in_own_network, run_in_client_loop
from demo.server.turns.line import Line, stay


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
        return run_in_client_loop(_follow, address)
    except Exception as error:  # httpx and safehttpx raise many kinds of errors
        why = str(error) or "its host does not answer in time."  # only timeouts have no message
        raise gr.Error(f"{address} cannot be fetched: {why}", print_exception=False) from error


async def _follow(address: str) -> bytes:
    """The file at an address, or at the one it redirects to."""
    until = time.monotonic() + DOWNLOAD_SECONDS
    for _ in range(MAX_REDIRECTS + 1):
        transport = await _transport(address)
        # The timeout doesn't cover name resolution, which safehttpx shares among its callers.
        found = await asyncio.wait_for(_get(address, transport), max(0.0, until - time.monotonic()))
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
    return AsyncSecureTransport(await async_validate_url(host))


async def _get(address: str, transport: httpx.AsyncBaseTransport | None) -> bytes | str:
    """The file, or the address that it redirects to."""
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
