"""Do one job on many tasks in several processes; the results come in order, whatever becomes of a process."""

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import connection, resource_tracker
from typing import Any, Generic, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")
Ask = Callable[[Any], Any]

# So many tasks for each process may be done while an earlier one still takes its time.
_AHEAD = 16


class WorkerError(RuntimeError):
    """A process ended before it could take a task."""


class Workers(Generic[Task, Result]):
    """Processes that each do one task at a time. To be used in a with statement, at the end of which they end.

    A task whose process ends (mostly since it was killed when memory ran out) is tried once more, with no other beside
    it. Should this program end in whatever way, the processes end, too.

    Args:
        setup: makes the job inside each process; it is given a function by which the job can ask this process.
            All that goes to and fro has to be picklable.
        count: how many processes.
        answer: gives the answers to all questions that are waiting, in their order.
    """

    def __init__(
        self,
        setup: Callable[[Ask], Callable[[Task], Result]],
        count: int,
        answer: Callable[[list[Any]], Sequence[Any]] | None = None,
    ) -> None:
        self._setup, self._count, self._answer = setup, count, answer
        self._workers: list[_Worker] = []

    def __enter__(self) -> "Workers[Task, Result]":
        for _ in range(self._count):
            self._workers.append(_start(self._setup))
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.end()

    def map(self, tasks: Sequence[Task]) -> Iterator[Result | None]:
        """The result of each task in order, None where the process ended both times.

        Raises:
            WorkerError: a process ended before it could take a task.
        """
        results: dict[int, Result | None] = {}
        queue = _Queue(len(tasks))
        for place in range(len(tasks)):
            while place not in results:
                self._hand_out(tasks, queue, place + _AHEAD * self._count)
                self._take_in(results, queue)
            yield results.pop(place)

    def _hand_out(self, tasks: Sequence[Task], queue: "_Queue", limit: int) -> None:
        busy = sum(worker.place is not None for worker in self._workers)
        for worker in self._workers:
            if worker.is_ready and worker.place is None:
                worker.place = queue.take(busy, limit)
                if worker.place is None:
                    return
                worker.send(tasks[worker.place])
                busy += 1

    def _take_in(self, results: dict[int, Any], queue: "_Queue") -> None:
        """Wait until there is something from a process; keep results, answer questions, replace what has ended."""
        asking: list[tuple[_Worker, Any]] = []
        workers = {worker.line: worker for worker in self._workers}
        for line in connection.wait(list(workers)):
            worker = workers[line]
            try:
                message = worker.line.recv()
            except (EOFError, OSError):
                self._replace(worker)
                if worker.place is not None and not queue.put_back(worker.place):
                    results[worker.place] = None
                continue
            if isinstance(message, _Question):
                asking.append((worker, message.content))
            elif worker.place is not None:
                results[worker.place], worker.place = message, None
            else:
                worker.is_ready = True
        if asking and self._answer:
            answers = self._answer([question for _, question in asking])
            for (worker, _), answer in zip(asking, answers, strict=True):
                worker.send(answer)

    def _replace(self, worker: "_Worker") -> None:
        worker.end()
        if not worker.is_ready:
            raise WorkerError(f"a process ended while it started (exit status {worker.process.exitcode})")
        self._workers[self._workers.index(worker)] = _start(self._setup)


class _Queue:
    """The places of tasks that are to be begun. Those whose process ended come first, and alone: then it is known which
    of them was to blame, and it has the memory for itself."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._next = 0
        self._again: deque[int] = deque()
        self._alone: int | None = None

    def take(self, busy: int, limit: int) -> int | None:
        """The place of the next task while so many are under way; None if none is to be begun now, or up to `limit`."""
        if busy and (self._again or self._alone is not None):
            return None
        self._alone = self._again.popleft() if self._again else None
        if self._alone is not None:
            return self._alone
        if self._next >= min(limit, self._length):
            return None
        self._next += 1
        return self._next - 1

    def put_back(self, place: int) -> bool:
        """Whether a task whose process ended is tried again."""
        if place == self._alone:
            return False
        self._again.append(place)
        return True


@dataclass(frozen=True)
class _Question:
    content: Any


@dataclass(eq=False)
class _Worker:
    """A process, the line to it, and the place of the task that it is at."""

    process: Any
    line: Any
    is_ready: bool = False
    place: int | None = None

    def send(self, message: Any) -> None:
        with suppress(OSError):  # that the process has ended is seen when it is next listened to
            self.line.send(message)

    def end(self) -> None:
        self.process.kill()  # it holds nothing that could be lost
        self.process.join()
        self.line.close()


def _start(setup: Callable[[Ask], Callable[[Any], Any]]) -> _Worker:
    # Not a fork: that would copy locks which threads of this process hold, MediaPipe's among them.
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_work, args=(setup, there), daemon=True)
    with _interrupts_held_back():
        process.start()
    there.close()  # so that the line breaks when the process ends
    return _Worker(process, here)


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Processes started meanwhile take no Ctrl+C: it goes to all of a terminal's processes, and one has to decide."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # the first process starts it otherwise, which lets interrupts through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(setup: Callable[[Ask], Callable[[Any], Any]], line: Any) -> None:
    """What a process does, until the line breaks."""

    def ask(question: Any) -> Any:
        line.send(_Question(question))
        return line.recv()

    job = setup(ask)
    with suppress(EOFError, ConnectionError):  # the program that started this has ended
        line.send(None)
        while True:
            line.send(job(line.recv()))
