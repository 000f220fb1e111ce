"""The photo panel: one picture in, every face with its attributes out; nothing is stored."""

import base64
import binascii
import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from demo.paths import BROWSER, EXAMPLES
from demo.pictures.decode import LARGEST_BYTES, PictureError, open_picture
from demo.pipeline.analyse import Analysis, Pipeline
from demo.pipeline.table import COLUMNS, face_rows, write_rows
from demo.server.attributes import answer_on, attribute_list, describe_face

_WAITING = 8
_SHOWN_SIDE = 1600
_COLOURS = ("#2dd4bf", "#fbbf24", "#a78bfa", "#fb7185", "#60a5fa", "#a3e635")  # attributes.js: FACE_COLOURS
_SCRIPTS = (
    "shared/settings.js",
    "shared/toolbar.js",
    "shared/attributes.js",
    "shared/server.js",
    "shared/camera.js",
    "photo/main.js",
)


def photo_panel(pipeline: Pipeline, disclosure: str = "") -> gr.HTML:
    """The panel `#photo`, to be called inside a gr.Blocks.

    The picture travels inside the call and its answer, so that it never becomes a file on the server.
    `disclosure`: HTML above the picture, to be read first.
    """
    desk = PhotoDesk(pipeline)

    async def analyse_photo(message: Any) -> dict[str, Any]:
        return await desk.answer(message)

    template = (BROWSER / "photo/photo.html").read_text(encoding="utf-8")
    attributes = attribute_list(pipeline.attributes, "photo", pipeline.reliability)
    template = template.replace("<!-- attributes -->", attributes).replace("<!-- disclosure -->", disclosure)
    template = template.replace("<!-- examples -->", "".join(_example_button(path) for path in examples().values()))
    return gr.HTML(
        html_template=template,
        js_on_load="".join((BROWSER / name).read_text(encoding="utf-8") for name in _SCRIPTS),
        apply_default_css=False,
        server_functions=[analyse_photo],
        largest_bytes=LARGEST_BYTES,
    )


class PhotoDesk:
    """Analyses pictures for all visitors, one at a time, since a large one takes hundreds of megabytes."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="photo")
        self._free = threading.BoundedSemaphore(_WAITING)

    async def answer(self, message: Any) -> dict[str, Any]:
        """What the page shows for a request, or {"error": a sentence for people}.

        Args:
            message: {"picture": base64 of a picture file, "name": its name} or {"example": its name}.
        """
        if not self._free.acquire(blocking=False):
            return {"error": "Many photos are waiting. Nothing is lost: try again in a moment."}
        try:
            failure = "The server could not analyse this picture. Try a smaller one."
            return await answer_on(self._pool, self._analyse, message, failure)
        finally:
            self._free.release()

    def _analyse(self, message: Any) -> dict[str, Any]:
        source, name = read_request(message)
        frame = open_picture(source, name)
        return describe(frame, self._pipeline.analyse(frame, thorough=True), name)


def read_request(message: Any) -> tuple[bytes | Path, str]:
    """The picture (its bytes, or the path of an example) and the name that its results carry.

    Raises:
        PictureError: the request has another form than `photo/main.js` gives it, or is too large.
    """
    if not isinstance(message, dict):
        raise PictureError("The request holds no picture. Reload the page and try again.")
    if "example" in message:
        path = examples().get(str(message["example"]))
        if path is None:
            raise PictureError("There is no such example. Reload the page and choose one of those it shows.")
        return path, path.name
    picture = message.get("picture")
    if not isinstance(picture, str):
        raise PictureError("The request holds no picture. Reload the page and try again.")
    if len(picture) > LARGEST_BYTES * 4 / 3 + 4:
        raise PictureError(f"The picture is larger than {LARGEST_BYTES // 2**20} MB. Choose a smaller one.")
    try:
        return base64.b64decode(picture, validate=True), _name(message.get("name"))
    except (binascii.Error, ValueError) as error:
        raise PictureError("The picture arrived damaged. Try again.") from error


def _name(given: Any) -> str:
    """A picture's name without its folder; what UTF-8 cannot hold, half of a pair of characters, becomes its escape."""
    return Path(str(given or "photo").encode(errors="backslashreplace").decode()).name


def describe(frame: np.ndarray, analysis: Analysis, name: str) -> dict[str, Any]:
    """An analysis as the page needs it: numbers, pictures as data addresses, and the files to download as text."""
    shown = Image.fromarray(frame)
    shown.thumbnail((_SHOWN_SIDE, _SHOWN_SIDE))
    return {
        "name": name,
        "width": analysis.width,
        "height": analysis.height,
        "faces": [describe_face(face) | {"crop": _address(Image.fromarray(face.crop))} for face in analysis.faces],
        "picture": _address(shown),
        "annotated": _jpeg(annotated(shown, analysis)),
        "json": json.dumps({"file": name, **analysis.to_dict()}, indent=1),
        "csv": as_csv(analysis, name),
    }


def as_csv(analysis: Analysis, name: str) -> str:
    """The faces as CSV: `file,face,x,y,width,height` and one column of probabilities per attribute."""
    text = io.StringIO()
    write_rows(text, (COLUMNS + analysis.attributes, *face_rows(analysis, name)))
    return text.getvalue()


def annotated(picture: Image.Image, analysis: Analysis) -> Image.Image:
    """A copy of `picture` (the analysed frame at any scale) with a numbered box around each face."""
    picture = picture.copy()
    draw = ImageDraw.Draw(picture)
    scale = picture.width / analysis.width
    unit = max(picture.size) / 400
    font = ImageFont.load_default(5 * unit + 6)
    for face in analysis.faces:
        x, y, width, height = (side * scale for side in face.box)
        colour = _COLOURS[(face.number - 1) % len(_COLOURS)]
        draw.rounded_rectangle((x, y, x + width, y + height), 3 * unit, outline=colour, width=round(unit) + 1)
        right, bottom = draw.textbbox((x + 2 * unit, y + unit), str(face.number), font)[2:]
        draw.rounded_rectangle((x, y, right + 2 * unit, bottom + 2 * unit), 2 * unit, fill=colour)
        draw.text((x + 2 * unit, y + unit), str(face.number), "#0b1315", font)
    return picture


def examples() -> dict[str, Path]:
    """File name -> path of the example pictures that come with the repository."""
    return {path.name: path for path in sorted(EXAMPLES.glob("*.jpg"))}


def _example_button(path: Path) -> str:
    with Image.open(path) as example:
        small = ImageOps.fit(example.convert("RGB"), (96, 96), centering=(0.5, 0.3))
    title = path.stem.replace("_", " ").title()
    picture = f'<img src="{_address(small)}" alt="{title}">'
    return f'<button type="button" data-example="{path.name}" title="{title}">{picture}</button>'


def _address(picture: Image.Image) -> str:
    return "data:image/jpeg;base64," + _jpeg(picture)


def _jpeg(picture: Image.Image) -> str:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=90)
    return base64.b64encode(file.getvalue()).decode()
