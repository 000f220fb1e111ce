"""Do one job on many tasks in several processes; results come in order, even if a process is killed.

We wrote our own because concurrent.futures gives up all tasks when one process is killed. And in pebble (5.2) a running
task can't ask this process anything, and all processes share a pipe, whose lock a killed one may take with it.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

from demo.child_process import ChildProcess
from demo.pipeline.errors import FAILURES

Task = TypeVar("Task")
Result = TypeVar("Result")
Ask = Callable[[Any], Any]

# What happened to a task whose result is None.
KILLED = "its process ended twice: it was killed, mostly for want of memory, or had the error printed above"
# How many tasks per process may be done while an earlier one is still running.
_TASKS_AHEAD = 16
_PICTURES_PER_START = 16  # starting a process takes about as long as reading this many


class WorkerError(RuntimeError):
    """A process could not start, or ended before it could take a task."""


def worker_count(pictures: int) -> int:
    """Choose how many processes are worth starting: at most one for each core that this process may use.

    Args:
        pictures: number of pictures to read.

    Returns:
        One for each 16 pictures, but at least 1, and at most the number of cores.
    """
    return max(1, min(core_count(), pictures // _PICTURES_PER_START))


def core_count() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Workers(Generic[Task, Result]):
    """Processes that each do one task at a time; they run within a with statement.

    If a task's process dies (usually killed because memory ran out), the task is tried once more, alone.
    However this program ends, the processes end, too.

    Args:
        setup: makes the job inside each process; it gets a function with which the job can ask this process. Setup,
            tasks, results, questions and answers must be picklable.
        count: number of processes.
        answer: answers all waiting questions, in order; if it raises one of `demo.pipeline.errors.FAILURES`, the jobs
            that have asked do.
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
        try:
            for _ in range(self._count):
                self._workers.append(_start(self._setup))
        except BaseException:  # no __exit__ follows
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.process.end()

    def map(self, tasks: Sequence[Task]) -> Iterator[Result | None]:
        """Do the job on each task.

        Args:
            tasks: the arguments of the job, one for each call.

        Yields:
            The result of each task in order; None if its process died both times.

        Raises:
            WorkerError: a process ended before it could take a task, or one in its place could not start.
        """
        results: dict[int, Result | None] = {}
        queue = _Queue(len(tasks))
        for index in range(len(tasks)):
            while index not in results:
                self._hand_out(tasks, queue, index + _TASKS_AHEAD * self._count)
                self._take_in(results, queue)
            yield results.pop(index)

    def _hand_out(self, tasks: Sequence[Task], queue: "_Queue", limit: int) -> None:
        busy = sum(worker.index is not None for worker in self._workers)
        for worker in self._workers:
            if worker.is_ready and worker.index is None:
                worker.index = queue.take(busy, limit)
                if worker.index is None:
                    return
                worker.send(tasks[worker.index])
                busy += 1

    def _take_in(self, results: dict[int, Any], queue: "_Queue") -> None:
        """Wait for messages from the processes: keep results, answer questions, replace a process that has died."""
        asking: list[tuple[_Worker, Any]] = []
        by_connection: dict[Any, _Worker] = {worker.process.connection: worker for worker in self._workers}
        for ready in connection.wait(list(by_connection)):
            worker = by_connection[ready]
            try:
                message = worker.process.connection.recv()
            except (EOFError, OSError):
                self._replace(worker)
                if worker.index is not None and not queue.put_back(worker.index):
                    results[worker.index] = None
                continue
            if isinstance(message, _Question):
                asking.append((worker, message.content))
            elif worker.index is not None:
                results[worker.index], worker.index = message, None
            else:
                worker.is_ready = True
        if asking and self._answer:
            answers: Sequence[Any]
            try:
                answers = self._answer([question for _, question in asking])
            except FAILURES as error:
                answers = [error] * len(asking)
            for (worker, _), answer in zip(asking, answers, strict=True):
                worker.send(answer)

    def _replace(self, worker: "_Worker") -> None:
        worker.process.end()
        if not worker.is_ready:
            raise WorkerError(f"a process ended while it started (exit status {worker.process.status})")
        self._workers[self._workers.index(worker)] = _start(self._setup)


class _Queue:
    """The indices of tasks still to start.

    Tasks whose process died come first, each with no other beside it. So it has all the memory, and if its process dies
    again, we know which task was to blame.
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._next = 0
        self._again: deque[int] = deque()
        self._alone: int | None = None

    def take(self, busy: int, limit: int) -> int | None:
        """Take the index of the next task; None if none may start now.

        Args:
            busy: how many tasks are running.
            limit: all tasks from this index on have to wait.
        """
        if busy and (self._again or self._alone is not None):
            return None
        self._alone = self._again.popleft() if self._again else None
        if self._alone is not None:
            return self._alone
        if self._next >= min(limit, self._length):
            return None
        self._next += 1
        return self._next - 1

    def put_back(self, index: int) -> bool:
        """Put back a task whose process died.

        Returns:
            Whether it will be tried again.
        """
        if index == self._alone:
            return False
        self._again.append(index)
        return True


@dataclass(frozen=True)
class _Question:
    """A job's question to this process, to tell it from a result."""

    content: Any


@dataclass(eq=False)
class _Worker:
    """A process and the index of its task."""

    process: ChildProcess
    is_ready: bool = False
    index: int | None = None

    def send(self, message: Any) -> None:
        with suppress(OSError):  # the next read from a dead process will notice
            self.process.connection.send(message)


def _start(setup: Callable[[Ask], Callable[[Any], Any]]) -> _Worker:
    try:
        return _Worker(ChildProcess(_work, setup))
    except OSError as error:  # it would count as a failure to write the table
        raise WorkerError(f"a process cannot be started: {error}") from error


def _work(setup: Callable[[Ask], Callable[[Any], Any]], parent: Connection) -> None:
    """Run in a process until the connection breaks."""

    def ask(question: Any) -> Any:
        parent.send(_Question(question))
        answer = parent.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer

    job = setup(ask)
    with suppress(EOFError, ConnectionError):  # the program that started this process has ended
        parent.send(None)
        while True:
            parent.send(job(parent.recv()))
