from collections.abc import Iterator
from typing import Any

import pytest

from demo.server.content.attributes import attribute_list
from slimnet import ATTRIBUTES, Reliability
from tests.browser.bare import bare_page

SCRIPT = "shared/attributes/reliability.js"
DETAILS = "shared/attributes/details.js"
USUAL = tuple(Reliability(0.9, 0.88, 0.92) for _ in ATTRIBUTES)
NOTES = {"Male": "Outside CelebA: right for 42 of 100 Black women."}
PANEL = (
    '<section id="live" class="panel"><div class="attributes adjusting">'
    f"{attribute_list(ATTRIBUTES, 'live', USUAL, notes=NOTES)}</div></section>"
)


def rows(level: str, percent: int, *unmeasured: str) -> list[Any]:
    return [None if name in unmeasured else [level, f"reliability {percent}% (1 to 99)"] for name in ATTRIBUTES]


CONDITIONS = [
    {
        "name": "size",
        "classes": [
            {
                "from": 0, "change": -0.2, "usual": False, "like": "as small as this one",
                "rows": rows("weak", 60, "Bald"),
            },
            {"from": 20, "change": 0, "usual": True, "like": "like this one", "rows": rows("good", 88)},
        ],
    },
    {
        "name": "turn",
        "classes": [
            {"from": 0, "change": 0, "usual": True, "like": "like this one", "rows": rows("good", 89)},
            {"from": 30, "change": -0.1, "usual": False, "like": "turned as far as this one", "rows": rows("fair", 75)},
        ],
    },
]  # fmt: skip


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    with bare_page(browser, SCRIPT, body=PANEL) as page:
        page.evaluate(
            "found => { window.shown = new ReliabilityOfFace(document.querySelector('.attributes'), found); }",
            CONDITIONS,
        )
        yield page


def show(page: Any, size: float, turn: float) -> None:
    page.evaluate("figures => shown.show(figures)", {"size": size, "turn": turn})


def follow(page: Any, face: int, size: float, turn: float, milliseconds: int) -> None:
    page.evaluate("frame => shown.follow(...frame)", [face, {"size": size, "turn": turn}, milliseconds])


def told(page: Any, attribute: str = "Smiling") -> str:
    return page.text_content(f"#live-{attribute}-reliability")


def test_the_reliability_is_that_of_faces_like_the_one_in_view(page: Any) -> None:
    assert told(page) == "reliability 90% (88 to 92)"
    show(page, 40, 5)
    assert told(page) == "reliability 88% (1 to 99)"
    assert page.inner_text(".like") == "Figures as measured on faces like this one."
    show(page, 40, 45)
    assert told(page) == "reliability 75% (1 to 99)"
    row = page.locator("li:has(#live-Smiling)")
    assert row.get_attribute("class") == "attribute fair"
    assert row.locator(".marks").get_attribute("title") == (
        "reliability 75% (1 to 99) on faces turned as far as this one"
    )


def test_of_several_conditions_the_one_that_costs_most_counts(page: Any) -> None:
    show(page, 10, 45)
    assert told(page) == "reliability 60% (1 to 99)"
    assert page.inner_text(".like").startswith("Figures as measured on faces as small as this one;")


def test_what_was_not_measured_there_is_told_of_celeba(page: Any) -> None:
    show(page, 10, 5)
    assert told(page, "Bald") == "reliability 90% (88 to 92)"
    style = "text => getComputedStyle(text).fontStyle"
    assert page.eval_on_selector("#live-Bald-reliability", style) == "italic"
    assert page.eval_on_selector("#live-Smiling-reliability", style) == "normal"
    assert "in italics, where these were too few, on all of CelebA’s" in page.inner_text(".like")
    assert page.locator("li:has(#live-Bald)").get_attribute("class") == "attribute good"


def test_without_a_face_all_is_as_before(page: Any) -> None:
    show(page, 10, 5)
    page.evaluate("shown.clear()")
    assert told(page) == told(page, "Bald") == "reliability 90% (88 to 92)"
    assert page.inner_text(".like") == ""
    assert page.locator("li.attribute.good").count() == len(ATTRIBUTES)


def test_a_face_in_motion_is_classed_by_the_mean_of_a_second(page: Any) -> None:
    follow(page, 1, 40, 5, 0)
    assert told(page) == "reliability 88% (1 to 99)"
    for milliseconds in range(100, 1000, 100):
        follow(page, 1, 10, 5, milliseconds)
        assert told(page) == "reliability 88% (1 to 99)"
    follow(page, 1, 10, 5, 1000)
    assert told(page) == "reliability 60% (1 to 99)"
    for milliseconds in range(1100, 2100, 100):
        follow(page, 1, 15 if milliseconds % 200 else 24, 5, milliseconds)  # hovers at the edge, on average below it
    assert told(page) == "reliability 60% (1 to 99)"


def test_another_face_is_classed_at_once(page: Any) -> None:
    follow(page, 1, 40, 5, 0)
    follow(page, 2, 10, 5, 50)
    assert told(page) == "reliability 60% (1 to 99)"


def test_where_nothing_was_measured_the_reliability_stays(browser: Any) -> None:
    with bare_page(browser, SCRIPT, body=PANEL) as page:
        page.evaluate("window.shown = new ReliabilityOfFace(document.querySelector('.attributes'), [])")
        show(page, 10, 45)
        follow(page, 1, 10, 45, 5000)
        assert told(page) == "reliability 90% (88 to 92)"
        assert page.inner_text(".like") == ""


def test_whom_it_fails_is_told_in_the_details(page: Any) -> None:
    assert page.inner_text("#live-Male-note") == NOTES["Male"]
    page.eval_on_selector(".attributes", "list => list.classList.remove('adjusting')")
    assert page.is_hidden("#live-Male-note")
    assert page.is_hidden(".like")


def test_a_mark_beside_the_box_opens_and_closes_the_note_on_whom_it_fails(browser: Any) -> None:
    with bare_page(browser, DETAILS, body=PANEL.replace(" adjusting", "")) as page:
        page.evaluate("window.settings = {values: {thresholds: {}}}; 0")
        page.evaluate("new Details(document.querySelector('.attributes'), settings, null); 0")
        mark = page.get_by_role("button", name="Whom “Male” fails")
        assert page.locator(".whom").count() == 1
        for shown in (True, False):
            mark.press("Enter")
            assert page.is_visible("#live-Male-note") is shown
            assert mark.get_attribute("aria-expanded") == str(shown).lower()
