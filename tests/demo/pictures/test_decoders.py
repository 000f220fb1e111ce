import io
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from demo.interruption import InterruptedWorkError, interruptible
from demo.pictures.decode import PictureError, open_picture
from demo.pictures.decoders import DecodeBounds, Decoders
from tests.paths import PORTRAIT

PLAIN = PORTRAIT.read_bytes()


@pytest.fixture(autouse=True)
def others() -> Iterator[set[BaseProcess]]:
    """The processes from before a test; those of the test end with it."""
    before = set(multiprocessing.active_children())
    yield before
    for process in set(multiprocessing.active_children()) - before:
        process.kill()
        process.join()


def test_one_process_opens_picture_after_picture_as_this_one_would(others: set[BaseProcess]) -> None:
    decoders = Decoders()
    for file, name in ((PLAIN, "a.jpg"), (b"", "b.jpg"), (PLAIN[:20_000], "c.jpg"), (b"no picture", ""), (PLAIN, "")):
        assert np.array_equal(opened(decoders.open_picture, file, name), opened(open_picture, file, name))
    assert len(set(multiprocessing.active_children()) - others) == 1


def opened(open_by: Callable[[bytes, str], np.ndarray], file: bytes, name: str) -> np.ndarray | str:
    """The pixels, or why there are none."""
    try:
        return open_by(file, name)
    except PictureError as error:
        return str(error)


@pytest.mark.parametrize("name", ["a.jpg", ""])
def test_a_picture_that_takes_too_long_is_stopped_with_a_sentence(name: str, others: set[BaseProcess]) -> None:
    decoders = Decoders(DecodeBounds(seconds=0))
    decoders.start()
    [first] = set(multiprocessing.active_children()) - others
    with pytest.raises(PictureError, match=f"^'{name}' takes too much" if name else r"^The picture takes too much"):
        decoders.open_picture(PLAIN, name)
    [second] = set(multiprocessing.active_children()) - others  # for the next picture
    assert second != first


@pytest.fixture(scope="module")
def large() -> bytes:
    """A picture file of half a megabyte that takes seconds and a gigabyte to open."""
    file = io.BytesIO()
    Image.new("RGBA", (9000, 9000), (1, 2, 3, 100)).save(file, "PNG", compress_level=1)
    return file.getvalue()


@pytest.mark.skipif(os.name == "nt", reason="Windows bounds neither")
@pytest.mark.parametrize(
    ("bounds", "sentence"),
    [
        (DecodeBounds(cpu_seconds=0.05), "takes too much time or memory"),
        (DecodeBounds(memory_bytes=100_000_000), "has too many pixels"),
    ],
)
def test_a_picture_that_takes_too_much_costs_the_next_one_nothing(
    bounds: DecodeBounds, sentence: str, large: bytes
) -> None:
    decoders = Decoders(bounds)
    with pytest.raises(PictureError, match=sentence):
        decoders.open_picture(large)
    assert np.array_equal(decoders.open_picture(PLAIN), open_picture(PLAIN))


@pytest.mark.skipif(not Path("/proc/self/oom_score_adj").exists(), reason="Linux alone tells")
def test_where_memory_runs_out_a_decoder_is_ended_before_the_page(others: set[BaseProcess]) -> None:
    Decoders().open_picture(PLAIN)
    [decoder] = set(multiprocessing.active_children()) - others
    assert Path(f"/proc/{decoder.pid}/oom_score_adj").read_text(encoding="ascii") == "1000\n"


def test_a_picture_that_is_no_longer_wanted_is_given_up(large: bytes) -> None:
    decoders = Decoders()
    with pytest.raises(InterruptedWorkError):
        interruptible(lambda: False, decoders.open_picture, large)
    assert np.array_equal(decoders.open_picture(PLAIN), open_picture(PLAIN))


def test_for_one_more_than_can_be_decoded_at_the_same_time_the_oldest_is_given_up(large: bytes) -> None:
    decoders = Decoders(most=1)
    with ThreadPoolExecutor() as pool:
        oldest = pool.submit(decoders.open_picture, large)
        while not oldest.done():
            assert np.array_equal(decoders.open_picture(PLAIN), open_picture(PLAIN))
        with pytest.raises(InterruptedWorkError):
            oldest.result()


def test_a_process_that_has_ended_is_replaced(others: set[BaseProcess]) -> None:
    decoders = Decoders()
    decoders.start()
    for process in set(multiprocessing.active_children()) - others:
        process.kill()
        process.join()
    assert np.array_equal(decoders.open_picture(PLAIN), open_picture(PLAIN))
