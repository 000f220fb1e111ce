from multiprocessing.connection import Connection

import pytest

from demo.child_process import ChildProcess


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
