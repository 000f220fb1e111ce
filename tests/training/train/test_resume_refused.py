import os
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.train.runs import flags
from training import train


def test_a_run_is_never_written_over(data: Path, finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train.main(flags(data, finished, "--num_epochs", "1")) == 1
    assert "--resume" in capsys.readouterr().err


def test_best_weights_of_an_earlier_run_are_not_replaced(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save = tmp_path / "run"
    save.mkdir()
    (save / "best.safetensors").write_bytes(b"of an earlier run")
    assert train.main(flags(data, save, "--num_epochs", "1")) == 1
    assert "best.safetensors of an earlier run" in capsys.readouterr().err
    assert (save / "best.safetensors").read_bytes() == b"of an earlier run"


def test_resuming_with_other_settings_is_refused(
    tmp_path: Path, data: Path, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train.main(flags(data, finished, "--num_epochs", "2", "--seed", "5", "--resume")) == 1
    assert "--seed was 0, is 5" in capsys.readouterr().err
    assert train.main(flags(data, tmp_path / "none", "--resume")) == 1
    assert "last.pt is missing" in capsys.readouterr().err


def test_a_run_by_a_flag_that_is_gone_does_not_go_on_without_it(
    data: Path, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = torch.load(finished / "last.pt", weights_only=True)
    for loss, status in (("focal", 1), ("cross_entropy", 0)):
        torch.save({**state, "config": {**state["config"], "loss": loss}}, finished / "last.pt")
        assert train.main(flags(data, finished, "--num_epochs", "1", "--resume")) == status
    assert "other settings: --loss was focal, is gone" in capsys.readouterr().err


def test_resuming_on_other_labels_is_refused(data: Path, finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = data / "list_attr_celeba.csv"
    head, first, *rows = table.read_text().splitlines()
    flipped = first.replace("-1", "x").replace("1", "-1").replace("x", "1") if ",1" in first else first[:-2] + "1"
    table.write_text("\n".join([head, f"{first.split(',')[0]},{flipped.split(',', 1)[1]}", *rows]) + "\n")
    assert train.main(flags(data, finished, "--num_epochs", "1", "--resume")) == 1
    assert "other pictures or labels" in capsys.readouterr().err


def test_resuming_with_another_validation_split_is_refused(
    data: Path, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = data / "list_eval_partition.csv"
    table.write_text(table.read_text().replace(",1\n", ",2\n", 1))
    assert train.main(flags(data, finished, "--num_epochs", "1", "--resume")) == 1
    assert "chosen on other validation pictures" in capsys.readouterr().err


@pytest.mark.parametrize("size", [0, 100, 5000])
def test_a_cut_checkpoint_is_said_to_be_so(
    data: Path, finished: Path, capsys: pytest.CaptureFixture[str], size: int
) -> None:
    os.truncate(finished / "last.pt", size)
    assert train.main(flags(data, finished, "--num_epochs", "1", "--resume")) == 1
    (said,) = [line for line in capsys.readouterr().err.splitlines() if "last.pt" in line]
    assert f"last.pt is cut off, at {size:,} bytes" in said
    assert f"--init_from {finished / 'last.safetensors'}" in said


def test_a_command_for_windows_is_quoted_for_its_shell(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: Any) -> None:
        monkeypatch.setattr(sys, "platform", "win32")
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "prepare", stop)
    save = tmp_path / "with a space"
    assert train.main(flags(data, save)) == 130
    assert f'--save_dir "{save}"' in capsys.readouterr().err
