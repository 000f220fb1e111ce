import pytest

from demo.benchmark import live
from demo.benchmark.__main__ import main
from demo.benchmark.browser import ChromiumMissingError
from tests.paths import ROOT


def test_a_missing_browser_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(_: object) -> None:
        raise ChromiumMissingError("there is no Chromium")

    monkeypatch.setattr(live, "browser_before", missing)
    assert main(["live"]) == 2
    assert capsys.readouterr().err == "demo.benchmark: there is no Chromium\n"


@pytest.mark.parametrize("arguments", [["alignment", "--weights", str(ROOT / "README.md")], ["load", "--url", "x"]])
def test_what_cannot_be_measured_is_one_clear_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    message = capsys.readouterr().err
    assert message.startswith("demo.benchmark: ")
    assert arguments[-1] in message
    assert message.count("\n") == 1
