"""The page works for everyone: axe-core in each state, sizes of targets, focus, forced colours, what is said."""

from typing import Any

from tests.browser.conftest import Server, choose_panel, missing, start_live, wait_for_live_status, wait_for_more
from tests.browser.device.stand_in import choose_engine, hold_loading, let_load, open_with_stand_in, wait_for_engine
from tests.browser.films import SMILING, answered, face
from tests.browser.photo.test_photo import upload, wait_for_faces, wait_for_status
from tests.paths import OTHER_PORTRAIT, PORTRAIT, ROOT

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
# The live panel's server is a fake; photos go to the real one.
TWO = f"""
    const real = window.fetch.bind(window);
    {answered(face(1, 40, 0.9, why=SMILING), face(2, 340, 0.2))}
    const false_one = window.fetch;
    window.fetch = (address, options) =>
      String(options?.body).includes('"frame"') ? false_one(address, options) : real(address, options);
"""
VIOLATIONS = """async ([within, runOnly]) => {
    const {violations} = await axe.run(within, {
        runOnly, resultTypes: ["violations"], rules: {"target-size": {enabled: true}},
    });
    return violations.flatMap(({id, nodes}) => nodes.map(({target}) => `${id}: ${target}`));
}"""
# What is checked in each mode: everything but the colours is the same in both.
MODES = {"light": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "dark": ["color-contrast"]}
# Not the boxes, since they cannot be clicked. A label is a target, too, and may be larger than its control.
SMALL_TARGETS = """() => [...document.querySelectorAll("button, a[href], input, select, summary")]
    .filter((part) => part.checkVisibility({visibilityProperty: true}) && !part.closest(".unseen, [aria-readonly]"))
    .map((part) => [part, ...(part.labels ?? [])].map((target) => target.getBoundingClientRect()))
    .filter((areas) => !areas.some(({width, height}) => width >= 24 && height >= 24))
    .map(([{width, height, x, y}]) => `${width} x ${height} at ${x}, ${y}`)"""
FOCUSED = "document.activeElement === document.body ? 'body' : document.activeElement.outerHTML"


def assert_right_for_everyone(page: Any, state: str, within: str = "html") -> None:
    """No violation in light and dark, and no target smaller than 24 by 24 pixels, within the part that has changed."""
    for mode, rules in MODES.items():
        page.evaluate("dark => document.body.classList.toggle('dark', dark)", mode == "dark")
        assert (state, mode, page.evaluate(VIOLATIONS, [within, rules])) == (state, mode, [])
    assert (state, page.evaluate(SMALL_TARGETS)) == (state, [])


def load_axe(page: Any) -> None:
    if not AXE.exists():
        missing("axe-core (npm ci)")
    page.evaluate(AXE.read_text(encoding="utf-8"))


def fail_to_load(page: Any, panel: str) -> None:
    """Switch to this device, whose engine loads and then fails; checks both states."""
    hold_loading(page)
    page.evaluate("window.device.problem = 'No WebAssembly.'")
    choose_engine(page, "device", panel)
    page.locator(f"#{panel} .amount", has_text="25\u2009%").wait_for()
    assert_right_for_everyone(page, "loading onto this device", f"#{panel}")
    let_load(page)
    wait_for_engine(page, "device", "failed", panel)
    page.locator(f"#{panel} .engine-problem", has_text="No WebAssembly.").wait_for()
    assert_right_for_everyone(page, "this device failed", f"#{panel} .side")
    page.evaluate("window.device.problem = ''")


def test_axe_finds_nothing_in_live(server: Server, open_page: Any) -> None:
    page = open_with_stand_in(open_page, server, TWO)
    load_axe(page)
    assert_right_for_everyone(page, "before Start")
    start_live(page)
    page.wait_for_selector("#live [data-attribute]:checked")
    assert_right_for_everyone(page, "two faces")
    fail_to_load(page, "live")
    page.click("#live .engine-problem [data-do=load-again]")
    wait_for_engine(page, "device")
    page.wait_for_selector("#live [data-probability='0.2']")
    page.click("#live [data-do=compare]")
    page.locator("#live .comparison", has_text="1 by this device").wait_for()
    assert_right_for_everyone(page, "on this device, compared with the server", "#live .side")
    choose_engine(page, "server")
    page.wait_for_selector("#live[data-faces='2']")
    page.click("#live [data-toggle=adjust]")
    page.click("#live .legend summary")
    page.click("#live .speed summary")
    page.click("#about summary")
    assert_right_for_everyone(page, "details, legend, speed and About")
    page.click("#live li:has(#live-Smiling) [data-do=why]")
    page.wait_for_selector("#live .why:not(.waiting)")
    assert_right_for_everyone(page, "why")
    page.click("#live .help")
    assert_right_for_everyone(page, "keys")
    page.click("#live .help")
    page.click("#live [data-do=class]")
    assert_right_for_everyone(page, "class mode")
    page.click("#live .class-mode [data-do=close]")
    page.click("#live [data-do=record]")
    wait_for_more(page, 5)
    page.click("#live [data-do=record]")
    page.wait_for_selector("#live .plot:visible")
    assert_right_for_everyone(page, "a recording")
    page.evaluate("window.faces = []")
    wait_for_live_status(page, "No face in sight")
    assert_right_for_everyone(page, "no face")


def test_axe_finds_nothing_in_photo(server: Server, open_page: Any, two_faces: Any, tmp_path: Any) -> None:
    page = open_with_stand_in(open_page, server)
    load_axe(page)
    choose_panel(page, "photo")
    assert_right_for_everyone(page, "before a photo")
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    fail_to_load(page, "photo")
    upload(page, bad)
    wait_for_status(page, "Not read yet")
    assert_right_for_everyone(page, "a photo that waits for this device", "#photo .side")
    page.click("#photo .engine-problem [data-do=load-again]")
    page.wait_for_selector("#photo .offer:visible")
    assert_right_for_everyone(page, "a photo that the server may read", "#photo .side")
    choose_engine(page, "server", "photo")
    upload(page, two_faces)
    wait_for_faces(page, 2)
    page.click("#photo [data-toggle=adjust]")
    page.click("#photo li:has(#photo-Smiling) [data-do=why]")
    page.wait_for_selector("#photo .why:not(.waiting)")
    page.evaluate("document.querySelector('#photo .elsewhere').hidden = false")  # even if no attribute has it
    assert_right_for_everyone(page, "a photo with details, and why")
    upload(page, bad)
    page.wait_for_selector("#photo .status[data-kind=problem]")
    assert_right_for_everyone(page, "an error")
    page.set_input_files("#photo input[type=file]", [PORTRAIT, bad, OTHER_PORTRAIT])
    page.wait_for_selector("#photo .thumbnails [data-photo='1']")
    wait_for_faces(page, 1)
    assert_right_for_everyone(page, "several photos, one of which could not be read")
    page.click("#photo-another")
    page.click("#photo-snapshot")
    wait_for_status(page, "Look into the camera")
    assert_right_for_everyone(page, "a snapshot")


def test_the_photo_panel_says_one_sentence_of_the_chosen_face(server: Server, open_page: Any, two_faces: Any) -> None:
    page = open_page(server)
    upload(page, two_faces)
    wait_for_faces(page, 2)
    said = page.locator("#photo .status").aria_snapshot()
    assert "Face 1 of 2: " in said
    assert "smiling" in said
    assert "no beard" in said
    assert "Choose one" not in said  # that is shown, not spoken
    assert page.inner_text("#photo .status [aria-hidden]") == "2 faces. Choose one by its box or its button."
    page.click("#photo [data-face='2']")
    assert "Face 2 of 2: " in page.locator("#photo .status").aria_snapshot()
    assert page.locator("#photo [role=status]").filter(has_text="Face 2").count() == 1


def test_live_says_what_is_read_when_it_is_asked_and_at_the_pace_that_was_chosen(
    server: Server, open_page: Any
) -> None:
    page = open_page(server, TWO)
    start_live(page)
    wait_for_live_status(page, "2 faces")
    page.click("#live [data-face='2']")
    page.wait_for_function("!document.querySelector('#live [data-attribute]:checked')")
    page.keyboard.press("a")
    wait_for_live_status(page, "Face 2: nothing is ticked")
    assert page.inner_text("#live .status [aria-hidden]") == "2 faces. Choose one by its box or its button."
    page.evaluate("window.faces = []")
    wait_for_live_status(page, "No face in sight")
    assert page.inner_text("#live .status") == "No face in sight: come closer."
    page.evaluate(f"window.faces = [{face(1, 40, 0.9)}]".replace("'", '"'))
    wait_for_live_status(page, "One face.")
    wait_for_more(page)
    assert "smiling" not in page.text_content("#live .status")
    page.click("#live .help")
    page.select_option("#live .keys select", label="every 5 seconds")
    wait_for_live_status(page, "One face: ")
    page.evaluate("window.faces[0].probabilities = Array(40).fill(0.01)")
    wait_for_live_status(page, "No longer: ")
    page.reload()
    page.wait_for_selector("#live:not([inert])")
    assert page.input_value("#live .keys select") == "5"


def test_the_guide_leads_into_the_picture_and_the_mirror_does_not_turn_it(server: Server, open_page: Any) -> None:
    page = open_page(server, answered(face(1, 10)))
    start_live(page)
    wait_for_live_status(page, "One face.")
    page.click("#live .help")
    page.click("#live [data-setting=guide]")
    wait_for_live_status(page, "Move to your left.")
    page.click("#live [data-do=mirror]")
    wait_for_more(page)
    assert page.inner_text("#live .status") == "Move to your left."
    page.evaluate("window.faces[0].box[0] = 195")
    wait_for_live_status(page, "You are in the picture.")
    page.evaluate("window.faces[0].warnings = ['dark']")
    wait_for_live_status(page, "Too dark")


def test_the_focus_never_falls_back_to_the_top_of_the_page(server: Server, open_page: Any, two_faces: Any) -> None:
    page = open_page(server, TWO)
    page.focus("#live-start")
    page.keyboard.press("Enter")
    page.wait_for_selector("#live-stop:focus")
    wait_for_live_status(page, "2 faces")
    page.focus("#live [data-face='2']")
    page.evaluate("window.faces = window.faces.slice(0, 1)")
    page.wait_for_selector("#live [data-face='1']:focus")
    page.evaluate("window.faces = []")
    wait_for_live_status(page, "No face in sight")
    assert page.evaluate(FOCUSED) != "body"
    page.focus("#live .help")
    page.keyboard.press("Enter")
    page.focus("#live [data-setting=guide]")
    page.keyboard.press("Escape")
    page.wait_for_selector("#live .help:focus")
    page.click("#live [data-toggle=adjust]")
    page.focus("#live-Smiling ~ .details input")
    page.keyboard.press("ArrowLeft")
    page.focus("#live [data-do=reset]")
    page.keyboard.press("Enter")
    page.wait_for_selector("#live [data-do=reset][aria-disabled=true]:focus")
    page.focus("#live-stop")
    page.keyboard.press("Enter")
    page.wait_for_selector("#live-start:focus")
    upload(page, two_faces)
    wait_for_faces(page, 2)
    page.wait_for_function("document.activeElement !== document.body")


def test_single_keys_do_nothing_beside_the_picture_until_they_are_switched_on(server: Server, open_page: Any) -> None:
    page = open_page(server, TWO)
    mirrored = "document.querySelector('#live [data-do=mirror]').getAttribute('aria-pressed')"
    beside = ("#live .calm input", "#live [data-toggle=ticked]", "#live-tab", "#about summary")

    def press_m_at(place: str) -> bool:
        """Whether M works there."""
        page.focus(place)
        before = page.evaluate(mirrored)
        page.keyboard.press("m")
        return page.evaluate(mirrored) != before

    page.keyboard.press("s")  # the focus is on body
    assert page.get_attribute("#live", "data-state") == "off"
    assert [place for place in beside if press_m_at(place)] == []
    assert press_m_at("#live .help")
    assert press_m_at("#live-start")
    page.keyboard.press("?")
    page.click("#live [data-setting=shortcuts]")
    assert page.get_attribute("#live [data-setting=shortcuts]", "aria-checked") == "true"
    page.reload()
    page.wait_for_selector("#live [data-setting=shortcuts][aria-checked=true]", state="attached")
    page.wait_for_selector("#live:not([inert])")
    assert [place for place in beside if not press_m_at(place)] == []
    assert not press_m_at("#live input[type=search]")
    page.click("#photo-tab")
    assert not press_m_at("#photo-tab")
    page.click("#live-tab")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("s")
    page.wait_for_selector("#live[data-state='on']")


def test_forced_colours_show_what_is_ticked_and_pressed(server: Server, open_page: Any) -> None:
    page = open_page(server)
    upload(page, PORTRAIT)
    wait_for_faces(page, 1)
    page.emulate_media(forced_colors="active", reduced_motion="reduce")
    page.evaluate("document.fonts.ready")

    def looks(*parts: str) -> int:
        """How many of these look different from one another."""
        return len({page.locator(f"#photo {part}").first.screenshot() for part in parts})

    assert looks(".ticks .yes", ".ticks i:not([class])", ".ticks .unsure") == 3
    colours = "span => [getComputedStyle(span).backgroundColor, getComputedStyle(span).color].join()"
    engines = page.eval_on_selector_all("#photo .engine input + span", f"spans => spans.map({colours})")
    assert len(engines) == len(set(engines)) == 2
    ticked, empty = "[data-attribute=Smiling]", "[data-attribute=Bald]"
    assert looks(ticked, empty) == 2
    assert looks(".bar:near([data-attribute=Smiling], 40)", ".bar:near([data-attribute=Bald], 40)") == 2
    pressed = page.locator("#photo [data-toggle=impressions]")
    before = pressed.screenshot()
    pressed.click()
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur()")
    page.wait_for_function("!document.querySelector('#photo [data-toggle=impressions]').matches(':hover')")
    unpressed = pressed.screenshot()
    assert unpressed != before
    pressed.focus()
    page.keyboard.press("Shift")  # so that the focus is shown as the keyboard's
    outline = "button => [getComputedStyle(button).outlineStyle, parseFloat(getComputedStyle(button).outlineWidth)]"
    assert pressed.evaluate(outline) == ["solid", 3]
