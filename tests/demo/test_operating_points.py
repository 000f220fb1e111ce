from demo.operating_points import CHOICES, POINTS
from slimnet.calibration import OPERATING_POINTS


def test_the_switch_holds_every_operating_point() -> None:
    assert sorted(POINTS) == sorted(OPERATING_POINTS)


def test_each_is_told_by_its_aim_and_by_what_the_page_calls_it() -> None:
    assert CHOICES.startswith("accuracy for the fewest mistakes (the page's 'Fewest mistakes'), f1 for ")
    assert CHOICES.count("(the page's '") == len(OPERATING_POINTS)
