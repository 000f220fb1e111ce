import pytest

from demo.terminal import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Émilie 王\u3000(2).jpg", "Émilie 王\u3000(2).jpg"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x1b[2J\x07\x9b", "\\x1b[2J\\x07\\x9b"),
        ("\udcff\u202e\u2028", "\\udcff\\u202e\\u2028"),
    ],
)
def test_a_text_is_shown_in_one_line_that_cannot_steer_the_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown
