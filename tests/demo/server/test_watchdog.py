"""A process that hangs is ended, and one that works is not; each test starts its own process."""

import subprocess
import sys

import pytest

from demo.server.watchdog import HANG_STATUS
from tests.paths import ROOT

# There is a look every 0.05 s. What works has to go on for 60 looks, which is longer than all bounds.
PROGRAM = """
import asyncio, re, threading, time
from demo import interruption
from demo.server import watchdog

watchdog.WATCH_SECONDS, watchdog.LOOP_HANG_SECONDS, watchdog.WORK_HANG_SECONDS = 0.05, {seconds}, {seconds}
watchdog._GRACE_SECONDS = {grace}

def work(name, function):
    def watched():
        with watchdog.WORKS.under_way():
            function()
    threading.Thread(target=watched, name=name, daemon=True).start()

def wait_for_a_turn():
    with interruption.waiting():
        time.sleep(600)

def take_steps():
    while True:
        interruption.check_wanted()
        time.sleep(0.01)

async def main():
    dog = watchdog.Watchdog(asyncio.get_running_loop())
    dog.start()
    while not dog.looks:
        await asyncio.sleep(0.01)
    {what}
    while dog.looks < 60:
        await asyncio.sleep(0.01)
    print("worked")

asyncio.run(main())
"""


def ended(what: str, seconds: float, grace: float = 30.0) -> "subprocess.CompletedProcess[str]":
    """Run a program that does this with bounds of that many seconds; returns how it ended.

    If nobody looks, which may be a slow machine's doing, it ends `grace` seconds after the bounds.
    """
    program = PROGRAM.format(what=what, seconds=seconds, grace=grace)
    return subprocess.run(
        [sys.executable, "-c", program],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("what", "name"),
    [
        ("time.sleep(600)", "event loop"),
        ("work('photo_0', lambda: time.sleep(600))", "thread photo_0"),
        ("work('live_1', lambda: (interruption.check_wanted(), time.sleep(600)))", "thread live_1"),
    ],
)
def test_a_process_that_hangs_is_ended_with_a_line_that_says_what_hung(what: str, name: str) -> None:
    end = ended(what, 1.0)
    assert end.returncode == HANG_STATUS
    first, *rest = end.stderr.splitlines()
    assert first == f"app.py: the page hangs ({name} for 1 s) and ends with status {HANG_STATUS}."
    assert any("Thread" in line for line in rest)  # where each thread was
    assert not end.stdout


def test_a_process_whose_threads_never_get_to_look_is_ended_as_well() -> None:
    end = ended("re.fullmatch('(a+)+b', 'a' * 60)", 0.2, grace=0.5)  # in C code that stops all other threads
    assert end.returncode == 1
    assert end.stderr.startswith("Timeout")


@pytest.mark.parametrize("what", ["pass", "work('photo_0', take_steps)", "work('photo_0', wait_for_a_turn)"])
def test_a_process_that_works_or_waits_for_its_turn_goes_on(what: str) -> None:
    end = ended(what, 2.5)  # less than the 3 s that it works, and more than a busy machine holds up a process
    assert (end.returncode, end.stdout) == (0, "worked\n"), end.stderr
