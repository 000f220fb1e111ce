import pytest

from demo.interruption import InterruptedWorkError, check_wanted, interruptible


def test_work_goes_on_while_it_is_wanted_and_stops_at_the_next_look() -> None:
    answers = iter([True, True, False])
    steps = []

    def work(name: str, *, count: int) -> None:
        for step in range(count):
            check_wanted()
            steps.append((name, step))

    with pytest.raises(InterruptedWorkError):
        interruptible(lambda: next(answers), work, "step", count=5)
    assert steps == [("step", 0), ("step", 1)]
    check_wanted()  # what comes later is no part of that work


def test_what_the_work_gives_is_returned() -> None:
    assert interruptible(lambda: True, divmod, 7, 2) == (3, 1)
