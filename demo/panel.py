"""What the live and the photo panel share: the 40 read-only checkboxes, and how the server answers their calls."""

import asyncio
import html
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from demo.pictures import PictureError
from demo.pipeline import FaceResult
from slimnet import GROUPS

_OTHER = "Other"
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


def attribute_list(attributes: tuple[str, ...], panel: str) -> str:
    """HTML of the checkboxes of one panel.

    Args:
        attributes: the names, in the order of the probabilities that `panel.js` will be given.
        panel: id of the panel they stand in; keeps the ids of two panels apart.
    """
    index = {name: position for position, name in enumerate(attributes)}
    return "".join(
        f'<section class="group"><h3>{html.escape(title)}</h3><ul>'
        + "".join(_row(name, index[name], panel) for name in names)
        + "</ul></section>"
        for title, names in grouped(attributes).items()
    )


def _row(attribute: str, index: int, panel: str) -> str:
    # tabindex -1: nothing can be done with a read-only box, so 80 of them do not stand in the way of the Tab key.
    box = html.escape(f"{panel}-{attribute}", quote=True)
    return (
        f'<li class="attribute" data-index="{index}">'
        f'<input type="checkbox" id="{box}" data-attribute="{html.escape(attribute, quote=True)}"'
        f' aria-readonly="true" aria-describedby="{box}-state" tabindex="-1">'
        f'<label for="{box}">{html.escape(display_name(attribute))}</label>'
        '<span class="percent" aria-hidden="true">–</span>'
        '<span class="bar" aria-hidden="true"><i></i></span>'
        f'<span class="unseen" id="{box}-state">no face yet</span>'
        "</li>"
    )


async def answer_on(
    pool: Executor, analyse: Callable[[Any], dict[str, Any]], message: Any, failure: str
) -> dict[str, Any]:
    """What `analyse` gives for a message, or {"error": a sentence for people}: a PictureError's own, else `failure`."""
    try:
        return await asyncio.get_running_loop().run_in_executor(pool, analyse, message)
    except PictureError as error:
        return {"error": str(error)}
    except (MemoryError, RuntimeError):
        _LOG.exception("analysis failed")
        return {"error": failure}


def describe_face(face: FaceResult) -> dict[str, Any]:
    """A face as `panel.js` shows it: number, box in pixels of the analysed frame, probabilities in their order."""
    return {
        "number": face.number,
        "box": list(face.box),
        "probabilities": [round(float(probability), 6) for probability in face.probabilities],
    }
