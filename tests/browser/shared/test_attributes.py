from collections.abc import Iterator
from typing import Any

import pytest

from demo.server.content.attributes import attribute_list
from slimnet import ATTRIBUTES, GROUPS, Reliability
from tests.browser.bare import bare_page, open_again
from tests.browser.conftest import Server, assert_ticks_agree, boxes, choose_panel
from tests.browser.photo.test_photo import wait_for_faces

SCRIPT = "shared/attributes/attributes.js"
MEASURED = tuple(Reliability(middle, middle - 0.02, middle + 0.02) for middle in (0.9, 0.75, 0.6, 0.55) * 10)
PANELS = "".join(
    f'<section id="{panel}" class="panel"><div class="attributes">'
    f"{attribute_list(ATTRIBUTES, panel, MEASURED, live=panel == 'live')}</div></section>"
    for panel in ("live", "photo")
)
OPEN = """() => {
    for (const panel of ["live", "photo"]) {
      window[`${panel}Panel`] = new AttributePanel(document.querySelector(`#${panel} .attributes`), {decisions: null});
    }
}"""


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    with bare_page(browser, SCRIPT, body=PANELS) as page:
        page.evaluate(OPEN)
        yield page


def show(page: Any, probabilities: dict[str, float], *rest: Any) -> None:
    """A face on the live panel: these probabilities, and 0.1 for all other attributes."""
    values = [probabilities.get(name, 0.1) for name in ATTRIBUTES]
    page.evaluate("face => livePanel.show(...face)", [values, *rest])


def seen(page: Any, panel: str = "live") -> set[str]:
    """The visible attributes."""
    rows = "all => all.filter(box => box.checkVisibility()).map(box => box.dataset.attribute)"
    return set(page.eval_on_selector_all(f"#{panel} [data-attribute]", rows))


def set_threshold(page: Any, attribute: str, percent: int) -> None:
    page.locator(f"#live li:has([data-attribute='{attribute}']) input[type=range]").fill(str(percent))


def reload(page: Any) -> None:
    open_again(page)
    page.evaluate(OPEN)


def test_all_boxes_are_there_and_say_what_was_told(page: Any) -> None:
    show(page, {"Smiling": 0.93, "Bangs": 0.5})
    assert_ticks_agree(page, "live")
    assert boxes(page, "live")["Smiling"] == (True, 93)
    assert boxes(page, "live")["Bangs"] == (False, 50)
    described = page.get_attribute("#live [data-attribute='Smiling']", "aria-describedby").split()
    assert [page.text_content(f"#{part}") for part in described] == ["yes, 93%", "reliability 55% (53 to 57)"]


def test_a_search_leaves_what_matches_by_name_or_group(page: Any) -> None:
    page.fill("#live input[type=search]", " EYE")
    assert seen(page) == {name for name in ATTRIBUTES if "eye" in name.lower()} | set(GROUPS["Eyes and brows"])
    assert page.inner_text("#live .matches") == "Found: 5 of 40 attributes"
    assert seen(page, "photo") == set(ATTRIBUTES)
    page.fill("#live input[type=search]", "nowhere")
    assert seen(page) == set()
    assert page.is_visible("#live .nothing")
    page.fill("#live input[type=search]", "attractive")
    assert page.inner_text("#live .matches") == "Found: 1 of 40 attributes"
    page.click("#live [data-toggle=impressions]")  # it is one of these
    assert seen(page) == set()
    assert page.inner_text("#live .matches") == f"Found: 0 of {40 - len(GROUPS['Impressions'])} attributes"
    assert "“Impressions” on" in page.inner_text("#live .nothing")
    page.click("#live [data-toggle=impressions]")
    assert page.locator("#live [data-attribute]").count() == 40
    page.fill("#live input[type=search]", "")
    assert seen(page) == set(ATTRIBUTES)
    assert page.is_hidden("#live .nothing")


def test_ticked_ones_alone_follow_the_face(page: Any) -> None:
    show(page, {"Smiling": 0.9, "Young": 0.8})
    page.click("#live [data-toggle=ticked]")
    assert seen(page) == {"Smiling", "Young"}
    page.fill("#live input[type=search]", "hat")
    assert page.inner_text("#live .matches") == "Found: 0 of 40 attributes"
    page.fill("#live input[type=search]", "smil")
    assert page.inner_text("#live .matches") == "Found: 1 of 40 attributes"
    page.fill("#live input[type=search]", "")
    assert page.locator("#live h3:visible").all_text_contents() == ["Nose and mouth", "Impressions"]
    show(page, {"Bangs": 0.9})
    assert seen(page) == {"Bangs"}
    page.evaluate("livePanel.clear()")
    assert seen(page) == set()
    assert page.is_visible("#live .nothing")


def test_impressions_are_switched_off_in_both_panels_and_stay_off(page: Any) -> None:
    page.click("#live [data-toggle=impressions]")
    for _ in range(2):
        assert seen(page) == seen(page, "photo") == set(ATTRIBUTES) - set(GROUPS["Impressions"])
        assert page.get_attribute("#photo [data-toggle=impressions]", "aria-pressed") == "false"
        assert page.evaluate("livePanel.shows(livePanel.attributes.indexOf('Male'))") is False
        reload(page)
    show(page, {"Male": 0.9})
    assert page.is_checked("#live [data-attribute='Male']")
    page.click("#photo [data-toggle=impressions]")
    assert seen(page) == set(ATTRIBUTES)


def test_what_is_chosen_in_one_tab_reaches_the_other(page: Any) -> None:
    other = page.context.new_page()
    reload(other)
    page.click("#live [data-toggle=impressions]")
    other.wait_for_selector("#photo [data-toggle=impressions][aria-pressed=false]")
    assert seen(other) == set(ATTRIBUTES) - set(GROUPS["Impressions"])
    other.fill("#live .calm input", "75")
    page.wait_for_function("livePanel.calm === 0.75")
    assert page.input_value("#live .calm input") == "75"


def test_a_threshold_moves_its_tick_and_is_kept_until_it_is_reset(page: Any) -> None:
    show(page, {"Smiling": 0.7})
    page.click("#live [data-toggle=adjust]")
    set_threshold(page, "Smiling", 80)
    assert boxes(page, "live")["Smiling"] == (False, 70)
    reload(page)
    show(page, {"Smiling": 0.7, "Bangs": 0.7})
    assert boxes(page, "live")["Smiling"] == (False, 70)
    assert boxes(page, "live")["Bangs"] == (True, 70)
    assert page.evaluate("photoPanel.rule.cuts[photoPanel.attributes.indexOf('Smiling')].upper") == 0.8
    page.click("#live [data-toggle=adjust]")
    page.click("#live [data-do=reset]")
    assert page.is_checked("#live [data-attribute='Smiling']")
    assert page.is_disabled("#live [data-do=reset]")


def test_a_threshold_is_reached_by_keyboard_and_only_when_it_is_shown(page: Any) -> None:
    def focus_after(name: str) -> str:
        page.focus(f"#live {name}")
        page.keyboard.press("Tab")
        return page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.tagName")

    page.click("#live .legend summary")
    assert focus_after("summary") == "Find an attribute"  # the other panel's: the Tab key skips sliders and boxes
    page.click("#live [data-toggle=adjust]")
    assert focus_after("summary") == "BUTTON"
    assert page.evaluate("document.activeElement.textContent") == "Reset all"
    assert focus_after("[data-do=reset]") == "Threshold of Black Hair, percent"
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("livePanel.rule.cuts[livePanel.attributes.indexOf('Black_Hair')].upper") == 0.49


def test_a_number_never_contradicts_the_steadied_tick_beside_it(page: Any) -> None:
    show(page, {"Smiling": 0.52, "Bangs": 0.48}, [name == "Bangs" for name in ATTRIBUTES])
    assert boxes(page, "live")["Smiling"] == (False, 50)
    assert boxes(page, "live")["Bangs"] == (True, 50)
    cuts = {"lower": 0.3, "upper": 0.8, "inclusive": True, "threshold": 0.5}
    page.evaluate("cuts => { livePanel.rule = {cuts: Array(40).fill(cuts), exclusive: []}; }", cuts)
    ticks = [None if name in ("Smiling", "Bangs") else False for name in ATTRIBUTES]
    show(page, {"Smiling": 0.28, "Bangs": 0.85}, ticks)
    assert boxes(page, "live")["Smiling"] == (False, 30)
    assert boxes(page, "live")["Bangs"] == (False, 85)  # its tick may have been excluded by another


def test_the_last_number_of_a_quick_series_is_the_one_that_stays(page: Any) -> None:
    page.evaluate("for (let step = 1; step <= 30; step++) livePanel.show(Array(40).fill(0.6 + step / 100))")
    page.wait_for_function("document.querySelector('#live .percent').textContent === '90%'")


def test_warnings_are_said_and_grey_the_results(page: Any) -> None:
    show(page, {"Smiling": 0.9}, None, ["small", "blurred"])
    assert page.inner_text("#live .warning") == "Do not rely on these: the face is too small and blurred."
    colour = "box => getComputedStyle(box).borderColor"
    grey = page.eval_on_selector("#live [data-attribute='Smiling']", colour)
    show(page, {"Smiling": 0.9})
    assert page.inner_text("#live .warning") == ""
    assert grey != page.eval_on_selector("#live [data-attribute='Smiling']", colour)


def test_a_weak_tick_does_not_look_like_a_good_one(page: Any) -> None:
    good, weak = ATTRIBUTES[0], ATTRIBUTES[2]
    show(page, {good: 0.9, weak: 0.9})
    look = "box => getComputedStyle(box).backgroundColor"
    colours = [page.eval_on_selector(f"#live [data-attribute='{name}']", look) for name in (good, weak)]
    assert colours[0] != colours[1] == "rgba(0, 0, 0, 0)"


def test_the_calm_slider_is_kept(page: Any) -> None:
    page.fill("#live .calm input", "75")
    reload(page)
    assert page.evaluate("livePanel.calm") == 0.75
    assert page.input_value("#live .calm input") == "75"
    assert page.get_attribute("#live .calm input", "aria-valuetext") == "75% calm"
    assert page.locator("#photo .calm").count() == 0


@pytest.mark.parametrize(
    "kept", ["", "{", "5", "null", '{"calm": 7, "thresholds": {"Smiling": 3, "Bangs": "x"}, "impressions": 1}']
)
def test_settings_that_are_damaged_are_ignored(page: Any, kept: str) -> None:
    page.evaluate("kept => localStorage.setItem('slimnet-faces', kept)", kept)
    reload(page)
    assert page.evaluate("[livePanel.calm, ...new Set(livePanel.rule.cuts.map(({upper}) => upper))]") == [0.4, 0.5]
    assert seen(page) == set(ATTRIBUTES)


def test_a_browser_that_keeps_nothing_works_until_the_page_is_closed(browser: Any) -> None:
    with bare_page(browser, SCRIPT, body=PANELS) as page:
        page.evaluate(
            "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('', 'SecurityError'); }})"
        )
        page.evaluate(OPEN)
        page.click("#live [data-toggle=impressions]")
        assert seen(page, "photo") == set(ATTRIBUTES) - set(GROUPS["Impressions"])


@pytest.mark.parametrize(("width", "dark"), [(390, False), (390, True), (1400, False)])
def test_nothing_is_wider_than_the_page(browser: Any, width: int, dark: bool) -> None:
    with bare_page(browser, SCRIPT, body=PANELS, viewport={"width": width, "height": 800}) as page:
        page.evaluate("dark => document.body.classList.toggle('dark', dark)", dark)
        page.evaluate(OPEN)
        page.click("#live [data-toggle=adjust]")
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_what_was_chosen_holds_on_the_real_page(server: Server, open_page: Any) -> None:
    page = open_page(server)
    choose_panel(page, "photo")
    page.click("#photo [data-example]")
    wait_for_faces(page, 1)
    page.click("#photo [data-toggle=impressions]")
    page.fill("#photo input[type=search]", "smil")
    assert seen(page, "photo") == {"Smiling"}
    assert_ticks_agree(page, "photo")
    page.reload()
    page.wait_for_selector("#photo [data-toggle=impressions][aria-pressed=false]", state="attached")
    choose_panel(page, "photo")
    assert page.is_hidden("#photo .impressions")
    assert "reliability" in page.text_content("#photo-Smiling-reliability")
