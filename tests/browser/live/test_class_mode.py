"""Class mode: the two largest faces in large type, and things to try that tick themselves off."""

from typing import Any

from slimnet import ATTRIBUTES
from tests.browser.conftest import Server, start_live, wait_for_live_status, wait_for_more
from tests.browser.films import answered, face


def having(number: int, left: int, size: int, *attributes: str) -> dict[str, Any]:
    """A face with these attributes and no others."""
    probabilities = [0.99 if name in attributes else 0.001 for name in ATTRIBUTES]
    return face(number, left, probabilities=probabilities, box=[left, 100, size, size])


def things(page: Any) -> dict[str, bool]:
    """Thing to try -> whether it was seen."""
    found = page.eval_on_selector_all(
        "#live [data-thing]", "all => all.map((thing) => [thing.innerText, thing.classList.contains('done')])"
    )
    return dict(found)


def cards(page: Any) -> list[list[str]]:
    shown = page.locator("#live .class-faces section:visible")
    return [shown.nth(place).inner_text().split("\n") for place in range(shown.count())]


def test_the_two_largest_faces_and_what_was_tried(server: Server, open_page: Any) -> None:
    faces = [having(1, 20, 90, "No_Beard"), having(2, 150, 40, "Bald"), having(3, 300, 100, "Smiling")]
    page = open_page(server, answered(*faces))
    start_live(page)
    page.focus("#live [data-do=class]")
    page.keyboard.press("Enter")
    page.wait_for_selector("#live .class-things .done")
    assert cards(page) == [["Face 3", "Smiling"], ["Face 1", "No Beard"]]  # as in the mirror
    assert page.is_visible("#live .class-picture canvas")
    wait_for_more(page)
    assert things(page) == {"Smile": True, "Put on glasses": False, "Wear a hat": False, "Open your mouth": False}
    assert page.inner_text("#live .class-things [role=status]") == "Done: Smile."
    assert page.locator("#live .class-things [role=img][aria-label=yes]").count() == 1
    assert page.locator("#live .class-things [role=img][aria-label=no]").count() == 3
    both = having(1, 20, 90, "No_Beard", "Eyeglasses", "Young", "Mouth_Slightly_Open")
    page.evaluate("(faces) => { window.faces = faces; }", [both])
    told = page.locator("#live .class-things [role=status]", has_text="Done: Put on glasses.")
    told.filter(has_text="Done: Open your mouth.").wait_for()
    page.wait_for_selector("#live [data-thing=Eyeglasses].done")
    assert cards(page) == [["Face 1", "Mouth Slightly Open", "No Beard", "Eyeglasses"]]  # no impressions
    assert things(page)["Smile"] is True
    page.click("#live .class-mode [data-do=again]")
    page.wait_for_selector("#live [data-thing=Eyeglasses].done")
    assert things(page)["Smile"] is False
    page.evaluate("window.faces = []; 0")
    page.wait_for_selector("#live .class-faces .none:visible")
    assert cards(page) == []


def test_a_picture_that_stands_still_has_its_faces_too(server: Server, open_page: Any) -> None:
    page = open_page(server, answered(having(1, 20, 90, "Smiling")))
    start_live(page)
    page.click("#live [data-do=class]")
    page.locator("#live .class-faces section:visible", has_text="Smiling").wait_for()
    page.keyboard.press("Escape")
    page.evaluate("(faces) => { window.faces = faces; }", [having(2, 20, 90, "Bald")])
    page.wait_for_selector("#live [data-face='2']")
    page.click("#live [data-do=freeze]")
    wait_for_live_status(page, "Frozen")
    page.click("#live [data-do=class]")
    assert cards(page) == [["Face 2", "Bald"]]
    assert page.is_hidden("#live .class-faces .none")


def test_a_setting_that_is_changed_while_an_answer_is_awaited_counts_at_once(server: Server, open_page: Any) -> None:
    probabilities = [0.4 if name == "Bags_Under_Eyes" else 0.001 for name in ATTRIBUTES]
    page = open_page(server, answered(face(1, 20, probabilities=probabilities, box=[20, 100, 90, 90])))
    start_live(page)
    page.click("#live [data-do=class]")
    page.wait_for_selector("#live .class-faces section:visible")
    assert "Bags Under Eyes" not in cards(page)[0]
    page.keyboard.press("Escape")
    page.evaluate("window.delay = 1e9")
    page.wait_for_function("document.querySelector('#live').classList.contains('stale')")
    painted = page.get_attribute("#live", "data-frame")
    page.check("#live .points [value=balanced]", force=True)
    page.click("#live [data-do=class]")
    assert "Bags Under Eyes" in cards(page)[0]
    assert page.get_attribute("#live", "data-frame") == painted


def test_faces_stand_as_in_the_picture_when_it_is_mirrored(server: Server, open_page: Any) -> None:
    page = open_page(server, answered(having(1, 20, 90, "Smiling"), having(2, 320, 90, "Bald")))
    start_live(page)
    page.wait_for_selector("#live [data-face='2']")
    page.click("#live [data-do=freeze]")
    wait_for_live_status(page, "Frozen")

    def order() -> list[str]:
        page.click("#live [data-do=class]")
        found = [card[0] for card in cards(page)]
        page.keyboard.press("Escape")
        return found

    before = order()
    page.click("#live [data-do=mirror]")
    assert sorted(before) == ["Face 1", "Face 2"]
    assert order() == before[::-1]


def test_escape_and_the_end_of_the_camera_close_it(server: Server, open_page: Any) -> None:
    page = open_page(server, answered(having(1, 20, 90, "Smiling")))
    start_live(page)
    page.click("#live [data-do=class]")
    page.wait_for_selector("#live .class-mode[open]")
    page.locator("#live .class-mode .status:visible", has_text="One face").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.class-mode') !== null")
    page.keyboard.press("Escape")
    page.wait_for_selector("#live .class-mode", state="hidden")
    page.wait_for_selector("#live [data-do=class]:focus")
    page.wait_for_selector("#live .stage > canvas:visible")
    page.wait_for_selector("#live .said > .status:first-child")
    page.keyboard.press("Enter")
    page.wait_for_selector("#live .class-mode[open]")
    page.eval_on_selector("#live-stop", "stop => stop.click()")  # behind the dialog, as if the camera were unplugged
    page.wait_for_selector("#live[data-state='off']")
    page.wait_for_selector("#live .class-mode", state="hidden")
    page.wait_for_selector("#live .stage > canvas", state="attached")
