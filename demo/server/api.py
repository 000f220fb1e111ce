"""The endpoints for programs: a picture in, its faces out."""

import base64
import json
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.data_classes import FileData
from gradio_client.utils import is_http_url_like

from demo.pictures.decode import PictureError, open_picture
from demo.pipeline.analyse import Pipeline
from demo.pipeline.errors import FAILURES
from demo.server.about import counted, labels
from demo.server.http.refusals import BUSY, FAILED

_WAITING = 8
_EXAMPLES = ("Smiling", "Eyeglasses", "Wavy_Hair")
_LOG = logging.getLogger(__name__)


def endpoints(page: gr.Blocks, pipeline: Pipeline, *, mcp: bool = False) -> None:
    """Add the endpoints to a page, in the context of which this is called.

    `/analyse` takes a picture as a file, `/analyse_base64` as text, for a single request without a client. Both answer
    {"faces": [...]}, each face as `SCHEMA` says; `/schema` answers that.

    Args:
        page: gets them.
        pipeline: analyses the pictures.
        mcp: add the tool for language models, too.
    """
    desk = _Desk(pipeline)
    uploads = Uploads()
    page.upload_file_set = uploads

    def analyse(picture: bytes | None) -> dict[str, Any]:
        """Find every face in a picture and tell its attributes.

        Args:
            picture: a picture file (JPEG, PNG, WebP, GIF, TIFF, BMP).

        Returns:
            {"faces": [{"number", "box": [x, y, width, height] in pixels, "probabilities": {attribute: 0 to 1}}]}
        """
        if picture is None:
            raise gr.Error("No picture was given. Send one file.", print_exception=False)
        return desk.answer(picture)

    def analyse_base64(picture: str) -> dict[str, Any]:
        """Find every face in a picture that is sent as text, and tell its attributes.

        Args:
            picture: a picture file (JPEG, PNG, WebP, GIF, TIFF, BMP) in base64, or as a data: address.

        Returns:
            {"faces": [{"number", "box": [x, y, width, height] in pixels, "probabilities": {attribute: 0 to 1}}]}
        """
        return desk.answer(decode(picture))

    def schema() -> dict[str, Any]:
        """The JSON Schema of what `/analyse` and `/analyse_base64` answer."""
        return SCHEMA

    with gr.Row(visible=False):
        file = gr.File(label="picture")
        # Set on this one object, since Gradio writes a stub file into the source folder of every subclass.
        file.preprocess = uploads.take
        result = gr.JSON(label="result")
        gr.Button().click(analyse, file, result, api_name="analyse")
    # What is not queued is answered by the very request that asks.
    gr.api(analyse_base64, api_name="analyse_base64", queue=False)
    gr.api(schema, api_name="schema", queue=False)
    if mcp:
        # No tools: Gradio would leave a file behind of what one sent to the first, and answer no JSON.
        no_tools: tuple[Any, ...] = (analyse, analyse_base64, schema)
        for function in no_tools:
            function._mcp_type = "endpoint"
        gr.api(mcp_tool(desk, pipeline.attributes), queue=False)
    for function in page.fns.values():
        for component in function.inputs:
            _take_no_addresses(component)


def _take_no_addresses(component: Block) -> None:
    """Refuse a file that is given by its web address, which Gradio would fetch, however large, before any call.

    Set on the object, as `preprocess` is.
    """
    store = component.async_move_resource_to_block_cache

    async def store_upload(path: str | Path | None) -> str | None:
        if is_http_url_like(path):
            raise gr.Error("Web addresses are not fetched. Send the picture file itself.", print_exception=False)
        return await store(path)

    component.async_move_resource_to_block_cache = store_upload


def mcp_tool(desk: "_Desk", attributes: Sequence[str]) -> Callable[[str], str]:
    """The function that Gradio's MCP server offers to language models, name and description included."""

    from demo.server.download import (
        fetch,  # here: it stands on inner parts of Gradio's, without which the page must start
    )

    def read_faces(picture: str) -> str:
        return json.dumps(desk.answer(fetch(picture) if is_http_url_like(picture) else decode(picture)))

    examples = ", ".join([name for name in _EXAMPLES if name in attributes] or attributes[: len(_EXAMPLES)])
    read_faces.__doc__ = f"""Find every face in a picture and read its {counted(attributes)}, such as {examples}:
        a JSON object {{"faces": [{{"number", "box": [x, y, width, height] in pixels, "probabilities": {{attribute:
        0 to 1}}}}]}}. They are {labels(attributes)}, not facts about a person, and not for identifying anybody or
        deciding about people.

        Args:
            picture: http(s) address of a picture file (JPEG, PNG, WebP, GIF, TIFF, BMP, up to 64 MB), or its base64
        """
    return read_faces


SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Faces of a picture",
    "type": "object",
    "required": ["faces"],
    "properties": {
        "faces": {
            "type": "array",
            "description": "every face, left to right; empty where there is none",
            "items": {
                "type": "object",
                "required": ["number", "box", "probabilities"],
                "properties": {
                    "number": {"type": "integer", "minimum": 1, "description": "from 1, left to right"},
                    "box": {
                        "type": "array",
                        "description": "x, y, width, height in pixels of the picture, turned upright by its EXIF data",
                        "items": {"type": "integer"},
                        "minItems": 4,
                        "maxItems": 4,
                    },
                    "probabilities": {
                        "type": "object",
                        "description": "attribute -> probability; over 0.5 is a tick on the page",
                        "additionalProperties": {"type": "number", "minimum": 0, "maximum": 1},
                    },
                },
            },
        }
    },
}


class _Desk:
    """Analyses one picture at a time, since a large one takes hundreds of megabytes."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._turn = threading.Lock()
        self._free = threading.BoundedSemaphore(_WAITING)

    def answer(self, picture: bytes) -> dict[str, Any]:
        """The faces of a picture file, as `SCHEMA` says. Raises gr.Error with a sentence for people."""
        if not self._free.acquire(blocking=False):
            raise gr.Error("Many pictures are waiting. Try again in a moment.", title=BUSY, print_exception=False)
        try:
            with self._turn:
                return self._pipeline.analyse(open_picture(picture), thorough=True).to_dict()
        except PictureError as error:
            raise gr.Error(str(error), print_exception=False) from error
        except FAILURES as error:
            _LOG.exception("analysis failed")
            message = "The server could not analyse this picture. Try a smaller one."
            raise gr.Error(message, title=FAILED, print_exception=False) from error
        finally:
            self._free.release()


def decode(text: Any) -> bytes:
    """The bytes of a picture that came as base64 or as a data: address; lines may be broken. Raises gr.Error."""
    try:
        encoded = text.partition(",")[2] if text.startswith("data:") else text
        return base64.b64decode("".join(encoded.split()), validate=True)
    except (AttributeError, ValueError) as error:  # the first where it is no text: a call may bring anything
        message = "The picture is not base64. Send the file's bytes in base64, or as a data: address."
        raise gr.Error(message, print_exception=False) from error


class Uploads(set[str]):
    """The files that were uploaded to the page, each of which is deleted as soon as it is read.

    Gradio stores uploads with the same content under the same path, so calls are counted, and the last one deletes.
    It stands in for the plain set that Gradio keeps; `uploads.NothingLeft` deletes by age what no call reads.
    """

    def __init__(self) -> None:
        super().__init__()
        self._unread: Counter[str] = Counter()

    def update(self, *others: Iterable[str]) -> None:
        for paths in others:
            paths = list(paths)
            super().update(paths)
            self._unread.update(paths)

    def forget(self, path: str) -> None:
        """Strike out an upload that was deleted by age, so that the next ones of the same content are counted anew."""
        self._unread.pop(path, None)
        self.discard(path)

    def take(self, upload: FileData | None) -> bytes | None:
        """The bytes of an upload; Gradio has checked that the path is one of its own."""
        if upload is None:
            return None
        path = Path(upload.path)
        self._unread[upload.path] -= 1
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise gr.Error("The upload is gone. Send the picture again.", print_exception=False) from error
        finally:
            if self._unread[upload.path] <= 0:
                del self._unread[upload.path]
                self.discard(upload.path)
                path.unlink(missing_ok=True)
                with suppress(OSError):  # another file is in the folder
                    path.parent.rmdir()
