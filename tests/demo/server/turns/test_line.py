import math
from collections import Counter
from contextlib import suppress
from heapq import heappop, heappush
from random import Random

import pytest

from demo.limits import KEPT_PLACE_SECONDS, LOST_TURN_SECONDS, MAX_WAIT_SECONDS, MIN_WAIT_SECONDS, UPLOAD_TURN_SECONDS
from demo.server.turns.line import Line, TurnedAwayError


class Clock:
    """A stand-in for the clock."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def fill(line: Line, count: int) -> None:
    for number in range(count):
        line.enter(f"address {number}", f"inside {number}")


def full_line_of_pace(seconds: float) -> tuple[Line, "Clock"]:
    """A line whose four places are taken, by addresses 200 to 203, and have become free at this pace for long."""
    clock = Clock()
    line = Line(4, 1, clock)
    fill(line, 4)
    for number in range(200):
        clock.seconds += seconds
        line.leave(f"address {number}")
        line.enter(f"address {number + 4}", f"{number}")
    return line, clock


def turned_away(line: Line, address: str, guest: str | None) -> TurnedAwayError:
    with pytest.raises(TurnedAwayError) as told:
        line.enter(address, guest)
    return told.value


def test_as_many_as_there_are_places_get_in_and_the_next_when_one_leaves() -> None:
    line = Line(4, 1, Clock())
    fill(line, 4)
    assert turned_away(line, "a", "she").place == 1
    line.leave("address 0")
    line.enter("a", "she")
    assert line.inside == 4


def test_a_place_that_becomes_free_is_kept_for_the_first_in_line() -> None:
    line = Line(4, 1, Clock())
    fill(line, 4)
    assert [turned_away(line, guest, guest).place for guest in ("she", "he", "she")] == [1, 2, 1]
    line.leave("address 0")
    assert turned_away(line, "late", "late").place == 3
    assert turned_away(line, "he", "he").place == 2
    line.enter("she", "she")
    line.leave("address 1")
    line.enter("he", "he")


def test_nobody_who_comes_back_is_starved_by_those_who_ask_more_often() -> None:
    clock = Clock()
    line = Line(8, 2, clock)
    answered: Counter[str] = Counter()
    inside: list[str] = []
    back = {str(number): 0.0 for number in range(40)}  # guest -> when they come again
    for _ in range(4000):
        clock.seconds += 0.01
        if inside:
            done = inside.pop(0)
            line.leave(done)
            answered[done] += 1
            back[done] = clock.seconds
        for guest, when in back.items():
            if guest not in inside and when <= clock.seconds:
                try:
                    line.enter(guest, guest)
                    inside.append(guest)
                except TurnedAwayError as told:
                    back[guest] = clock.seconds + told.seconds
    assert min(answered.values()) >= 0.6 * sorted(answered.values())[20]
    assert sum(answered.values()) > 3900


def test_one_address_cannot_hold_all_places() -> None:
    line = Line(8, 1, Clock())
    for number in range(4):
        line.enter("greedy", str(number))
    for number in range(4, 50):
        turned_away(line, "greedy", str(number))
    for number in range(4):
        line.enter(f"other {number}", f"other {number}")
    assert turned_away(line, "other 4", "other 4")
    line.leave("greedy")
    line.enter("other 4", "other 4")


def test_while_others_are_in_line_an_address_has_an_equal_share_and_what_it_gives_up_is_theirs() -> None:
    line = Line(8, 1, Clock())
    for number in range(4):
        line.enter("one", f"one {number}")
        line.enter("two", f"two {number}")
    for guest in ("one 4", "two 4"):
        turned_away(line, guest[:3], guest)
    assert turned_away(line, "she", "she").place == 3
    line.leave("one")
    turned_away(line, "one", "one 4")
    line.enter("she", "she")
    line.leave("two")
    line.enter("she", "hers")
    turned_away(line, "she", "her third")  # 2 of 8 are hers, since there are three addresses
    line.leave("one")
    turned_away(line, "one", "one 4")
    line.leave("one")
    line.enter("one", "one 4")


def test_those_of_one_address_have_half_of_the_places_while_nobody_else_is_in_line() -> None:
    line = Line(8, 1, Clock())
    for number in range(4):
        line.enter("class", str(number))
    for guest in ("4", "5"):
        turned_away(line, "class", guest)
    line.enter("other", "other")
    for guest in ("4", "5"):
        line.leave("class")
        line.enter("class", guest)


def test_workers_are_not_idle_while_an_address_has_more_than_its_share() -> None:
    line = Line(4, 2, Clock())
    for number in range(2):
        line.enter("class", str(number))
    fill(line, 2)
    for guest in "abc":
        turned_away(line, guest, guest)
    for number in range(2):
        line.leave(f"address {number}")
    line.leave("class")
    line.enter("class", "2")


def test_those_of_one_address_keep_their_order() -> None:
    line = Line(8, 1, Clock())
    for number in range(4):
        line.enter("all", str(number))
    for guest in ("she", "he"):
        turned_away(line, "all", guest)
    line.leave("all")
    turned_away(line, "all", "he")
    line.enter("all", "she")


def test_an_address_that_is_not_known_has_no_bound() -> None:
    line = Line(8, 1, Clock())
    for number in range(8):
        line.enter("", str(number))
    turned_away(line, "", "8")


def test_the_turns_of_one_address_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.server.turns.line.MAX_TURNS_OF_ADDRESS", 8)
    line = Line(8, 1, Clock())
    fill(line, 8)
    for number in range(1000):
        turned_away(line, "greedy", str(number))
    assert turned_away(line, "greedy", "last").place == 9


def test_the_further_turns_of_an_address_come_after_everybody_s_first() -> None:
    line = Line(4, 1, Clock())
    fill(line, 4)
    for number in range(12):
        turned_away(line, f"greedy {number % 3}", str(number))
    assert turned_away(line, "a", "she").place == 4
    assert turned_away(line, "a", "he").place == 8
    for number in range(4):
        line.leave(f"address {number}")
    for name in "012":
        line.enter(f"greedy {name}", name)
    turned_away(line, "greedy 0", "3")
    line.enter("a", "she")


def test_newcomers_come_after_those_of_the_round_that_goes_on() -> None:
    line = Line(4, 1, Clock())
    fill(line, 4)
    for guest in ("she", "he"):
        turned_away(line, "a", guest)
    line.leave("address 0")
    line.enter("a", "she")
    assert turned_away(line, "late", "late").place == 2
    assert turned_away(line, "a", "he").place == 1


def test_all_turns_together_are_bounded_and_a_further_one_is_the_last_of_the_address_with_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("demo.server.turns.line.MAX_TURNS", 6)
    monkeypatch.setattr("demo.server.turns.line.MAX_TURNS_OF_ADDRESS", 4)
    line = Line(4, 1, Clock())
    fill(line, 4)
    for guest in ("1", "2", "3", "4"):
        turned_away(line, "greedy", guest)
    for guest in ("a", "b", "c", "d", "e", "f"):
        turned_away(line, guest, guest)
    assert turned_away(line, "late", None).place == 7  # behind six
    assert turned_away(line, "e", "e").place == 6  # e got greedy's last turn beyond its first
    assert turned_away(line, "f", "f").place == turned_away(line, "late", "late").place == 7  # nobody has two any more


def test_of_the_turns_of_a_crowded_address_one_for_which_no_place_is_kept_is_given_up_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("demo.server.turns.line.MAX_TURNS", 4)
    clock = Clock()
    line = Line(4, 1, clock)
    fill(line, 4)
    turned_away(line, "single", "single")
    for guest in ("gone", "here", "last"):
        turned_away(line, "class", guest)
    clock.seconds += KEPT_PLACE_SECONDS + 1
    assert [turned_away(line, "class", guest).place for guest in ("here", "last")] == [1, 2]
    turned_away(line, "new", "new")
    assert [turned_away(line, guest, guest).place for guest in ("single", "new")] == [1, 2]  # nor has that one gone
    assert turned_away(line, "class", "gone").place == 5


def test_a_newcomer_gets_the_turn_of_somebody_who_is_gone_but_not_for_a_second_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("demo.server.turns.line.MAX_TURNS", 2)
    clock = Clock()
    line = Line(4, 1, clock)
    fill(line, 4)
    for guest in ("gone", "here"):
        turned_away(line, guest, guest)
    clock.seconds += KEPT_PLACE_SECONDS + 1
    turned_away(line, "here", "here")
    turned_away(line, "here", "her second")
    assert turned_away(line, "gone", "gone").place == 1
    clock.seconds += KEPT_PLACE_SECONDS + 1
    turned_away(line, "here", "here")
    turned_away(line, "new", "new")
    assert turned_away(line, "gone", "gone").place == 3


def photo_waits(addresses: list[str], seconds: float = 60.0, photo_seconds: float = 0.2) -> list[list[float]]:
    """How long each visitor waited for each of their photos, if all send one after the other as the page does.

    Args:
        addresses: one for each visitor.
        seconds: how long they go on.
        photo_seconds: how long one of the two workers needs for a photo.
    """
    clock = Clock()
    line = Line(8, 2, clock)
    workers = [0.0, 0.0]  # when each is free again
    waits: list[list[float]] = [[] for _ in addresses]
    begun = [0.001 * visitor for visitor in range(len(addresses))]  # when they wanted the current photo
    following = [(when, visitor, "send") for visitor, when in enumerate(begun)]  # a heap
    while following[0][0] < seconds:
        clock.seconds, visitor, step = heappop(following)
        address, guest = addresses[visitor], str(visitor)
        if step == "end":
            line.leave(address)
            waits[visitor].append(clock.seconds - begun[visitor])
            begun[visitor] = clock.seconds + 0.01
            heappush(following, (begun[visitor], visitor, "send"))
            continue
        try:
            if step == "ask":
                line.reserve(address, guest)
            line.enter(address, guest)
            end = max(clock.seconds, heappop(workers)) + photo_seconds
            heappush(workers, end)
            heappush(following, (end, visitor, "end"))
        except TurnedAwayError as told:
            heappush(following, (clock.seconds + min(told.seconds, 0.5 * told.place), visitor, "ask"))
    return waits


@pytest.mark.parametrize(("count", "longest"), [(30, 7.0), (50, 11.0), (100, 20.0)])
@pytest.mark.parametrize("same", [True, False])
def test_the_photo_visitors_of_one_address_are_served_as_fairly_as_those_of_many(
    count: int, longest: float, same: bool
) -> None:
    waits = photo_waits(["class" if same else str(visitor) for visitor in range(count)])
    answered = sorted(map(len, waits))
    assert answered[0] >= 0.8 * answered[count // 2]
    assert max(map(max, waits)) <= longest


def test_a_class_delays_a_visitor_of_another_address_by_moments() -> None:
    *_, hers = photo_waits([*["class"] * 100, "hers"])
    assert max(hers) <= 1.0


def test_addresses_that_fill_the_line_leave_turns_to_newcomers_of_others() -> None:
    *_, one, two, three = photo_waits([*["first class"] * 140, *["second class"] * 140, "one", "two", "three"])
    assert max(map(max, (one, two, three))) <= 2.0


def program_tries(honest: int, photo_seconds: float) -> list[list[int]]:
    """How many tries each photo of honest programs takes within ten minutes, each program from its own address.

    They come again when Retry-After says. Two other addresses ask again in every tenth of a second.
    """
    clock, chance = Clock(), Random(0)
    line = Line(8, 2, clock)
    ends: list[tuple[float, str]] = []  # a heap
    tries = [[0] for _ in range(honest)]
    back = [0.0] * honest

    def come(address: str) -> None:
        line.enter(address)
        heappush(ends, (clock.seconds + photo_seconds * chance.uniform(0.5, 1.5), address))

    for _ in range(6000):
        clock.seconds += 0.1
        while ends and ends[0][0] <= clock.seconds:
            _, address = heappop(ends)
            line.leave(address)
            if address.isdecimal():
                tries[int(address)].append(0)
                back[int(address)] = clock.seconds
        for address in ("greedy", "greedier"):
            with suppress(TurnedAwayError):
                while True:
                    come(address)
        for number in (number for number, when in enumerate(back) if when <= clock.seconds):
            tries[number][-1] += 1
            try:
                come(str(number))
                back[number] = math.inf
            except TurnedAwayError as told:
                back[number] = clock.seconds + math.ceil(told.seconds)
    return [own[:-1] for own in tries]


@pytest.mark.parametrize(("honest", "photo_seconds", "fewest"), [(1, 20.0, 15), (5, 5.0, 80), (12, 5.0, 35)])
def test_programs_that_come_when_they_are_told_to_get_in_beside_greedy_ones(
    honest: int, photo_seconds: float, fewest: int
) -> None:
    tries = program_tries(honest, photo_seconds)
    assert min(map(len, tries)) >= fewest  # of the 240 or 960 photos that there are places for
    later = [count for own in tries for count in own[len(own) // 2 :]]  # the pace is known by then
    assert sum(later) <= 3 * len(later)


def test_the_wait_follows_the_pace_at_which_places_become_free() -> None:
    line, _ = full_line_of_pace(2.0)
    waits = [turned_away(line, guest, guest).seconds for guest in ("she", "he")]
    assert waits == pytest.approx([2.0, 4.0], rel=0.01)


@pytest.mark.parametrize(("pace", "told"), [(0.001, MIN_WAIT_SECONDS), (100.0, MAX_WAIT_SECONDS)])
def test_nobody_is_told_to_come_back_sooner_or_later_than_the_bounds(pace: float, told: float) -> None:
    line, _ = full_line_of_pace(pace)
    assert turned_away(line, "she", "she").seconds == told


@pytest.mark.parametrize(("late", "place"), [(-0.01, 1), (0.01, 2)])
def test_who_comes_back_too_late_has_lost_the_turn(late: float, place: int) -> None:
    clock = Clock()
    line = Line(4, 1, clock)
    fill(line, 4)
    wait = turned_away(line, "she", "she").seconds
    clock.seconds += wait + LOST_TURN_SECONDS + late
    turned_away(line, "he", "he")
    assert turned_away(line, "she", "she").place == place


def test_a_place_is_kept_until_a_while_after_its_guest_should_have_come() -> None:
    clock = Clock()
    line = Line(4, 1, clock)
    fill(line, 4)
    wait = turned_away(line, "she", "she").seconds
    line.leave("address 0")
    clock.seconds += wait + KEPT_PLACE_SECONDS - 0.01
    turned_away(line, "late", None)
    clock.seconds += 0.02
    line.enter("late", None)


def test_who_does_not_come_back_loses_the_turn() -> None:
    clock = Clock()
    line = Line(4, 1, clock)
    fill(line, 4)
    turned_away(line, "gone", "gone")
    line.leave("address 0")
    assert turned_away(line, "she", "she").place == 2
    clock.seconds += 60
    line.enter("she", "she")


def test_workers_are_not_kept_idle_by_those_who_are_not_here() -> None:
    line = Line(4, 1, Clock())
    fill(line, 4)
    for guest in "abcd":
        turned_away(line, guest, guest)
    for number in range(4):
        line.leave(f"address {number}")
    line.enter("new", "new")
    line.enter("newer", "newer")
    assert turned_away(line, "newest", "newest").place == 5
    line.enter("a", "a")


def test_the_programs_of_an_address_share_one_turn_until_the_last_of_them_should_have_come() -> None:
    clock = Clock()
    line = Line(4, 1, clock)
    fill(line, 4)
    assert [turned_away(line, address, None).place for address in ("a", "a", "b", "a", "c")] == [1, 1, 2, 1, 3]
    line.leave("address 0")
    line.enter("a")
    assert [turned_away(line, address, None).place for address in ("b", "a", "c")] == [1, 3, 2]


def test_a_place_is_kept_for_a_program_until_it_was_told_to_come() -> None:
    line, clock = full_line_of_pace(8.0)
    seconds = turned_away(line, "a", None).seconds
    assert seconds == pytest.approx(8.0, rel=0.01)
    line.leave("address 200")
    clock.seconds += seconds
    turned_away(line, "b", None)
    line.enter("a")


def test_a_turn_lives_until_the_program_that_is_to_come_last_even_if_another_is_told_less() -> None:
    line, clock = full_line_of_pace(8.0)
    turned_away(line, "b", None)
    seconds = turned_away(line, "a", None).seconds
    line.leave("address 200")
    line.enter("b")
    turned_away(line, "a", None)  # told half of that
    clock.seconds += seconds + LOST_TURN_SECONDS - 0.01
    turned_away(line, "c", None)
    assert turned_away(line, "a", None).place == 1


def test_callers_without_name_or_address_get_no_turn() -> None:
    line = Line(4, 1, Clock())
    fill(line, 4)
    assert [turned_away(line, "", None).place for _ in range(3)] == [1, 1, 1]
    assert turned_away(line, "a", None).place == 1


def test_a_place_is_kept_for_somebody_who_asked_for_it_and_not_taken_before_they_come() -> None:
    clock = Clock()
    line = Line(4, 1, clock)
    fill(line, 4)
    with pytest.raises(TurnedAwayError) as told:
        line.reserve("she", "she")
    assert told.value.place == 1
    line.leave("address 0")
    line.reserve("she", "she")
    assert line.inside == 3
    clock.seconds += 2  # while her photo is on its way
    assert turned_away(line, "late", "late").place == 2
    line.enter("she", "she")


def test_a_place_is_not_kept_for_ever() -> None:
    clock = Clock()
    line = Line(4, 1, clock)
    fill(line, 4)
    line.leave("address 0")
    line.reserve("she", "she")
    turned_away(line, "late", "late")
    clock.seconds += 60
    line.enter("late", "late")


def test_who_asks_for_a_place_again_and_does_not_come_has_lost_the_turn() -> None:
    clock = Clock()
    line = Line(4, 1, clock)
    fill(line, 4)
    line.leave("address 0")
    line.reserve("she", "she")
    turned_away(line, "he", "he")
    clock.seconds += 2
    line.reserve("she", "she")  # the answer may have been lost; this renews nothing
    turned_away(line, "he", "he")
    clock.seconds += 2
    with pytest.raises(TurnedAwayError) as told:
        line.reserve("she", "she")
    assert told.value.place == 2
    line.enter("he", "he")


def test_those_who_only_ask_for_places_keep_nobody_waiting_for_long() -> None:
    clock = Clock()
    line = Line(8, 2, clock)
    fill(line, 3)  # so that no worker is idle
    for step in range(100):
        clock.seconds += 0.5
        for number in range(8):
            if (step + number) % 10 == 0:  # every 5 s, from eight addresses
                with suppress(TurnedAwayError):
                    line.reserve(f"ghost {number}", f"ghost {number}")
        if step < 20:
            continue
        with suppress(TurnedAwayError):
            line.enter("she", "she")
            break
    assert step < 20 + 8  # 4 s


def test_who_is_long_in_coming_keeps_the_turn_while_others_go_on() -> None:
    clock = Clock()
    line = Line(4, 1, clock)
    fill(line, 4)
    line.leave("address 0")
    line.reserve("she", "she")
    clock.seconds += 100
    line.enter("late", "late")
    turned_away(line, "he", "he")
    assert line.is_called("she")
    line.keep("she", 10.0)
    line.leave("late")
    assert turned_away(line, "he", "he").place == 2
    line.enter("she", "she")
    assert not line.is_called("she")


def test_a_place_is_kept_only_once_for_a_photo_that_has_come_even_late_in_its_turn() -> None:
    clock = Clock()
    line = Line(4, 1, clock)
    fill(line, 3)
    line.reserve("she", "she")
    for seconds in (2, 7):  # she hangs up each time, and comes again
        clock.seconds += seconds
        line.keep("she", 10.0)
        assert turned_away(line, "he", "he").place == 2
    clock.seconds += 4  # more than 10 in all since she first came
    line.enter("he", "he")

    line.leave("he")
    line.reserve("slow", "slow")
    clock.seconds += UPLOAD_TURN_SECONDS - 5
    line.keep("slow", 10.0)
    clock.seconds += 9
    line.keep("slow", 10.0)
    assert turned_away(line, "he", "he").place == 2
    clock.seconds += 2
    assert not line.is_called("slow")
    line.enter("he", "he")


def test_no_place_is_kept_for_who_has_hung_up() -> None:
    line = Line(4, 1, Clock())
    fill(line, 3)
    line.reserve("she", "she")
    line.keep("she", 10.0)
    line.stop_keeping("she")
    line.stop_keeping("nobody")
    line.enter("he", "he")
    line.keep("she", 10.0)
    line.leave("he")
    line.enter("he", "his second")


def test_those_who_are_put_first_come_before_the_others_and_in_their_order() -> None:
    line = Line(4, 1, Clock())
    fill(line, 4)
    for guest in "abc":
        turned_away(line, guest, guest)
    for guest in "cb":
        line.put_first(guest, guest)
    assert [turned_away(line, guest, guest).place for guest in "abc"] == [3, 2, 1]


def test_an_address_of_which_one_was_put_first_gets_no_further_turn_before_others() -> None:
    line = Line(4, 1, Clock())
    fill(line, 4)
    for guest in "ab":
        turned_away(line, guest, guest)
    line.leave("address 0")
    line.enter("a", "a")
    line.put_first("b", "b")
    assert turned_away(line, "c", "c").place == 2
    assert turned_away(line, "b", "her second").place == 3


def test_the_places_that_one_address_asks_for_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.server.turns.line.MAX_TURNS_OF_ADDRESS", 8)
    line = Line(8, 1, Clock())
    fill(line, 3)
    for number in range(1000):
        with suppress(TurnedAwayError):
            line.reserve("greedy", str(number))
    assert turned_away(line, "greedy", "last").place == 9


def test_who_is_sent_away_from_inside_gets_a_turn_behind_the_others() -> None:
    line = Line(4, 1, Clock())
    fill(line, 4)
    turned_away(line, "she", "she")
    told = line.send_away("address 0", "inside 0")
    line.leave("address 0")
    assert told.place == 2
    line.enter("she", "she")
