"""The endpoint `/analyse`: a picture in, its faces out, for programs."""

from collections import Counter
from collections.abc import Iterable, Set
from contextlib import suppress
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData

from demo.pictures import PictureError, open_picture
from demo.pipeline import Pipeline


def analyse_endpoint(page: gr.Blocks, pipeline: Pipeline) -> None:
    """Add the endpoint to a page, in the context of which this is called."""
    uploads = Uploads()
    page.upload_file_set = uploads
    page.temp_file_sets.append(uploads)

    def analyse(picture: bytes | None) -> dict[str, Any]:
        """Find every face in a picture and tell its 40 attributes.

        Args:
            picture: a picture file (JPEG, PNG, WebP, GIF, TIFF, BMP).

        Returns:
            {"faces": [{"number", "box": [x, y, width, height] in pixels, "probabilities": {attribute: 0 to 1}}]}
        """
        if picture is None:
            raise gr.Error("No picture was given. Send one file.", print_exception=False)
        try:
            return pipeline.analyse(open_picture(picture), thorough=True).to_dict()
        except PictureError as error:
            raise gr.Error(str(error), print_exception=False) from error

    with gr.Row(visible=False):
        picture = gr.File(label="picture")
        # Set on this one object, since Gradio writes a stub file into the source folder of every subclass.
        picture.preprocess = uploads.take
        result = gr.JSON(label="result")
        gr.Button().click(analyse, picture, result, api_name="analyse")


class Uploads(set[str]):
    """The files that were uploaded to the page, each of which is deleted as soon as it is read.

    Gradio stores uploads with the same content under the same path, so calls are counted, and the last one deletes.
    It stands in for the plain set that Gradio keeps; an upload that no call reads is deleted from there by age.
    """

    def __init__(self) -> None:
        super().__init__()
        self._unread: Counter[str] = Counter()

    def update(self, *others: Iterable[str]) -> None:
        for paths in others:
            paths = list(paths)
            super().update(paths)
            self._unread.update(paths)

    def __isub__(self, old: Set[object]) -> "Uploads":
        """Forget uploads that Gradio has deleted by age, so that the next ones of the same content are counted anew."""
        for path in old:
            self._unread.pop(str(path), None)
        self.difference_update(old)
        return self

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
