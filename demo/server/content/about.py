"""The page's About section: how good the weights in use are, their limits, and what happens to pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from demo.operating_points import POINTS
from demo.paths import EVALUATION, OUTSIDE, PACKAGE_LOCK
from demo.pipeline.analyse import Pipeline
from demo.server.content.attributes import display_name
from demo.server.content.measured import figures_of
from demo.server.content.outside import summary
from demo.server.markup import render
from slimnet import ATTRIBUTES, Calibration, Predictor
from slimnet.calibration import BALANCED

_IMPRESSIONS = "impressions that annotators had of celebrities' pictures"


def about(
    pipeline: Pipeline[Predictor],
    evaluation: Path = EVALUATION,
    outside: Path = OUTSIDE,
    *,
    on_device: bool = False,
    at_server: bool = True,
) -> Markup:
    """Render the section.

    Args:
        pipeline: a pipeline with the weights in use.
        evaluation: JSON file with the figures of the shipped weights, as `training.evaluate` writes it.
        outside: JSON file with figures for people unlike CelebA's, as `training.evaluate --outside` writes it.
        on_device: whether visitors can have their own browser read faces.
        at_server: whether a server reads faces unless the visitor chooses otherwise.

    Returns:
        The section's HTML.
    """
    return render(
        "about.html",
        on_device=on_device,
        at_server=at_server,
        can_be_added=at_server and PACKAGE_LOCK.is_file(),
        is_celeba=_is_celeba(pipeline.attributes),
        outside=summary(figures_of(pipeline.predictor.sha256, outside)),
        **_quality(pipeline, evaluation),
        **_ticks(pipeline.predictor.calibration),
    )


def labels(attributes: Sequence[str]) -> str:
    """Name the kind of labels that the probabilities of these attributes reproduce.

    Args:
        attributes: the names, as the weights hold them.
    """
    return _IMPRESSIONS if _is_celeba(attributes) else "labels that other pictures were given"


def counted(attributes: Sequence[str]) -> str:
    """The number of attributes in words: "40 attributes".

    Args:
        attributes: their names.
    """
    return "1 attribute" if len(attributes) == 1 else f"{len(attributes)} attributes"


def _ticks(calibration: Calibration | None) -> dict[str, Any]:
    """The template's values for the switch.

    Returns:
        points: name of an operating point -> its words; None for weights without them.
        found: the mean recall at the point that ticks most, 0 to 1.
    """
    if calibration is None or not calibration.operating_points:
        return {"points": None, "found": None}
    recall = calibration.operating_points[BALANCED].recall
    return {"points": POINTS, "found": sum(recall) / len(recall)}


def _is_celeba(attributes: Sequence[str]) -> bool:
    """Whether what is known of CelebA's labels holds for these attributes."""
    return set(attributes) <= set(ATTRIBUTES)


def _quality(pipeline: Pipeline[Predictor], evaluation: Path) -> dict[str, Any]:
    """The template's values for the weights in use.

    Returns:
        evaluation: the figures on test pictures, or None if they belong to other weights.
        balanced: the mean balanced accuracy, 0 to 1, or None if it was not measured.
        counted: how many attributes that is the mean of, in words.
        ranked: (name for people, balanced accuracy), the most reliable attribute first.
    """
    figures = figures_of(pipeline.predictor.sha256, evaluation)
    if figures:
        shares_of_all = {row["attribute"]: row["balanced_accuracy"] for row in figures["attributes"]}
        measured = {name: share for name, share in shares_of_all.items() if share is not None}
        balanced = figures["balanced_accuracy"]
    else:
        shares = [reliability.balanced_accuracy for reliability in pipeline.reliability or ()]
        measured = dict(zip(pipeline.attributes, shares, strict=True)) if shares else {}
        balanced = sum(shares) / len(shares) if shares else None
    ranked = sorted(measured.items(), key=lambda row: -row[1])
    return {
        "evaluation": figures,
        "balanced": balanced,
        "counted": counted(list(measured)),
        "ranked": [(display_name(name), share) for name, share in ranked],
    }
