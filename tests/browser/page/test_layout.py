"""At every window size the face and its attributes stand side by side, and no control is out of reach."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.server.content.languages import LANGUAGES
from slimnet import ATTRIBUTES
from tests.browser.conftest import Server, opener, start_live, wait_for_live_status, wait_for_more
from tests.browser.films import CLOCK, answered, face

TICKED = ("Blond_Hair", "Bangs", "Smiling", "Mouth_Slightly_Open", "No_Beard", "High_Cheekbones", "Young", "Attractive")
FACE = face(1, 200, probabilities=[0.99 if name in TICKED else 0.02 for name in ATTRIBUTES])
MADE_UP = face(
    1,
    200,
    probabilities=[
        0.99 if name in (*TICKED, "Heavy_Makeup", "Wearing_Lipstick", "Arched_Eyebrows", "Wavy_Hair") else 0.02
        for name in ATTRIBUTES
    ],
)
# Width and height of the window -> how many of the 40 rows are wholly in sight before any scrolling.
SIZES = {
    (1440, 900): 40,
    (1366, 650): 30,
    (1024, 768): 30,
    (390, 844): 10,
    (390, 664): 10,  # the same phone with its browser's own bars
    (375, 667): 10,
    (844, 390): 10,
    (1920, 1080): 40,
    (2560, 1440): 40,
    (1280, 720): 30,
    (768, 1024): 20,
    (320, 640): 4,
}
SMALL_SIZES = ((320, 568), (360, 640), (568, 320), (683, 325))  # the last one: a laptop's page at 200 %
LARGE_FONT = {"standard": 32, "fixed": 26}  # pixels, as a visitor may choose in the browser's settings
USUAL_FONT = {"standard": 16, "fixed": 13}
MISPLACED = Path(__file__).with_name("misplaced.js").read_text(encoding="utf-8")
WHOLLY_SEEN = """const wholly = (part) => {
      const {left, right, top, bottom, width, height} = part.getBoundingClientRect();
      if (!width || left < 0 || top < 0 || right > innerWidth || bottom > innerHeight + 0.5) return false;
      const there = document.elementFromPoint(left + width / 2, top + height / 2);
      return part.contains(there);
    };"""


# Undoes what a test has changed. Buttons are pressed by script, since not every size of the window shows them.
UNDO = """(face) => {
    window.faces = [face];
    document.documentElement.style.fontSize = "";
    const part = (name) => document.querySelector(`#live ${name}`);
    if (part("[data-toggle=impressions]").getAttribute("aria-pressed") === "false") {
      part("[data-toggle=impressions]").click();
    }
    if (part(".keys").checkVisibility()) part(".help").click();
}"""


@pytest.fixture(scope="module")
def opened(server: Server, browser: Any) -> Iterator[Any]:
    """The real page, with one face before its camera."""
    for open_at in opener(browser):
        page = open_at(server, answered(FACE) + CLOCK)  # by its own clock a slow machine brings no remark
        yield page


@pytest.fixture
def page(opened: Any) -> Any:
    """That page in live mode, as no test has changed it."""
    if opened.is_visible("#live .class-mode"):
        opened.keyboard.press("Escape")
    opened.evaluate(UNDO, FACE)
    if opened.get_attribute("html", "lang") != "en":
        choose_language(opened, "en")
    if opened.get_attribute("#live", "data-state") == "off":
        start_live(opened)
    wait_until_ticked(opened)
    opened.wait_for_function("document.querySelectorAll('#live .faces button').length < 2")
    return opened


def wait_until_ticked(page: Any) -> None:
    """Wait until the smoothed ticks have settled for the one face."""
    page.wait_for_function(
        "(ticks) => document.querySelectorAll('#live .attribute.on').length === ticks", arg=len(TICKED)
    )


def resize(page: Any, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.evaluate("scrollTo(0, 0)")
    wait_for_more(page)
    page.wait_for_selector("#live:not(.stale)")


def wholly_seen(page: Any, selector: str, name: str) -> list[str]:
    """Names of the elements that are neither cut off nor covered anywhere."""
    return page.evaluate(
        f"([selector, name]) => {{ {WHOLLY_SEEN}"
        "return [...document.querySelectorAll(selector)].filter(wholly).map((part) => part.dataset[name]); }",
        [selector, name],
    )


@pytest.mark.parametrize(("size", "rows"), SIZES.items())
def test_the_list_stands_beside_the_picture_and_nothing_hides(page: Any, size: tuple[int, int], rows: int) -> None:
    resize(page, size)
    seen = wholly_seen(page, "#live .attribute", "index")
    assert len(seen) >= rows
    chips = wholly_seen(page, "#live [data-chip]", "chip")
    ticked = page.eval_on_selector_all("#live .attribute.on", "all => all.map((row) => row.dataset.index)")
    assert len(ticked) >= len(TICKED)
    assert set(ticked) <= {*seen, *chips}
    assert misplaced(page) == []
    picture = page.locator("#live .stage > canvas").bounding_box()
    crop = page.locator("#live .crop").bounding_box()
    if crop:
        assert crop["width"] * crop["height"] < picture["width"] * picture["height"] / 8


def misplaced(page: Any) -> list[str]:
    """Words that break inside, and what is cut off, covers something else or is out of reach."""
    return page.evaluate(MISPLACED)


@pytest.mark.parametrize("size", [(1366, 650), (390, 844), (844, 390)])
def test_targets_are_large_enough_to_be_hit(page: Any, size: tuple[int, int]) -> None:
    resize(page, size)
    small = """all => all.filter((part) => part.checkVisibility() && !part.closest(".unseen"))
        .filter(({dataset}) => !dataset.attribute)
        .filter((part) => { const {width, height} = part.getBoundingClientRect(); return width < 24 || height < 24; })
        .map((part) => part.outerHTML)"""
    assert page.eval_on_selector_all("button, input, select, summary, footer a", small) == []


def test_two_faces_leave_a_phone_its_rows(page: Any) -> None:
    resize(page, (390, 844))
    page.evaluate(
        "(faces) => { window.faces = faces; }", [MADE_UP, face(2, 320, probabilities=MADE_UP["probabilities"])]
    )
    page.wait_for_function("document.querySelectorAll('#live .faces button').length === 2")
    page.wait_for_selector("#live-Heavy_Makeup:checked")
    wait_for_live_status(page, "2 faces. Choose one by its box or its button.")
    assert len(wholly_seen(page, "#live .attribute", "index")) >= SIZES[390, 844]


def test_on_a_phone_the_picture_stays_while_the_list_is_scrolled(page: Any) -> None:
    resize(page, (390, 844))
    page.evaluate("scrollTo(0, 500)")
    wait_for_more(page)
    assert page.locator("#live .stage").bounding_box()["y"] == pytest.approx(0, abs=1)
    row = page.locator("#live .attribute").last
    row.scroll_into_view_if_needed()
    assert page.locator("#live .stage").bounding_box()["y"] == pytest.approx(0, abs=1)


def test_on_a_phone_held_across_the_two_stand_side_by_side(page: Any) -> None:
    resize(page, (844, 390))
    stage, attributes = (page.locator(f"#live .{name}").bounding_box() for name in ("stage", "attributes"))
    assert stage["x"] + stage["width"] <= attributes["x"]
    assert stage["y"] + stage["height"] <= 390


@pytest.mark.parametrize("size", [(390, 844), (844, 390)])
def test_nothing_shows_through_the_list_of_keys(page: Any, size: tuple[int, int]) -> None:
    resize(page, size)
    page.click("#live .help")
    covered = """all => all.filter((part) => {
        const {left, top, width, height} = part.getBoundingClientRect();
        const there = document.elementFromPoint(left + width / 2, top + height / 2);
        return top + height < innerHeight && !there.closest(".keys");
    }).map((part) => part.outerHTML)"""
    assert page.eval_on_selector_all("#live .keys :is(dt, dd, p)", covered) == []


def test_a_larger_font_of_the_visitors_enlarges_everything(page: Any) -> None:
    resize(page, (1440, 900))
    sizes = """() => ["#live .attribute label", "#live .attribute", "#live .controls button", ".masthead .notice"]
        .map((part) => document.querySelector(part))
        .map((part) => part.offsetHeight)"""
    before = page.evaluate(sizes)
    page.evaluate("document.documentElement.style.fontSize = '20px'")
    wait_for_more(page)
    assert misplaced(page) == []
    assert all(after > before for after, before in zip(page.evaluate(sizes), before, strict=True))


def test_the_list_does_not_jump_when_ticks_go(page: Any) -> None:
    resize(page, (390, 844))
    top = "document.querySelector('#live .toolbar').getBoundingClientRect().top"
    page.wait_for_selector("#live .age", state="hidden")  # a slow machine says how old its picture is
    wait_for_live_status(page, "One face.")
    before = page.evaluate(top)
    page.evaluate("window.faces = [{...window.faces[0], probabilities: Array(40).fill(0.02)}]; 0")
    page.wait_for_function("document.querySelectorAll('#live .attribute.on').length === 0")
    assert page.is_visible("#live .chips .none")
    page.wait_for_function(f"{top} === {before}")


@pytest.mark.parametrize("size", [(390, 844), (320, 640)])
def test_the_list_does_not_jump_when_the_figures_grow(page: Any, size: tuple[int, int]) -> None:
    resize(page, size)
    wait_for_live_status(page, "One face.")
    page.evaluate("(face) => { window.faces = [face]; }", FACE | {"warnings": ["blurred"]})
    wait_for_live_status(page, "Blurred: hold still, or clean the lens.")
    tops = page.evaluate(
        """(figures) => figures.map((figure) => {
            document.querySelector("#live .delay").textContent = figure;
            return document.querySelector("#live .toolbar").getBoundingClientRect().top;
        })""",
        ["4", "40", "123", "1060", "20000"],
    )
    assert len(set(tops)) == 1
    page.evaluate("(face) => { window.faces = [face]; }", FACE)
    wait_for_live_status(page, "One face.")
    assert page.evaluate("document.querySelector('#live .toolbar').getBoundingClientRect().top") == tops[0]


def test_chips_are_the_ticked_attributes_in_the_order_of_the_list(page: Any) -> None:
    resize(page, (1440, 900))
    chips = page.locator("#live [data-chip]:visible").all_inner_texts()
    assert chips == page.eval_on_selector_all("#live .attribute.on label", "all => all.map((name) => name.textContent)")
    page.click("#live [data-toggle=impressions]")
    assert page.locator("#live [data-chip]:visible").all_inner_texts() == [
        name for name in chips if name not in ("Young", "Attractive")
    ]


def test_the_word_in_the_search_field_is_not_cut_off(page: Any) -> None:
    sizes = ((390, 844), (375, 667), (320, 568))
    widths = """() => {
        const field = document.querySelector("#live .toolbar input[type=search]");
        const pen = document.createElement("canvas").getContext("2d");
        pen.font = getComputedStyle(field).font;
        const room = getComputedStyle(field, "::placeholder").width; // without what a button in the field takes
        return [Math.ceil(pen.measureText(field.placeholder).width), parseFloat(room)];
    }"""
    for language in sorted(path.stem for path in LANGUAGES.glob("*.json")):
        choose_language(page, language)
        for size in sizes:
            page.set_viewport_size({"width": size[0], "height": size[1]})
            word, room = page.evaluate(widths)
            assert word <= room, (language, size)


def choose_language(page: Any, language: str) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.select_option(".language select", language)
    page.wait_for_selector(f"html[lang={language}]")


def misplaced_at(page: Any, sizes: Iterable[tuple[int, int]]) -> dict[tuple[int, int], list[str]]:
    """Size of the window -> what is misplaced there."""
    faults = {}
    for size in sizes:
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.evaluate("scrollTo(0, 0)")
        faults[size] = misplaced(page)
    return {size: found for size, found in faults.items() if found}


@pytest.mark.parametrize("language", sorted(path.stem for path in LANGUAGES.glob("*.json")))
def test_no_word_breaks_and_nothing_overlaps_in_any_language(page: Any, language: str) -> None:
    everything = [face(number, 150 * number, 0.99) for number in (1, 2)]
    choose_language(page, language)
    assert misplaced_at(page, (*SIZES, *SMALL_SIZES)) == {}
    page.evaluate("(faces) => { window.faces = faces; }", everything)
    page.click("#live [data-do=class]")
    page.locator("#live .class-faces section:nth-of-type(2) li").nth(15).wait_for()
    assert misplaced_at(page, (*SIZES, *SMALL_SIZES)) == {}


def test_a_font_of_twice_the_size_hides_nothing(page: Any) -> None:
    sizes = ((1366, 650), (390, 844), (844, 390))
    browser = page.context.new_cdp_session(page)
    browser.send("Page.setFontSizes", {"fontSizes": LARGE_FONT})
    try:
        assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "32px"
        assert misplaced_at(page, sizes) == {}
        page.evaluate("document.querySelector('#live [data-do=class]').click()")
        assert misplaced_at(page, sizes) == {}
        page.keyboard.press("Escape")
        page.click("#live-stop")
        assert misplaced_at(page, sizes) == {}
    finally:
        browser.send("Page.setFontSizes", {"fontSizes": USUAL_FONT})
