import asyncio
import gzip
from collections.abc import Callable

import pytest

from demo.server.http.files.compressed import Compressed

CONTENT = b"export const one = 1;" * 1000


def reading(reads: list[bytes], *failures: OSError) -> Callable[[], bytes]:
    """A function that reads CONTENT and notes it in `reads`, after it has failed by each of `failures`."""
    waiting = list(failures)

    def read() -> bytes:
        if waiting:
            raise waiting.pop(0)
        reads.append(CONTENT)
        return CONTENT

    return read


def test_those_who_ask_at_once_wait_for_one_compression() -> None:
    files, reads = Compressed(), list[bytes]()

    async def crowd() -> list[bytes]:
        return await asyncio.gather(*(files.get("one.js", reading(reads)) for _ in range(5)))

    found = asyncio.run(crowd())
    assert [gzip.decompress(whole) for whole in found] == [CONTENT] * 5
    assert len(found[0]) < len(CONTENT)
    assert len(reads) == 1


def test_each_file_is_its_own() -> None:
    files = Compressed()

    async def both() -> tuple[bytes, bytes]:
        return await files.get("one.js", lambda: b"one"), await files.get("two.js", lambda: b"two")

    assert [gzip.decompress(whole) for whole in asyncio.run(both())] == [b"one", b"two"]


def test_a_file_that_could_not_be_read_is_tried_again() -> None:
    files, reads = Compressed(), list[bytes]()
    read = reading(reads, OSError("no such file"))

    async def twice() -> bytes:
        with pytest.raises(OSError, match="no such file"):
            await files.get("one.js", read)
        return await files.get("one.js", read)

    assert gzip.decompress(asyncio.run(twice())) == CONTENT
