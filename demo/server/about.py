"""The section About of the page: how good the weights in use are, their limits, and what happens to pictures."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from string import Template

from demo.paths import BROWSER, EVALUATION
from demo.pipeline.analyse import Pipeline
from demo.server.attributes import display_name
from demo.server.markup import escaped
from slimnet import ATTRIBUTES

_TEMPLATE = BROWSER / "about.html"
_NAMED = 4
_IMPRESSIONS = "impressions that annotators had of celebrities' pictures"
_BALANCED = """Balanced accuracy counts those who have an attribute as much as those who have not; guessing gives
50&thinsp;%."""
_EVALUATED = Template(f"""<dl>
  <div><dt>Accuracy</dt><dd>$accuracy&thinsp;%</dd></div>
  <div><dt>Always the more frequent answer</dt><dd>$majority&thinsp;%</dd></div>
  <div><dt>Balanced accuracy</dt><dd>$balanced&thinsp;%</dd></div>
</dl>
<p>Means over $attributes, on $images images of CelebA's $split split. {_BALANCED}</p>
<p>$ranks The marks beside the attributes come from CelebA's validation split, so their figures differ a little.</p>""")
_CALIBRATED = Template(f"""<dl><div><dt>Balanced accuracy</dt><dd>$balanced&thinsp;%</dd></div></dl>
<p>The mean over $attributes, as measured on validation pictures and written into the file of these weights. {_BALANCED}
Their accuracy on test pictures was not measured.</p>
<p>$ranks</p>""")
_UNMEASURED = """<p>How good these weights are was not measured: their file holds no figures.
<code>training.calibrate</code> measures them on validation pictures and writes the figures there.</p>"""
_CELEBA = """<p>The network repeats what annotators saw in pictures of celebrities, as yes or no and with many mistakes:
at least a third of the pictures carry a wrong label. A tick is not a fact about a person. CelebA says nothing of
ethnicity, so how the errors fall there is not known; they do differ with sex, age and skin.</p>
<p>It is not for identifying anybody, and not for decisions about people. The weights are for non-commercial research
only, as CelebA's terms are.</p>"""
_OTHER_LABELS = """<p>The network repeats the labels of the pictures it was trained on, with their mistakes and its own.
A tick is not a fact about a person, and for whom it errs more often is not known here.</p>
<p>It is not for identifying anybody, and not for decisions about people. What the weights may be used for, those who
made them say.</p>"""


def about(pipeline: Pipeline, evaluation: Path = EVALUATION) -> str:
    """HTML of the section.

    Args:
        pipeline: with the weights in use.
        evaluation: figures of the shipped weights, as `training.evaluate` writes them.
    """
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        quality=_quality(pipeline, evaluation),
        limits=_CELEBA if _of_celeba(pipeline.attributes) else _OTHER_LABELS,
    )


def labels(attributes: Sequence[str]) -> str:
    """What answers about these attributes repeat."""
    return _IMPRESSIONS if _of_celeba(attributes) else "labels that other pictures were given"


def _of_celeba(attributes: Sequence[str]) -> bool:
    """Whether what is known of CelebA's labels holds for them."""
    return set(attributes) <= set(ATTRIBUTES)


def _quality(pipeline: Pipeline, evaluation: Path) -> str:
    figures = json.loads(evaluation.read_text(encoding="utf-8"))
    if figures["weights"]["sha256"] == hashlib.sha256(pipeline.weights.read_bytes()).hexdigest():
        measured = {row["attribute"]: row["balanced_accuracy"] for row in figures["attributes"]}
        return _EVALUATED.substitute(
            accuracy=f"{100 * figures['accuracy']:.1f}",
            majority=f"{100 * figures['majority_accuracy']:.1f}",
            balanced=f"{100 * figures['balanced_accuracy']:.1f}",
            attributes=counted(list(measured)),
            images=f"{figures['images']:,}",
            split=escaped(figures["split"]),
            ranks=_ranks(measured),
        )
    if pipeline.reliability is None:
        return _UNMEASURED
    shares = [reliability.balanced_accuracy for reliability in pipeline.reliability]
    return _CALIBRATED.substitute(
        balanced=f"{100 * sum(shares) / len(shares):.1f}",
        attributes=counted(pipeline.attributes),
        ranks=_ranks(dict(zip(pipeline.attributes, shares, strict=True))),
    )


def counted(attributes: Sequence[str]) -> str:
    """How many there are: "40 attributes"."""
    return "1 attribute" if len(attributes) == 1 else f"{len(attributes)} attributes"


def _ranks(measured: dict[str, float]) -> str:
    """Which attributes are the most and the least reliable ones, by their balanced accuracy from 0 to 1."""
    ranked = sorted(measured.items(), key=lambda row: -row[1])
    if len(ranked) <= 2 * _NAMED:
        return f"From the most to the least reliable: {_names(ranked)}."
    return f"Most reliable: {_names(ranked[:_NAMED])}. Least reliable: {_names(ranked[: -_NAMED - 1 : -1])}."


def _names(measured: Sequence[tuple[str, float]]) -> str:
    """The attributes with their balanced accuracy, as one runs them off in a sentence."""
    return ", ".join(f"{escaped(display_name(name))} ({100 * share:.0f}&thinsp;%)" for name, share in measured)
