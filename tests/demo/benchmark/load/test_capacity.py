import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.benchmark.__main__ import main
from demo.benchmark.load.capacity import largest, serves
from demo.benchmark.load.measure import Load
from tests.fakes.panel_page import PanelPage, faces
from tests.fakes.running import running

SERVED = 3


def answer(_function: str, message: dict[str, Any]) -> dict[str, Any]:
    """The answer of a page that has no place for the fourth live visitor, nor for later ones."""
    number = message.get("visitor", "").removeprefix("visitor ")
    if number.isdecimal() and int(number) >= SERVED and not message.get("leave"):
        return {"busy": True, "seconds": 0.01}
    return faces()


@pytest.fixture
def page() -> Iterator[PanelPage]:
    with running(PanelPage(answer)) as server:
        yield server


def test_the_largest_crowd_that_is_served_is_found_and_told_in_one_line(
    page: PanelPage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "capacity.json"
    command = ["load", "--capacity", "--pace", "0.5", "--seconds", "2", "--url", page.url, "--json", str(file)]
    assert main(command) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    figures = json.loads(file.read_text(encoding="utf-8"))
    assert [len(load["live"]) for load in figures["tried"]] == [1, 2, 4, 3, 0]
    assert figures["live"] == SERVED
    assert figures["photos"] > 0
    assert last == (
        "a page elsewhere: 3 live visitors at 0.475 of 0.5 frames/s each or more, and no photos; "
        f"or {figures['photos']:.1f} photos/s, and no live visitors"
    )


def test_a_capacity_for_photos_is_status_1_where_somebody_gets_none(capsys: pytest.CaptureFixture[str]) -> None:
    def starves(function: str, message: dict[str, Any]) -> dict[str, Any]:
        is_starved = message["visitor"] in {"photo visitor 1", "visitor 1"}
        return {"busy": True, "seconds": 0.01} if is_starved else answer(function, message)

    with running(PanelPage(starves)) as page:
        assert main(["load", "--capacity", "--pace", "1", "--seconds", "1", "--url", page.url]) == 1
    assert ": 1 live visitor at 0.95 of 1 frames/s each or more" in capsys.readouterr().out


@pytest.mark.parametrize("served", [0, 1, 2, 5, 8, 9, 20])
def test_the_search_ends_at_the_largest_number_that_is_served(served: int) -> None:
    asked: list[int] = []

    def is_served(number: int) -> bool:
        asked.append(number)
        return number <= served

    assert largest(is_served, 9) == min(served, 9)
    assert len(asked) == len(set(asked))
    assert max(asked) <= 9


def load(*live: int, failures: dict[str, int] | None = None) -> Load:
    return Load(2, 10.0, 10.0, 1.0, live, (), None, None, 0, failures or {}, None, None)


def test_a_crowd_is_served_where_the_median_gets_the_pace_and_nobody_far_less() -> None:
    assert serves(load(100, 96, 70))
    assert not serves(load(100, 94, 70))
    assert not serves(load(100, 100, 55))
    assert not serves(load(100, failures={"status 500": 1}))
