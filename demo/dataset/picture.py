"""Crop one picture: from a file name to its aligned faces as JPEG files."""

import hashlib
import io
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

import cv2
import numpy as np
from PIL import Image

from demo.batch.workers import KILLED, Workers
from demo.pictures.decode import OutOfReachError, PictureError, open_picture
from demo.pipeline.align import align
from demo.pipeline.detect import FaceFinder
from demo.pipeline.errors import FAILURES, reason
from demo.pipeline.face import Box, Face
from demo.pipeline.reading_order import in_reading_order

FaceChoice = Literal["one", "largest", "all"]
CHOICES: tuple[FaceChoice, ...] = get_args(FaceChoice)

_JPEG_QUALITY = 95
# If a face is this many times larger than the others, it is the photo's subject: in FairFace's 5,000 validation photos,
# two have a second face, with a ninth and a tenth of the area.
_MAIN_FACE_AREAS = 4


@dataclass(frozen=True)
class Crop:
    """One face of a picture.

    Attributes:
        number: of the face, in reading order, from 1.
        box: x, y, width, height in pixels of the picture.
        jpeg: the aligned crop, 178 wide and 218 high, as the bytes of a JPEG file.
    """

    number: int
    box: Box
    jpeg: bytes


@dataclass(frozen=True)
class Cropped:
    """The result for a picture.

    Attributes:
        faces: how many faces were found.
        crops: of the chosen faces.
        content: SHA-256 of the file in hexadecimal, the same for every copy.
        failure: a sentence on why it could not be read; empty if it was.
        out_of_reach: whether that is because its file is not there or cannot be read.
    """

    faces: int = 0
    crops: tuple[Crop, ...] = ()
    content: str = ""
    failure: str = ""
    out_of_reach: bool = False


def crop_picture(finder: FaceFinder, choice: FaceChoice, file: str) -> Cropped:
    """Open a picture, find its faces, and cut them out.

    Searches as in a photo, like the page and demo.annotate. So a network learns from the kind of crops that it will get
    there, and second faces are noticed.

    Args:
        finder: finds the faces.
        choice: which faces to crop: "one" if there is only one, or one is much larger than the others; "largest" or
            "all".
        file: path of the picture.

    Returns:
        Its crops, or the reason why it could not be read.
    """
    try:
        frame = open_picture(file)
        content = hashlib.sha256(Path(file).read_bytes()).hexdigest()
        faces = in_reading_order(finder.find_in_photo(frame))
        chosen = _choose(faces, choice)
        crops = [Crop(n, face.box, _encode(align(frame, face))) for n, face in enumerate(faces, 1) if face in chosen]
    except (PictureError, *FAILURES) as error:
        return Cropped(failure=reason(error), out_of_reach=isinstance(error, OutOfReachError))
    except OSError as error:
        return Cropped(failure=f"it cannot be read: {error.strerror}", out_of_reach=True)
    return Cropped(len(faces), tuple(crops), content)


def crop_in_processes(files: Sequence[str], choice: FaceChoice, count: int) -> Generator[Cropped, None, None]:
    """Crop pictures in several processes.

    Args:
        files: paths of the pictures.
        choice: as for `crop_picture`.
        count: number of processes.

    Yields:
        The result for each picture, in order.

    Raises:
        demo.batch.workers.WorkerError: a process could not start.
    """
    with Workers(CropperSetup(choice), count) as workers:
        for cropped in workers.map(files):
            yield cropped or Cropped(failure=KILLED)


@dataclass(frozen=True)
class CropperSetup:
    """Makes the job of one process: from a file name to its `Cropped`.

    Attributes:
        choice: which faces to crop.
    """

    choice: FaceChoice

    def __call__(self, ask: Callable[[Any], Any]) -> Callable[[str], Cropped]:
        """Make the job, inside the process that will run it.

        Args:
            ask: a way to ask the first process; not needed.

        Returns:
            A function that crops the picture at a path.
        """
        del ask
        cv2.setNumThreads(1)  # each core has its own process
        return partial(crop_picture, FaceFinder(), self.choice)


def _choose(faces: Sequence[Face], choice: FaceChoice) -> Sequence[Face]:
    if choice == "all":
        return faces
    areas = sorted((face.box[2] * face.box[3] for face in faces), reverse=True)
    if choice == "one" and len(areas) > 1 and areas[0] < _MAIN_FACE_AREAS * areas[1]:
        return ()
    return [max(faces, key=lambda face: face.box[2] * face.box[3])] if faces else ()


def _encode(crop: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(crop).save(file, "JPEG", quality=_JPEG_QUALITY)
    return file.getvalue()
