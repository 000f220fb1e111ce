import pytest

from demo.benchmark.options import parse_arguments


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


@pytest.mark.parametrize("arguments", ["--photos -1", "--pace -5", "--pace nan", "--pace fast", "--visitors 0"])
def test_nobody_and_nothing_cannot_be_served(arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parse_arguments(["load", *arguments.split()])
    assert end.value.code == 2
    assert arguments.split()[0] in capsys.readouterr().err


def test_load_comes_with_one_and_with_fifty_visitors_unless_told_otherwise() -> None:
    chosen = parse_arguments(["load"])
    assert (chosen.visitors, chosen.photos, chosen.pace) == ([1, 4, 16, 50], 0, None)


@pytest.mark.parametrize(
    ("arguments", "instead"),
    [
        ("load --capacity --visitors 4", "leave out --visitors"),
        ("load --capacity --photos 2", "leave out --visitors and --photos"),
        ("live --engine device --visitors 4", "add 1 to --visitors"),
    ],
)
def test_what_would_be_ignored_is_refused(arguments: str, instead: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(arguments.split())
    assert instead in capsys.readouterr().err


@pytest.mark.parametrize("command", ["alignment", "following", "conditions", "device"])
def test_no_pictures_cannot_be_measured(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_arguments([command, "--images", "0"])
    assert "--images" in capsys.readouterr().err


def test_attackers_have_no_more_addresses_than_their_network(capsys: pytest.CaptureFixture[str]) -> None:
    assert parse_arguments(["attack", "--addresses", "254"]).addresses == [254]
    with pytest.raises(SystemExit):
        parse_arguments(["attack", "--addresses", "255"])
    assert "255 is not a whole number from 1 to 254" in capsys.readouterr().err
