"""Download a picture file from the internet, but never from the server's own network (SSRF).

A download ends with an error at the largest size of a picture file.
"""

import asyncio
from urllib.parse import urljoin

import gradio as gr
import httpx
from safehttpx import AsyncSecureTransport, async_validate_url, matches_domain_whitelist

from demo.limits import DOWNLOAD_SECONDS, MAX_PICTURE_BYTES, MAX_REDIRECTS
from demo.server.gradio_internals import hosts_in_own_network, run_in_client_loop


class _FetchError(Exception):
    """An address that cannot be fetched; the text says why."""


def fetch(address: str) -> bytes:
    """Download a file.

    Its bytes are counted as they arrive: Gradio's own download takes all that a host sends into memory first.

    Args:
        address: the file's http or https address.

    Returns:
        The bytes of the file.

    Raises:
        gr.Error: the file cannot be had; a sentence for people says why.
    """
    try:
        return run_in_client_loop(_follow, address)
    except Exception as error:  # httpx and safehttpx raise many kinds
        why = str(error) or "its host does not answer in time."  # only timeouts say nothing
        raise gr.Error(f"{address} cannot be fetched: {why}", print_exception=False) from error


async def _follow(address: str) -> bytes:
    """The file at an address, or where that redirects to."""
    for _ in range(MAX_REDIRECTS):
        transport = await _transport(address)
        # The time is bounded here, without the names' resolution, which safehttpx shares among its callers.
        found = await asyncio.wait_for(_get(address, transport), DOWNLOAD_SECONDS)
        if isinstance(found, bytes):
            return found
        address = found
    raise _FetchError("it redirects too often.")


async def _transport(address: str) -> httpx.AsyncBaseTransport | None:
    """What connects to the very host that was looked at, which is not in the server's own network.

    Hugging Face's hosts are let through as Gradio does: from a Space they are in its network.
    """
    host = httpx.URL(address).host
    if matches_domain_whitelist(host, hosts_in_own_network()):
        return None
    return AsyncSecureTransport(await async_validate_url(host))


async def _get(address: str, transport: httpx.AsyncBaseTransport | None) -> bytes | str:
    """The file, or the address that stands in its place."""
    plain = {"Accept-Encoding": "identity"}  # packed bytes could become a thousand times as many
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
