import errno
import io
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import Context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from demo.interruption import InterruptedWorkError, followed, interruptible
from demo.limits import MAX_DECODERS, MAX_WAITING_PHOTOS, POLITE_NICENESS
from demo.pictures import decoders as decoders_module
from demo.pictures.decode import PictureError, open_picture
from demo.pictures.decoders import DecodeBounds, Decoders, NoDecoderError
from tests.paths import PORTRAIT

PLAIN = PORTRAIT.read_bytes()


@pytest.fixture(autouse=True)
def others() -> Iterator[set[BaseProcess]]:
    """The processes that were there before a test; the test's own end with it."""
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
    """The pixels, or the reason why there are none."""
    try:
        return open_by(file, name)
    except PictureError as error:
        return str(error)


@pytest.mark.parametrize("name", ["a.jpg", ""])
def test_a_picture_that_takes_too_long_is_stopped_with_a_sentence(
    name: str, large: bytes, others: set[BaseProcess]
) -> None:
    decoders = Decoders(DecodeBounds(seconds=0))
    decoders.start()
    [first] = set(multiprocessing.active_children()) - others
    with pytest.raises(PictureError, match=f"^'{name}' takes too much" if name else r"^The picture takes too much"):
        decoders.open_picture(large, name)
    [second] = set(multiprocessing.active_children()) - others  # for the next picture
    assert second != first


@pytest.fixture(scope="module")
def large() -> bytes:
    """A picture file of half a megabyte that takes seconds and a gigabyte to open."""
    file = io.BytesIO()
    Image.new("RGBA", (9000, 9000), (1, 2, 3, 100)).save(file, "PNG", compress_level=1)
    return file.getvalue()


@pytest.mark.skipif(os.name == "nt", reason="Windows bounds neither")
@pytest.mark.parametrize("bounds", [DecodeBounds(cpu_seconds=0.5), DecodeBounds(memory_bytes=100_000_000)])
def test_a_picture_that_takes_too_much_costs_the_next_one_nothing(bounds: DecodeBounds, large: bytes) -> None:
    decoders = Decoders(bounds)
    with pytest.raises(PictureError, match="takes too much time or memory"):
        decoders.open_picture(large)
    assert np.array_equal(decoders.open_picture(PLAIN), open_picture(PLAIN))


@pytest.mark.skipif(not Path("/proc/self/oom_score_adj").exists(), reason="Linux alone tells")
def test_where_memory_runs_out_a_decoder_is_ended_before_the_page(others: set[BaseProcess]) -> None:
    Decoders().open_picture(PLAIN)
    [decoder] = set(multiprocessing.active_children()) - others
    assert Path(f"/proc/{decoder.pid}/oom_score_adj").read_text(encoding="ascii") == "1000\n"


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone can")
def test_a_decoder_with_a_slow_picture_lets_others_go_first(large: bytes, others: set[BaseProcess]) -> None:
    decoders, while_it_decodes = Decoders(DecodeBounds(seconds=600, cpu_seconds=600)), dict[int, int]()

    def niceness() -> dict[int, int]:
        """Of each thread, by its number."""
        [decoder] = set(multiprocessing.active_children()) - others
        found = {}
        for thread in Path(f"/proc/{decoder.pid}/task").iterdir():
            with suppress(ProcessLookupError):  # it has just ended
                found[int(thread.name)] = os.getpriority(os.PRIO_PROCESS, int(thread.name))
        return found

    def goes_on() -> bool:
        while_it_decodes.update(niceness())
        return True

    def of_the_next_thread() -> list[int]:
        return [nice for thread, nice in niceness().items() if thread not in while_it_decodes]

    decoders.start()
    [own] = set(niceness().values())
    interruptible(goes_on, decoders.open_picture, large)
    assert set(while_it_decodes.values()) == {own, min(own + POLITE_NICENESS, 19)}
    while not of_the_next_thread():  # it is about to start
        time.sleep(0.01)
    assert of_the_next_thread() == [own]


def test_a_picture_that_is_no_longer_wanted_is_given_up(large: bytes) -> None:
    decoders, answers = Decoders(), iter([True, False])  # before its process is ready, and while it decodes
    with pytest.raises(InterruptedWorkError):
        interruptible(lambda: next(answers), decoders.open_picture, large)
    assert np.array_equal(decoders.open_picture(PLAIN), open_picture(PLAIN))


def test_for_one_more_than_can_be_decoded_at_the_same_time_the_oldest_is_given_up(large: bytes) -> None:
    decoders, looks = Decoders(DecodeBounds(seconds=600, cpu_seconds=600), most=2), threading.Semaphore(0)
    for _ in range(2):
        decoders.start()
    assert all(one.connection.poll(60) for one in decoders._kept)
    decoders._most = 1  # for both are ready, however long that takes

    def goes_on() -> bool:
        looks.release()
        return True

    with ThreadPoolExecutor() as pool:
        oldest = pool.submit(interruptible, goes_on, decoders.open_picture, large)
        for _ in range(2):  # before its process is ready, and while it decodes
            looks.acquire()
        while not oldest.done():
            assert np.array_equal(decoders.open_picture(PLAIN), open_picture(PLAIN))
        with pytest.raises(InterruptedWorkError):
            oldest.result()


def refuse_processes(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Make the system start no process, and give this error number as the reason."""

    def start(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("multiprocessing.process.BaseProcess.start", start)


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE])
def test_where_the_system_lacks_processes_there_is_no_decoder_at_the_moment(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoders = Decoders()
    with monkeypatch.context() as short:
        refuse_processes(short, number)
        with pytest.raises(NoDecoderError, match=os.strerror(number)):
            decoders.open_picture(PLAIN)
    assert np.array_equal(decoders.open_picture(PLAIN), open_picture(PLAIN))


def test_a_picture_that_is_no_longer_wanted_waits_for_no_new_process(
    monkeypatch: pytest.MonkeyPatch, others: set[BaseProcess]
) -> None:
    monkeypatch.setattr(decoders_module, "_decode", never_ready)
    decoders, answers = Decoders(), iter([True, False])  # before the process is started, and while it starts
    with pytest.raises(InterruptedWorkError):
        interruptible(lambda: next(answers), decoders.open_picture, PLAIN)
    assert len(set(multiprocessing.active_children()) - others) == 1  # it is kept for the next picture


def test_a_process_that_cannot_be_started_for_another_reason_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_processes(monkeypatch, errno.ENOENT)
    with pytest.raises(FileNotFoundError):
        Decoders().open_picture(PLAIN)


def test_where_no_further_process_can_be_started_a_picture_that_takes_too_much_is_still_told_so(
    large: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoders = Decoders(DecodeBounds(seconds=0))
    decoders.start()
    refuse_processes(monkeypatch, errno.EAGAIN)
    with pytest.raises(PictureError, match="takes too much"):
        decoders.open_picture(large)


def without_threads(bounds: DecodeBounds, parent: Connection) -> None:
    with patch.object(threading.Thread, "start", side_effect=RuntimeError("can't start new thread")):
        decoders_module._decode(bounds, parent)


def test_where_the_system_lacks_threads_pictures_are_still_opened(
    monkeypatch: pytest.MonkeyPatch, others: set[BaseProcess]
) -> None:
    monkeypatch.setattr(decoders_module, "_decode", without_threads)
    decoders = Decoders()
    for _ in range(2):
        assert np.array_equal(decoders.open_picture(PLAIN), open_picture(PLAIN))
    assert len(set(multiprocessing.active_children()) - others) == 1


def never_ready(_bounds: DecodeBounds, parent: Connection) -> None:
    parent.recv_bytes()


def ends(_bounds: DecodeBounds, _parent: Connection) -> None:
    sys.exit(3)


def is_killed(_bounds: DecodeBounds, _parent: Connection) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.skipif(os.name == "nt", reason="Windows kills no process")
@pytest.mark.parametrize(("end", "error"), [(ends, RuntimeError), (is_killed, NoDecoderError)])
def test_a_new_process_that_ends_by_itself_is_told_from_one_that_the_system_ended(
    end: Callable[..., None], error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoders_module, "_decode", end)
    with pytest.raises(RuntimeError, match="ended as it was started") as told:
        Decoders().open_picture(PLAIN)
    assert told.type is error


def test_a_new_process_that_takes_too_long_to_start_is_a_shortage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoders_module, "_decode", never_ready)
    monkeypatch.setattr(decoders_module, "DECODER_START_SECONDS", 0.01)
    monkeypatch.setattr(decoders_module, "DECODER_END_SECONDS", 0.01)
    with pytest.raises(NoDecoderError, match="took too long to start"):
        Decoders().open_picture(PLAIN)


def test_a_process_that_has_ended_is_replaced(others: set[BaseProcess]) -> None:
    decoders = Decoders()
    decoders.start()
    for process in set(multiprocessing.active_children()) - others:
        process.kill()
        process.join()
    assert np.array_equal(decoders.open_picture(PLAIN), open_picture(PLAIN))


def is_ready_and_ends(_bounds: DecodeBounds, parent: Connection) -> None:
    parent.send_bytes(decoders_module._READY)


def test_a_process_that_was_ready_and_has_ended_is_replaced(
    monkeypatch: pytest.MonkeyPatch, others: set[BaseProcess]
) -> None:
    decoders = Decoders()
    with monkeypatch.context() as at_first:
        at_first.setattr(decoders_module, "_decode", is_ready_and_ends)
        decoders.start()
    for process in set(multiprocessing.active_children()) - others:
        process.join()
    assert np.array_equal(decoders.open_picture(PLAIN), open_picture(PLAIN))


def test_each_process_that_is_waited_for_in_vain_is_a_step(others: set[BaseProcess]) -> None:
    decoders, steps = Decoders(), list[bool]()
    for _ in range(3):
        decoders.start()
    for process in set(multiprocessing.active_children()) - others:
        process.kill()
        process.join()
    with followed(steps.append):
        decoders.open_picture(PLAIN)
    assert steps[:8] == [True, False] * 4


def test_the_next_picture_waits_for_no_new_process_while_others_are_ready(
    large: bytes, monkeypatch: pytest.MonkeyPatch, others: set[BaseProcess]
) -> None:
    decoders, asked = Decoders(), list[None]()
    for _ in range(2):
        decoders.start()

    def goes_on() -> bool:
        asked.append(None)
        if len(asked) == 1:  # before there is a process
            return True
        Context().run(decoders.open_picture, PLAIN)  # by the other process, which is ready from then on
        return False

    with pytest.raises(InterruptedWorkError):
        interruptible(goes_on, decoders.open_picture, large)
    before = set(multiprocessing.active_children()) - others
    assert all(one.connection.poll(60) for one in decoders._kept)
    monkeypatch.setattr(decoders_module, "DECODER_START_SECONDS", 0)  # one that is not ready would be ended
    assert np.array_equal(decoders.open_picture(PLAIN), open_picture(PLAIN))
    assert set(multiprocessing.active_children()) - others == before


def test_only_so_many_processes_are_kept(others: set[BaseProcess]) -> None:
    decoders = Decoders(kept=1)
    for _ in range(2):
        decoders.start()
    decoders.open_picture(PLAIN)
    assert len(set(multiprocessing.active_children()) - others) == 1


def test_every_photo_in_work_can_have_a_decoder() -> None:
    assert MAX_DECODERS >= 2 * MAX_WAITING_PHOTOS


def test_a_damaged_picture_leaves_no_line_but_a_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    file = io.BytesIO()
    Image.new("1", (8, 64)).save(file, "TIFF", compression="group4")
    damaged = bytearray(file.getvalue())
    damaged[8:16] = b"\xff" * 8
    warns = io.BytesIO()
    tags = ImageFileDirectory_v2()
    tags[296] = (2, 2, 2)  # Pillow warns of tags with too many entries
    Image.new("RGB", (8, 8)).save(warns, "TIFF", tiffinfo=tags)
    decoders = Decoders()
    for content in (bytes(damaged), warns.getvalue()):
        opened(decoders.open_picture, content, "")
    assert capfd.readouterr().err == ""


def test_what_a_picture_waits_for_others_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.BytesIO()
    Image.new("RGBA", (4000, 4000), (1, 2, 3, 100)).save(file, "PNG", compress_level=1)  # takes many glances
    monkeypatch.setattr(decoders_module, "_POLL_SECONDS", 0.01)
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(decoders_module, "time", SimpleNamespace(monotonic=lambda: clock.now))

    def goes_on() -> bool:
        clock.now += 1000
        return True

    assert interruptible(goes_on, Decoders().open_picture, file.getvalue()).shape == (4000, 4000, 3)
    assert clock.now > 1000


def babble(_: DecodeBounds, parent: Connection) -> None:
    with suppress(EOFError, OSError):  # the tests have ended
        while True:
            parent.send_bytes(decoders_module._READY)
            parent.recv_bytes(), parent.recv_bytes()
            parent.send_bytes(b"5")


def test_a_process_that_answers_nonsense_is_replaced(monkeypatch: pytest.MonkeyPatch, others: set[BaseProcess]) -> None:
    monkeypatch.setattr(decoders_module, "_decode", babble)
    decoders = Decoders()
    decoders.start()
    [first] = set(multiprocessing.active_children()) - others
    with pytest.raises(TypeError):
        decoders.open_picture(PLAIN)
    [second] = set(multiprocessing.active_children()) - others
    assert second != first
