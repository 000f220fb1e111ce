import os
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from demo.server.http import shutdown as ending
from demo.server.http.shutdown import close
from tests.paths import ROOT


def run(program: str) -> subprocess.CompletedProcess[str]:
    """Run a program that may use `signal`, `threading`, `time` and `demo.server.http.shutdown`."""
    start = "import signal, threading, time\nfrom pathlib import Path"
    code = f"{start}\nfrom demo.server.http.shutdown import *\n{program}"
    root = ROOT
    return subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60)


@pytest.mark.skipif(os.name != "posix", reason="Windows sends no such signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_interrupts_and_a_second_one_does_not_interrupt_the_end(name: str) -> None:
    ended = run(
        f"""
end_by_signals()
try:
    signal.raise_signal(signal.{name})
except KeyboardInterrupt:
    signal.raise_signal(signal.{name})
    signal.raise_signal(signal.SIGTERM)
    print("tidied up")
"""
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "tidied up\n", "")


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGHUP")
def test_a_program_that_is_to_outlive_its_terminal_does() -> None:
    ended = run(
        """
signal.signal(signal.SIGHUP, signal.SIG_IGN)
end_by_signals()
signal.raise_signal(signal.SIGHUP)
print("goes on")
"""
    )
    assert (ended.returncode, ended.stdout) == (0, "goes on\n")


def test_a_start_is_not_interrupted_but_ended(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    ended = run(
        f"""
with ended_at_once(Path({str(folder)!r})):
    try:
        signal.raise_signal(signal.SIGTERM)
    except BaseException:
        print("an import was interrupted")
"""
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert not folder.exists()


def test_a_start_that_is_over_leaves_the_signals_as_they_were(tmp_path: Path) -> None:
    ended = run(
        f"""
with ended_at_once(Path({str(tmp_path)!r})):
    pass
print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)
"""
    )
    assert ended.stdout == "True\n"


def test_nothing_that_goes_on_keeps_a_program_that_leaves() -> None:
    ended = run("threading.Thread(target=time.sleep, args=[600]).start()\nprint('last words')\nleave(3)")
    assert (ended.returncode, ended.stdout) == (3, "last words\n")


def test_a_page_that_does_not_close_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "_CLOSE_SECONDS", 0)
    never = threading.Event()

    def wait(*, verbose: bool) -> None:
        assert not verbose
        never.wait()

    close(SimpleNamespace(close=wait))
    never.set()


@pytest.mark.skipif(os.name != "posix", reason="Windows starts processes in another way")
def test_a_process_that_is_being_started_finds_what_it_is_to_do() -> None:
    ended = run(
        """
from multiprocessing import resource_tracker, util
from demo.child_process import ChildProcess
from demo.server.http import shutdown
shutdown._START_SECONDS = 60
resource_tracker.ensure_running()  # which is started in the same way
spawn, spawned = util.spawnv_passfds, threading.Event()
def slowly(*arguments):
    number = spawn(*arguments)
    spawned.set()
    time.sleep(0.2)
    return number
util.spawnv_passfds = slowly
threading.Thread(target=ChildProcess, args=[type], daemon=True).start()
spawned.wait()
leave(0)
"""
    )
    assert (ended.returncode, ended.stderr) == (0, "")
