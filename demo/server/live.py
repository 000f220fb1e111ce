"""The live panel: camera frames in, faces with their attributes out, many visitors at once."""

import asyncio
import contextvars
import io
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Any

import gradio as gr
import numpy as np
from markupsafe import Markup
from PIL import Image

from demo.interruption import InterruptedWorkError, check_wanted, interruptible
from demo.limits import (
    FRAME_THREADS,
    MAX_FRAME_CHARACTERS,
    MAX_FRAME_SECONDS,
    MAX_FRAME_SIDE,
    MAX_SILENCE_SECONDS,
    MAX_VISITORS,
    MAX_WAITING_FRAMES,
    OWN_FRAME_SECONDS,
)
from demo.pictures.decode import PictureError
from demo.pictures.jpeg_cost import is_plain_frame
from demo.pipeline.analyse import ExplainingPredictor, Pipeline, Stream
from demo.pipeline.result import Analysis
from demo.pipeline.table import write_rows
from demo.pipeline.track import REMEMBERED_SECONDS
from demo.server.answer import AnalysisError, answer_on, describe_face, visitor_in
from demo.server.content.measured import Measured
from demo.server.content.panel import panel
from demo.server.data_url import decode, encode_jpeg, is_jpeg, jpeg_url
from demo.server.gradio_internals import caller_address
from demo.server.turns.fair_threads import FairThreads
from demo.server.turns.line import Line, TurnedAwayError, stay
from demo.server.why import explain, read_question

# Columns of a recording's CSV file; the attributes come after the first two. Boxes are in pixels of the frame that was
# sent. The last four hold the attribute that was asked about, and the log-odds that each region added.
RECORDING_COLUMNS = (
    "milliseconds", "face", "captured", "x", "y", "width", "height", "picture_width", "picture_height", "warnings",
    "why", "why_hair", "why_eyes", "why_mouth",
)  # fmt: skip
_CROP_QUALITY = 80  # of a JPEG; a crop then adds 6 kB to each frame's answer


class FrameError(PictureError):
    """A frame can't be analysed; the message, for people, says why."""


def live_panel(
    pipeline: Pipeline[ExplainingPredictor], disclosure: Markup, measured: Measured, device: dict[str, str] | None
) -> gr.HTML:
    """Make the panel `#live`; to be called inside a gr.Blocks.

    Args:
        pipeline: analyses the frames.
        disclosure: HTML above the picture, to be read first.
        measured: what was measured of the weights in use.
        device: "base", the address of the files with which the visitor's own browser reads faces, and "examples", that
            of the example pictures, both relative to the page's root; None if that isn't offered.

    Returns:
        The panel's component.
    """
    queue = FrameQueue(pipeline)

    async def analyse_frame(message: Any) -> dict[str, Any]:
        return await queue.answer(message)

    return panel("live", pipeline, analyse_frame, live_facts(pipeline, device), measured, disclosure=disclosure)


def live_facts(pipeline: Pipeline[ExplainingPredictor], device: dict[str, str] | None) -> dict[str, Any]:
    """What the scripts of the live panel must know, as `globals.d.ts` describes it.

    Args:
        pipeline: analyses the frames.
        device: as for `live_panel`.
    """
    return {
        "remembered_ms": 1000 * REMEMBERED_SECONDS,
        "recording_header": recording_header(pipeline.attributes),
        "weights": pipeline.weights,
        "device": device,
    }


def recording_header(attributes: tuple[str, ...]) -> str:
    """The first line of a recording's CSV file, which the page writes.

    Args:
        attributes: the names, in the order of the probabilities.
    """
    text = io.StringIO()
    write_rows(text, [(*RECORDING_COLUMNS[:2], *attributes, *RECORDING_COLUMNS[2:])])
    return text.getvalue()


@dataclass(eq=False)
class _Visit:
    """An open page, remembered between its frames.

    Attributes:
        stream: follows the page's faces.
        address: where its first frame came from.
        ending: forgets the page after a silence; None before the first frame is done.
        is_over: whether the page has been forgotten.
    """

    stream: Stream
    address: str
    ending: asyncio.TimerHandle | None = None
    is_over: bool = False


@dataclass(eq=False)
class _Frame:
    """A frame that is being worked on, or waits for its turn.

    Attributes:
        message: holds it, as for `FrameQueue.answer`.
        visit: the page that sent it.
        arrived: when, by `time.perf_counter`.
        is_wanted: false once its sender has hung up.
    """

    message: Any
    visit: _Visit
    arrived: float
    is_wanted: bool = True


class FrameQueue:
    """Analyses frames of all visitors on a few threads; to be called from one event loop.

    These calls bypass Gradio's queue, so the bounds are here. Each visitor has at most one frame in work. Addresses
    take turns, since visitors choose their own names. There are at most `MAX_WAITING_FRAMES` in all, so that no backlog
    builds up; visitors who are turned away keep a turn. A frame is worked on for `MAX_FRAME_SECONDS` at most, and not
    after its visitor has left or its call is cancelled. It keeps its place until its thread stops, at the next step.
    Visitors who leave, or are silent for `MAX_SILENCE_SECONDS`, are forgotten. If there would be more than
    `MAX_VISITORS`, the address with the most loses the visitor who has been silent for longest.

    Args:
        pipeline: analyses the frames; each visitor gets a stream of it.
    """

    def __init__(self, pipeline: Pipeline[ExplainingPredictor]) -> None:
        self._pipeline = pipeline
        self._threads = FairThreads(FRAME_THREADS, "live")
        self._in_work: set[str] = set()
        self._line = Line(MAX_WAITING_FRAMES, FRAME_THREADS)
        self._visits: dict[str, _Visit] = {}

    async def answer(self, message: Any) -> dict[str, Any]:
        """Answer a frame of a visitor.

        Args:
            message: {"frame": data URL of a JPEG, "visitor": tells the open pages apart, "crop": number of the face
                whose aligned picture is wanted, or None, "why": {"face": its number, "attribute": name of the one whose
                map is wanted}, or None}; or {"visitor", "leave": True}, for which the answer is {}.

        Returns:
            What the page paints, as `describe` returns it; {"busy": True, "seconds": after which to send a new one}
            if the frame is not analysed, with "own": True if the visitor's last one still is; or {"error": a sentence
            for people}.
        """
        visitor = visitor_in(message) or ""
        if isinstance(message, dict) and message.get("leave"):
            self._forget(visitor)
            return {}
        if visitor in self._in_work:
            return {"busy": True, "own": True, "seconds": OWN_FRAME_SECONDS}
        address = caller_address()
        visit = self._visits.get(visitor) or _Visit(self._pipeline.stream(), address)
        try:
            self._line.enter(address, visitor)
        except TurnedAwayError as told:
            return {"busy": True, "seconds": round(told.seconds, 2)}
        self._in_work.add(visitor)
        self._visits.pop(visitor, None)
        self._visits[visitor] = visit  # as the newest
        self._bound_visits()
        if visit.ending:
            visit.ending.cancel()
        frame = _Frame(message, visit, time.perf_counter())
        working = asyncio.ensure_future(answer_on(self._threads.of(address), self._analyse, frame))
        working.add_done_callback(lambda _: self._end(visitor, visit))
        try:
            return await stay(self._line, address, working)
        except PictureError as error:
            return {"error": str(error)}
        except AnalysisError:
            return {"error": "The server could not analyse this camera frame."}
        except asyncio.CancelledError:
            frame.is_wanted = False
            raise

    def _end(self, visitor: str, visit: _Visit) -> None:
        """Let a visitor send the next frame, and forget them after a silence."""
        self._in_work.discard(visitor)
        if not visit.is_over:
            # In an empty context, because the current one holds the request, with the frame in it.
            visit.ending = asyncio.get_running_loop().call_later(
                MAX_SILENCE_SECONDS, self._forget, visitor, context=contextvars.Context()
            )

    def _analyse(self, frame: _Frame) -> dict[str, Any]:
        """Answer a frame. Runs on a thread of the queue."""
        until = time.monotonic() + MAX_FRAME_SECONDS
        visit = frame.visit
        try:
            return interruptible(
                lambda: frame.is_wanted and not visit.is_over and time.monotonic() < until, self._read, frame
            )
        except InterruptedWorkError as error:
            if visit.is_over or not frame.is_wanted:
                return {}
            raise FrameError("This camera frame took the server too long, so it was left out.") from error

    def _read(self, frame: _Frame) -> dict[str, Any]:
        """Do the work of `_analyse`; slow parts check now and then whether to go on."""
        check_wanted()  # nobody may want the frame any more when its turn comes
        waiting = max(0, len(self._in_work) - FRAME_THREADS)
        began = time.perf_counter()
        picture = read_frame(frame.message)
        decoded = time.perf_counter()
        question = read_question(frame.message.get("why"))
        analysis = frame.visit.stream.analyse(picture, frame.arrived, waiting, explained=question is not None)
        milliseconds = {"wait": 1000 * (began - frame.arrived), "decode": 1000 * (decoded - began)}
        crop = frame.message.get("crop")
        if question is None:
            return describe(analysis, milliseconds, crop)
        began = time.perf_counter()
        why = explain(analysis, question.face, [question.attribute], self._pipeline.predictor)
        reading = analysis.timings.infer + 1000 * (time.perf_counter() - began)
        analysis = replace(analysis, timings=replace(analysis.timings, infer=reading))
        return describe(analysis, milliseconds, crop, {question.face: why})

    def _bound_visits(self) -> None:
        """Forget one visitor if there are too many; never one with a frame in work, of whom there are always fewer."""
        if len(self._visits) <= MAX_VISITORS:
            return
        silent = {name: visit.address for name, visit in self._visits.items() if name not in self._in_work}
        [(crowded, _)] = Counter(silent.values()).most_common(1)
        self._forget(next(name for name, address in silent.items() if address == crowded))

    def _forget(self, visitor: str) -> None:
        visit = self._visits.pop(visitor, None)
        if visit:
            visit.is_over = True
            if visit.ending:
                visit.ending.cancel()  # or it would end the visitor's next visit


def read_frame(message: Any) -> np.ndarray:
    """The frame in a message of the live panel.

    Args:
        message: a message as for `FrameQueue.answer`, or any other JSON value from a call.

    Returns:
        (height, width, 3) uint8 RGB, contiguous.

    Raises:
        FrameError: the frame is not the data URL of a baseline JPEG in one scan, is damaged, or is larger than
            `MAX_FRAME_CHARACTERS` or `MAX_FRAME_SIDE` pixels a side.
    """
    address = message.get("frame") if isinstance(message, dict) else None
    if not isinstance(address, str) or not is_jpeg(address):
        raise FrameError("The server was sent something that is not a camera frame. Reload the page.")
    if len(address) > MAX_FRAME_CHARACTERS:
        raise FrameError("The camera frame is too large. Reload the page.")
    try:
        file = decode(address)
        if file.startswith(b"\xff\xd8") and not is_plain_frame(file):  # others can keep a decoder busy for minutes
            raise FrameError("The camera frame is not a plain JPEG, as this page sends it. Reload the page.")
        picture = Image.open(io.BytesIO(file), formats=("JPEG",))
        if max(picture.size) > MAX_FRAME_SIDE:  # known from the header, before anything is decoded
            raise FrameError("The camera frame is too large. Reload the page.")
        # Converting an RGB picture would copy it.
        return np.ascontiguousarray(picture if picture.mode == "RGB" else picture.convert("RGB"))
    except FrameError:
        raise
    except (ValueError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise FrameError("A camera frame arrived damaged.") from error


def describe(
    analysis: Analysis,
    milliseconds: dict[str, float],
    crop: int | None,
    why: Mapping[int, dict[str, Any] | None] = MappingProxyType({}),
) -> dict[str, Any]:
    """An analysis as JSON for the live panel.

    Args:
        analysis: the result for the frame.
        milliseconds: stage -> how long it took, for the stages before the analysis.
        crop: the number of the face whose aligned picture is included, as a data URL; None for no face.
        why: number of a face -> its maps, which are included; None if there are none.

    Returns:
        width and height of the frame; faces, as `describe_face` returns them; left_out, how many more faces were seen
        but not read; ms, stage -> milliseconds.
    """
    faces = []
    for face in analysis.faces:
        picture = {"crop": jpeg_url(encode_jpeg(face.crop, _CROP_QUALITY))} if face.number == crop else {}
        maps = {"why": why[face.number]} if why.get(face.number) else {}
        faces.append(describe_face(face) | picture | maps)
    times = milliseconds | asdict(analysis.timings)
    return {
        "width": analysis.width,
        "height": analysis.height,
        "faces": faces,
        "left_out": analysis.left_out,
        "ms": {stage: round(time, 2) for stage, time in times.items()},
    }
