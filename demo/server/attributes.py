"""What the live and the photo panel share: the read-only checkboxes, and how the server answers their calls."""

import asyncio
import contextvars
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from demo.paths import BROWSER
from demo.pictures.decode import PictureError
from demo.pipeline.analyse import FaceResult
from demo.pipeline.errors import FAILURES
from demo.server.markup import escaped
from slimnet import GROUPS, Reliability

_OTHER = "Other"
_IMPRESSIONS = "Impressions"
_LEVELS = {"good": 0.85, "fair": 0.70}  # the least balanced accuracy of each; below, it is weak
_THRESHOLDS = (5, 95)  # percent; settings.js: LOWEST_THRESHOLD, HIGHEST_THRESHOLD
_CALM = (
    '<label class="calm"><span>Raw</span>'
    '<input type="range" min="0" max="100" step="5" aria-label="How calm the ticks are"><span>Calm</span></label>'
)
_EXPLANATION = "<p>What strangers thought of a picture: opinions about looks, not facts about the person.</p>"
_UNMEASURED = '<p class="legend">How reliable each attribute is was not measured for these weights.</p>'
_LOG = logging.getLogger(__name__)


def display_name(attribute: str) -> str:
    """The name of an attribute for people: `5_o_Clock_Shadow` -> `5 o'Clock Shadow`."""
    return attribute.replace("_o_Clock", " o'Clock").replace("_", " ")


def grouped(attributes: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Group title -> the attributes in it, each of `attributes` exactly once.

    Names that no group of `slimnet.GROUPS` holds (weights with other labels) come last under "Other".
    """
    groups = {title: tuple(name for name in names if name in attributes) for title, names in GROUPS.items()}
    known = {name for names in groups.values() for name in names}
    groups[_OTHER] = tuple(name for name in attributes if name not in known)
    return {title: names for title, names in groups.items() if names}


def attribute_list(
    attributes: tuple[str, ...], panel: str, reliability: tuple[Reliability, ...] | None = None, *, live: bool = False
) -> str:
    """HTML of the checkboxes of one panel, with the toolbar that filters and adjusts them, and the legend.

    Args:
        attributes: the names, in the order of the probabilities that `attributes.js` will be given.
        panel: id of the panel they stand in; keeps the ids of two panels apart.
        reliability: one for each attribute, or None where the weights carry none.
        live: whether the probabilities come frame by frame, so that there is something to calm.
    """
    measured = dict(zip(attributes, reliability, strict=True)) if reliability else {}
    index = {name: position for position, name in enumerate(attributes)}
    groups = {
        title: "".join(_row(name, index[name], panel, measured.get(name)) for name in names)
        for title, names in grouped(attributes).items()
    }
    impressions = groups.pop(_IMPRESSIONS, "")
    parts = {
        "calm": _CALM if live else "",
        "legend": _legend() if measured else _UNMEASURED,
        "groups": "".join(_group(title, rows) for title, rows in groups.items()),
        "impressions": _group(_IMPRESSIONS, impressions, "group impressions", _EXPLANATION) if impressions else "",
    }
    template = (BROWSER / "shared/attributes.html").read_text(encoding="utf-8")
    for name, part in parts.items():
        template = template.replace(f"<!-- {name} -->", part)
    return template


def level(reliability: Reliability) -> str:
    """How far an attribute is to be trusted: "good", "fair" or "weak"."""
    return next((name for name, least in _LEVELS.items() if reliability.balanced_accuracy >= least), "weak")


def _group(title: str, rows: str, kind: str = "group", explanation: str = "") -> str:
    return f'<section class="{kind}"><h3>{escaped(title)}</h3>{explanation}<ul>{rows}</ul></section>'


def _row(attribute: str, index: int, panel: str, reliability: Reliability | None) -> str:
    # tabindex -1: nothing can be done with a read-only box, so 80 of them do not stand in the way of the Tab key.
    box, name = escaped(f"{panel}-{attribute}"), escaped(display_name(attribute))
    lowest, highest = _THRESHOLDS
    return (
        f'<li class="attribute {_class_of(reliability)}" data-index="{index}">'
        f'<input type="checkbox" id="{box}" data-attribute="{escaped(attribute)}"'
        f' aria-readonly="true" aria-describedby="{box}-state {box}-reliability" tabindex="-1">'
        f'<label for="{box}">{name}</label>'
        f'<span class="marks" title="{_sentence(reliability)}" aria-hidden="true"></span>'
        '<span class="percent" aria-hidden="true">–</span>'
        '<span class="bar" aria-hidden="true"><i></i></span>'
        f'<span class="unseen state" id="{box}-state">no face yet</span>'
        f'<span class="details"><span id="{box}-reliability">{_sentence(reliability)}</span>'
        f'<input type="range" min="{lowest}" max="{highest}" value="50" aria-label="Threshold of {name}, percent">'
        "<output>50%</output></span>"
        "</li>"
    )


def _class_of(reliability: Reliability | None) -> str:
    return level(reliability) if reliability else "unmeasured"


def _sentence(reliability: Reliability | None) -> str:
    if reliability is None:
        return "reliability not measured"
    middle, low, high = (
        f"{100 * share:.0f}" for share in (reliability.balanced_accuracy, reliability.low, reliability.high)
    )
    return f"reliability {middle}% ({low} to {high})"


def _legend() -> str:
    marks = "".join(f'<span class="{name}"><span class="marks"></span>{name}</span>' for name in (*_LEVELS, "weak"))
    good, fair = (f"{100 * least:.0f}%" for least in _LEVELS.values())
    return (
        f'<details class="legend"><summary>Reliability {marks}</summary><p>How often the network was right about'
        " validation faces, which it never learned from, where a yes and a no count alike:"
        " <strong>50% is guessing</strong>, 100% never wrong."
        f" Good is {good} and more, fair {fair} and more. In brackets: its 95% interval."
        " A weak one is hardly more than a guess, so its tick is drawn hollow.</p></details>"
    )


async def answer_on(
    pool: Executor, analyse: Callable[[Any], dict[str, Any]], message: Any, failure: str
) -> dict[str, Any]:
    """What `analyse` gives for a message, or {"error": a sentence for people}: a PictureError's own, else `failure`."""
    try:
        # In Gradio's context, by which a Space with ZeroGPU knows whose share of the GPUs a call spends.
        run = contextvars.copy_context().run
        return await asyncio.get_running_loop().run_in_executor(pool, run, analyse, message)
    except PictureError as error:
        return {"error": str(error)}
    except FAILURES:
        _LOG.exception("analysis failed")
        return {"error": failure}


def describe_face(face: FaceResult) -> dict[str, Any]:
    """A face as the page shows it: number, box in pixels of the analysed frame, probabilities in order, and doubts."""
    return {
        "number": face.number,
        "box": list(face.box),
        "probabilities": [round(float(probability), 6) for probability in face.probabilities],
        "doubts": list(face.doubts),
    }
