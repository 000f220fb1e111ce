"""What pip installs works on its own, away from the repository."""

import os
import subprocess
import sys
import urllib.request
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from demo.benchmark.server import PageServer
from tests.paths import PORTRAIT, ROOT

MAX_INSTALLED_BYTES = 10_000_000


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed this project, without its dependencies."""
    folder = tmp_path_factory.mktemp("installed")
    options = ("--no-deps", "--no-build-isolation", "--no-compile", "--quiet", "--disable-pip-version-check")
    subprocess.run([sys.executable, "-m", "pip", "install", *options, "--target", folder, ROOT], check=True)
    return folder


def environment(installed: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(installed)}


def run(installed: Path, folder: Path, name: str, *arguments: str) -> str:
    """Run an installed script in a folder; returns what it printed."""
    script = [sys.executable, str(installed / "bin" / name), *arguments]
    done = subprocess.run(script, cwd=folder, env=environment(installed), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_holds_every_file_that_runs_without_a_checkout(installed: Path) -> None:
    found = {path.relative_to(installed).as_posix() for path in installed.rglob("*") if path.is_file()}
    left_out = ("demo/benchmark/", "demo/deploy.py", "demo/prove_privacy/", "demo/publish/")
    for pattern in ("slimnet/**/*.py", "training/**/*.py", "demo/**/*.py", "demo/browser/**/*.*"):
        files = [path.relative_to(ROOT).as_posix() for path in ROOT.glob(pattern)]
        expected = {name for name in files if not name.startswith(left_out)}
        assert expected
        assert expected <= found
    assert not [name for name in found if name.startswith((*left_out, "tests", "assets", "app", "training/runs"))]
    assert sum((installed / name).stat().st_size for name in found) < MAX_INSTALLED_BYTES


def test_it_has_the_requirements(installed: Path) -> None:
    [package] = distributions(path=[str(installed)])
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    expected = {Requirement(line) for line in lines if not line.startswith("#")}
    assert {Requirement(line) for line in package.requires or ()} == expected


def test_pictures_are_annotated(installed: Path, tmp_path: Path) -> None:
    arguments = (str(PORTRAIT), "--out", "results.csv", "--device", "cpu", "--workers", "1")
    run(installed, tmp_path, "slimnet-annotate", *arguments)
    assert "eileen_collins.jpg,1," in (tmp_path / "results.csv").read_text(encoding="utf-8")


def test_a_data_set_is_made(installed: Path, tmp_path: Path) -> None:
    run(installed, tmp_path, "slimnet-dataset", str(PORTRAIT), "--out", "mine", "--workers", "1")
    assert [path.name for path in (tmp_path / "mine" / "img_align_celeba").iterdir()] == ["eileen_collins_face1.jpg"]


def test_training_shows_its_options(installed: Path, tmp_path: Path) -> None:
    assert "--data_dir" in run(installed, tmp_path, "slimnet-train", "--help")


def test_the_page_answers(installed: Path, tmp_path: Path) -> None:
    start = (str(installed / "bin" / "slimnet-faces"), "--device", "cpu")
    with PageServer(start, tmp_path, root=tmp_path, environment={"PYTHONPATH": str(installed)}) as page:
        with urllib.request.urlopen(page.url) as answer:
            assert "SlimNet Faces" in answer.read().decode()
        with urllib.request.urlopen(f"{page.url}config") as answer:
            told = answer.read().decode()
        assert "live-start" in told
        assert "npm ci" not in told  # there is nothing that it could install
        with urllib.request.urlopen(f"{page.url}gradio_api/page/preview.png") as answer:
            assert answer.read().startswith(b"\x89PNG")
