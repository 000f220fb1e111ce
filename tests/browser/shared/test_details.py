"""What the details say about ticks and answers while a face is in view: what was measured on faces like it."""

from collections.abc import Iterator
from typing import Any

import pytest

from demo.server.content.attributes import attribute_list
from demo.server.content.decisions import decisions
from slimnet import ATTRIBUTES
from tests.browser.bare import bare_page
from tests.fakes.decided import decided

CALIBRATION = decided(len(ATTRIBUTES))
PANEL = (
    '<section id="live" class="panel"><div class="attributes adjusting">'
    f"{attribute_list(ATTRIBUTES, 'live', CALIBRATION.reliability, decided=True)}</div></section>"
)
ALL_TICKS = "When ticked, right in 97 of 100. Finds 50 of 100."
ALL_ANSWERS = "Right in 98 of 100 where it answers; it answers 71 of 100."


def each(share: float | None, **others: float | None) -> list[float | None]:
    return [others.get(name, share) for name in ATTRIBUTES]


# Bald: too few faces have it. Goatee: too few are ticked. Sideburns: more are ticked than have it. Bangs: never ticked.
# Blurry: the network says yes or no too rarely.
TICKS = {
    "precision": each(0.7, Bald=None, Goatee=None, Bangs=None, Blurry=None),
    "recall": each(0.4, Bald=None, Sideburns=None, Bangs=0.0, Blurry=None),
}
BLURRED = {
    "points": {"balanced": TICKS, "f1": TICKS},
    "sure": TICKS | {"right": each(0.9, Blurry=None), "answered": each(0.3, Blurry=0.1)},
}
CLASSES: list[dict[str, Any]] = [
    {"from": 0, "change": -0.2, "usual": False, "like": "as blurred as this one", "decided": BLURRED},
    {"from": 20, "change": -0.1, "usual": False, "like": "as blurred as this one", "decided": None},
    {"from": 40, "change": 0, "usual": True, "like": "like this one", "decided": BLURRED},
]
CONDITIONS = [{"name": "sharpness", "classes": [row | {"rows": [None] * len(ATTRIBUTES)} for row in CLASSES]}]


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    with bare_page(browser, "shared/attributes/attributes.js", body=PANEL) as page:
        facts = {"decisions": decisions(ATTRIBUTES, CALIBRATION), "conditions": CONDITIONS}
        page.evaluate(
            "facts => { window.panel = new AttributePanel(document.querySelector('.attributes'), facts); }", facts
        )
        yield page


def show(page: Any, sharpness: float) -> None:
    page.evaluate("sharpness => panel.reliability.show({sharpness})", sharpness)


def told(page: Any, attribute: str = "Smiling") -> str:
    return page.text_content(f"#live-{attribute}-measured")


def test_ticks_and_answers_are_those_of_faces_like_the_one_in_view(page: Any) -> None:
    assert told(page) == f"{ALL_TICKS} {ALL_ANSWERS}"
    show(page, 10)
    assert told(page) == (
        "When ticked, right in 70 of 100. Finds 40 of 100. Right in 90 of 100 where it answers; it answers 30 of 100."
    )
    page.check("#live .points [value=f1]")
    assert told(page) == "When ticked, right in 70 of 100. Finds 40 of 100."
    page.evaluate("panel.reliability.clear()")
    assert told(page) == "When ticked, right in 80 of 100. Finds 75 of 100."


def test_what_too_few_faces_show_is_said_to_be_of_all_of_celebas_or_left_open(page: Any) -> None:
    show(page, 10)
    answers = "Right in 90 of 100 where it answers; it answers 30 of 100."
    assert told(page, "Bald") == f"{answers} On all of CelebA’s faces: {ALL_TICKS}"
    assert told(page, "Goatee").startswith("Ticked too rarely to say how often it is right. Finds 40 of 100.")
    assert told(page, "Sideburns").startswith(
        "When ticked, right in 70 of 100. Too few faces had it to say how many it finds."
    )
    assert told(page, "Bangs") == f"Hardly ever ticked. {answers}"
    assert told(page, "Blurry").startswith("It answers 10 of 100, too few to say how often it is right.")


def test_where_a_class_was_not_measured_the_sentence_says_that_it_is_of_all(page: Any) -> None:
    show(page, 30)
    assert told(page) == f"On all of CelebA’s faces: {ALL_TICKS} {ALL_ANSWERS}"
    show(page, 50)  # like most of CelebA's faces, of which more were measured than in this class alone
    assert told(page) == f"{ALL_TICKS} {ALL_ANSWERS}"


def test_a_threshold_of_ones_own_was_measured_on_no_faces(page: Any) -> None:
    page.fill("#live li:has(#live-Smiling) input[type=range]", "55")
    show(page, 10)
    assert told(page) == "Your own threshold: not measured."
