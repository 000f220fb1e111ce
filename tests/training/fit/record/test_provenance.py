import subprocess
from pathlib import Path

import pytest

from slimnet import transform
from tests.fakes import celeba
from tests.paths import ROOT
from training.data.cache import LabelledPictures, decoded
from training.data.celeba import read_celeba
from training.data.folders import RunData
from training.fit.config import TrainConfig
from training.fit.record.provenance import provenance, run_description


def data(tmp_path: Path) -> RunData:
    splits = read_celeba(celeba.write(tmp_path / "data"))
    return RunData.of(
        *(
            LabelledPictures(decoded(splits[name], tmp_path / "cache", transform, 1), splits[name])
            for name in ("train", "valid")
        )
    )


def test_the_commit_is_that_of_this_code_and_absent_where_git_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = data(tmp_path)
    asked = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    found = run_description(TrainConfig(), there, {})
    assert found.get("commit") == (asked.stdout.strip() or None)
    assert ("modified" in found) == ("commit" in found)
    monkeypatch.setenv("PATH", str(tmp_path))
    without = run_description(TrainConfig(), there, {})
    assert without == {name: found[name] for name in ("settings", "data")}


def test_weights_carry_the_settings_that_decide_and_no_path(tmp_path: Path) -> None:
    config = TrainConfig(
        data_dir=("/home/me/data",), save_dir="/home/me/run", cache_dir="/home/me/cache", device="cpu", save_every=9,
        teachers=("/home/me/a.safetensors", "b.csv"), teacher_share=0.7, init_from="/home/me/c.safetensors", seed=3,
    )  # fmt: skip
    there, files = data(tmp_path), {"init_from": {"file": "c.safetensors", "sha256": "0"}}
    assert provenance(run_description(config, there, files)) == {
        **run_description(config, there, {}),
        "files": files,
        "settings": {
            "teachers": ["a.safetensors", "b.csv"], "teacher_share": 0.7, "init_from": "c.safetensors", "seed": 3,
        },
        "data": there.fingerprint(),
    }  # fmt: skip
