"""Compresses files once, when each is first asked for."""

import asyncio
import gzip
from collections import defaultdict
from collections.abc import Callable, Hashable

from starlette.concurrency import run_in_threadpool

_COMPRESSION_LEVEL = 6  # of gzip; 9 takes five times as long to save one per cent more


class Compressed:
    """Keeps files as compressed by gzip."""

    def __init__(self) -> None:
        self._files: dict[Hashable, bytes] = {}
        self._locks: defaultdict[Hashable, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def get(self, key: Hashable, read: Callable[[], bytes]) -> bytes:
        """Get a file. Many who ask for it at once wait for one compression, and hold no thread meanwhile.

        Args:
            key: names the file, which never changes.
            read: gives its content, in another thread; called once if all goes well.

        Returns:
            The compressed content.

        Raises:
            OSError: the file cannot be read; the next call tries again.
        """
        async with self._locks[key]:
            if key not in self._files:
                self._files[key] = await run_in_threadpool(_compress, read)
        return self._files[key]


def _compress(read: Callable[[], bytes]) -> bytes:
    return gzip.compress(read(), _COMPRESSION_LEVEL, mtime=0)
