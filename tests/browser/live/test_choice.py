from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from tests.browser.bare import bare_page


@pytest.fixture(scope="module")
def page(browser: Any) -> Iterator[Any]:
    with bare_page(browser, "live/choice.js") as page:
        yield page


def chosen(
    page: Any, frames: Sequence[tuple[float, Mapping[int, float]]], taken: int | None = None
) -> list[int | None]:
    """The chosen face after each frame (milliseconds, {number: side of box}); the visitor chooses in the first one."""
    return page.evaluate(
        """([frames, taken]) => {
            const choice = new Choice();
            return frames.map(([milliseconds, faces], index) => {
              const face = ([number, side]) => ({number: Number(number), box: [0, 0, side, side]});
              choice.follow(Object.entries(faces).map(face), milliseconds);
              if (taken && !index) choice.take(taken, milliseconds);
              return choice.number;
            });
        }""",
        [frames, taken],
    )


def test_of_new_faces_the_largest_is_chosen_and_stays_when_another_grows(page: Any) -> None:
    assert chosen(page, [(0, {}), (30, {1: 50, 2: 80, 3: 60}), (60, {1: 200, 2: 70, 3: 60})]) == [None, 2, 2]


def test_a_visitors_choice_counts_more_than_size(page: Any) -> None:
    assert chosen(page, [(0, {1: 50, 2: 80}), (30, {1: 50, 2: 80})], taken=1) == [1, 1]


def test_a_chosen_face_may_be_hidden_for_a_second_before_another_takes_its_place(page: Any) -> None:
    frames = [(0, {1: 80}), (500, {2: 50}), (900, {1: 80, 2: 50}), (1800, {2: 50}), (1900, {}), (1950, {2: 50})]
    assert chosen(page, frames) == [1, 1, 1, 1, 1, 2]
