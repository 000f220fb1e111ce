"""The live panel: camera frames in, faces with their attributes out, many visitors at once."""

import base64
import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from demo.panel import answer_on, attribute_list, describe_face
from demo.pictures import PictureError
from demo.pipeline import Analysis, Pipeline

_PREFIX = "data:image/jpeg;base64,"
_LARGEST_CHARACTERS = 1_000_000  # live.js sends 20,000 to 80,000
_LARGEST_SIDE = 1280  # live.js sends 480
_WORKERS = 2
_WAITING = 32
_HERE = Path(__file__).parent
_SCRIPTS = ("panel.js", "steady.js", "timeline.js", "camera.js", "live.js")


class FrameError(PictureError):
    """A frame that cannot be analysed; its message is meant for people."""


def live_panel(pipeline: Pipeline) -> gr.HTML:
    """The panel `#live`, to be called inside a gr.Blocks."""
    desk = FrameDesk(pipeline)

    async def analyse_frame(message: Any) -> dict[str, Any]:
        return await desk.answer(message)

    template = (_HERE / "live.html").read_text()
    return gr.HTML(
        html_template=template.replace("<!-- attributes -->", attribute_list(pipeline.attributes, "live")),
        js_on_load="".join((_HERE / name).read_text() for name in _SCRIPTS if (_HERE / name).exists()),
        apply_default_css=False,
        server_functions=[analyse_frame],
    )


class FrameDesk:
    """Analyses frames of all visitors on a few threads; to be called from one event loop.

    Gradio's queue does not hold for these calls, so the bounds are here: one frame in work per visitor, which makes the
    first-come order a fair one, and at most `_WAITING` frames in all, so that no backlog builds up.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="live")
        self._in_work: set[str] = set()

    async def answer(self, message: Any) -> dict[str, Any]:
        """What the page paints for a frame, {"busy": True}, or {"error": a sentence for people}.

        Args:
            message: {"frame": data URL of a JPEG, "visitor": tells the open pages apart}.
        """
        visitor = str(message.get("visitor"))[:32] if isinstance(message, dict) else ""
        if visitor in self._in_work or len(self._in_work) >= _WAITING:
            return {"busy": True}
        self._in_work.add(visitor)
        try:
            failure = "The server could not analyse this camera frame."
            return await answer_on(self._pool, self._analyse, message, failure)
        finally:
            self._in_work.discard(visitor)

    def _analyse(self, message: Any) -> dict[str, Any]:
        return describe(self._pipeline.analyse(read_frame(message), thorough=False))


def read_frame(message: Any) -> np.ndarray:
    """The frame in a message of `live.js`: (H, W, 3) uint8 RGB, contiguous.

    Raises:
        FrameError: not a JPEG data URL of at most `_LARGEST_SIDE` pixels a side.
    """
    address = message.get("frame") if isinstance(message, dict) else None
    if not isinstance(address, str) or not address.startswith(_PREFIX):
        raise FrameError("The server was sent something that is not a camera frame. Reload the page.")
    if len(address) > _LARGEST_CHARACTERS:
        raise FrameError("The camera frame is too large. Reload the page.")
    try:
        picture = Image.open(io.BytesIO(base64.b64decode(address[len(_PREFIX) :], validate=True)), formats=("JPEG",))
        small = max(picture.size) <= _LARGEST_SIDE  # known from the header, before anything is decoded
        frame = np.ascontiguousarray(picture.convert("RGB")) if small else None
    except (ValueError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise FrameError("A camera frame arrived damaged.") from error
    if frame is None:
        raise FrameError("The camera frame is too large. Reload the page.")
    return frame


def describe(analysis: Analysis) -> dict[str, Any]:
    """An analysis as `live.js` paints it: boxes in pixels of the frame that was sent."""
    return {
        "width": analysis.width,
        "height": analysis.height,
        "faces": [describe_face(face) for face in analysis.faces],
    }
