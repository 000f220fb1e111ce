from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests.browser.bare import bare_page

RULES = """() => {
    const cuts = (lower, upper) => ({lower, upper, inclusive: false, threshold: upper});
    window.ruleAt = (threshold) => ({cuts: [cuts(threshold, threshold)], exclusive: []});
    window.ruleBetween = (lower, upper) => ({cuts: [cuts(lower, upper)], exclusive: []});
    window.rivals = () => ({cuts: [cuts(0.5, 0.5), cuts(0.5, 0.5)], exclusive: [[0, 1]]});
}"""


@pytest.fixture(scope="module")
def page(browser: Any) -> Iterator[Any]:
    with bare_page(browser, "live/smoothing.js") as page:
        page.evaluate(RULES)
        yield page


def steadied(page: Any, calm: float, frames: Sequence[tuple[float, float]], threshold: float = 0.5) -> list[Any]:
    """[probability, tick] of one attribute of one face after each frame (milliseconds, probability)."""
    return page.evaluate(
        """([calm, frames, threshold]) => {
            const smoother = new Smoother(2000);
            smoother.calm = calm;
            const rule = ruleAt(threshold);
            return frames.map(([milliseconds, probability]) => {
              const {probabilities, ticks} = smoother.update(1, [probability], milliseconds, rule);
              return [probabilities[0], ticks[0]];
            });
        }""",
        [calm, frames, threshold],
    )


def test_raw_changes_nothing(page: Any) -> None:
    frames = [(0, 0.2), (30, 0.9999), (60, 0.499), (90, 0.501)]
    assert steadied(page, 0, frames) == [[0.2, False], [0.9999, True], [0.499, False], [0.501, True]]


def test_a_calm_probability_comes_near_without_passing(page: Any) -> None:
    shown = [
        probability for probability, _ in steadied(page, 0.5, [(0, 0.1), *((t, 0.9) for t in range(30, 3000, 30))])
    ]
    assert shown[0] == pytest.approx(0.1)
    assert shown == sorted(shown)
    assert shown[1] < 0.3
    assert shown[-1] == pytest.approx(0.9, abs=1e-3)


def test_elapsed_time_counts_and_not_the_number_of_frames(page: Any) -> None:
    slow = steadied(page, 0.5, [(0, 0.1), (240, 0.9)])
    quick = steadied(page, 0.5, [(0, 0.1), *((t, 0.9) for t in range(10, 241, 10))])
    assert slow[-1][0] == pytest.approx(quick[-1][0])


def test_a_tick_does_not_flicker_around_its_threshold(page: Any) -> None:
    hovering = [(200 * step, 0.5 + 0.015 * (-1) ** step) for step in range(20)]
    assert len({tick for _, tick in steadied(page, 0, hovering)}) == 2
    assert len({tick for _, tick in steadied(page, 1, hovering)}) == 1


@pytest.mark.parametrize("calm", [0.1, 1])
def test_a_tick_is_never_further_than_three_points_from_its_threshold(page: Any, calm: float) -> None:
    frames = [(20 * step, 0.5 + 0.3 * (-1) ** (step // 100)) for step in range(400)]
    assert all(tick == (shown > 0.5) for shown, tick in steadied(page, calm, frames) if abs(shown - 0.5) > 0.03)


def test_a_probability_of_1_falls_as_soon_as_one_just_below(page: Any) -> None:
    [_, certain] = steadied(page, 1, [(0, 1.0), (300, 0.02)])
    [_, nearly] = steadied(page, 1, [(0, 0.9975), (300, 0.02)])
    assert certain[0] == pytest.approx(nearly[0], abs=0.01)
    assert 0 < certain[0] < 1


def test_a_moved_threshold_holds_at_once(page: Any) -> None:
    ticks = page.evaluate(
        """() => {
            const smoother = new Smoother(2000);
            smoother.calm = 1;
            const tick = (threshold, frame) => smoother.update(1, [0.605], frame, ruleAt(threshold)).ticks[0];
            return [0.5, 0.61, 0.6].map(tick);
        }"""
    )
    assert ticks == [True, False, True]


def test_faces_are_steadied_apart_and_forgotten(page: Any) -> None:
    shown = page.evaluate(
        """() => {
            const smoother = new Smoother(2000);
            smoother.calm = 1;
            const after = (number, probability, time) =>
              smoother.update(number, [probability], time, ruleAt(0.5)).probabilities[0];
            const first = [after(1, 0.9, 0), after(2, 0.1, 1500)];
            smoother.forget(2500);
            return [...first, after(1, 0.3, 2501), after(2, 0.9, 1520)];
        }"""
    )
    assert shown[:3] == pytest.approx([0.9, 0.1, 0.3])
    assert shown[3] < 0.15


def states(page: Any, calm: float, rule: str, frames: list[list[float]]) -> list[list[bool | None]]:
    """The ticks after each frame (probability of each attribute), 200 ms apart, by a rule of RULES."""
    return page.evaluate(
        f"""([calm, frames]) => {{
            const smoother = new Smoother(2000);
            smoother.calm = calm;
            const rule = {rule};
            return frames.map((probabilities, frame) => smoother.update(1, probabilities, 200 * frame, rule).ticks);
        }}""",
        [calm, frames],
    )


@pytest.mark.parametrize("cut", [0.2, 0.8])
def test_not_sure_does_not_flicker_at_either_end_of_its_band(page: Any, cut: float) -> None:
    hovering = [[cut + 0.008 * (-1) ** step] for step in range(20)]
    assert len({tick for (tick,) in states(page, 0, "ruleBetween(0.2, 0.8)", hovering)}) == 2
    assert len({tick for (tick,) in states(page, 1, "ruleBetween(0.2, 0.8)", hovering)}) == 1


def test_it_goes_from_no_over_not_sure_to_yes_and_back(page: Any) -> None:
    way = [[0.05], *[[0.5]] * 10, *[[0.95]] * 10, *[[0.5]] * 10, *[[0.05]] * 10]
    met = [tick for (tick,) in states(page, 1, "ruleBetween(0.2, 0.8)", way)]
    turns = [tick for tick, before in zip(met, ["", *met], strict=False) if tick != before]
    assert turns == [False, None, True, None, False]


@pytest.mark.parametrize("upper", [0.97, 0.9985, 0.9999])
def test_a_cut_near_certainty_is_passed_in_the_end_and_left_again(page: Any, upper: float) -> None:
    rule = f"ruleBetween({1 - upper}, {upper})"
    certain = states(page, 1, rule, [[0.5], *[[1.0]] * 20, *[[0.5]] * 20, *[[0.0]] * 20])
    assert [certain[frame] for frame in (0, 20, 40, 60)] == [[None], [True], [None], [False]]


def test_of_ticks_that_exclude_each_other_the_one_that_stands_stays_until_the_other_is_clearly_surer(page: Any) -> None:
    hovering = [[0.8 + 0.004 * (-1) ** step, 0.8] for step in range(20)]
    assert len({tuple(ticks) for ticks in states(page, 0, "rivals()", hovering)}) == 2
    assert {tuple(ticks) for ticks in states(page, 1, "rivals()", hovering)} == {(True, None)}
    assert states(page, 1, "rivals()", [[0.8, 0.7], *[[0.8, 0.95]] * 10])[-1] == [None, True]
