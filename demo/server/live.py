"""The live panel: camera frames in, faces with their attributes out, many visitors at once."""

import asyncio
import base64
import contextvars
import io
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import gradio as gr
import numpy as np
from PIL import Image

from demo.paths import BROWSER
from demo.pictures.decode import PictureError
from demo.pipeline.analyse import Analysis, Pipeline, Stream
from demo.server.attributes import answer_on, attribute_list, describe_face

_PREFIX = "data:image/jpeg;base64,"
_LARGEST_CHARACTERS = 1_000_000  # live/main.js sends 20,000 to 80,000
_LARGEST_SIDE = 1280  # live/main.js sends 480
_WORKERS = 2
_WAITING = 32
# Who freezes the picture or looks at another tab comes back to the same numbers. A stream takes some kB meanwhile.
_SILENT_SECONDS = 60.0
_CROP_QUALITY = 80  # 6 kB, with every frame
_SCRIPTS = (
    "shared/settings.js",
    "shared/toolbar.js",
    "shared/attributes.js",
    "shared/server.js",
    "live/smoothing.js",
    "live/timeline.js",
    "shared/camera.js",
    "live/overlay.js",
    "live/speed.js",
    "live/frame_size.js",
    "live/controls.js",
    "live/main.js",
)


class FrameError(PictureError):
    """A frame that cannot be analysed; its message is meant for people."""


def live_panel(pipeline: Pipeline, disclosure: str = "") -> gr.HTML:
    """The panel `#live`, to be called inside a gr.Blocks. `disclosure`: HTML above the picture, to be read first."""
    desk = FrameDesk(pipeline)

    async def analyse_frame(message: Any) -> dict[str, Any]:
        return await desk.answer(message)

    template = (BROWSER / "live/live.html").read_text(encoding="utf-8")
    attributes = attribute_list(pipeline.attributes, "live", pipeline.reliability, live=True)
    return gr.HTML(
        html_template=template.replace("<!-- attributes -->", attributes).replace("<!-- disclosure -->", disclosure),
        js_on_load="".join((BROWSER / name).read_text(encoding="utf-8") for name in _SCRIPTS),
        apply_default_css=False,
        server_functions=[analyse_frame],
    )


@dataclass(eq=False)
class _Visit:
    """What is kept of an open page between its frames: where its faces were, and when to forget it."""

    stream: Stream
    ending: asyncio.TimerHandle | None = None
    is_over: bool = False


class FrameDesk:
    """Analyses frames of all visitors on a few threads; to be called from one event loop.

    Gradio's queue does not hold for these calls, so the bounds are here: one frame in work per visitor, which makes the
    first-come order a fair one, and at most `_WAITING` frames in all, so that no backlog builds up. A visitor who says
    so, or is silent for `_SILENT_SECONDS`, is forgotten.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="live")
        self._in_work: set[str] = set()
        self._visits: dict[str, _Visit] = {}

    async def answer(self, message: Any) -> dict[str, Any]:
        """What the page paints for a frame, {"busy": True}, or {"error": a sentence for people}.

        Args:
            message: {"frame": data URL of a JPEG, "visitor": tells the open pages apart, "crop": number of the face
                whose aligned picture is wanted, or None}; or {"visitor", "leave": True}, which is answered by {}.
        """
        visitor = str(message.get("visitor"))[:32] if isinstance(message, dict) else ""
        if isinstance(message, dict) and message.get("leave"):
            self._forget(visitor)
            return {}
        if visitor in self._in_work or len(self._in_work) >= _WAITING:
            return {"busy": True}
        self._in_work.add(visitor)
        visit = self._visits.get(visitor) or _Visit(self._pipeline.stream())
        self._visits[visitor] = visit
        if visit.ending:
            visit.ending.cancel()
        arrived = time.perf_counter()
        try:
            failure = "The server could not analyse this camera frame."
            return await answer_on(self._pool, lambda frame: self._analyse(frame, visit, arrived), message, failure)
        finally:
            self._in_work.discard(visitor)
            if not visit.is_over:
                # In no context: the present one holds the request, with the frame in it.
                visit.ending = asyncio.get_running_loop().call_later(
                    _SILENT_SECONDS, self._forget, visitor, context=contextvars.Context()
                )

    def _forget(self, visitor: str) -> None:
        visit = self._visits.pop(visitor, None)
        if visit:
            visit.is_over = True

    def _analyse(self, message: Any, visit: _Visit, arrived: float) -> dict[str, Any]:
        if visit.is_over:  # left while the frame waited for its turn
            return {}
        began = time.perf_counter()
        frame = read_frame(message)
        decoded = time.perf_counter()
        analysis = visit.stream.analyse(frame, arrived)
        milliseconds = {"wait": 1000 * (began - arrived), "decode": 1000 * (decoded - began)}
        return describe(analysis, milliseconds, message.get("crop"))


def read_frame(message: Any) -> np.ndarray:
    """The frame in a message of `live/main.js`: (H, W, 3) uint8 RGB, contiguous.

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


def describe(analysis: Analysis, milliseconds: dict[str, float], crop: int | None) -> dict[str, Any]:
    """An analysis as `live/main.js` paints it: boxes in pixels of the frame that was sent.

    Args:
        milliseconds: of the stages before the analysis.
        crop: the number of the face whose aligned picture goes along, as a data URL.
    """
    faces = []
    for face in analysis.faces:
        picture = {"crop": _address(face.crop)} if face.number == crop else {}
        faces.append(describe_face(face) | picture)
    times = milliseconds | asdict(analysis.timings)
    return {
        "width": analysis.width,
        "height": analysis.height,
        "faces": faces,
        "ms": {stage: round(time, 2) for stage, time in times.items()},
    }


def _address(crop: np.ndarray) -> str:
    _, data = cv2.imencode(".jpg", cv2.cvtColor(crop, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_JPEG_QUALITY, _CROP_QUALITY))
    return _PREFIX + base64.b64encode(data.tobytes()).decode()
