"""Commands whose disk is full when they write: one line that names the file, and the old file stays.

The tests of annotate, training and uploads cover what those do then, partly by POSIX's limits.
"""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from demo.annotate import __main__ as annotate
from demo.benchmark import __main__ as benchmark
from slimnet import SlimNet, export
from tests.fakes import celeba, face_network
from tests.paths import ASSETS, PORTRAIT
from training import ask_teachers, calibrate, explain, face_teacher, model_card, refit, soup

ATTRIBUTES = ("Bangs", "Smiling", "Young")  # maps are judged by two that have a place in the face


def data_beside(weights: Path, sizes: dict[int, int] | None = None) -> Path:
    return celeba.with_columns(celeba.write(weights.parent / "data", sizes=sizes), *ATTRIBUTES)


def run_calibrate(weights: Path, out: Path) -> int:
    data = data_beside(weights, sizes={0: 2, 1: 12, 2: 2})
    options = ("--data_dir", str(data), "--device", "cpu", "--resamples", "10")
    return calibrate.main(["--weights", str(weights), "--out", str(out), *options])


def run_soup(weights: Path, out: Path) -> int:
    return soup.main(["--weights", str(weights), "--images", "0", "--out", str(out)])


def run_export(weights: Path, out: Path) -> int:
    return export.main(["--weights", str(weights), "--out", str(out)])


def run_refit(weights: Path, out: Path) -> int:
    data = data_beside(weights, sizes={0: 24, 1: 12})
    options = ("--data_dir", str(data), "--device", "cpu", "--attributes", "Smiling")
    return refit.main(["--weights", str(weights), "--out", str(out), *options])


def run_explain(weights: Path, out: Path) -> int:
    data = data_beside(weights, sizes={0: 2, 1: 30})
    options = ("--data_dir", str(data), "--faces", "10", "--changed_faces", "0", "--resamples", "10")
    return explain.main(["--weights", str(weights), "--out", str(out), *options])


def run_ask_teachers(weights: Path, out: Path) -> int:
    data, cache = data_beside(weights), weights.parent / "cache"
    options = ("--data_dir", str(data), "--cache_dir", str(cache), "--device", "cpu")
    return ask_teachers.main(["--teachers", str(weights), "--out", str(out), *options])


def run_face_teacher(weights: Path, out: Path) -> int:
    data, model = data_beside(weights), face_network.write(weights.parent)
    return face_teacher.main(["--model", str(model), "--data_dir", str(data), "--out", str(out), "--images", "8"])


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
        (run_export, "w.pt2"),
        (run_refit, "refit.safetensors"),
        (run_explain, "maps.json"),
        (run_ask_teachers, "teacher.csv"),
        (run_face_teacher, "teacher.safetensors"),
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
    SlimNet((4, 4, 8, 8), (8, 7, 2), 3, attributes=ATTRIBUTES).save(weights)
    out.parent.mkdir()
    old = (ASSETS / "README.md").read_bytes()  # it has the marks at which a model card is filled in
    out.write_bytes(old)

    def refuse_there(descriptor: int) -> None:  # elsewhere, as in the cache of pictures, there is room
        if os.fstat(descriptor).st_ino in {path.stat().st_ino for path in out.parent.iterdir()}:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(benchmark, "measure_load", lambda *_, **__: [])
    monkeypatch.setattr(os, "fsync", refuse_there)
    assert run(weights, out) != 0
    *_, last = capsys.readouterr().err.splitlines()
    assert "No space left on device" in last
    assert str(out) in last
    assert out.read_bytes() == old
    assert [path.name for path in out.parent.iterdir()] == [name]


def test_a_picture_of_why_that_finds_the_disk_full_is_named_and_the_run_goes_on_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "results.csv"
    command = [str(PORTRAIT), "--out", str(out), "--device", "cpu", "--why", "Smiling"]

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr(Image.Image, "save", refuse)
        assert annotate.main(command) == 1
    *_, last = capsys.readouterr().err.splitlines()
    assert f"{tmp_path / 'results-why'}{os.sep}" in last
    assert ".png cannot be written: No space left on device. The same command goes on" in last
    assert not list((tmp_path / "results-why").iterdir())
    assert annotate.main(command) == 0
    assert len(list((tmp_path / "results-why").iterdir())) == 1
    assert out.is_file()
