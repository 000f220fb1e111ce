"""How the server answers a call about a picture: on a thread, in sentences for people, with faces as JSON."""

import asyncio
import contextvars
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np

from demo.limits import MAX_FACES, MAX_PICTURE_BYTES, MAX_VISITOR_CHARACTERS
from demo.pictures.decode import PictureError, open_picture, subject
from demo.pictures.decoders import DECODERS, NoDecoderError
from demo.pipeline.analyse import ExplainingPredictor, Pipeline
from demo.pipeline.detect import TooManyFacesError
from demo.pipeline.errors import FAILURES, is_shortage
from demo.pipeline.result import Analysis, FaceResult
from demo.server.watchdog import WORKS

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")
_LOG = logging.getLogger(__name__)


class AnalysisError(Exception):
    """An analysis failed, but not because of the picture; the log says how."""


class ShortageError(AnalysisError):
    """This machine lacks memory, threads or processes at the moment; the same picture may work later."""


async def answer_on(
    pool: Executor,
    function: Callable[_Parameters, _Result],
    *arguments: _Parameters.args,
    **named: _Parameters.kwargs,
) -> _Result:
    """Call a function on a thread of a given pool; otherwise like `asyncio.to_thread`.

    Args:
        pool: executor whose thread is used.
        function: called in Gradio's context, which tells ZeroGPU whose share of the GPUs a call spends.
        arguments: positional arguments of the function.
        named: keyword arguments of the function.

    Returns:
        What the function returns.

    Raises:
        ShortageError: the machine lacks memory, threads or processes at the moment.
        AnalysisError: a device or a library failed.
        Exception: anything else that the function raises.
    """
    run = contextvars.copy_context().run

    def watched() -> _Result:
        with WORKS.under_way():
            return function(*arguments, **named)

    try:
        return await asyncio.get_running_loop().run_in_executor(pool, lambda: run(watched))
    except FAILURES as error:
        _LOG.exception("analysis failed")
        is_momentary = isinstance(error, NoDecoderError) or is_shortage(error)
        raise (ShortageError if is_momentary else AnalysisError) from error


def visitor_in(message: Any) -> str | None:
    """The word that tells the open page that sent a message from other pages.

    Args:
        message: {"visitor": the word that the page has chosen for itself, ...}, or any other JSON value from a call.

    Returns:
        The word, up to `MAX_VISITOR_CHARACTERS`; None if there is none.
    """
    given = message.get("visitor") if isinstance(message, dict) else None
    # Nothing else is turned into text: with deeply nested lists that would be a RecursionError.
    return given[:MAX_VISITOR_CHARACTERS] or None if isinstance(given, str) else None


def analyse_within_bounds(
    source: bytes | Path, name: str, pipeline: Pipeline[ExplainingPredictor], *, explained: bool = False
) -> tuple[np.ndarray, Analysis]:
    """Open a photo and find its faces, within bounds.

    Args:
        source: bytes of a stranger's file, or the path of a picture of our own.
        name: of the file, for messages; empty if unknown.
        pipeline: analyses it.
        explained: as for `Pipeline.read`.

    Returns:
        The photo, (height, width, 3) uint8 RGB, which may be read-only; and its faces.

    Raises:
        PictureError: it can't be opened, is larger than `MAX_PICTURE_BYTES`, or shows more than `MAX_FACES` faces.
    """
    if isinstance(source, bytes) and len(source) > MAX_PICTURE_BYTES:  # here, since every photo passes through
        raise PictureError(f"The picture is larger than {MAX_PICTURE_BYTES // 2**20} MB. Choose a smaller one.")
    frame = DECODERS.open_picture(source, name) if isinstance(source, bytes) else open_picture(source)
    try:
        return frame, pipeline.analyse_photo(frame, most_faces=MAX_FACES, explained=explained)
    except TooManyFacesError as error:
        raise PictureError(f"{subject(name)} shows more than {MAX_FACES} faces. Cut it into parts.") from error


def describe_face(face: FaceResult) -> dict[str, Any]:
    """A face as JSON for the page.

    Args:
        face: a face of an analysis.

    Returns:
        number; box, [x, y, width, height] in pixels of the analysed frame; probabilities, in the order of the
        attributes; warnings, as in `FaceResult`; conditions, as in `Quality.conditions`.
    """
    return {
        "number": face.number,
        "box": list(face.box),
        "probabilities": [round(float(probability), 6) for probability in face.probabilities],
        "warnings": list(face.warnings),
        "conditions": {name: round(figure, 4) for name, figure in face.quality.conditions.items()},
    }
