"""The endpoints for programs: a picture in, its faces out."""

import math
from pathlib import Path
from reprlib import repr as shortened
from typing import Any, get_args

import gradio as gr
from gradio.data_classes import FileData

from demo.interruption import check_wanted
from demo.limits import SHORTAGE_SECONDS
from demo.operating_points import CHOICES, POINTS
from demo.pictures.decode import PictureError
from demo.pipeline.analyse import ExplainingPredictor, Pipeline
from demo.pipeline.quality import QualityWarning
from demo.pipeline.result import FaceResult
from demo.server.answer import AnalysisError, ShortageError, analyse_within_bounds
from demo.server.api.docstrings import ANSWER, FORMATS, docstring
from demo.server.data_url import decode
from demo.server.gradio_internals import FAILED, fill_in_defaults, note_uploads_in, read_values_by
from demo.server.http.bodies.uploads import Uploads
from demo.server.http.refusals import BUSY
from demo.server.turns.line import TurnedAwayError
from demo.server.turns.photo_queue import PhotoQueue
from demo.server.why import explain_face
from slimnet import decide
from slimnet.calibration import ACCURACY, OPERATING_POINTS
from slimnet.decisions import check_point

_OPTIONS = {
    "operating_point": f"{CHOICES}.",
    "attribute": 'one that is to be explained, such as "Smiling"; empty for none. Each face then has "why", which '
    "`/schema` describes: which places spoke for it and which against it.",
}
_NUMBERS = {"type": "array", "items": {"type": "number"}}
_WHY: dict[str, Any] = {
    "type": "object",
    "description": "which places spoke for the attribute that the call named, and which against it; absent where it "
    "named none",
    "required": ["attribute", "cells", "bias", "rows", "columns", "placement"],
    "properties": {
        "attribute": {"type": "string"},
        "cells": {
            "type": "array",
            "description": "rows of cells from the top of the aligned crop, each from the left: what they add to the "
            "log-odds; they and the bias add up to log(probability / (1 - probability)) within 0.001",
            "items": _NUMBERS,
        },
        "bias": {"type": "number", "description": "log-odds before anything is seen of the face"},
        "rows": {**_NUMBERS, "description": "y of the edges between rows, in pixels of the crop; one more than rows"},
        "columns": {**_NUMBERS, "description": "x of the edges between columns, likewise"},
        "placement": {
            **_NUMBERS,
            "description": "a, b, c, d, e, f: a point (x, y) of the crop lies at (ax + by + c, dx + ey + f) of the "
            "picture; pixels count from the corner: the first one reaches from 0 to 1",
            "minItems": 6,
            "maxItems": 6,
        },
    },
}

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Faces of a picture",
    "type": "object",
    "required": ["faces", "operating_point", "width", "height", "weights"],
    "properties": {
        "operating_point": {
            "enum": list(OPERATING_POINTS),
            "description": "at which the ticks were decided; on the page's switch "
            + ", ".join(f"{point} is called '{words.title}'" for point, words in POINTS.items()),
        },
        "width": {"type": "integer", "description": "of the picture in pixels, turned upright by its EXIF data"},
        "height": {"type": "integer", "description": "of the picture in pixels, turned upright by its EXIF data"},
        "weights": {"type": "string", "description": "SHA-256 of the weights' file: what gave this answer"},
        "faces": {
            "type": "array",
            "description": "every face, in reading order; empty where there is none",
            "items": {
                "type": "object",
                "required": ["number", "box", "probabilities", "ticks", "warnings"],
                "properties": {
                    "number": {
                        "type": "integer",
                        "minimum": 1,
                        "description": "from 1, in reading order: rows from the top, each from left to right",
                    },
                    "box": {
                        "type": "array",
                        "description": "x, y, width, height in pixels of the picture, turned upright by its EXIF data",
                        "items": {"type": "integer"},
                        "minItems": 4,
                        "maxItems": 4,
                    },
                    "probabilities": {
                        "type": "object",
                        "description": "attribute -> probability",
                        "additionalProperties": {"type": "number", "minimum": 0, "maximum": 1},
                    },
                    "ticks": {
                        "type": "object",
                        "description": "attribute -> whether the face has it, as slimnet.decide answers at the "
                        "operating point; null: not sure",
                        "additionalProperties": {"type": ["boolean", "null"]},
                    },
                    "warnings": {
                        "type": "array",
                        "description": "why the probabilities should not be trusted; empty for a good face",
                        "items": {"enum": list(get_args(QualityWarning))},
                    },
                    "why": _WHY,
                },
            },
        },
    },
}


def add_endpoints(page: gr.Blocks, pipeline: Pipeline[ExplainingPredictor], queue: PhotoQueue) -> None:
    """Add the endpoints to a page; to be called in the page's context.

    `/analyse` takes a picture as a file, `/analyse_base64` as text, for a single request without a client. Both answer
    {"faces": [...], ...}, as `SCHEMA` describes; `/schema` answers with `SCHEMA` itself. A call without an operating
    point is decided at "accuracy"; one without an attribute gets no map.

    Args:
        page: the page, open in a with statement.
        pipeline: analyses the pictures.
        queue: where they wait for their turn.
    """
    uploads = Uploads()
    note_uploads_in(page, uploads)

    async def analyse(picture: FileData | None, operating_point: str, attribute: str) -> dict[str, Any]:
        if picture is None:
            raise gr.Error("No picture was given. Send one file.", print_exception=False)
        with uploads.until_answered(picture.path):
            return await answer(Path(picture.path), pipeline, queue, operating_point, attribute)

    async def analyse_base64(picture: str, operating_point: str = ACCURACY, attribute: str = "") -> dict[str, Any]:
        return await answer(picture, pipeline, queue, operating_point, attribute)

    def schema() -> dict[str, Any]:
        """The JSON Schema of what `/analyse` and `/analyse_base64` answer."""
        return SCHEMA

    analyse.__doc__ = docstring(
        "Find every face in a picture and tell its attributes.",
        {"picture": f"a picture file ({FORMATS}).", **_OPTIONS},
        ANSWER,
    )
    analyse_base64.__doc__ = docstring(
        "Find every face in a picture that is sent as text, and tell its attributes.",
        {"picture": f"a picture file ({FORMATS}) in base64, or as a data: address.", **_OPTIONS},
        ANSWER,
    )
    with gr.Row(visible=False):
        file = gr.File(label="picture")
        read_values_by(file, lambda upload: upload)  # only a call that has its place in the queue reads the file
        point = gr.Textbox(ACCURACY, label="operating point")
        explained = gr.Textbox("", label="attribute")
        result = gr.JSON(label="result")
        gr.Button().click(analyse, [file, point, explained], result, api_name="analyse")
    # Without Gradio's queue, the request that asks also brings the answer.
    gr.api(analyse_base64, api_name="analyse_base64", queue=False)
    gr.api(schema, api_name="schema", queue=False)
    fill_in_defaults(page, ("analyse", "analyse_base64"))


async def answer(
    picture: Path | bytes | str,
    pipeline: Pipeline[ExplainingPredictor],
    queue: PhotoQueue,
    point: str = ACCURACY,
    attribute: str = "",
) -> dict[str, Any]:
    """Find the faces in a picture, and describe them as in `SCHEMA`.

    Args:
        picture: an upload, which is read once it has its place; or the bytes of a picture file, or those as base64 or a
            data: address; or anything else from a call.
        pipeline: analyses it.
        queue: where it waits for its turn.
        point: the operating point at which the attributes are decided, or anything else from a call.
        attribute: the one to explain, empty for none, or anything else from a call.

    Returns:
        {"faces": [...], "operating_point": point, ...}, an instance of `SCHEMA`.

    Raises:
        gr.Error: there is no answer; the message, for people, says why.
    """
    try:
        check_point(pipeline.calibration, point)
    except ValueError as error:
        raise gr.Error(f"operating_point: {error}.", print_exception=False) from error
    if attribute and attribute not in pipeline.attributes:
        message = f"attribute: there is no {shortened(attribute)}. Choose one of {', '.join(pipeline.attributes)}."
        raise gr.Error(message, print_exception=False)
    try:
        return await queue.run(None, _size(picture), _analyse, picture, pipeline, point, attribute)
    except TurnedAwayError as told:
        raise busy(told.seconds) from told
    except ShortageError as error:
        raise busy(SHORTAGE_SECONDS, "The server lacks memory at the moment.") from error
    except PictureError as error:
        raise gr.Error(str(error), print_exception=False) from error
    except AnalysisError as error:
        message = "The server could not analyse this picture. Try a smaller one."
        raise gr.Error(message, title=FAILED, print_exception=False) from error


def busy(seconds: float, why: str = "Many pictures are waiting.") -> gr.Error:
    """The answer that tells a program to come again.

    Args:
        seconds: how long it should wait.
        why: a sentence for people.
    """
    rounded = math.ceil(seconds)
    return gr.Error(f"{why} Try again in {rounded} seconds.", duration=rounded, title=BUSY, print_exception=False)


def _size(picture: Any) -> int:
    if isinstance(picture, Path):
        return picture.stat().st_size if picture.exists() else 0
    return len(picture) if isinstance(picture, bytes | str) else 0


def _analyse(picture: Any, pipeline: Pipeline[ExplainingPredictor], point: str, attribute: str) -> dict[str, Any]:
    _, analysis = analyse_within_bounds(_file(picture), "", pipeline, explained=bool(attribute))
    found = analysis.to_dict()
    for face, described in zip(analysis.faces, found["faces"], strict=True):
        ticks = decide(face.probabilities, analysis.attributes, pipeline.calibration, point)
        described["ticks"] = dict(zip(analysis.attributes, ticks, strict=True))
        described["warnings"] = list(face.warnings)
        if attribute:
            check_wanted()
            described["why"] = _why(face, attribute, pipeline)
    size = {"width": analysis.width, "height": analysis.height}
    return {**found, "operating_point": point, **size, "weights": pipeline.weights}


def _why(face: FaceResult, attribute: str, pipeline: Pipeline[ExplainingPredictor]) -> dict[str, Any]:
    """The map of one attribute, in the form that `_WHY` describes."""
    found = explain_face(face, [attribute], pipeline.predictor)
    (cells,), (bias,) = found["cells"], found["bias"]
    where = {name: found[name] for name in ("rows", "columns", "placement")}
    return {"attribute": attribute, "cells": cells, "bias": bias, **where}


def _file(picture: Any) -> bytes:
    if isinstance(picture, Path):
        try:
            return picture.read_bytes()
        except OSError as error:  # it is gone, or was never one: a folder, or a path below a file
            raise PictureError("The upload is gone. Send the picture again.") from error
    return picture if isinstance(picture, bytes) else _decoded(picture)


def _decoded(text: Any) -> bytes:
    try:
        return decode(text)
    except (AttributeError, ValueError) as error:  # the first if it isn't text: a call may contain anything
        message = "The picture is not base64. Send the file's bytes in base64, or as a data: address."
        raise PictureError(message) from error
