"""Commands whose disk is full when they write: one line that names the file, and the old file stays.

What annotate, training and an upload do then is tested with their own modules, some of it by POSIX's limits.
"""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from demo.benchmark import __main__ as benchmark
from slimnet import SlimNet, export
from tests.fakes import celeba
from tests.paths import ASSETS
from training import calibrate, model_card, soup


def run_calibrate(weights: Path, out: Path) -> int:
    data = celeba.write(weights.parent / "data", sizes={0: 2, 1: 12, 2: 2})
    options = ("--data_dir", str(data), "--device", "cpu", "--resamples", "10")
    return calibrate.main(["--weights", str(weights), "--out", str(out), *options])


def run_soup(weights: Path, out: Path) -> int:
    return soup.main(["--weights", str(weights), "--images", "0", "--out", str(out)])


def run_export(weights: Path, out: Path) -> int:
    return export.main(["--weights", str(weights), "--out", str(out)])


def run_model_card(_: Path, out: Path) -> int:
    return model_card.main([str(out), "--evaluation", str(ASSETS / "evaluation")])


def run_benchmark(_: Path, out: Path) -> int:
    return benchmark.main(["load", "--json", str(out)])


@pytest.mark.parametrize(
    ("run", "name"),
    [
        (run_calibrate, "w.safetensors"),
        (run_soup, "soup.pth"),
        (run_export, "w.onnx"),
        (run_model_card, "card.md"),
        (run_benchmark, "load.json"),
    ],
)
def test_a_full_disk_is_one_line_and_the_old_file_stays(
    run: Callable[[Path, Path], int],
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    weights, out = tmp_path / "given.safetensors", tmp_path / "out" / name
    SlimNet((4,), (4, 7, 2), 3, attributes=celeba.ATTRIBUTES).save(weights)
    out.parent.mkdir()
    old = (ASSETS / "README.md").read_bytes()  # which has the marks that a model card is filled in at
    out.write_bytes(old)

    def refuse(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(benchmark, "measure_load", lambda *_, **__: [])
    monkeypatch.setattr(os, "fsync", refuse)
    assert run(weights, out) != 0
    *_, last = capsys.readouterr().err.splitlines()
    assert "No space left on device" in last
    assert str(out) in last
    assert out.read_bytes() == old
    assert [path.name for path in out.parent.iterdir()] == [name]
