import re
from pathlib import Path
from typing import Any

import pytest

from demo.benchmark.__main__ import main
from demo.pipeline.detect import FaceFinder
from slimnet import SlimNet
from tests.fakes.celeba import write_portraits


def test_the_film_ends_with_a_face_that_was_followed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_portraits(tmp_path)
    SlimNet().save(tmp_path / "untrained.safetensors")
    found = []
    find = FaceFinder.find

    def noted(*given: Any, **named: Any) -> Any:
        found.append(1)
        return find(*given, **named)

    monkeypatch.setattr(FaceFinder, "find", noted)
    weights = str(tmp_path / "untrained.safetensors")
    command = ["following", "--data_dir", str(tmp_path), "--weights", weights, "--images", "2", "--device", "cpu"]
    assert main(command) == 0
    assert len(found) == 4  # the first frame of each film, and its last once more
    printed = capsys.readouterr().out
    assert "2 of 2 films of 6 frames; 0 faces were lost" in printed
    assert re.search(r"found in each frame \d+\.\d\d %, followed \d+\.\d\d %, loss -?\d+\.\d\d", printed)
