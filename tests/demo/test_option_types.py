import argparse

import pytest

from demo.option_types import positive


def test_a_whole_number_from_1_on_is_taken() -> None:
    assert [positive(text) for text in ("1", "07", "1000")] == [1, 7, 1000]


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "1e3", "many", ""])
def test_any_other_number_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=f"^{text} is not a whole number from 1 on$"):
        positive(text)
