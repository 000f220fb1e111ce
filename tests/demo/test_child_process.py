import os
import subprocess
import sys
from multiprocessing.connection import Connection
from unittest.mock import ANY, Mock

import pytest

from demo.child_process import ChildProcess
from tests.paths import ROOT


def add(number: int, parent: Connection) -> None:
    parent.send(number + parent.recv())


def wait(parent: Connection) -> None:
    parent.send("waits")
    parent.recv()


def test_a_function_talks_with_the_program_that_started_it() -> None:
    process = ChildProcess(add, 3)
    process.connection.send(4)
    assert process.connection.recv() == 7
    with pytest.raises(EOFError):  # the process has returned
        process.connection.recv()
    process.wait(60)
    assert process.status == 0
    process.end()
    assert process.status == 0


def test_a_process_can_be_ended_at_work() -> None:
    process = ChildProcess(wait)
    assert process.connection.recv() == "waits"
    assert process.status is None
    process.end()
    assert process.status


def loaded(parent: Connection) -> None:
    parent.send(("demo.pictures.bit_depth" in sys.modules, os.getppid()))
    parent.recv()


@pytest.mark.skipif(sys.platform != "linux", reason="only there are processes copied")
def test_processes_with_a_module_to_preload_are_copies_of_one_that_has_it() -> None:
    first, second = (ChildProcess(loaded, preload="demo.pictures.decode") for _ in range(2))
    assert first.connection.recv() == second.connection.recv() == (True, ANY)
    plain = ChildProcess(loaded)
    assert plain.connection.recv() == (False, os.getpid())
    for process in (first, second, plain):
        process.end()


@pytest.mark.skipif(sys.platform != "linux", reason="only there are processes copied")
@pytest.mark.parametrize("error", [EOFError, ConnectionRefusedError, OSError("AF_UNIX path too long")])
def test_a_process_is_started_anew_where_none_can_be_copied(
    error: Exception | type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("multiprocessing.popen_forkserver.Popen._launch", Mock(side_effect=error))
    process = ChildProcess(loaded, preload="demo.pictures.decode")
    assert process.connection.recv() == (False, os.getpid())
    process.end()


def test_the_command_imports_nothing_heavy_that_its_processes_would_import_again() -> None:
    names = "import runpy, sys; runpy.run_path('app.py'); print('demo' in sys.modules, 'demo.server' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", names], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == "True False\n"
