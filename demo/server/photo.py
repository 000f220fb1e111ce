"""The photo panel: one picture in, every face with its attributes out; nothing is stored."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from markupsafe import Markup
from PIL import Image, ImageDraw, ImageFont, ImageOps

from demo.limits import MAX_NAME_CHARACTERS, MAX_PHOTOS_AT_ONCE, MAX_PICTURE_BYTES
from demo.paths import EXAMPLES
from demo.pictures.decode import PictureError
from demo.pictures.formats import UNREAD_SUFFIXES
from demo.pipeline.analyse import ExplainingPredictor, Pipeline
from demo.pipeline.result import Analysis
from demo.pipeline.table import COLUMNS
from demo.server.answer import AnalysisError, ShortageError, analyse_within_bounds, describe_face, visitor_in
from demo.server.content.measured import Measured
from demo.server.content.panel import FACE_COLOURS, NUMBER_COLOUR, panel
from demo.server.data_url import decode, encode_jpeg, jpeg_url, to_base64
from demo.server.turns.line import TurnedAwayError
from demo.server.turns.photo_queue import PhotoQueue
from demo.server.why import explain

_MAX_VIEW_SIDE = 1600  # pixels
_JPEG_QUALITY = 90
_THUMBNAIL_SIZE = (96, 96)  # pixels


def photo_panel(
    pipeline: Pipeline[ExplainingPredictor], disclosure: Markup, measured: Measured, device: dict[str, str] | None
) -> gr.HTML:
    """Make the panel `#photo`; to be called inside a gr.Blocks.

    The picture travels inside the call and its answer, so that it never becomes a file on the server.

    Args:
        pipeline: analyses the photos.
        disclosure: HTML above the picture, to be read first.
        measured: what was measured of the weights in use.
        device: as for `live_panel`.

    Returns:
        The panel's component.
    """
    queue = PhotoQueue()

    async def analyse_photo(message: Any) -> dict[str, Any]:
        return await answer(message, pipeline, queue)

    values = {"disclosure": disclosure, "examples": thumbnails()}
    return panel("photo", pipeline, analyse_photo, photo_facts(pipeline, device), measured, **values)


def photo_facts(pipeline: Pipeline[ExplainingPredictor], device: dict[str, str] | None) -> dict[str, Any]:
    """What the scripts of the photo panel must know, as `globals.d.ts` describes it.

    Args:
        pipeline: analyses the photos.
        device: as for `live_panel`.
    """
    return {
        "device": device,
        "unread_suffixes": sorted(UNREAD_SUFFIXES),
        "largest_bytes": MAX_PICTURE_BYTES,
        "most_photos": MAX_PHOTOS_AT_ONCE,
        "columns": COLUMNS,
        "weights": pipeline.weights,
        "reliability": [asdict(attribute) for attribute in pipeline.reliability or ()],
    }


async def answer(message: Any, pipeline: Pipeline[ExplainingPredictor], queue: PhotoQueue) -> dict[str, Any]:
    """Answer a request of the photo panel.

    Args:
        message: {"picture": base64 of a picture file, "name": its name} or {"example": its name}; "visitor" tells the
            open pages apart; "why", the number of a face, asks for its maps only. {"visitor", "turn": True} asks
            whether it is the turn of a visitor who was told "busy", so that they don't send the picture in vain.
        pipeline: analyses the picture.
        queue: where it waits for its turn.

    Returns:
        What the page shows, as `describe` returns it, or {"why": maps of all attributes, as `explain` returns them}, or
        {"turn": True} if the picture should be sent now, or {"error": a sentence for people}. If too many photos wait,
        the error comes with "busy", "place", which the visitor has in line, and "seconds", after which to ask again.
    """
    visitor = visitor_in(message)
    try:
        if visitor is not None and message.get("turn"):
            queue.reserve(visitor)
            return {"turn": True}
        return await queue.run(visitor, _size(message), _analyse, message, pipeline)
    except TurnedAwayError as told:
        return {
            "error": "Many photos are waiting. Nothing is lost: try again in a moment.",
            "busy": True,
            "place": told.place,
            "seconds": round(told.seconds, 1),
        }
    except PictureError as error:
        return {"error": str(error)}
    except ShortageError:  # not "busy": a photo that is too much for this machine would come again and again
        return {"error": "The server lacks memory at the moment. Try again in a while, or with a smaller picture."}
    except AnalysisError:
        return {"error": "The server could not analyse this picture. Try a smaller one."}


def _size(message: Any) -> int:
    picture = message.get("picture") if isinstance(message, dict) else None
    return len(picture) if isinstance(picture, str) else 0


def _analyse(message: Any, pipeline: Pipeline[ExplainingPredictor]) -> dict[str, Any]:
    source, name = read_request(message)
    frame, analysis = analyse_within_bounds(source, name, pipeline, explained="why" in message)
    if "why" not in message:
        return describe(frame, analysis, name)
    # Nothing of the photo was kept, so its faces had to be found again.
    why = explain(analysis, message["why"], analysis.attributes, pipeline.predictor)
    if why is None:
        raise PictureError("The picture has changed since: that face is not in it any more. Choose it again.")
    return {"why": why}


def read_request(message: Any) -> tuple[bytes | Path, str]:
    """What a request asks about.

    Args:
        message: a message as for `answer`, or any other JSON value from a call.

    Returns:
        The picture (its bytes, or the path of an example) and the name that its results carry.

    Raises:
        PictureError: the request isn't in the form that `engines/server_photos.js` gives it.
    """
    if not isinstance(message, dict):
        raise PictureError("The request holds no picture. Reload the page and try again.")
    if "example" in message:
        example = message["example"]
        path = examples().get(example) if isinstance(example, str) else None
        if path is None:
            raise PictureError("There is no such example. Reload the page and choose one of those it shows.")
        return path, path.name
    picture = message.get("picture")
    if not isinstance(picture, str):
        raise PictureError("The request holds no picture. Reload the page and try again.")
    try:
        return decode(picture), _name(message.get("name"))
    except ValueError as error:
        raise PictureError("The picture arrived damaged. Try again.") from error


def _name(given: Any) -> str:
    """A picture's name without its folder; what UTF-8 can't encode (half of a surrogate pair) is escaped."""
    last = given[-MAX_NAME_CHARACTERS:] if given and isinstance(given, str) else "photo"
    return Path(last.encode(errors="backslashreplace").decode()).name


def describe(frame: np.ndarray, analysis: Analysis, name: str) -> dict[str, Any]:
    """An analysis as the page needs it: numbers, and pictures as text.

    Args:
        frame: (height, width, 3) uint8 RGB, the picture.
        analysis: the result for the frame.
        name: the picture's file name.

    Returns:
        name, width, height and faces, each with its aligned crop; the picture in a size for the screen, plain and with
        boxes, and as a thumbnail. The page itself makes the files to download, since it knows how boxes are decided.
    """
    view = Image.fromarray(frame)
    view.thumbnail((_MAX_VIEW_SIDE, _MAX_VIEW_SIDE))
    return {
        "name": name,
        "width": analysis.width,
        "height": analysis.height,
        "faces": [describe_face(face) | {"crop": jpeg_url(_jpeg(face.crop))} for face in analysis.faces],
        "picture": jpeg_url(_jpeg(view)),
        "annotated": to_base64(_jpeg(annotated(view, analysis))),
        "thumbnail": jpeg_url(_jpeg(ImageOps.fit(view, _THUMBNAIL_SIZE))),
    }


def annotated(picture: Image.Image, analysis: Analysis) -> Image.Image:
    """Draw a numbered box around each face, in a copy of the picture.

    Args:
        picture: the analysed frame, at any scale.
        analysis: the result for the frame.

    Returns:
        The copy.
    """
    picture = picture.copy()
    draw = ImageDraw.Draw(picture)
    scale = picture.width / analysis.width
    unit = max(picture.size) / 400
    font = ImageFont.load_default(5 * unit + 6)
    for face in analysis.faces:
        x, y, width, height = (side * scale for side in face.box)
        colour = FACE_COLOURS[(face.number - 1) % len(FACE_COLOURS)]
        radius = min(3 * unit, min(width, height) / 6)  # Pillow fails at corners rounder than a small box allows
        draw.rounded_rectangle((x, y, x + width, y + height), radius, outline=colour, width=round(unit) + 1)
        right, bottom = draw.textbbox((x + 2 * unit, y + unit), str(face.number), font)[2:]
        draw.rounded_rectangle((x, y, right + 2 * unit, bottom + 2 * unit), 2 * unit, fill=colour)
        draw.text((x + 2 * unit, y + unit), str(face.number), NUMBER_COLOUR, font)
    return picture


def examples() -> dict[str, Path]:
    """The example pictures that come with the repository: file name -> path."""
    return {path.name: path for path in sorted(EXAMPLES.glob("*.jpg"))}


def thumbnails() -> list[dict[str, str]]:
    """The template's values for the buttons of the examples."""
    return [_thumbnail(path) for path in examples().values()]


def _thumbnail(path: Path) -> dict[str, str]:
    """The template's values for the button of an example."""
    with Image.open(path) as example:
        small = ImageOps.fit(example.convert("RGB"), _THUMBNAIL_SIZE, centering=(0.5, 0.3))
    return {"file": path.name, "title": path.stem.replace("_", " ").title(), "picture": jpeg_url(_jpeg(small))}


def _jpeg(picture: Image.Image | np.ndarray) -> bytes:
    return encode_jpeg(np.asarray(picture), _JPEG_QUALITY)
