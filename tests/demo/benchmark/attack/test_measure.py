"""An attack on a stand-in for the page."""

import json
import math
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from demo.benchmark.__main__ import main
from demo.benchmark.attack import measure
from demo.benchmark.attack.inputs import Attack
from demo.benchmark.load import visitors
from demo.benchmark.load.visitors import Panel
from demo.server.routes import PANELS_PATH
from tests.fakes.panel_page import PanelPage, faces
from tests.fakes.running import running

HARM = "harm"


class Page(PanelPage):
    """A stand-in for `demo.benchmark.server.PageServer`.

    Attributes:
        harmed: set once the attack has come; from then on a photo is told "busy" until it is its turn.
        asked: what the photo visitor has sent since then.
        answer_after_harm: the answer to a photo after that.
        place: its place in the line before.
        frames_before_harm: how many frames are answered before the attack is.
    """

    process = None
    log_bytes = 0

    def __init__(self) -> None:
        super().__init__(self.answer_call)
        self.harmed = threading.Event()
        self.asked: list[dict[str, Any]] = []
        self.answer_after_harm = faces()
        self.place = 1
        self.frames_before_harm = 0.0
        self._frames, self._another = 0, threading.Condition()

    def answer_call(self, function: str, message: dict[str, Any]) -> dict[str, Any]:
        if HARM in message:
            self.harmed.set()
            with self._another:
                self._another.wait_for(lambda: self._frames >= self.frames_before_harm)
            return {"error": "No."}
        with self._another:
            self._frames += function == "analyse_frame"
            self._another.notify_all()
        if function == "analyse_frame" or not self.harmed.is_set():
            return faces()
        self.asked.append(message)
        if "turn" in message:
            return {"turn": True}
        return {"busy": True, "seconds": 60.0, "place": self.place} if len(self.asked) == 1 else self.answer_after_harm


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    def attacks(_: Panel, photo: Panel) -> Iterator[Attack]:
        yield Attack("harm", PANELS_PATH, photo.body({HARM: True}), senders=3)

    with running(Page()) as server:
        monkeypatch.setattr(measure, "PageServer", lambda *_, **__: _Served(server))
        monkeypatch.setattr(measure, "make_attacks", attacks)
        monkeypatch.setattr(measure, "_SETTLE_SECONDS", 0.2)
        yield server


class _Served:
    def __init__(self, page: Page) -> None:
        self._page = page

    def __enter__(self) -> Page:
        return self._page

    def __exit__(self, *_: object) -> None:
        pass


def attack(tmp_path: Path, addresses: int = 2) -> tuple[int, dict[str, Any]]:
    file = tmp_path / "attack.json"
    status = main(["attack", "--seconds", "1", "--addresses", str(addresses), "--json", str(file)])
    [figures] = json.loads(file.read_text(encoding="utf-8"))
    return status, figures


def waits_are_counted_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each thread a clock on which only a visitor's waiting takes time, and that takes none."""
    clock = threading.local()

    def now() -> float:
        return getattr(clock, "now", 0.0)

    def wait(seconds: float) -> None:
        clock.now = now() + seconds

    monkeypatch.setattr(visitors, "time", SimpleNamespace(monotonic=now, sleep=wait))
    monkeypatch.setattr(measure, "time", SimpleNamespace(monotonic=now, sleep=time.sleep))


def test_honest_visitors_go_on_and_their_waits_count_from_the_first_sending(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    waits_are_counted_instead(monkeypatch)
    page.place = 5  # of half a second each
    status, figures = attack(tmp_path)
    assert status == 0
    assert figures["answers"]["200"] >= 3
    assert page.addresses == {"203.0.113.1", "203.0.113.2", "198.51.100.1"}
    assert ["turn" in message for message in page.asked[:3]] == [False, True, False]
    assert figures["longest_photo_wait"] == 2.5  # it came back early, though it was told 60 s
    assert figures["longest_frame_wait"] == 0
    assert "harm (" in capsys.readouterr().out


def test_a_wrong_answer_is_told_and_ends_with_status_1(page: Page, tmp_path: Path) -> None:
    page.answer_after_harm = faces(smiling=0.2)
    status, figures = attack(tmp_path)
    assert status == 1
    assert figures["failures"] == ["other probabilities"]


@pytest.mark.usefixtures("page")
def test_an_answer_that_comes_too_late_is_status_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "MAX_WAIT_SECONDS", 0.4)
    assert attack(tmp_path)[0] == 1


def test_an_attack_comes_from_as_many_addresses_as_it_says_itself(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def attacks(_: Panel, photo: Panel) -> Iterator[Attack]:
        yield Attack("harm", PANELS_PATH, photo.body({HARM: True}), senders=3, addresses=(1, 3))

    monkeypatch.setattr(measure, "make_attacks", attacks)
    file = tmp_path / "attack.json"
    main(["attack", "--seconds", "1", "--addresses", "2", "--json", str(file)])
    assert [row["addresses"] for row in json.loads(file.read_text(encoding="utf-8"))] == [1, 3]
    assert page.addresses == {"203.0.113.1", "203.0.113.2", "203.0.113.3", "198.51.100.1"}


def test_a_page_that_gives_an_honest_visitor_no_faces_cannot_be_measured(
    page: Page, capsys: pytest.CaptureFixture[str]
) -> None:
    page.answer = lambda *_: {"error": "No."}
    assert main(["attack", "--seconds", "1"]) == 2
    assert "the page gave a lone visitor no faces: {'error': 'No.'}" in capsys.readouterr().err


@pytest.mark.usefixtures("page")
def test_no_more_addresses_are_recorded_than_there_are_senders(tmp_path: Path) -> None:
    assert attack(tmp_path, addresses=200)[1]["addresses"] == 3


def test_an_attack_goes_on_until_each_sender_has_an_answer(page: Page, tmp_path: Path) -> None:
    page.frames_before_harm = 30  # at most 10 come in a second
    status, figures = attack(tmp_path)
    assert figures["answers"]["200"] >= 3
    assert figures["seconds"] > 1
    assert status == 0


def test_an_attack_that_gets_no_answer_is_status_1(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(measure, "MAX_ATTACK_SECONDS", 1.5)
    page.frames_before_harm = math.inf
    status, figures = attack(tmp_path)
    assert (status, figures["answers"], figures["failures"]) == (1, {}, [])
    assert "NOT MEASURED: none was answered in " in capsys.readouterr().out


@pytest.mark.usefixtures("page")
def test_requests_that_do_not_end_need_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def attacks(_: Panel, photo: Panel) -> Iterator[Attack]:
        yield Attack("harm", PANELS_PATH, photo.body({HARM: True}), missing_bytes=1, senders=3)

    monkeypatch.setattr(measure, "make_attacks", attacks)
    status, figures = attack(tmp_path)
    assert (status, figures["answers"], figures["ends"]) == (0, {}, False)
    assert figures["seconds"] < measure.MAX_ATTACK_SECONDS
