import pytest

from demo.server.content.telling import telling
from slimnet import ATTRIBUTES, GROUPS, Reliability


def weights(*accuracies: float, names: tuple[str, ...]) -> list[float]:
    return telling(names, [Reliability(accuracy, 0, 1) for accuracy in accuracies])


def test_what_is_rare_and_well_known_says_most() -> None:
    hat, beard, necklace = weights(0.94, 0.89, 0.51, names=("Wearing_Hat", "No_Beard", "Wearing_Necklace"))
    assert hat > 10 * beard
    assert hat > 10 * necklace


def test_an_expression_comes_before_what_does_not_change() -> None:
    smiling, makeup = weights(0.9, 0.9, names=("Smiling", "Heavy_Makeup"))
    assert smiling > makeup


def test_what_is_of_the_picture_an_impression_or_a_mere_guess_is_never_written() -> None:
    assert weights(0.9, 0.9, 0.5, 0.4, names=("Blurry", "Male", "Bald", "Bangs")) == [0, 0, 0, 0]


def test_weights_that_were_not_measured_and_names_that_celeba_has_not() -> None:
    every = telling(ATTRIBUTES, None)
    assert len(every) == 40
    assert {name for name, weight in zip(ATTRIBUTES, every, strict=True) if not weight} == {
        "Blurry",
        *GROUPS["Impressions"],
    }
    assert telling(("Smoking",), None) == [pytest.approx(0.6)]
