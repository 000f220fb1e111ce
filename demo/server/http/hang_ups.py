"""Stops work for a caller who hangs up."""

import asyncio
from typing import Any

from starlette.types import Receive


async def is_awaited(work: "asyncio.Future[Any]", receive: Receive) -> bool:
    """Wait for work to end, and cancel it if its caller hangs up.

    Args:
        work: for a request whose body has been read.
        receive: gets the next message from the client; all that can come now is that the caller has hung up.

    Returns:
        Whether the work is done, and somebody there to wait for it.
    """
    hanging_up = asyncio.ensure_future(receive())
    try:
        await asyncio.wait({work, hanging_up}, return_when=asyncio.FIRST_COMPLETED)
        return work.done()
    finally:
        work.cancel()
        hanging_up.cancel()
