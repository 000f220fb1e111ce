import pytest

from demo.interruption import InterruptedWorkError, check_wanted, followed, interruptible


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
    check_wanted()  # what comes later is not part of that work


def test_what_the_work_gives_is_returned() -> None:
    assert interruptible(lambda: True, divmod, 7, 2) == (3, 1)


def test_who_follows_the_work_is_told_of_each_step_and_that_it_waits_for_its_turn() -> None:
    told: list[bool] = []
    with followed(told.append):
        interruptible(lambda: told == [True], check_wanted)
    assert told == [True, False]
    check_wanted()
    assert told == [True, False]
