import re
from pathlib import Path

import pytest

from demo.benchmark.__main__ import main
from demo.benchmark.alignment import VARIANTS
from slimnet import SlimNet
from tests.fakes.celeba import write_portraits


def test_alignment_finds_the_face_however_it_is_distorted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_portraits(tmp_path)
    SlimNet().save(tmp_path / "untrained.safetensors")
    weights = str(tmp_path / "untrained.safetensors")
    command = ["alignment", "--data_dir", str(tmp_path), "--weights", weights, "--images", "2", "--device", "cpu"]
    assert main(command) == 0
    printed = capsys.readouterr().out
    for variant in VARIANTS:
        row = rf"^{re.escape(variant)} +2/2 +\d+\.\d\d +-?\d+\.\d\d +\d+\.\d\d$"
        assert re.search(row, printed, re.MULTILINE), variant
    assert main([*command, "--only", "scaled by 0."]) == 0
    printed = capsys.readouterr().out
    assert [variant for variant in VARIANTS if variant in printed] == ["scaled by 0.5", "scaled by 0.75"]
    assert main([*command, "--only", "upside down"]) == 2
    assert "no variant has 'upside down' in its name" in capsys.readouterr().err
