"""The switch between the operating points, and boxes that are ticked, empty or not sure."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from demo.benchmark.server import PageServer
from demo.operating_points import POINTS
from demo.server.content.attributes import attribute_list
from demo.server.content.decisions import decisions
from slimnet import ATTRIBUTES, Calibration, OperatingPoint, Sure, decide
from tests.browser.bare import bare_page, open_again
from tests.browser.conftest import choose_panel, start_live, wait_for_more
from tests.browser.photo.test_photo import upload, wait_for_faces
from tests.fakes.decided import decided, decided_weights

CALIBRATION = decided(len(ATTRIBUTES))
PANELS = "".join(
    f'<section id="{panel}" class="panel"><div class="attributes">'
    f"{attribute_list(ATTRIBUTES, panel, CALIBRATION.reliability, decided=True, live=panel == 'live')}</div></section>"
    for panel in ("live", "photo")
)
OPEN = """decisions => {
    for (const panel of ["live", "photo"]) {
      window[`${panel}Panel`] = new AttributePanel(document.querySelector(`#${panel} .attributes`), {decisions});
    }
}"""


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    with bare_page(browser, "shared/attributes/attributes.js", body=PANELS) as page:
        open_panels(page)
        yield page


def open_panels(page: Any) -> None:
    page.evaluate(OPEN, decisions(ATTRIBUTES, CALIBRATION))


def show(page: Any, probabilities: dict[str, float], *rest: Any) -> None:
    """A face on both panels: these probabilities, and 0.01 for all other attributes."""
    values = [probabilities.get(name, 0.01) for name in ATTRIBUTES]
    page.evaluate("face => { livePanel.show(...face); photoPanel.show(...face); }", [values, *rest])


def ticks(page: Any, panel: str = "live") -> dict[str, bool | None]:
    """Attribute -> True for a ticked box, False for an empty one, None for one that is not sure."""
    found = page.eval_on_selector_all(
        f"#{panel} [data-attribute]",
        "all => all.map(box => [box.dataset.attribute, box.indeterminate ? null : box.checked])",
    )
    return dict(found)


def switch(page: Any, point: str, panel: str = "live") -> None:
    page.check(f"#{panel} .points [value={point}]")


def random_calibration(rng: np.random.Generator) -> Calibration:
    """Any numbers that a calibration may have, including the extremes."""

    def shares() -> tuple[float, ...]:
        return tuple(rng.choice([0.0, 1.0, *rng.random(20)], len(ATTRIBUTES)).tolist())

    bands = np.sort(rng.choice([0.0, 1.0, *rng.random(20)], (len(ATTRIBUTES), 2)), axis=1).tolist()
    return Calibration(
        CALIBRATION.temperatures,
        CALIBRATION.reliability,
        {name: OperatingPoint(shares(), shares(), shares()) for name in POINTS},
        tuple((low, high) for low, high in bands),
        Sure(shares(), shares(), shares(), shares()),
    )


def assert_scripts_agree(page: Any, calibration: Calibration | None, point: str, faces: np.ndarray) -> None:
    """The scripts decide these probabilities as slimnet does."""
    found = page.evaluate(
        """(text) => {
            const [names, decisions, point, faces] = JSON.parse(text);
            const rule = ruleOf(names, decisions, point, {});
            return faces.map((probabilities) => decide(probabilities, rule));
        }""",
        # As one text: playwright is slow with many numbers.
        json.dumps([[*ATTRIBUTES], decisions(ATTRIBUTES, calibration), point, faces.tolist()]),
    )
    assert found == [decide(face, ATTRIBUTES, calibration, point) for face in faces]


def test_the_scripts_decide_as_slimnet_does(browser: Any) -> None:
    rng = np.random.default_rng(0)
    size = (20, len(ATTRIBUTES))
    with bare_page(browser, "shared/attributes/decisions.js") as page:
        assert_scripts_agree(page, None, "accuracy", rng.choice([0.5, *rng.random(20)], size))
        for calibration in (CALIBRATION, *(random_calibration(rng) for _ in range(20))):
            cuts = [*np.ravel(calibration.unsure), *calibration.operating_points["f1"].thresholds]
            for point in POINTS:
                faces = rng.choice([*cuts, *rng.random(80)], size)  # many lie exactly at a cut
                assert_scripts_agree(page, calibration, point, faces)


def test_a_box_is_ticked_empty_or_not_sure(page: Any) -> None:
    show(page, {"Smiling": 0.9, "Bangs": 0.6, "Bald": 0.1})
    found = ticks(page)
    assert (found["Smiling"], found["Bangs"], found["Bald"]) == (True, None, False)
    assert page.text_content("#live-Smiling-state") == "yes, 90%"
    assert page.text_content("#live-Bangs-state") == "not sure, 60%"
    assert page.text_content("#live-Bald-state") == "no, 10%"
    assert "[checked=mixed]" in page.locator("#live-Bangs").aria_snapshot()
    page.evaluate("livePanel.clear()")
    assert set(ticks(page).values()) == {False}


def test_a_click_does_not_change_a_box_that_is_not_sure(page: Any) -> None:
    show(page, {"Bangs": 0.6})
    page.click("#live-Bangs", force=True)
    page.click("#live label[for='live-Bangs']")
    assert ticks(page)["Bangs"] is None


def test_each_further_setting_ticks_more_at_once_and_in_both_panels(page: Any) -> None:
    assert page.is_checked("#live .points [value=accuracy]")
    show(page, {"Smiling": 0.95, "Young": 0.5, "Male": 0.3, "Chubby": 0.15})
    names = ("Smiling", "Young", "Male", "Chubby")
    for point, expected in (
        ("accuracy", [True, None, None, None]),
        ("f1", [True, True, None, None]),
        ("balanced", [True, True, True, None]),
    ):
        switch(page, point)
        assert page.is_checked(f"#photo .points [value={point}]")
        for panel in ("live", "photo"):
            assert [ticks(page, panel)[name] for name in names] == expected


def test_another_setting_leaves_ticks_that_are_held(page: Any) -> None:
    values = [0.49] * len(ATTRIBUTES)
    page.evaluate("values => livePanel.show(values, values.map(() => true), [])", values)
    assert set(ticks(page).values()) == {True}
    page.evaluate("livePanel.settings.change({mirror: false})")
    assert set(ticks(page).values()) == {True}
    rule = page.evaluate(
        "() => { const {rule, settings} = livePanel; settings.change({calm: 1}); return rule === livePanel.rule; }"
    )
    assert rule


def test_the_setting_is_kept(page: Any) -> None:
    switch(page, "f1", "photo")
    open_again(page)
    open_panels(page)
    assert page.is_checked("#live .points [value=f1]")
    show(page, {"Smiling": 0.5})
    assert ticks(page)["Smiling"] is True


@pytest.mark.parametrize("kept", ['{"point": "median"}', '{"point": 3}'])
def test_a_setting_that_these_weights_do_not_have_is_the_first(page: Any, kept: str) -> None:
    page.evaluate("kept => localStorage.setItem('slimnet-faces', kept)", kept)
    open_again(page)
    open_panels(page)
    assert page.is_checked("#live .points [value=accuracy]")


def test_the_switch_is_one_stop_of_the_tab_key_and_turned_by_the_arrows(page: Any) -> None:
    group = page.get_by_role("group", name="When a box is ticked").first
    assert group.get_by_role("radio").count() == 3
    page.focus("#live .calm input")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.value") == "f1"
    assert page.is_checked("#photo .points [value=f1]")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_ticks_that_exclude_each_other_never_stand_together(page: Any) -> None:
    show(page, {"No_Beard": 0.97, "Goatee": 0.95, "Mustache": 0.99, "Blond_Hair": 0.92, "Brown_Hair": 0.91})
    found = ticks(page)
    assert (found["Mustache"], found["No_Beard"], found["Goatee"]) == (True, None, True)
    assert (found["Blond_Hair"], found["Brown_Hair"]) == (True, None)
    assert page.text_content("#live-No_Beard-state") == "not sure, 97%"


def test_the_details_say_in_words_what_was_measured(page: Any) -> None:
    answers = "Right in 98 of 100 where it answers; it answers 71 of 100."
    for point, words in (
        ("accuracy", f"When ticked, right in 97 of 100. Finds 50 of 100. {answers}"),
        ("f1", "When ticked, right in 80 of 100. Finds 75 of 100."),
        ("balanced", "When ticked, right in 60 of 100. Finds 90 of 100."),
    ):
        switch(page, point)
        assert page.text_content("#live-Smiling-measured") == words
    assert "live-Smiling-measured" in page.get_attribute("#live-Smiling", "aria-describedby").split()


@pytest.mark.parametrize(
    ("point", "words"), [("accuracy", "Never sure enough to answer."), ("f1", "Hardly ever ticked.")]
)
def test_details_of_what_is_never_ticked_hold_no_figures(browser: Any, point: str, words: str) -> None:
    told = decisions(ATTRIBUTES, CALIBRATION)
    assert told
    told["points"]["f1"]["recall"] = told["sure"]["answered"] = (0.001,) * 40 if point == "f1" else (0,) * 40
    with bare_page(browser, "shared/attributes/attributes.js", body=PANELS) as page:
        page.evaluate(OPEN, told)
        switch(page, point)
        assert page.text_content("#live-Smiling-measured") == words


def test_a_threshold_of_ones_own_replaces_that_of_every_setting(page: Any) -> None:
    show(page, {"Smiling": 0.6, "Bangs": 0.6})
    page.click("#live [data-toggle=adjust]")
    slider = page.locator("#live li:has([data-attribute='Smiling']) input[type=range]")
    assert slider.input_value() == "90"
    slider.fill("55")
    for point in POINTS:
        switch(page, point)
        assert ticks(page)["Smiling"] is True
        assert page.text_content("#live-Smiling-measured") == "Your own threshold: not measured."
    slider.fill("65")
    switch(page, "balanced")
    assert (ticks(page)["Smiling"], ticks(page)["Bangs"]) == (False, True)
    slider.fill("20")  # the setting's slider
    assert page.is_disabled("#live [data-do=reset]")
    assert page.text_content("#live-Smiling-measured") == "When ticked, right in 60 of 100. Finds 90 of 100."


def test_what_is_not_sure_is_no_tick_for_the_filter(page: Any) -> None:
    show(page, {"Smiling": 0.95, "Young": 0.5})
    page.click("#live [data-toggle=ticked]")
    visible = "all => all.filter(box => box.checkVisibility()).map(box => box.dataset.attribute)"
    assert page.eval_on_selector_all("#live [data-attribute]", visible) == ["Smiling"]
    switch(page, "f1")
    assert page.eval_on_selector_all("#live [data-attribute]", visible) == ["Smiling", "Young"]


@pytest.mark.parametrize("dark", [False, True])
def test_the_three_states_look_different(page: Any, dark: bool) -> None:
    page.evaluate("dark => document.body.classList.toggle('dark', dark)", dark)
    show(page, {"Smiling": 0.95, "Young": 0.5})
    looks = [page.locator(f"#live-{name}").screenshot() for name in ("Smiling", "Young", "Bald")]
    assert len(set(looks)) == 3


def test_with_forced_colours_the_system_draws_the_boxes(page: Any) -> None:
    page.emulate_media(forced_colors="active")
    show(page, {"Smiling": 0.95, "Young": 0.5})
    looks = [page.locator(f"#live-{name}").screenshot() for name in ("Smiling", "Young", "Bald")]
    assert len(set(looks)) == 3
    samples = [page.locator("#live .ticks i").nth(place).screenshot() for place in range(3)]
    assert len(set(samples)) == 3
    settings = [page.locator("#live .points label").nth(place) for place in range(2)]
    colours = "label => getComputedStyle(label.querySelector('span')).backgroundColor"
    assert settings[0].evaluate(colours) != settings[1].evaluate(colours)


@pytest.mark.parametrize("width", [390, 1400])
def test_nothing_is_wider_than_the_page(browser: Any, width: int) -> None:
    with bare_page(
        browser, "shared/attributes/attributes.js", body=PANELS, viewport={"width": width, "height": 800}
    ) as page:
        open_panels(page)
        page.click("#live [data-toggle=adjust]")
        assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.fixture(scope="module")
def decided_server(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[PageServer]:  # noqa: ARG001
    folder = tmp_path_factory.mktemp("decided")
    weights = decided_weights(folder / "decided.safetensors")
    with PageServer(("app.py", "--device", "cpu", "--weights", str(weights)), folder / "page") as server:
        yield server


def downloaded(page: Any) -> list[dict[str, Any]]:
    with page.expect_download() as expected:
        page.click("#photo [data-download=json]")
    return json.loads(Path(expected.value.path()).read_text())["faces"]


def assert_decided(page: Any, face: dict[str, Any], point: str) -> None:
    """The boxes of the photo are those that slimnet decides for the face."""
    found = ticks(page, "photo")
    probabilities = [face["probabilities"][name] for name in found]
    assert list(found.values()) == decide(np.array(probabilities), list(found), CALIBRATION, point)


def test_a_photos_faces_follow_the_switch_without_a_request(
    decided_server: PageServer, open_page: Any, two_faces: Path
) -> None:
    page = open_page(decided_server)
    upload(page, two_faces)
    wait_for_faces(page, 2)
    faces = downloaded(page)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    assert_decided(page, faces[0], "accuracy")
    switch(page, "balanced", "photo")
    assert_decided(page, faces[0], "balanced")
    page.click("#photo [data-face='2']")
    assert_decided(page, faces[1], "balanced")
    choose_panel(page, "live")
    switch(page, "f1", "live")
    assert_decided(page, faces[1], "f1")
    assert not [url for url in requests if url.startswith("http")]
    assert "When a box is ticked" in page.text_content("#about")


def test_a_frozen_frame_follows_the_switch_too(decided_server: PageServer, open_page: Any) -> None:
    page = open_page(decided_server)
    start_live(page)
    page.wait_for_function("[...document.querySelectorAll('#live [data-attribute]')].some((box) => box.indeterminate)")
    page.click("#live [data-do=freeze]")
    page.locator("#live .status", has_text="Frozen").wait_for()
    before = ticks(page)
    assert None in before.values()
    switch(page, "balanced")
    after = ticks(page)
    assert sum(tick is True for tick in after.values()) > sum(tick is True for tick in before.values())
    page.click("#live [data-do=freeze]")
    wait_for_more(page)
    assert page.get_attribute("#live [data-do=freeze]", "aria-pressed") == "false"
