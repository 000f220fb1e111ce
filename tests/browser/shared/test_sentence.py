"""What the page says about a face: a sentence, what has changed in it, and how to move into the picture."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.bare import bare_page


@pytest.fixture(scope="module")
def page(browser: Any) -> Iterator[Any]:
    with bare_page(
        browser, "shared/attributes/sentence.js", "live/access/announcer.js", "live/access/guide.js"
    ) as page:
        yield page


def readings(**ticks: bool | None) -> list[dict[str, Any]]:
    return [
        {"name": name.replace("_", " "), "tick": tick, "impression": name in ("Young", "Male")}
        for name, tick in ticks.items()
    ]


def test_a_face_is_one_sentence_without_what_it_has_not(page: Any) -> None:
    face = readings(Wavy_Hair=None, Bald=False, Smiling=True, No_Beard=True)
    assert page.evaluate("faces => String(faceSentence('Face 1 of 2', faces))", face) == (
        "Face 1 of 2: smiling, no beard; not sure: wavy hair."
    )
    assert page.evaluate("faces => String(faceSentence('One face', faces))", readings(Bald=False)) == (
        "One face: nothing is ticked."
    )


def test_an_impression_is_called_one(page: Any) -> None:
    face = readings(Smiling=True, Young=True, Male=None)
    assert page.evaluate("faces => String(faceSentence('One face', faces))", face) == (
        "One face: smiling. Impressions, not facts: young."
    )
    before = readings(Smiling=True, Young=False)
    assert page.evaluate("faces => String(changeSentence(...faces))", [before, face]) == "Now: young (an impression)."


def test_only_ticks_that_come_or_go_are_changes(page: Any) -> None:
    before = readings(Smiling=True, Eyeglasses=True, Bald=False, Bangs=None, Goatee=False)
    now = readings(Smiling=False, Eyeglasses=None, Bald=None, Bangs=False, Goatee=True)
    assert page.evaluate("faces => String(changeSentence(...faces))", [before, now]) == (
        "Now: goatee. No longer: smiling. No longer sure: eyeglasses."
    )
    assert page.evaluate("faces => String(changeSentence(...faces))", [before, before]) == ""


def announced(page: Any, frames: list[tuple[int, int, bool]], pace: int = 5) -> list[str]:
    """What the page says of frames (milliseconds, the face's number, whether it smiles; it always wears glasses)."""
    return page.evaluate(
        """([frames, pace]) => {
            const said = [];
            const announcer = new Announcer((sentence) => said.push(String(sentence)));
            for (const [milliseconds, number, smiles] of frames) {
              const readings = [["Smiling", smiles], ["Eyeglasses", true]];
              const rows = readings.map(([name, tick]) => ({name, tick, impression: false}));
              announcer.follow(number, `Face ${number}`, rows, pace, milliseconds);
            }
            return said;
        }""",
        [frames, pace],
    )


def film(start: int, end: int, number: int, smiles: bool) -> list[tuple[int, int, bool]]:
    return [(milliseconds, number, smiles) for milliseconds in range(start, end, 100)]


def test_a_face_is_said_whole_first_and_then_only_what_has_changed_at_the_pace(page: Any) -> None:
    frames = [*film(0, 3000, 1, True), *film(3000, 20000, 1, False), *film(20000, 40000, 1, True)]
    assert announced(page, frames) == ["Face 1: smiling, eyeglasses.", "No longer: smiling.", "Now: smiling."]
    assert announced(page, frames, pace=30) == ["Face 1: smiling, eyeglasses."]
    assert announced(page, frames, pace=0) == []


def test_a_tick_that_has_not_settled_is_not_said(page: Any) -> None:
    flickering = [frame for start in range(2000, 20000, 1000) for frame in film(start, start + 500, 1, False)]
    steady = [frame for start in range(2500, 20000, 1000) for frame in film(start, start + 500, 1, True)]
    assert announced(page, [*film(0, 2000, 1, True), *sorted(flickering + steady)]) == ["Face 1: smiling, eyeglasses."]
    assert announced(page, film(0, 900, 1, True)) == []


def test_another_face_is_said_whole(page: Any) -> None:
    frames = [*film(0, 10000, 1, True), *film(10000, 20000, 2, True)]
    assert announced(page, frames) == ["Face 1: smiling, eyeglasses.", "Face 2: smiling, eyeglasses."]


def guided(page: Any, *boxes: tuple[float, float, float, float], away: bool = False) -> list[str]:
    """What the page says of faces in turn (left, top, width, height as shares of the frame)."""
    return page.evaluate(
        """([boxes, away]) => {
            const guide = new Guide();
            guide.facesAway = away;
            const pixels = ([x, y, width, height]) => [480 * x, 360 * y, 480 * width, 360 * height];
            return boxes.map((box) => String(guide.place(pixels(box), 480, 360)));
        }""",
        [boxes, away],
    )


@pytest.mark.parametrize(
    ("box", "advice", "of_a_camera_that_faces_away"),
    [
        ((0.4, 0.3, 0.2, 0.4), "", ""),
        ((0.0, 0.3, 0.2, 0.4), "Move to your left.", "Turn the camera to the left."),
        ((0.8, 0.3, 0.2, 0.4), "Move to your right.", "Turn the camera to the right."),
        ((0.4, 0.0, 0.2, 0.4), "Tilt the camera up.", "Tilt the camera up."),
        ((0.4, 0.6, 0.2, 0.4), "Tilt the camera down.", "Tilt the camera down."),
        ((0.45, 0.45, 0.1, 0.1), "Too far away: come closer.", "Too far away: come closer."),
        ((0.2, 0.1, 0.6, 0.8), "Too close: move back a little.", "Too close: move back a little."),
    ],
)
def test_the_guide_says_where_to_go(page: Any, box: Any, advice: str, of_a_camera_that_faces_away: str) -> None:
    assert guided(page, box) == [advice]
    assert guided(page, box, away=True) == [of_a_camera_that_faces_away]


def test_what_the_guide_said_stays_until_it_is_well_done(page: Any) -> None:
    steps = [(left, 0.3, 0.2, 0.4) for left in (0.23, 0.18, 0.23, 0.3, 0.23)]
    left = "Move to your left."
    assert guided(page, *steps) == ["", left, left, "", ""]
