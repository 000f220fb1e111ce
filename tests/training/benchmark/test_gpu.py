import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import celeba
from training.benchmark import gpu

SMALL = "--filter_counts 4 8 --conv_filters 8 --num_classes 3 --batch_size 4 --num_workers 0".split()


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The command's options for a small part of each measurement."""
    monkeypatch.setattr(gpu, "_BATCHES", (1,))
    monkeypatch.setattr(gpu, "_CPU_SETTINGS", (("device", 4, False),))
    data = celeba.write(tmp_path / "data")
    options = "--device cpu --minutes 0.01 --pictures 8 --steps 1".split()
    return [*options, "--data_dir", str(data), "--cache_dir", str(tmp_path / "cache"), "--out", str(tmp_path / "out")]


def found(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "gpu.json").read_text())


def test_all_measurements_run_and_write_only_small_files(tmp_path: Path, given: list[str]) -> None:
    assert gpu.main([*given, "--", *SMALL]) == 0
    report = found(tmp_path / "out")
    parts = "machine", "same answers as the CPU", "crops a second, 1 at once", "training speed", "fastest settings"
    assert tuple(report) == (*parts, "training")
    assert report["crops a second, 1 at once"]["found"] > 0
    assert report["training speed"]["found"][0]["pictures_on"] == "device"
    assert report["training"]["found"]["images_per_second"] > 0
    # Training uses the settings that were measured as fastest, except those that were given.
    flags = report["training"]["found"]["flags"]
    assert flags[:2] == ["--pictures_on", "device"]
    assert "--no-channels_last" in flags
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(files) <= 8
    assert max(path.stat().st_size for path in files) <= 16 * 2**20
    assert max(len(path.relative_to(tmp_path / "out").parts) for path in files) <= 3
    given[given.index("--minutes") + 1] = "0.02"
    assert gpu.main([*given, "--", *SMALL, "--resume"]) == 0  # with the fastest settings
    assert found(tmp_path / "out")["training"]["found"]["epoch"] >= report["training"]["found"]["epoch"]


def test_a_part_that_fails_is_named_and_does_not_stop_the_next(
    tmp_path: Path, given: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert gpu.main([*given, "--weights", str(tmp_path / "none.pth"), "--", *SMALL]) == 1
    report = found(tmp_path / "out")
    assert "none.pth" in report["same answers as the CPU"]["error"]
    assert "none.pth" in capsys.readouterr().out
    assert report["training"]["found"]["epoch"] >= 1


def test_a_wrong_flag_of_training_is_told_before_anything_is_measured(tmp_path: Path, given: list[str]) -> None:
    with pytest.raises(SystemExit):
        gpu.main([*given, "--", "--no_such_flag"])
    assert not (tmp_path / "out").exists()


def test_another_run_in_its_folder_is_told_before_anything_is_measured(
    tmp_path: Path, given: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out" / "run").mkdir(parents=True)
    (tmp_path / "out" / "run" / "last.pt").touch()
    assert gpu.main([*given, "--", *SMALL]) == 1
    assert "run holds a run: go on with it by --resume after --" in capsys.readouterr().err
    assert not (tmp_path / "out" / "gpu.json").exists()


def test_a_folder_that_cannot_be_made_is_named(
    tmp_path: Path, given: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").write_text("a file")
    assert gpu.main([*given, "--", *SMALL]) == 1
    assert f"training.benchmark.gpu: [Errno 17] File exists: '{tmp_path / 'out'}'" in capsys.readouterr().err
