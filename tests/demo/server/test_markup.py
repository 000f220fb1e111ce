import html

from demo.server.markup import escaped


def test_nothing_is_left_that_html_or_a_template_would_act_on() -> None:
    text = """<b>&"'${1 + 1}`{{value}}\\u0041"""
    assert not set(escaped(text)) & set("<>\"'$`{}\\")
    assert html.unescape(escaped(text)) == text


def test_plain_words_stay_as_they_are() -> None:
    assert escaped("Wavy Hair, 5 %") == "Wavy Hair, 5 %"
