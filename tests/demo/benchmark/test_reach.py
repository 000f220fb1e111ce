import pytest

from demo.benchmark import reach
from demo.benchmark.__main__ import main


def test_reach_prints_the_share_found_by_height(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reach, "FRAMES", ((640, 480),))
    monkeypatch.setattr(reach, "HEIGHTS", (6, 40, 90))
    assert main(["reach"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "       frame    6   40   90",
        "     640x480    0  100  100",
    ]
