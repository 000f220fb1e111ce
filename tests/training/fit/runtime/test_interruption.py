import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.fakes import celeba
from tests.paths import ROOT
from tests.processes import eventually, first_line
from training import train
from training.fit import trainer as engine
from training.fit.record.reporting import scalars
from training.fit.runtime.interruption import Interrupted, Interruption

SMALL = "--filter_counts 4 8 --conv_filters 8 --num_classes 3 --batch_size 4 --device cpu --num_epochs 3".split()

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs signals")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return celeba.write(tmp_path / "data")


def flags(data: Path, save_dir: Path, *more: str) -> list[str]:
    places = (data, data.parent / "cache", save_dir)
    named = zip(("--data_dir", "--cache_dir", "--save_dir"), map(str, places), strict=True)
    return [*SMALL, *(text for pair in named for text in pair), *more]


def signalled(monkeypatch: pytest.MonkeyPatch, name: str, at_step: int, *numbers: int) -> None:
    """Send this process signals, once, when a method of the trainer is called after this many steps."""
    method = getattr(engine.Trainer, name)

    def send(self: engine.Trainer, *arguments: Any) -> Any:
        if self.progress.step == at_step:
            monkeypatch.undo()
            for number in numbers:
                os.kill(os.getpid(), number)
        return method(self, *arguments)

    monkeypatch.setattr(engine.Trainer, name, send)


def figures(folder: Path) -> list[list[Any]]:
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [
        [row["epoch"], *(value for name, value in scalars(row) if name not in ("epoch", "minutes"))] for row in rows
    ]


EXACT = ("--recipe", "best", "--precision", "float32")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[list[Any]]:
    """The figures of a run, on the same pictures as those of `data`, that is not interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    assert train.main(flags(celeba.write(folder / "data"), folder / "run", *EXACT, "--num_workers", "0")) == 0
    return figures(folder / "run")


def steps_saved(folder: Path) -> int:
    return torch.load(folder / "last.pt", weights_only=True)["position"]["step"]


@pytest.mark.parametrize(
    ("number", "status", "workers"),
    [(signal.SIGINT, 130, "0"), (signal.SIGTERM, 143, "1"), (signal.SIGHUP, 129, "0")],
)
def test_a_signal_waits_for_the_step_saves_and_says_how_to_go_on(
    tmp_path: Path,
    data: Path,
    whole: list[list[Any]],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    number: int,
    status: int,
    workers: str,
) -> None:
    before = signal.getsignal(signal.SIGINT)
    save = tmp_path / "run with a space"
    given = flags(data, save, *EXACT, "--num_workers", workers, "--batch_size", "4", "--num_epochs", "3")
    signalled(monkeypatch, "step", 6, number)
    assert train.main(given) == status
    assert steps_saved(save) == 7
    said = capfd.readouterr().err
    assert "stopping after this step" in said
    assert f"'{save}'" in said
    assert said.rstrip().endswith("--resume")
    assert train.main([*given, "--resume"]) == 0
    assert figures(save) == [pytest.approx(row, abs=1e-6) for row in whole]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_signal_while_the_epoch_is_judged_does_not_wait(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = tmp_path / "run"
    signalled(monkeypatch, "validate", 4, signal.SIGTERM)
    assert train.main(flags(data, save)) == 143
    assert steps_saved(save) == 4
    assert not (save / "metrics.jsonl").exists()
    assert train.main(flags(data, save, "--resume")) == 0
    assert [row[0] for row in figures(save)] == [1, 2, 3]


def test_a_second_ctrl_c_ends_at_once(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save = tmp_path / "run"
    signalled(monkeypatch, "step", 6, signal.SIGINT, signal.SIGINT)
    assert train.main(flags(data, save)) == 130
    assert steps_saved(save) == 4  # as the last epoch left it
    assert not list(save.glob(".*part"))


def test_before_training_there_is_nothing_to_save(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(train, "prepare", lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    given = flags(data, tmp_path / "run")
    assert train.main(given) == 143
    said = capsys.readouterr().err
    assert "before there was anything to save" in said
    assert "--resume" not in said


TALKING = """
import sys
from training.fit.runtime.interruption import Interruption

with Interruption().watched() as interruption, interruption.held():
    print("held", flush=True)
    while not interruption.asked:
        pass
    print("saved", flush=True)
    print("how to go on", file=sys.stderr)
sys.exit(interruption.reason.status)
"""


def test_a_terminal_that_was_closed_does_not_keep_a_run_from_saving() -> None:
    terminal, its_other_end = os.openpty()
    run = subprocess.Popen(
        [sys.executable, "-c", TALKING], cwd=ROOT, stdout=subprocess.PIPE, stderr=its_other_end, text=True
    )
    with run:
        assert run.stdout is not None
        assert first_line(run) == "held\n"
        os.close(its_other_end)
        os.close(terminal)
        run.send_signal(signal.SIGHUP)
        assert run.stdout.read() == "saved\n"
    assert run.returncode == 129


def test_what_a_program_was_started_to_ignore_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interruption().watched() as interruption:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not interruption.asked
    finally:
        signal.signal(signal.SIGHUP, before)


def test_torchrun_may_pass_on_what_its_processes_have_got(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "1")
    with Interruption().watched() as interruption, interruption.held():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        assert interruption.asked
        interruption.first -= 60
        with pytest.raises(Interrupted):
            os.kill(os.getpid(), signal.SIGINT)


def test_processes_of_torchrun_stop_after_the_same_step(tmp_path: Path, data: Path) -> None:
    save = tmp_path / "run"
    script = tmp_path / "script.py"
    script.write_text(
        "import os, signal, sys\n"
        "from training import train\n"
        "from training.fit import trainer as engine\n"
        "step = engine.Trainer.step\n"
        "def stop(self, *given):\n"
        "    if self.progress.step == 5 and self.process.writes and '--resume' not in sys.argv:\n"
        "        os.kill(os.getppid(), signal.SIGTERM)\n"
        "    return step(self, *given)\n"
        "engine.Trainer.step = stop\n"
        "train.leave(train.main())\n"
    )
    # Enough steps for the signal to arrive through torchrun.
    options = flags(data, save, "--num_workers", "0", "--num_epochs", "1000", "--save_every", "0")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", str(script)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [*command, *options], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert ended.returncode != 0
    assert "another process has ended" not in ended.stderr
    assert "Unable to shutdown process" not in ended.stderr  # they end by themselves, before torchrun kills them
    assert "--nproc_per_node 2 -m training.train" in ended.stderr
    assert 5 < steps_saved(save) < 4000


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_workers_that_get_the_signal_too_do_not_break_the_step(
    tmp_path: Path, data: Path, number: int, status: int
) -> None:
    """A terminal sends Ctrl-C to the whole group, and a service manager sends SIGTERM."""
    save = tmp_path / "run"
    given = flags(
        data, save, "--num_workers", "2", "--num_epochs", "1000", "--save_every", "0", "--seed", str(2**63 - 1)
    )
    command = [sys.executable, "-m", "training.train", *given]
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True, stderr=subprocess.PIPE, text=True)
    try:
        eventually(lambda: (save / "metrics.jsonl").exists() or process.poll() is not None, 300)
        os.killpg(process.pid, number)
        _, said = process.communicate(timeout=300)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == status
    assert "Traceback" not in said
    assert said.rstrip().endswith("--resume")
    saved = torch.load(save / "last.pt", weights_only=True)
    assert saved["position"]["step"] >= 4
    assert saved["config"]["seed"] == 2**63 - 1


def test_a_worker_leaves_the_end_to_its_parent_and_torch() -> None:
    """Its parent may be gone for good, so the second SIGTERM ends it."""
    source = (
        "import os, signal\n"
        "from training.data.worker_signals import leave_to_main_process\n"
        "leave_to_main_process()\n"
        "for number in (signal.SIGINT, signal.SIGHUP, signal.SIGINT, signal.SIGTERM):\n"
        "    os.kill(os.getpid(), number)\n"
        "print('still here', flush=True)\n"
        "os.kill(os.getpid(), signal.SIGTERM)\n"
        "print('too long')\n"
    )
    ended = subprocess.run([sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == -signal.SIGTERM
    assert ended.stdout == "still here\n"
