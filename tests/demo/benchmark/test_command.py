import pytest

from demo.benchmark import live
from demo.benchmark.__main__ import main, parse_arguments
from demo.benchmark.browser import ChromiumMissingError


def test_live_is_the_default_with_one_visitor_and_with_four() -> None:
    assert vars(parse_arguments([])) == vars(parse_arguments(["live"]))
    chosen = parse_arguments([])
    assert (chosen.command, chosen.visitors, chosen.json) == ("live", [1, 4], None)


@pytest.mark.parametrize("arguments", ["--seconds 0", "--seconds 1e9", "--visitors 0", "--visitors one", "--visitors"])
def test_a_number_that_cannot_be_is_refused(arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parse_arguments(["live", *arguments.split()])
    assert end.value.code == 2
    assert arguments.split()[0] in capsys.readouterr().err


def test_a_missing_browser_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(_: object) -> None:
        raise ChromiumMissingError("there is no Chromium")

    monkeypatch.setattr(live, "browser_before", missing)
    assert main(["live"]) == 2
    assert capsys.readouterr().err == "demo.benchmark: there is no Chromium\n"
