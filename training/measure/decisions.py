"""Operating points and bands of doubt for slimnet.decisions, fitted on validation and measured on held-out folds.

Each figure is measured on people that its thresholds or bands were not fitted on, with two exceptions: a threshold that
training.calibrate has folded into the bias, and a band's margin, were chosen on all of them. So a single attribute's
share of right answers may be a little lower on other people. What goes into the weights is then fitted on everybody.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from slimnet import OperatingPoint, Sure
from slimnet.calibration import ACCURACY, BALANCED, F1
from slimnet.decisions import keep_surest, outside
from training.measure import bootstrap, metrics
from training.measure.thresholds import people_apart

RIGHT = 0.98  # share of the answers outside the band that should be right
# Share of the ticks that should be right, and likewise of the empty boxes, each on their own. Otherwise many easy
# answers of one kind would pay for bad ones of the other.
RIGHT_OF_EACH_KIND = 0.8

FOLDS = 5  # of people
_RESAMPLES = 20  # bootstrap samples whose best thresholds are averaged
# Standard errors by which fitted answers must exceed these shares. Without any, they hold on average, but not for most
# attributes on held-out folds.
_MARGINS = (1.0, 1.5, 2.0, 3.0)
_CUTS = 400  # candidates for each end of a band
_DECIMALS = 6
NO_ANSWER = (0.0, 1.0)  # the band of an attribute that is never answered


@dataclass(frozen=True)
class PointFigures:
    """How good an operating point is on held-out folds: means over the attributes, 0 to 1; None if undefined.

    Attributes:
        accuracy: Share of the boxes that are rightly ticked or left empty.
        balanced_accuracy: Mean of both classes' recalls.
        precision: Share of the ticks that are right.
        recall: Share of the positive labels that are ticked.
        f1: Harmonic mean of precision and recall.
    """

    accuracy: float | None
    balanced_accuracy: float | None
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True)
class Decisions:
    """What goes into the weights' calibration, and how good it is on held-out folds.

    Attributes:
        operating_points: As in slimnet.Calibration.
        unsure: As in slimnet.Calibration.
        sure: As in slimnet.Calibration.
        held_out: The figures of each operating point, by its name.
        answered: Share of all boxes that are outside their bands.
        right: Share of those answers that are right; None if there are none.
    """

    operating_points: dict[str, OperatingPoint]
    unsure: tuple[tuple[float, float], ...]
    sure: Sure
    held_out: dict[str, PointFigures]
    answered: float
    right: float | None


@dataclass(frozen=True)
class Bands:
    """Bands of doubt.

    Attributes:
        fitted: Low and high end for each attribute; 0 or 1 if no answers of that kind are right often enough.
        held_out: float (N, attributes, 2), for each image the bands fitted on other people.
    """

    fitted: tuple[tuple[float, float], ...]
    held_out: np.ndarray

    def widened(self, least: Sequence[tuple[float, float]]) -> "Bands":
        """Return these bands, widened to include others.

        Args:
            least: For each attribute the band to include.
        """
        fitted = tuple((min(low, a), max(high, b)) for (low, high), (a, b) in zip(self.fitted, least, strict=True))
        low, high = np.array(least).T
        ends = np.minimum(self.held_out[..., 0], low), np.maximum(self.held_out[..., 1], high)
        return Bands(fitted, np.stack(ends, axis=-1))

    def silenced(self, attributes: np.ndarray) -> "Bands":
        """Return these bands, without any answer for some attributes.

        Args:
            attributes: bool (attributes,), which never get an answer.
        """
        fitted = tuple(NO_ANSWER if silent else band for band, silent in zip(self.fitted, attributes, strict=True))
        held_out = self.held_out.copy()
        held_out[:, attributes] = NO_ANSWER
        return Bands(fitted, held_out)

    def answered(self, probabilities: np.ndarray) -> np.ndarray:
        """Tell which answers are outside the bands fitted on other people.

        Args:
            probabilities: float (N, attributes).

        Returns:
            bool (N, attributes).
        """
        empty, ticked = outside(probabilities, self.held_out[..., 0], self.held_out[..., 1])
        return empty | ticked


def fit_decisions(
    probabilities: np.ndarray, labels: np.ndarray, known: np.ndarray, identities: np.ndarray, names: Sequence[str],
    least_bands: Sequence[tuple[float, float]],
) -> Decisions:  # fmt: skip
    """Fit operating points and bands, and measure them by cross-validation over people.

    An attribute gets no answer at all if those outside its band, widened by `least_bands`, are not right often enough:
    the empty boxes alone, say, where the other people allow no ticks.

    "accuracy" ticks above 0.5: training.measure.thresholds has already folded any better threshold into the bias.
    Ticks that exclude each other are left out of all figures, as on the page.

    Args:
        probabilities: float (N, attributes), 0 to 1, with the weights' temperatures.
        labels: bool (N, attributes).
        known: bool (N, attributes), which labels are known.
        identities: (N,), who is in each image; at least five people.
        names: The attributes.
        least_bands: For each attribute a band that its own must include, since other people need it; (0.5, 0.5) if none
            do.
    """
    points, held_out = _fit_points(probabilities, labels, known, identities, names)
    bands = fit_bands(probabilities, labels, known, identities).widened(least_bands)
    kept = metrics.shares((probabilities > 0.5) == labels, bands.answered(probabilities) & known)
    bands = bands.silenced(~(kept >= RIGHT))  # nan without an answer
    sure, answered, right = _measure_sure(probabilities, labels, known, bands, names)
    return Decisions(points, bands.fitted, sure, held_out, answered, right)


def _fit_points(
    probabilities: np.ndarray, labels: np.ndarray, known: np.ndarray, identities: np.ndarray, names: Sequence[str]
) -> tuple[dict[str, OperatingPoint], dict[str, PointFigures]]:
    """Fit the operating points on everybody, and measure each by thresholds fitted on the other folds.

    Returns:
        The points and their figures, by name; precision and recall of a point are measured on held-out folds, too.
    """
    folds = list(people_apart(FOLDS, identities))
    fits: dict[str, Callable[..., np.ndarray]] = {
        ACCURACY: lambda *_: np.full(len(names), 0.5),
        BALANCED: partial(fit_point_thresholds, "balanced_accuracy"),
        F1: partial(fit_point_thresholds, "f1"),
    }
    points, held_out = {}, {}
    for point, fit in fits.items():
        thresholds = np.empty_like(probabilities)
        for fitted, other in folds:
            thresholds[other] = fit(probabilities[fitted], labels[fitted], known[fitted], identities[fitted])
        ticked = keep_surest(probabilities > thresholds, probabilities, thresholds, names)
        figures = metrics.figures(labels, ticked.astype(float), known)
        found = fit(probabilities, labels, known, identities)
        points[point] = OperatingPoint(_rounded(found), _rounded(figures["precision"]), _rounded(figures["recall"]))
        held_out[point] = mean_figures(figures)
    return points, held_out


def _measure_sure(
    probabilities: np.ndarray, labels: np.ndarray, known: np.ndarray, bands: Bands, names: Sequence[str]
) -> tuple[Sure, float, float | None]:
    """Measure the answers outside the bands that were fitted on other people.

    Returns:
        The figures of each attribute; the share of all boxes that are answered; and the share of these answers that are
        right, None if there are none.
    """
    answered = bands.answered(probabilities)
    above = answered & (probabilities > 0.5)
    ticked = keep_surest(above, probabilities, np.full_like(probabilities, 0.5), names)
    answered &= ticked | ~above  # a tick that lost to another is not sure
    right = (ticked == labels) & answered
    figures = metrics.figures(labels, ticked.astype(float), known)
    shares = metrics.shares(right, known & answered), metrics.shares(answered, known)
    sure = Sure(*map(_rounded, (*shares, figures["precision"], figures["recall"])))
    count = int((answered & known).sum())
    pooled = float((right & known).sum() / count) if count else None
    return sure, float(count / known.sum()), pooled


def fit_bands(probabilities: np.ndarray, labels: np.ndarray, known: np.ndarray, identities: np.ndarray) -> Bands:
    """Fit each attribute's band, with a margin so that it holds for people it was not fitted on.

    An attribute gets no ticks at all if those alone are still not right often enough on such people. The same goes for
    its empty boxes.

    Args:
        probabilities: float (N, attributes), 0 to 1.
        labels: bool (N, attributes).
        known: bool (N, attributes), which labels are known.
        identities: (N,), who is in each image; at least five people.
    """
    folds = list(people_apart(FOLDS, identities))
    margins, held_out = _hold_out_bands(probabilities, labels, known, folds)
    fitted = np.array(
        [fit_band(probabilities[there, n], labels[there, n], margins[n]) for n, there in enumerate(known.T)]
    )
    empty, ticked = outside(probabilities, held_out[..., 0], held_out[..., 1])
    for end, never, answered, truth in ((0, 0.0, empty, ~labels), (1, 1.0, ticked, labels)):
        right = metrics.shares(truth, answered & known)  # nan without such an answer
        silent = ~(right >= RIGHT_OF_EACH_KIND) | (fitted[:, end] == never)  # some folds may have had answers
        fitted[silent, end] = held_out[:, silent, end] = never
    return Bands(tuple((float(low), float(high)) for low, high in fitted), held_out)


def fit_point_thresholds(
    figure: str, probabilities: np.ndarray, labels: np.ndarray, known: np.ndarray, identities: np.ndarray
) -> np.ndarray:
    """Fit each attribute's probability threshold with the highest balanced accuracy or F1.

    The best threshold follows the noise of its images, so this averages the best ones of several bootstrap samples of
    people.

    Args:
        figure: "balanced_accuracy" or "f1".
        probabilities: float (N, attributes), 0 to 1.
        labels: bool (N, attributes).
        known: bool (N, attributes), which labels are known.
        identities: (N,), who is in each image.

    Returns:
        float64 (attributes,), 0.5 for an attribute whose known labels are all the same.
    """
    draws = bootstrap.draw(identities, _RESAMPLES).astype(np.float64)
    return np.array(
        [
            _best_threshold(probabilities[there, n], labels[there, n], draws[:, there], figure)
            for n, there in enumerate(known.T)
        ]
    )


def _best_threshold(probability: np.ndarray, truth: np.ndarray, weights: np.ndarray, figure: str) -> float:
    """The best threshold of one attribute, averaged over the samples with both classes; 0.5 if there are none.

    Args:
        probability: float (n,).
        truth: bool (n,).
        weights: float64 (resamples, n), how often each image occurs in each sample.
        figure: "balanced_accuracy" or "f1".
    """
    cuts, order = _cuts(probability)
    if not len(cuts):
        return 0.5
    sorted_weights, sorted_truth = weights[:, order], truth[order]
    below = np.cumsum(sorted_weights, axis=1)[:, cuts - 1]
    missed = np.cumsum(sorted_weights * sorted_truth, axis=1)[:, cuts - 1]
    size, positives = weights.sum(axis=1, keepdims=True), (weights @ truth)[:, None]
    both = ((positives > 0) & (positives < size))[:, 0]
    if not both.any():
        return 0.5
    below, missed, size, positives = (each[both] for each in (below, missed, size, positives))
    if figure == "f1":
        values = 2 * (positives - missed) / (size - below + positives)
    else:
        values = 1 - missed / positives + (below - missed) / (size - positives)
    middles = _middles(probability[order], cuts)
    return float(middles[values.argmax(axis=1)].mean())


def fit_band(probability: np.ndarray, truth: np.ndarray, margin: float) -> tuple[float, float]:
    """Fit the narrowest band around 0.5 outside which answers are right often enough, with a margin.

    Args:
        probability: float (n,), of one attribute.
        truth: bool (n,), its known labels.
        margin: Standard errors by which the share of right answers must exceed RIGHT, and that of the ticks and of the
            empty boxes RIGHT_OF_EACH_KIND; inf for the band (0, 1).

    Returns:
        The band's low and high end; 0 or 1 if no answers of that kind are right often enough.
    """
    cuts, order = _cuts(probability)
    sorted_probability, sorted_truth = probability[order], truth[order]
    ends = np.concatenate([[0.0], _middles(sorted_probability, cuts), [1.0, 0.5]])
    cuts = np.concatenate([[0], cuts, [len(truth), np.count_nonzero(probability <= 0.5)]])
    missed = np.concatenate([[0], np.cumsum(sorted_truth)])[cuts]  # positives below each cut
    low, high = (_thinned(np.flatnonzero(side)) for side in (ends <= 0.5, ends >= 0.5))
    high = np.union1d(high, len(ends) - 2)  # to tick nothing is always tried
    empty, ticked = cuts[low][:, None], len(truth) - cuts[high]
    wrongly_empty, wrongly_ticked = missed[low][:, None], ticked - (np.count_nonzero(truth) - missed[high])
    answers, wrong = empty + ticked, wrongly_empty + wrongly_ticked
    good = (
        (answers > 0)
        & _right_enough(wrong, answers, RIGHT, margin)
        & ((empty == 0) | _right_enough(wrongly_empty, empty, RIGHT_OF_EACH_KIND, margin))
        & ((ticked == 0) | _right_enough(wrongly_ticked, ticked, RIGHT_OF_EACH_KIND, margin))
    )
    if not good.any():
        return 0.0, 1.0
    one, other = np.unravel_index(np.where(good, answers - wrong / len(truth) / 2, -1).argmax(), good.shape)
    return round(float(ends[low[one]]), _DECIMALS), round(float(ends[high[other]]), _DECIMALS)


def _right_enough(wrong: np.ndarray, answers: np.ndarray, share: float, margin: float) -> np.ndarray:
    """Whether a share of some answers is right, with a margin in standard errors; counts of any shape."""
    return wrong + margin * np.sqrt(wrong + 1) <= (1 - share) * answers


def _cuts(probability: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the sorted probabilities can be cut, between differing values, and the order that sorts them.

    Returns:
        The numbers of images below each cut, increasing, from 1 to n - 1; and the order, both integer.
    """
    order = np.argsort(probability, kind="stable")
    return np.flatnonzero(np.diff(probability[order]) > 0) + 1, order


def _middles(sorted_probability: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """The probability in the middle of each cut."""
    return (sorted_probability[cuts - 1] + sorted_probability[cuts]) / 2


def _thinned(candidates: np.ndarray) -> np.ndarray:
    """At most _CUTS of the candidates, evenly spaced, including both ends."""
    count = min(len(candidates), _CUTS)
    return candidates[np.unique(np.linspace(0, len(candidates) - 1, count).round().astype(int))]


def _hold_out_bands(
    probabilities: np.ndarray, labels: np.ndarray, known: np.ndarray, folds: Sequence[tuple[np.ndarray, np.ndarray]]
) -> tuple[np.ndarray, np.ndarray]:
    """Choose each attribute's margin: the smallest of _MARGINS that makes held-out answers right often enough.

    Returns:
        The margins, float (attributes,), inf if none is enough; and the bands that the margin gives each image when
        fitted on the other folds, float (N, attributes, 2).
    """
    margins = np.full(labels.shape[1], np.inf)
    bands = np.broadcast_to(np.array([0.0, 1.0]), (*labels.shape, 2)).copy()
    for n in range(labels.shape[1]):
        for margin in _MARGINS:
            tried = np.empty((len(labels), 2))
            for fitted, other in folds:
                there = fitted[known[fitted, n]]
                tried[other] = fit_band(probabilities[there, n], labels[there, n], margin)
            empty, ticked = outside(probabilities[:, n], tried[:, 0], tried[:, 1])
            answered = (empty | ticked) & known[:, n]
            if answered.any() and (ticked == labels[:, n])[answered].mean() >= RIGHT:
                margins[n], bands[:, n] = margin, tried
                break
    return margins, bands


def mean_figures(figures: dict[str, np.ndarray]) -> PointFigures:
    """Average figures over the attributes for which they are defined.

    Args:
        figures: From metrics.figures.
    """
    means = {name: float(metrics.mean(figures[name])) for name in PointFigures.__dataclass_fields__}
    return PointFigures(**{name: None if np.isnan(value) else value for name, value in means.items()})


def _rounded(values: np.ndarray) -> tuple[float, ...]:
    """Values for the metadata; 0 if undefined, such as the precision without any tick."""
    return tuple(np.nan_to_num(values).round(_DECIMALS).tolist())
