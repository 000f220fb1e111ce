from typing import Any

import numpy as np

from demo.benchmark.tick_figures import LEAST_COUNT, tick_figures
from tests.fakes.decided import decided

# How many faces with and without the attribute have each probability. Not sure from 0.1 to 0.9; ticked above 0.2 at
# "balanced", and above 0.4 at "f1".
WITH, WITHOUT = {0.95: 30, 0.5: 20, 0.05: 10}, {0.95: 10, 0.3: 40, 0.05: 90}


def measured(having: dict[float, int], without: dict[float, int], unknown: int = 0) -> dict[str, Any]:
    """The figures for these faces, followed by sure ones whose label is not known."""
    probabilities = [p for side in (having, without) for p, count in side.items() for _ in range(count)]
    row = np.arange(len(probabilities) + unknown)
    labels, known = row < sum(having.values()), row < len(probabilities)
    answers = np.array([*probabilities, *[0.95] * unknown])
    return tick_figures(answers[:, None], labels[:, None], known[:, None], ("Smiling",), decided(1))


def test_ticks_and_answers_are_measured_as_the_page_gives_them() -> None:
    assert measured(WITH, WITHOUT) == {
        "points": {
            "balanced": {"precision": [0.5], "recall": [0.8333]},
            "f1": {"precision": [0.8333], "recall": [0.8333]},
        },
        "sure": {"right": [0.8571], "answered": [0.7], "precision": [0.75], "recall": [0.5]},
    }


def test_ticks_that_another_one_excludes_are_none() -> None:
    sure = np.full((LEAST_COUNT, 2), 0.99)
    sure[:, 1] = 0.95
    found = tick_figures(sure, np.ones_like(sure, bool), np.ones_like(sure, bool), ("No_Beard", "Goatee"), decided(2))
    assert found["points"]["f1"]["recall"] == found["sure"]["answered"] == [1, 0]


def test_a_share_of_few_is_not_told() -> None:
    few = measured({0.95: LEAST_COUNT - 1, 0.5: 1}, {0.05: 9})
    assert few["sure"] == {"right": [1.0], "answered": [0.9744], "precision": [None], "recall": [0.9667]}
    assert measured({0.95: LEAST_COUNT - 1}, {0.95: 1})["sure"]["recall"] == [None]
    assert measured({0.95: LEAST_COUNT - 1}, {0.95: 1})["sure"]["precision"] == [0.9667]
    assert measured({0.95: 1}, {})["points"]["balanced"] == {"precision": [None], "recall": [None]}


def test_labels_that_are_not_known_count_nowhere() -> None:
    assert measured(WITH, WITHOUT, unknown=60) == measured(WITH, WITHOUT)
