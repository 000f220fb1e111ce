"""The line that says how live mode is doing."""

from typing import Any

from tests.browser.bare import bare_page

# What the line says once it has been told, since `since`, that there is one face.
SETTLED = """(since) => {
    const now = performance.now() + since;
    line.settle("One face.", "plain", now - 400);
    line.settle("One face.", "plain", now);
    return line.line.textContent;
}"""


def test_a_notice_stays_for_a_while_but_not_longer_than_the_next_message(browser: Any) -> None:
    with bare_page(browser, "live/status_line.js", body='<p class="status"></p>') as page:
        page.evaluate("window.line = new StatusLine(document.querySelector('.status')); 0")
        assert page.evaluate(f"line.notice('Saved.'); ({SETTLED})(0)") == "Saved."
        page.evaluate("line.say('The server does not answer.', 'problem')")
        assert page.evaluate(SETTLED, 0) == "One face."
        assert page.evaluate(f"line.notice('Saved.'); ({SETTLED})(0)") == "Saved."
        assert page.evaluate(SETTLED, 4000) == "One face."
