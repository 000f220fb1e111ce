"""The section About of the page: the model card's main figures, the limits, and what happens to pictures."""

import html
import json
from pathlib import Path
from string import Template
from typing import Any

from demo.panel import display_name

EVALUATION = Path(__file__).resolve().parent.parent / "assets" / "evaluation" / "evaluation.json"
_TEMPLATE = Path(__file__).parent / "about.html"
_NAMED = 4


def about(evaluation: Path = EVALUATION) -> str:
    """HTML of the section.

    Args:
        evaluation: figures of the shipped weights, as `training.evaluate` writes them.
    """
    figures = json.loads(evaluation.read_text(encoding="utf-8"))
    ranked = sorted(figures["attributes"], key=lambda attribute: -attribute["balanced_accuracy"])
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        accuracy=f"{100 * figures['accuracy']:.1f}",
        majority=f"{100 * figures['majority_accuracy']:.1f}",
        balanced=f"{100 * figures['balanced_accuracy']:.1f}",
        attributes=len(ranked),
        images=f"{figures['images']:,}",
        split=html.escape(figures["split"]),
        best=_names(ranked[:_NAMED]),
        worst=_names(ranked[: -_NAMED - 1 : -1]),
    )


def _names(attributes: list[dict[str, Any]]) -> str:
    """The attributes with their balanced accuracy, as one runs them off in a sentence."""
    return ", ".join(
        f"{html.escape(display_name(attribute['attribute']))} ({100 * attribute['balanced_accuracy']:.0f}&thinsp;%)"
        for attribute in attributes
    )
