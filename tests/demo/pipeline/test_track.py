import numpy as np
import pytest

from demo.pipeline.track import Sighting, Tracker

RATE = 15
SHE, HE = np.linspace(0.02, 0.98, 40), np.linspace(0.98, 0.02, 40)


def seen(x: float, who: np.ndarray = SHE, size: float = 60, y: float = 100) -> Sighting:
    return Sighting((x, y, size, 1.2 * size), who.astype(np.float32))


def follow(frames: list[list[Sighting]], rate: float = RATE, tracker: Tracker | None = None) -> list[list[int]]:
    tracker = tracker or Tracker()
    return [tracker.update(number / rate, sightings) for number, sightings in enumerate(frames)]


@pytest.mark.parametrize("rate", [6, 30])
def test_a_face_keeps_its_number_while_it_moves(rate: int) -> None:
    across = np.linspace(0, 500, rate)  # the whole picture in one second, there and back
    numbers = follow([[seen(x)] for x in (*across, *across[::-1])], rate)
    assert numbers == [[1]] * 2 * rate


def test_a_face_that_comes_nearer_keeps_its_number() -> None:
    assert follow([[seen(300 - size / 2, size=size)] for size in np.geomspace(30, 240, RATE)]) == [[1]] * RATE


@pytest.mark.parametrize("alike", [False, True])
@pytest.mark.parametrize("rate", [6, 30])
def test_two_who_cross_keep_their_numbers(alike: bool, rate: int) -> None:
    there = np.linspace(0, 400, 2 * rate)
    noise = np.random.default_rng(0).normal(0, 2, (2 * rate, 2))
    frames = [
        [seen(x + one), seen(400 - x + other, SHE if alike else HE, y=115)]
        for x, (one, other) in zip(there, noise, strict=True)
    ]
    assert follow(frames, rate) == [[1, 2]] * len(frames)


def test_two_who_turn_back_where_they_meet_are_told_apart_by_their_looks() -> None:
    there = np.linspace(0, 190, RATE)
    hidden: list[list[Sighting]] = [[seen(200)]] * 5  # she stands before him
    frames = [[seen(x), seen(400 - x, HE)] for x in there]
    back = [[seen(400 - x, HE), seen(x)] for x in there[::-1]]
    numbers = follow(frames + hidden + back)
    assert numbers == [[1, 2]] * RATE + [[1]] * 5 + [[2, 1]] * RATE


def test_a_face_that_suddenly_looks_different_keeps_its_number_while_it_is_in_sight() -> None:
    assert follow([[seen(100)], [seen(104, HE)], [seen(108)]]) == [[1], [1], [1]]


def test_the_order_of_the_faces_does_not_matter() -> None:
    frames = [[seen(0), seen(200, HE)], [seen(202, HE), seen(3)], [seen(5), seen(205, HE)]]
    assert follow(frames) == [[1, 2], [2, 1], [1, 2]]


def test_a_face_hidden_for_a_moment_keeps_its_number_though_it_moved_on() -> None:
    before = [[seen(10 * x), seen(500, HE)] for x in range(10)]
    hidden = [[seen(500, HE)]] * RATE
    after = [[seen(190), seen(500, HE)]]
    assert follow(before + hidden + after)[-1] == [1, 2]


def test_who_runs_out_of_sight_and_stops_there_keeps_the_number() -> None:
    assert follow([[seen(40 * x)] for x in range(10)] + [[]] * RATE + [[seen(400)]])[-1] == [1]


def test_of_two_who_look_alike_the_nearer_is_known_by_the_size() -> None:
    near, far = seen(25, size=150, y=25), seen(135, size=50, y=85)
    assert follow([[near, far]] + [[]] * 5 + [[seen(75, size=50, y=85), seen(85, size=150, y=25)]])[-1] == [2, 1]


def test_somebody_new_far_off_takes_no_number_from_those_who_are_there() -> None:
    assert follow([[seen(36), seen(120)], [seen(98), seen(600)]]) == [[1, 2], [2, 3]]


def test_a_new_person_gets_a_new_number() -> None:
    frames = [[seen(100)], [seen(100), seen(300)], [seen(300), seen(100)]]
    assert follow(frames) == [[1], [1, 2], [2, 1]]


def test_somebody_else_in_the_place_of_one_who_left_gets_a_new_number() -> None:
    assert follow([[seen(100)], *[[]] * 9, [seen(100, HE)]])[-1] == [2]


def test_who_returns_late_is_new_and_a_number_is_given_again_only_after_some_seconds() -> None:
    tracker = Tracker()
    assert tracker.update(0, [seen(100)]) == [1]
    assert tracker.update(1.9, [seen(100)]) == [1]
    assert tracker.update(4.5, [seen(100)]) == [2]
    assert tracker.update(6, [seen(100), seen(300, HE)]) == [2, 3]
    assert tracker.update(7.5, [seen(100), seen(300, HE), seen(600)]) == [2, 3, 1]


def test_probabilities_of_0_and_1_and_one_time_twice_are_no_trouble() -> None:
    tracker = Tracker()
    sure = np.array([0, 1] * 20)
    assert tracker.update(1, [seen(100, sure)]) == [1]
    assert tracker.update(1, [seen(101, sure)]) == [1]
