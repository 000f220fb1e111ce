import hashlib
import json
from pathlib import Path

import pytest
import torch

from slimnet import SlimNet
from tests.fakes import celeba
from tests.training.train.runs import flags
from training import train
from training.data.celeba import read_celeba


def write_answers(teacher: Path, data: Path, probability: float) -> None:
    """Write a teacher's table that says the same about every training picture."""
    names = [path.name for path in read_celeba(data)["train"].paths]
    teacher.parent.mkdir(exist_ok=True)
    teacher.write_text("file,Second\n" + "".join(f"{name},{probability}\n" for name in names))


def test_a_run_knows_its_teachers_and_initial_weights_by_what_they_hold(tmp_path: Path, data: Path) -> None:
    teacher, first, save = tmp_path / "deep" / "teacher.csv", tmp_path / "first.safetensors", tmp_path / "run"
    write_answers(teacher, data, 0.7)
    SlimNet((4, 8), (8, 7, 2), 3, attributes=celeba.ATTRIBUTES).save(first)
    expected = {
        "teachers": [{"file": "teacher.csv", "sha256": hashlib.sha256(teacher.read_bytes()).hexdigest()}],
        "init_from": {"file": "first.safetensors", "sha256": hashlib.sha256(first.read_bytes()).hexdigest()},
    }
    options = flags(data, save, "--teachers", str(teacher), "--init_from", str(first))
    assert train.main([*options, "--num_epochs", "1"]) == 0
    first.unlink()  # going on does not need it
    assert train.main([*options, "--num_epochs", "2", "--resume"]) == 0
    assert json.loads((save / "config.json").read_text())["files"] == expected
    assert torch.load(save / "last.pt", weights_only=True)["files"] == expected
    made = SlimNet.load_pretrained(save / "last.safetensors").provenance
    assert made is not None
    assert made["files"] == expected


def test_a_run_does_not_go_on_with_a_teacher_that_was_written_again(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    teacher, save = tmp_path / "teacher.csv", tmp_path / "run"
    write_answers(teacher, data, 0.7)
    former = teacher.read_bytes()
    options = flags(data, save, "--teachers", str(teacher))
    assert train.main([*options, "--num_epochs", "1"]) == 0
    write_answers(teacher, data, 0.2)
    with monkeypatch.context() as patched:
        patched.setattr(train, "prepare", lambda *_: pytest.fail("the minutes of work began"))
        assert train.main([*options, "--num_epochs", "2", "--resume"]) == 1
    said = capsys.readouterr().err
    assert f"the teacher {teacher} is no longer the file that the run in {save} learns from" in said
    assert f"--init_from {save / 'last.safetensors'}" in said
    teacher.write_bytes(former)
    assert train.main([*options, "--num_epochs", "2", "--resume"]) == 0


def test_a_run_from_before_teachers_were_known_by_what_they_hold_goes_on(tmp_path: Path, data: Path) -> None:
    teacher, save = tmp_path / "teacher.csv", tmp_path / "run"
    write_answers(teacher, data, 0.7)
    options = flags(data, save, "--teachers", str(teacher))
    assert train.main([*options, "--num_epochs", "1"]) == 0
    state = torch.load(save / "last.pt", weights_only=True)
    del state["files"]
    torch.save(state, save / "last.pt")
    write_answers(teacher, data, 0.2)
    assert train.main([*options, "--num_epochs", "2", "--resume"]) == 0
    (known,) = torch.load(save / "last.pt", weights_only=True)["files"]["teachers"]
    assert known["sha256"] == hashlib.sha256(teacher.read_bytes()).hexdigest()  # recorded from now on
