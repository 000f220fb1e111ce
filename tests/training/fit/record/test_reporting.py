import sys

import pytest

from training.fit.record.reporting import ProgressLog, scalars
from training.fit.record.run_state import Progress


def at(seconds: float, step: int, epoch: int = 0, batch: int | None = None) -> Progress:
    batch = step if batch is None else batch
    return Progress(epoch=epoch, batch=batch, step=step, images=10 * step, loss_sum=0.5 * batch, seconds=seconds)


def test_a_line_a_minute_tells_place_loss_rate_and_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    log = ProgressLog(writes=True, steps_per_epoch=1000)
    log.begin("training", at(0, 0), 0.0)
    for seconds in range(0, 125, 5):
        log.step(at(seconds, 20 * seconds), seconds / 36_000)
    assert capsys.readouterr().err.splitlines() == [
        "training",
        "epoch 1, step 1,200 of 1,000: loss 0.5000, 200 images/s, 9 h 59 min left",
        "epoch 1, step 2,400 of 1,000: loss 0.5000, 200 images/s, 9 h 58 min left",
    ]


def test_the_rate_of_a_resumed_run_counts_from_where_it_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    log = ProgressLog(writes=True, steps_per_epoch=100)
    log.begin("training", at(3600, 150, epoch=1, batch=50), 0.5)
    log.step(at(3660, 162, epoch=1, batch=62), 0.51)
    assert capsys.readouterr().err.splitlines() == [
        "training; going on after step 150",
        "epoch 2, step 62 of 100: loss 0.5000, 2 images/s, 49 min left",
    ]


def test_validation_does_not_count_as_time_of_training(capsys: pytest.CaptureFixture[str]) -> None:
    log = ProgressLog(writes=True, steps_per_epoch=100)
    log.begin("training", at(0, 0), 0.0)
    log.step(at(50, 100), 0.1)
    log.leave_out(100, 0.2)
    log.step(at(160, 120, epoch=1, batch=20), 0.32)
    assert capsys.readouterr().err.splitlines() == [
        "training",
        "epoch 2, step 20 of 100: loss 0.5000, 20 images/s, 6 min left",
    ]


@pytest.mark.parametrize(("writes", "terminal"), [(False, False), (True, True)])
def test_a_terminal_and_the_other_processes_get_no_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, writes: bool, terminal: bool
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    log = ProgressLog(writes, steps_per_epoch=100)
    log.begin("training", at(0, 0), 0.0)
    log.step(at(100, 10), 0.1)
    assert capsys.readouterr().err == ""


def test_tensorboard_gets_what_is_defined_with_attributes_in_their_own_group() -> None:
    metrics = {"valid/f1": None, "minutes": 2.0, "valid/attributes": {"Male": {"f1": 0.5, "accuracy": None}}}
    assert dict(scalars(metrics)) == {"minutes": 2.0, "valid attributes/Male/f1": 0.5}
