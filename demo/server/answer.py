"""How the server answers a call about a picture: on a thread, in sentences for people, with faces as JSON."""

import asyncio
import contextvars
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, ParamSpec, TypeVar

from demo.pipeline.errors import FAILURES
from demo.pipeline.result import FaceResult

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")
_LOG = logging.getLogger(__name__)


class AnalysisError(Exception):
    """Memory or a device gave out during an analysis; the log says how."""


async def answer_on(
    pool: Executor,
    function: Callable[_Parameters, _Result],
    *arguments: _Parameters.args,
    **named: _Parameters.kwargs,
) -> _Result:
    """Call a function on a thread of a pool, as `asyncio.to_thread` does on one of its own.

    Args:
        pool: executor whose thread is used.
        function: called in Gradio's context, by which ZeroGPU knows whose share of the GPUs a call spends.
        arguments: positional arguments of the function.
        named: keyword arguments of the function.

    Returns:
        What the function returns.

    Raises:
        AnalysisError: memory or a device gave out.
        Exception: anything else that the function raises.
    """
    run = contextvars.copy_context().run
    try:
        return await asyncio.get_running_loop().run_in_executor(pool, lambda: run(function, *arguments, **named))
    except FAILURES as error:
        _LOG.exception("analysis failed")
        raise AnalysisError from error


def describe_face(face: FaceResult) -> dict[str, Any]:
    """A face as JSON for the page.

    Args:
        face: a face of an analysis.

    Returns:
        number; box, [x, y, width, height] in pixels of the analysed frame; probabilities, in the order of the
        attributes; doubts, the names of the warnings; conditions, as in `Quality.conditions`.
    """
    return {
        "number": face.number,
        "box": list(face.box),
        "probabilities": [round(float(probability), 6) for probability in face.probabilities],
        "doubts": list(face.warnings),
        "conditions": {name: round(figure, 4) for name, figure in face.quality.conditions.items()},
    }
