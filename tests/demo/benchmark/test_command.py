import pytest

from demo.benchmark import live
from demo.benchmark.__main__ import main
from demo.benchmark.browser import ChromiumMissingError


def test_a_missing_browser_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(_: object) -> None:
        raise ChromiumMissingError("there is no Chromium")

    monkeypatch.setattr(live, "browser_before", missing)
    assert main(["live"]) == 2
    assert capsys.readouterr().err == "demo.benchmark: there is no Chromium\n"
