import shutil
from pathlib import Path

import pytest

from demo.batch.outcome import Outcome
from demo.batch.workers import WorkerError
from demo.benchmark.__main__ import main
from demo.benchmark.annotate import difference
from slimnet import SlimNet
from tests.paths import PORTRAIT


def outcome(x: str = "3", probability: str = "0.500000", failure: str | None = None) -> list[Outcome]:
    return [
        Outcome("a.jpg", [["a.jpg", "1", x, "4", "5", "6", "0.100000", probability]], failure),
        Outcome("b.jpg", [["b.jpg", "1", "3", "4", "5", "6", "0.100000", "0.900000"]]),
    ]


def test_only_probabilities_may_differ_a_little() -> None:
    assert difference(outcome(), outcome()) == 0
    assert difference(outcome(), outcome(probability="0.500002")) == pytest.approx(2e-6)
    assert difference(outcome(), outcome(x="2")) == float("inf")
    assert difference(outcome(), outcome(failure="damaged")) == float("inf")
    assert difference(outcome()[:1], outcome()) == float("inf")


def test_both_ways_are_measured_and_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    SlimNet().save(tmp_path / "untrained.safetensors")
    for name in "abc":
        shutil.copy(PORTRAIT, tmp_path / f"{name}.jpg")
    options = ["--pictures", "2", "--rounds", "1", "--workers", "1", "--device", "cpu"]
    assert main(["annotate", str(tmp_path), *options, "--weights", str(tmp_path / "untrained.safetensors")]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("2 pictures")
    for line in printed[2:4]:
        plain, ours, ratio = map(float, line.split()[-3:])
        assert plain > 0
        assert ours > 0
        assert ratio == pytest.approx(ours / plain, abs=0.1 * ratio + 0.02)
    assert printed[4] == "Largest difference of a probability: 0.000000"


def test_one_picture_is_too_few(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(PORTRAIT, tmp_path / "a.jpg")
    assert main(["annotate", str(tmp_path)]) == 2
    message = capsys.readouterr().err
    assert f"at least two pictures are needed to measure with, and 1 were taken from {tmp_path}\n" in message


def test_a_picture_that_cannot_be_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    SlimNet().save(tmp_path / "untrained.safetensors")
    shutil.copy(PORTRAIT, tmp_path / "a.jpg")
    (tmp_path / "b.jpg").touch()
    options = ["--rounds", "1", "--workers", "1", "--device", "cpu"]
    assert main(["annotate", str(tmp_path), *options, "--weights", str(tmp_path / "untrained.safetensors")]) == 2
    assert f"{tmp_path / 'b.jpg'}: 'b.jpg' is empty." in capsys.readouterr().err


def test_a_process_that_cannot_start_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise WorkerError("a process cannot be started")

    monkeypatch.setattr("demo.benchmark.__main__.report_annotate", fail)
    assert main(["annotate", str(tmp_path)]) == 2
    assert capsys.readouterr().err == "demo.benchmark: a process cannot be started\n"
