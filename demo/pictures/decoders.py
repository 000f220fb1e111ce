"""Decode strangers' pictures in separate processes, which are ended if a picture takes too much time or memory.

We wrote our own because concurrent.futures can't stop a task, and pebble's (5.2) processes all share a pipe, whose lock
a killed one may take with it.
"""

import errno
import json
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from demo.child_process import ChildProcess
from demo.interruption import InterruptedWorkError, check_wanted
from demo.limits import (
    DECODER_END_SECONDS,
    DECODER_START_SECONDS,
    MAX_DECODE_CPU_SECONDS,
    MAX_DECODE_SECONDS,
    MAX_DECODER_BYTES,
    MAX_DECODERS,
    MAX_KEPT_DECODERS,
    MAX_PIXELS,
    POLITE_DECODE_SECONDS,
    POLITE_NICENESS,
)
from demo.pictures.decode import PictureError, open_picture, subject, too_costly

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

_POLL_SECONDS = 0.1  # between checks whether a picture is still wanted
_READY = b"ready"
_MAX_ANSWER_BYTES = 2**16  # a picture's shape, or a sentence with its name
# What a system says that lacks processes, memory or files at this moment.
_SHORTAGES = {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE}
_MAX_NICENESS = 19  # on Linux
_KILLED = -9  # by Linux, whose memory has run out


class NoDecoderError(RuntimeError):
    """The system lacks what one more process takes, of which it may have more later."""


@dataclass(frozen=True)
class DecodeBounds:
    """Limits for one picture.

    Attributes:
        seconds: from its file to its pixels.
        cpu_seconds: processor time; not limited on Windows.
        memory_bytes: memory beyond what the process uses from the start; only limited on Linux.
    """

    seconds: float = MAX_DECODE_SECONDS
    cpu_seconds: float = MAX_DECODE_CPU_SECONDS
    memory_bytes: int = MAX_DECODER_BYTES


class Decoders:
    """Processes that decode pictures, one for each picture being decoded. Thread-safe.

    They return only pixels or a sentence, neither larger than a picture's can be. Those with slow pictures let others
    have the processor first.

    Args:
        bounds: limits for one picture.
        most: how many pictures may be decoded at the same time; one more makes the longest-running one give up.
        kept: how many processes at most are kept for later pictures.
    """

    def __init__(
        self, bounds: DecodeBounds | None = None, most: int = MAX_DECODERS, kept: int = MAX_KEPT_DECODERS
    ) -> None:
        self._bounds = bounds or DecodeBounds()
        self._most = most
        self._most_kept = kept
        # For the next pictures, those that are ready last, where the next is taken. Each change is atomic.
        self._kept: list[ChildProcess] = []
        self._lock = threading.Lock()
        self._working: list[ChildProcess] = []  # those now decoding, oldest first

    def start(self) -> None:
        """Start a process, so that the next picture need not wait for it.

        Raises:
            NoDecoderError: the system lacks processes, memory or files at this moment.
            OSError: no process can be started for another reason.
        """
        self._kept.insert(0, self._started())

    def open_picture(self, file: bytes, name: str = "") -> np.ndarray:
        """Open a picture as `demo.pictures.decode.open_picture` does.

        Args:
            file: the bytes of its file.
            name: for messages; by default "The picture".

        Returns:
            Read-only contiguous array (height, width, 3), uint8, RGB in 0..255.

        Raises:
            PictureError: as for `open_picture`, or the picture takes too much time or memory.
            InterruptedWorkError: the picture is no longer wanted, or had to give way to others.
            NoDecoderError: the system lacks processes, memory or files at this moment.
            OSError: no process can be started for another reason.
            RuntimeError: a process ended as soon as it was started.
        """
        decoder = self._ready()
        try:
            with self._at_work(decoder):
                frame = self._frame_from(decoder, file, name)
        except PictureError:
            self._keep(decoder)
            raise
        except InterruptedWorkError:
            self._replace(decoder)
            raise
        except (EOFError, OSError) as error:  # includes TimeoutError
            self._replace(decoder)
            raise too_costly(subject(name)) from error
        except BaseException:  # it has said something that is no answer
            self._replace(decoder)
            raise
        self._keep(decoder)
        return frame

    @contextmanager
    def _at_work(self, decoder: ChildProcess) -> Iterator[None]:
        """Note that a process is decoding; if there are too many, the oldest has to give up."""
        with self._lock:
            if len(self._working) == self._most:
                self._working.pop(0)  # its thread notices
            self._working.append(decoder)
        try:
            yield
        finally:
            with self._lock, suppress(ValueError):  # it had to give up
                self._working.remove(decoder)

    def _keep(self, decoder: ChildProcess) -> None:
        """Keep a process for the next picture, unless enough are left of a rush that is over."""
        if len(self._kept) < self._most_kept:
            self._kept.append(decoder)
        else:
            decoder.end()

    def _replace(self, decoder: ChildProcess) -> None:
        """End a process, and start one for the next picture, which tries once more where that fails."""
        decoder.end()
        with suppress(NoDecoderError, OSError):
            if len(self._kept) < self._most_kept:
                self.start()

    def _frame_from(self, decoder: ChildProcess, file: bytes, name: str) -> np.ndarray:
        """Have a process decode a file. Raises EOFError or OSError if the process has ended or takes too long."""
        decoder.connection.send_bytes(name.encode())
        decoder.connection.send_bytes(file)
        polite_from = time.monotonic() + POLITE_DECODE_SECONDS
        for _ in _polls(decoder, self._bounds.seconds):
            if decoder not in self._working:
                raise InterruptedWorkError
            if time.monotonic() >= polite_from and not decoder.connection.poll():
                _make_polite(decoder)
        answer = json.loads(decoder.connection.recv_bytes(_MAX_ANSWER_BYTES))
        if "error" in answer:
            raise PictureError(answer["error"])
        return np.frombuffer(decoder.connection.recv_bytes(3 * MAX_PIXELS), np.uint8).reshape(answer["shape"])

    def _ready(self) -> ChildProcess:
        """A process that is ready for a picture."""
        while True:
            check_wanted()  # each process that is waited for in vain is a step, or the work would seem to hang
            try:
                decoder, is_new = self._kept.pop(), False
            except IndexError:
                decoder, is_new = self._started(), True
            with suppress(EOFError, OSError):  # it has ended
                if self._is_ready(decoder):
                    return decoder
            if is_new:
                raise _without_use(decoder)
            decoder.end()

    def _is_ready(self, decoder: ChildProcess) -> bool:
        """Wait for a process to be ready. Raises EOFError or OSError if it has ended or takes too long."""
        try:
            for _ in _polls(decoder, DECODER_START_SECONDS):
                pass
        except InterruptedWorkError:
            self._keep(decoder)
            raise
        return decoder.connection.recv_bytes() == _READY and decoder.status is None  # it may have ended since

    def _started(self) -> ChildProcess:
        """A new process."""
        try:
            return ChildProcess(_decode, self._bounds, preload="demo.pictures.decode")
        except OSError as error:
            if error.errno not in _SHORTAGES:
                raise
            reason = f"no process for decoding pictures can be started ({error.strerror})"
            raise NoDecoderError(reason) from error


def _polls(decoder: ChildProcess, seconds: float) -> Iterator[None]:
    """Yield now and then until a process says something, while its picture is wanted; then TimeoutError."""
    end = time.monotonic() + seconds
    while not decoder.connection.poll(min(_POLL_SECONDS, seconds)):
        yield
        asked = time.monotonic()
        check_wanted()
        end += time.monotonic() - asked  # the process is not to blame for what its picture waits for others
        if time.monotonic() >= end:
            raise TimeoutError


def _without_use(decoder: ChildProcess) -> RuntimeError:
    """Why a new process came to nothing; it is ended."""
    decoder.wait(DECODER_END_SECONDS)
    status = decoder.status
    decoder.end()
    ending = "took too long to start" if status is None else f"ended as it was started (its exit status: {status})"
    reason = f"a process for decoding pictures {ending}"
    return NoDecoderError(reason) if status in (None, _KILLED) else RuntimeError(reason)


# Pictures share the processors, however they come in, so they share these processes, too.
DECODERS = Decoders()


def _decode(bounds: DecodeBounds, parent: Connection) -> None:
    """Run in a process until the connection breaks."""
    _limit("RLIMIT_CORE", 0)  # a core dump would contain the visitor's picture
    with suppress(OSError):  # when memory runs out, Linux then kills this process and not the page
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    with suppress(FileNotFoundError):  # only Linux enforces this limit
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        _limit("RLIMIT_AS", pages * resource.getpagesize() + bounds.memory_bytes)
    warnings.simplefilter("ignore")  # Pillow's would quote what strangers wrote
    with suppress(EOFError, OSError):  # the program that started this process has ended
        while True:
            _answer_on_a_new_thread(bounds, parent)


def _answer_on_a_new_thread(bounds: DecodeBounds, parent: Connection) -> None:
    """Answer one picture on a thread that ends with it, since politeness can't be taken back."""
    with ThreadPoolExecutor(1) as thread:
        try:
            answer = thread.submit(_answer, bounds, parent)
        except RuntimeError:  # the system has no more threads at this moment
            _answer(bounds, parent)
        else:
            answer.result()


def _answer(bounds: DecodeBounds, parent: Connection) -> None:
    """Wait for a picture, decode it, then forget it."""
    parent.send_bytes(_READY)
    name, file = parent.recv_bytes().decode(), parent.recv_bytes()
    with _at_most(bounds.cpu_seconds):
        try:
            with _quiet():
                frame = open_picture(file, name)
        except PictureError as error:
            parent.send_bytes(json.dumps({"error": str(error)}).encode())
            return
        parent.send_bytes(json.dumps({"shape": frame.shape}).encode())
        parent.send_bytes(frame.data.cast("B"))


def _make_polite(decoder: ChildProcess) -> None:
    """Have a process let others go first with the picture that it now decodes. Only Linux can do that by thread."""
    if sys.platform != "linux":
        return
    with suppress(OSError):  # the thread or the process has ended
        niceness = min(os.getpriority(os.PRIO_PROCESS, decoder.pid) + POLITE_NICENESS, _MAX_NICENESS)
        for thread in Path(f"/proc/{decoder.pid}/task").iterdir():  # libraries have more, which may stay polite
            if thread.name != str(decoder.pid):  # its main thread starts the one for the next picture
                os.setpriority(os.PRIO_PROCESS, int(thread.name), niceness)


@contextmanager
def _quiet() -> Iterator[None]:
    """Drop what libraries write to stderr: libtiff has a line for each row that is damaged."""
    try:
        stderr = os.dup(2)
    except OSError:  # a program without a console has no stderr
        yield
        return
    with Path(os.devnull).open("wb") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


@contextmanager
def _at_most(cpu_seconds: float) -> Iterator[None]:
    """Have the kernel end this process if it takes more processor time; not on Windows."""
    if not hasattr(signal, "setitimer"):
        yield
        return
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)  # exact to the millisecond; RLIMIT_CPU counts whole seconds
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _limit(kind: str, most: int) -> None:
    """Set a limit on this process, unless a tighter one is fixed already; Windows has none."""
    if resource is None:
        return
    number = getattr(resource, kind)
    _, hardest = resource.getrlimit(number)
    if hardest == resource.RLIM_INFINITY or most <= hardest:
        resource.setrlimit(number, (most, hardest))
