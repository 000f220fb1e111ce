import json
import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from demo.benchmark.__main__ import main
from demo.benchmark.load import measure
from demo.benchmark.load.measure import Load, ServerState, frame_fault, load_lines, photo_fault, server_state
from demo.benchmark.report import Spread
from demo.benchmark.server import NotServedError
from tests.fakes.panel_page import PanelPage, faces
from tests.fakes.running import running


class Page(PanelPage):
    """Turns some calls away; with `wrong`, every tenth live answer is about another face.

    A photo is turned away at first, unless the visitor is alone.

    Attributes:
        calls: how many live frames came.
        crops: how many of them ask for a face's aligned picture.
        photo_calls: what visitors who are not alone sent to the photo panel, "picture" or "turn".
        left: who has left.
    """

    def __init__(self, *, wrong: bool) -> None:
        super().__init__(self.answer_call)
        self.wrong = wrong
        self.calls = self.crops = 0
        self.photo_calls: list[str] = []
        self.left: set[str] = set()
        self.lock = threading.Lock()

    def answer_call(self, function: str, message: dict[str, Any]) -> dict[str, Any]:
        if function == "analyse_photo":
            return self.answer_photo(message)
        if message.get("leave"):
            self.left.add(message["visitor"])
            return {}
        with self.lock:
            self.calls += 1
            self.crops += message["crop"] is not None
            number = self.calls
        if message["visitor"] == "alone":
            return faces()
        if number % 10 == 1:
            return {"busy": True, "seconds": 0.01}
        return faces((300, 300, 100, 100)) if self.wrong and number % 10 == 2 else faces()

    def answer_photo(self, message: dict[str, Any]) -> dict[str, Any]:
        if message["visitor"] != "alone":
            self.photo_calls.append("turn" if message.get("turn") else "picture")
            if message.get("turn"):
                return {"turn": True}
            if self.photo_calls[-2:-1] != ["turn"]:
                return {"busy": True, "error": "Many photos are waiting.", "place": 1, "seconds": 0.01}
        return faces((1, 2, 30, 40))


@pytest.fixture(params=[False, True], ids=["right", "wrong"])
def page(request: pytest.FixtureRequest) -> Iterator[Page]:
    with running(Page(wrong=request.param)) as server:
        yield server


def test_a_crowd_is_counted_and_its_answers_are_checked(
    page: Page, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "load.json"
    command = ["load", "--visitors", "2", "--photos", "1", "--pace", "100", "--seconds", "1", "--url", page.url]
    status = main([*command, "--json", str(file)])
    [figures] = json.loads(file.read_text(encoding="utf-8"))
    printed = capsys.readouterr().out
    assert len(figures["live"]) == 2
    assert sum(figures["live"]) > 0
    assert sum(figures["photos"]) > 0
    assert figures["turned_away"] > 0
    assert "2 live visitors at" in printed
    assert " photos/s" in printed
    assert "1 face each" in printed
    assert figures["faces"] == 1
    assert page.left >= {"visitor 0", "visitor 1"}
    if page.wrong:
        assert status == 1
        assert figures["failures"]["a face at another place"] > 0
    else:
        assert figures["failures"] == {}


@pytest.mark.parametrize("function", ["analyse_frame", "analyse_photo"])
def test_a_page_that_gives_a_lone_visitor_no_faces_cannot_be_measured(
    function: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(PanelPage(lambda called, _: {"error": "No."} if called == function else faces())) as page:
        assert main(["load", "--visitors", "1", "--seconds", "1", "--url", page.url]) == 2
    assert capsys.readouterr().err.endswith("the page gave a lone visitor no faces: {'error': 'No.'}\n")


def test_a_lone_visitor_who_is_turned_away_comes_again() -> None:
    turned_away: set[str] = set()

    def busy_at_first(function: str, message: dict[str, Any]) -> dict[str, Any]:
        if function in turned_away or message["visitor"] != "alone":
            return {"turn": True} if "turn" in message else faces()
        turned_away.add(function)
        return {"busy": True, "seconds": 0.01}

    with running(PanelPage(busy_at_first)) as page:
        assert main(["load", "--visitors", "1", "--photos", "1", "--seconds", "1", "--url", page.url]) == 0
    assert len(turned_away) == 2


@pytest.mark.parametrize("page", [False], indirect=True)
def test_a_crowd_behaves_as_the_page_does(page: Page) -> None:
    assert main(["load", "--visitors", "1", "--photos", "1", "--seconds", "1", "--url", page.url]) == 0
    assert page.photo_calls[:6] == ["picture", "turn", "picture"] * 2
    assert 1 <= page.crops <= 11, "of a face's aligned picture: ten a second"


def test_a_photo_visitor_who_gets_nothing_is_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    def answer(_: str, message: dict[str, Any]) -> dict[str, Any]:
        return {"busy": True, "seconds": 0.05} if message["visitor"] == "photo visitor 1" else faces()

    with running(PanelPage(answer)) as page:
        assert main(["load", "--visitors", "0", "--photos", "3", "--seconds", "1", "--url", page.url]) == 1
    printed = capsys.readouterr().out
    assert "  the photo visitor with fewest photos got 0.00 of the median\n" in printed
    assert "  wrong answers: none; turned away" in printed


@pytest.mark.parametrize(
    ("options", "copies", "one_face"), [((), None, False), (("--copies", "3", "--one_face"), 3, True)]
)
def test_copies_and_one_face_reach_the_served_page(
    options: tuple[str, ...], copies: int | None, one_face: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def served(*given: Any, **named: Any) -> AbstractContextManager[None]:
        _films, *others = given
        asked.append((others, named))
        raise NotServedError("not in this test")

    monkeypatch.setattr(measure, "served_page", served)
    assert main(["load", "--visitors", "1", *options]) == 2
    assert asked == [([None, copies], {"one_face": one_face})]


@pytest.fixture
def any_share_is_fair(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one second on a busy machine, threads of a stand-in page need not get their turns."""
    monkeypatch.setattr(measure, "MIN_SHARE_OF_MEDIAN", 0)


class OurPage(PanelPage):
    """A stand-in for `demo.benchmark.server.PageServer`."""

    process = None


@pytest.mark.usefixtures("any_share_is_fair")
def test_each_visitor_has_an_address_at_a_page_of_the_benchmark_which_trusts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environments: list[dict[str, str]] = []

    def answer(_: str, message: dict[str, Any]) -> dict[str, Any]:
        return {} if message.get("leave") else faces()

    with running(OurPage(answer)) as page:

        def served(*_: object, environment: dict[str, str]) -> AbstractContextManager[OurPage]:
            environments.append(environment)
            return nullcontext(page)

        monkeypatch.setattr(measure, "PageServer", served)
        file = tmp_path / "load.json"
        assert main(["load", "--visitors", "2", "--photos", "3", "--seconds", "1", "--json", str(file)]) == 0
    visitors = {"198.18.0.1", "198.18.0.2", "198.19.0.1", "198.19.0.2", "198.19.0.3"}
    assert page.addresses == {None, *visitors}  # the lone visitor names none
    assert environments == [{"FORWARDED_ALLOW_IPS": "127.0.0.1"}]
    assert json.loads(file.read_text(encoding="utf-8"))[0]["addresses"] == len(visitors)


@pytest.mark.usefixtures("any_share_is_fair")
@pytest.mark.parametrize("page", [False], indirect=True)
def test_visitors_of_somebody_else_s_page_name_no_address(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "load.json"
    command = ["load", "--visitors", "2", "--photos", "1", "--seconds", "1", "--url", page.url, "--json", str(file)]
    assert main(command) == 0
    assert page.addresses == {None}
    assert json.loads(file.read_text(encoding="utf-8"))[0]["addresses"] == 1


def test_an_answer_is_right_within_what_following_allows_and_a_photo_has_to_agree() -> None:
    assert frame_fault(faces(), faces((14, 6, 104, 96), 0.8)) is None
    assert frame_fault(faces(), faces((300, 300, 100, 100))) == "a face at another place"
    assert frame_fault(faces(), faces(smiling=0.2)) == "other probabilities"
    assert frame_fault(faces(), {"faces": []}) == "0 faces instead of 1"
    assert frame_fault(faces(), {"error": "status 500"}) == "status 500"
    assert photo_fault(faces(), faces()) is None
    assert photo_fault(faces(), faces(smiling=0.8)) == "other probabilities"
    assert photo_fault(faces(), faces((14, 6, 100, 100))) == "a face at another place"


def load(*live: int, failures: dict[str, int] | None = None) -> Load:
    states = ServerState(500.0, 20, 30, 1.0), ServerState(501.0, 20, 30, 3.0)
    return Load(2, 10.0, 10.0, 1.0, live, (90, 90), Spread(30, 60), Spread(100, 200), 3, failures or {}, *states)


def test_the_first_line_is_the_capacity_and_the_others_say_how_it_went() -> None:
    first, *rest = load_lines(load(100, 100, 40)).splitlines()
    assert first == "2 cores: 3 live visitors at 10.0 frames/s (24.0 in all, 1 face each), 18.0 photos/s"
    assert "  the live visitor with fewest frames got 0.40 of the median" in rest
    assert (
        "  the photo visitor with fewest photos got 0.50 of the median" in load_lines(photos(30, 60, 60)).splitlines()
    )
    assert "memory_mb 500 -> 501" in rest[-1]
    assert "; 4.8 ms of processor time for each answer" in rest[-1]
    assert "; 4.0 ms of processor time" in load_lines(replace(load(100, 100, 40), late=80))


def test_a_crowd_is_well_served_where_all_answers_are_right_and_nobody_gets_far_less_than_others() -> None:
    assert load(100, 100, 61).is_good
    assert not load(100, 100, 59).is_good
    assert not load(100, failures={"status 500": 1}).is_good


def photos(*answers: int) -> Load:
    return replace(load(100, 100), photos=answers)


@pytest.mark.parametrize(
    "answers", [(), (1,), (60, 100, 100), (1, 2), (1, 2, 2), (1, 2, 3, 3), (2, 3, 3), (3, 4, 5), (1, 1, 1)]
)
def test_photos_are_shared_fairly_where_few_answers_differ_by_one_or_many_by_little(answers: tuple[int, ...]) -> None:
    assert photos(*answers).is_good


@pytest.mark.parametrize(
    "answers", [(0,), (0, 0, 0), (0, 1, 1), (0, 4, 4), (59, 100, 100), (1, 3, 3), (2, 4, 4), (0,) * 20 + (9,) * 30]
)
def test_photos_are_not_shared_fairly_where_somebody_gets_none_or_far_fewer(answers: tuple[int, ...]) -> None:
    assert not photos(*answers).is_good


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="there is no /proc")
def test_a_process_is_asked_what_it_holds() -> None:
    state = server_state([os.getpid()])
    assert state is not None
    assert state.memory_mb > 10
    assert min(state.files, state.threads, state.cpu_seconds) > 0
    assert server_state([]) is None
