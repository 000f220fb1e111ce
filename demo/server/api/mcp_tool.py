"""The tool that Gradio's MCP server offers to language models."""

import json
import logging
import os
from collections.abc import Sequence

import gradio as gr

from demo.operating_points import CHOICES
from demo.pipeline.analyse import ExplainingPredictor, Pipeline
from demo.server.api.docstrings import ANSWER, FORMATS, docstring
from demo.server.api.download import Downloads
from demo.server.api.endpoints import answer, busy
from demo.server.content.about import counted, labels
from demo.server.gradio_internals import hide_from_models, is_http_url_like
from demo.server.turns.line import TurnedAwayError
from demo.server.turns.photo_queue import PhotoQueue
from slimnet.calibration import ACCURACY

_EXAMPLES = ("Smiling", "Eyeglasses", "Wavy_Hair")


def add_tool(page: gr.Blocks, pipeline: Pipeline[ExplainingPredictor], queue: PhotoQueue) -> None:
    """Add the tool to a page, and make it the only one; to be called in the page's context.

    Args:
        page: the page, with all its other functions.
        pipeline: analyses the pictures.
        queue: where they wait for their turn.
    """
    _silence()
    downloads = Downloads()

    async def read_faces(picture: str, operating_point: str = ACCURACY, attribute: str = "") -> str:
        try:
            file = await downloads.fetch(picture) if is_http_url_like(picture) else picture
        except TurnedAwayError as told:
            raise busy(told.seconds) from told
        return json.dumps(await answer(file, pipeline, queue, operating_point, attribute))

    read_faces.__doc__ = description(pipeline.attributes)
    hide_from_models(page)
    gr.api(read_faces, queue=False)


def _silence() -> None:
    """Keep what callers send out of the log, into which the protocol's library writes much of it, however long."""
    logging.getLogger("mcp").setLevel(logging.CRITICAL)
    # A few lines go to the root logger instead.
    logging.getLogger().addFilter(lambda record: f"{os.sep}mcp{os.sep}" not in record.pathname)


def description(attributes: Sequence[str]) -> str:
    """Describe the tool to language models, in the form of a docstring, from which Gradio reads it.

    Args:
        attributes: names of the attributes that the network predicts.
    """
    examples = ", ".join([name for name in _EXAMPLES if name in attributes] or attributes[: len(_EXAMPLES)])
    return docstring(
        f"Find every face in a picture and read its {counted(attributes)}, such as {examples}: a JSON object {ANSWER}. "
        f"They are {labels(attributes)}, not facts about a person, and not for identifying anybody or deciding about "
        "people.",
        {
            "picture": f"http(s) address of a picture file ({FORMATS}, up to 64 MB), or its base64 (up to 3 MB)",
            "operating_point": CHOICES,
            "attribute": 'one to explain, or empty; each face then has "why": cells of its aligned crop, and a bias, '
            "that add up to the attribute's log-odds; above 0 they spoke for it",
        },
    )
