import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from demo.batch import workers
from demo.batch.workers import Ask, WorkerError, Workers, worker_count
from demo.child_process import ChildProcess
from tests.paths import ROOT
from tests.processes import wait_until_ended


def squaring(_: Ask) -> Callable[[int], int]:
    return lambda number: number**2


def late_first(_: Ask) -> Callable[[Path], bool]:
    """The task "first" ends only when there is a file of that name, which "last" writes."""

    def job(path: Path) -> bool:
        while path.name == "first" and not path.exists():
            time.sleep(0.01)
        if path.name == "last":
            path.with_name("first").touch()
        return path.name == "first"

    return job


def fragile(_: Ask) -> Callable[[Path], str]:
    """A task kills its process if there is a file of its name; the file "once" is removed first."""

    def job(path: Path) -> str:
        if path.exists():
            if path.name == "once":
                path.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return path.name

    return job


def stillborn(_: Ask) -> Callable[[int], int]:
    os._exit(3)


def asking(ask: Ask) -> Callable[[int], int]:
    return lambda number: number + ask(number)


def failing_to_ask(ask: Ask) -> Callable[[int], str]:
    def job(number: int) -> str:
        try:
            return str(ask(number))
        except MemoryError as error:
            return f"{number}: {error}"

    return job


def test_a_question_that_cannot_be_answered_is_an_error_of_the_job_that_asks() -> None:
    def answer(questions: list[int]) -> list[int]:
        if 2 in questions:
            raise MemoryError("no room")
        return questions

    with Workers(failing_to_ask, 1, answer) as workers:
        assert list(workers.map([1, 2, 3])) == ["1", "2: no room", "3"]


def test_results_come_in_order_from_several_processes(tmp_path: Path) -> None:
    tasks = [tmp_path / name for name in ("first", "second", "third", "last")]
    with Workers(late_first, 2) as workers:
        assert list(workers.map(tasks)) == [True, False, False, False]
        assert list(workers.map([])) == []


def test_a_task_that_ends_its_process_is_tried_once_more_and_costs_no_other(tmp_path: Path) -> None:
    names = ["a", "once", "b", "always", "c", "d"]
    (tmp_path / "once").touch()
    (tmp_path / "always").touch()
    before = multiprocessing.active_children()  # such as those that demo.pictures.decoders keeps
    with Workers(fragile, 2) as workers:
        assert list(workers.map([tmp_path / name for name in names])) == ["a", "once", "b", None, "c", "d"]
    assert set(multiprocessing.active_children()) <= set(before)


def test_processes_that_cannot_start_are_an_error() -> None:
    with pytest.raises(WorkerError, match="exit status 3"), Workers(stillborn, 2) as workers:
        list(workers.map([1, 2, 3]))


def test_a_job_can_ask_the_main_process() -> None:
    def answer(questions: list[int]) -> list[int]:
        return [1000 * question for question in questions]

    with Workers(asking, 2, answer) as workers:
        assert list(workers.map([1, 2, 3])) == [1001, 2002, 3003]


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_no_process_outlives_the_program_or_complains(sent: signal.Signals, tmp_path: Path) -> None:
    program = """if __name__ == "__main__":
        import multiprocessing
        import signal
        from tests.demo.batch.test_workers import Workers, squaring
        signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background ignores it otherwise
        try:
            with Workers(squaring, 2) as workers:
                results = workers.map(range(10**9))
                next(results)
                print(*(child.pid for child in multiprocessing.active_children()), flush=True)
                for result in results:
                    pass
        except KeyboardInterrupt:
            pass
    """
    script = tmp_path / "program.py"
    script.write_text(program)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, script], env=environment, stdout=-1, stderr=-1, text=True, start_new_session=True
    ) as started:
        assert started.stdout
        children = [int(pid) for pid in started.stdout.readline().split()]
        assert len(children) == 2
        if sent == signal.SIGINT:
            os.killpg(started.pid, sent)  # as a terminal does
        else:
            started.kill()
        _, complaints = started.communicate()
    assert complaints == ""
    wait_until_ended(children)


def test_where_a_process_cannot_start_the_others_end(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[ChildProcess] = []

    def start(*arguments: Any) -> ChildProcess:
        if started:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        started.append(ChildProcess(*arguments))
        return started[0]

    monkeypatch.setattr(workers, "ChildProcess", start)
    with pytest.raises(WorkerError, match=r"cannot be started: .*Too many open files"), Workers(squaring, 2):
        pass
    assert started[0].status is not None


@pytest.mark.parametrize(("pictures", "count"), [(0, 1), (31, 1), (32, 2), (64, 4), (1000, 4)])
def test_few_pictures_start_few_processes_and_many_one_for_each_core(
    pictures: int, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    assert worker_count(pictures) == count
