"""Why, in live mode: an attribute's map comes with each frame once the visitor asks for it, and not before."""

from typing import Any

from tests.browser.conftest import Server, wait_for_live_status, wait_for_more
from tests.browser.films import SMILING, answered, face

SENTENCE = "Mostly the mouth and what is below it: +2.6 of +3.4."
QUESTIONS = "window.messages.filter(({leave}) => !leave).map(({why}) => JSON.stringify(why))"


def wait_for_sentence(page: Any, text: str) -> None:
    page.locator("#live .why .where", has_text=text).wait_for()


def test_the_map_of_the_attribute_that_is_asked_about_is_shown_and_told(server: Server, open_page: Any) -> None:
    page = open_page(server, answered(face(1, 40, 0.9, why=SMILING), face(2, 340, 0.2)))
    page.click("#live label[for=live-Smiling]")
    wait_for_sentence(page, "Start the camera to see why.")
    assert "Start the camera to see why." in page.locator("#live .status").aria_snapshot()
    page.click("#live .why [data-do=why-close]")
    assert page.is_hidden("#live .why")

    page.click("#live-start")
    wait_for_live_status(page, "2 faces")
    assert set(page.evaluate(QUESTIONS)) == {"null"}
    page.click("#live [data-toggle=adjust]")
    button = page.locator("#live li:has(#live-Smiling) [data-do=why]")
    button.focus()
    page.keyboard.press("Enter")
    wait_for_sentence(page, SENTENCE)
    assert set(page.evaluate(QUESTIONS)) == {"null", '{"face":1,"attribute":"Smiling"}'}
    assert button.get_attribute("aria-pressed") == "true"
    assert page.inner_text("#live .why h3") == "Why “Smiling”?"
    summands = page.locator("#live .why .summands > span").all_inner_texts()
    assert summands[0] == "hair and forehead +0.2"
    assert summands[-1] == "together +3.4, which is 97%"
    assert f"Why smiling: {SENTENCE}" in page.locator("#live .status").aria_snapshot()
    # The page says the sentence once by itself; visitors can press A to hear it again.
    assert page.locator("#live .why[aria-live], #live .why [role=status]").count() == 0

    page.focus("#live .why [data-do=why-close]")
    page.keyboard.press("Enter")
    page.wait_for_selector("#live li:has(#live-Smiling) [data-do=why]:focus")
    wait_for_more(page, 3)
    assert set(page.evaluate(QUESTIONS)[-2:]) == {"null"}

    page.click("#live label[for=live-Smiling]")
    wait_for_sentence(page, SENTENCE)
    page.evaluate("[window.there, window.faces] = [window.faces, []]; 0")
    wait_for_sentence(page, "No face in sight")  # what it said was of the face that has gone
    assert page.locator("#live .why.waiting").count() == 1
    page.evaluate("window.faces = window.there; 0")
    wait_for_sentence(page, SENTENCE)
    page.click("#live .why [data-do=why-close]")

    page.click("#live [data-do=freeze]")
    wait_for_live_status(page, "Frozen")
    page.click("#live label[for=live-Smiling]")
    wait_for_sentence(page, "Nothing is read while the picture is frozen.")
    page.click("#live [data-do=freeze]")
    wait_for_sentence(page, SENTENCE)
    page.click("#live [data-face='2']")  # no map comes with this face
    wait_for_sentence(page, "No explanation is available here.")
    page.click("#live-stop")
    assert page.is_hidden("#live .why")


def test_an_answer_that_will_not_come_is_not_awaited_over_a_frozen_picture(server: Server, open_page: Any) -> None:
    page = open_page(server, answered(face(1, 40, 0.9, why=SMILING)))
    page.click("#live-start")
    wait_for_live_status(page, "One face")
    page.evaluate("window.fetch = () => new Promise(() => {}); 0")
    wait_for_live_status(page, "Waiting for the server's answer")
    page.click("#live label[for=live-Smiling]")
    wait_for_sentence(page, "Working it out…")
    page.click("#live [data-do=freeze]")
    wait_for_sentence(page, "Nothing is read while the picture is frozen.")
