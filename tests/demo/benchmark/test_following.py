import re
from pathlib import Path
from typing import Any

import pytest

from demo.benchmark.__main__ import main
from demo.pipeline.detect import FaceFinder
from slimnet import SlimNet
from tests.fakes.celeba import write_portraits


def test_the_films_end_with_a_face_that_was_followed_at_each_pace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_portraits(tmp_path)
    SlimNet().save(tmp_path / "untrained.safetensors")
    found, landmarked = [], []
    find, follow = FaceFinder.find_in_camera_frame, FaceFinder.follow

    def noted(*given: Any, **named: Any) -> Any:
        found.append(1)
        return find(*given, **named)

    def noted_follow(*given: Any) -> Any:
        landmarked.append(1)
        return follow(*given)

    monkeypatch.setattr(FaceFinder, "find_in_camera_frame", noted)
    monkeypatch.setattr(FaceFinder, "follow", noted_follow)
    weights = str(tmp_path / "untrained.safetensors")
    command = ["following", "--data_dir", str(tmp_path), "--weights", weights, "--images", "1", "--device", "cpu"]
    assert main(command) == 0
    assert len(found) == 6  # the first frame of each film, and its last again
    assert len(landmarked) <= 9  # the second frame of each film, and hardly any later one
    printed = capsys.readouterr().out
    for pace in ("30 frames a second, 0 others", "10 frames a second, 8 others", "3 frames a second, 31 others"):
        assert f"{pace} waiting: 1 of 1 films of" in printed
    figures = r"found in each frame \d+\.\d\d %, followed \d+\.\d\d %, loss -?\d+\.\d\d \(standard error \d+\.\d\d\)"
    assert len(re.findall(figures, printed)) == 3
