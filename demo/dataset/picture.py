"""Crop one picture: from the name of a file to its aligned faces as JPEG files."""

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

from demo.annotate.workers import KILLED, Workers
from demo.pictures.decode import PictureError, open_picture
from demo.pipeline.align import align
from demo.pipeline.detect import FaceFinder
from demo.pipeline.errors import FAILURES, reason
from demo.pipeline.face import Box, Face

FaceChoice = Literal["one", "largest", "all"]
CHOICES: tuple[FaceChoice, ...] = get_args(FaceChoice)

_JPEG_QUALITY = 95
# From here on the larger of two faces is the one that a picture was taken of: in FairFace's 5,000 validation photos two
# have a second face, with a ninth and a tenth of the area.
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
    """What came of a picture.

    Attributes:
        faces: how many faces were found.
        crops: those that were chosen.
        content: SHA-256 of the file in hexadecimal, the same for each copy of it.
        failure: why it could not be read, a sentence; empty where it was.
    """

    faces: int = 0
    crops: tuple[Crop, ...] = ()
    content: str = ""
    failure: str = ""


def crop_picture(finder: FaceFinder, choice: FaceChoice, file: str) -> Cropped:
    """Open a picture, find its faces, and cut them out.

    The search is the thorough one of a photo, as the page and demo.annotate do it, so that a network learns from the
    crops that it will be given there, and a second face is seen.

    Args:
        finder: finds the faces.
        choice: which faces to crop: "one" only where there is one, or one that is much larger than the others;
            "largest" or "all".
        file: path of the picture.

    Returns:
        Its crops, or the reason why it could not be read.
    """
    try:
        frame = open_picture(file)
        content = hashlib.sha256(Path(file).read_bytes()).hexdigest()
        faces = sorted(finder.find(frame, thorough=True), key=lambda face: face.box[0] + face.box[2] / 2)
        chosen = _choose(faces, choice)
        crops = [Crop(n, face.box, _encode(align(frame, face))) for n, face in enumerate(faces, 1) if face in chosen]
    except (PictureError, *FAILURES) as error:
        return Cropped(failure=reason(error))
    except OSError as error:
        return Cropped(failure=f"it cannot be read: {error.strerror}")
    return Cropped(len(faces), tuple(crops), content)


def crop_in_processes(files: Sequence[str], choice: FaceChoice, count: int) -> Generator[Cropped, None, None]:
    """Crop pictures in several processes.

    Args:
        files: paths of the pictures.
        choice: as `crop_picture` takes it.
        count: number of processes.

    Yields:
        What came of each picture, in order.

    Raises:
        demo.annotate.workers.WorkerError: a process could not start.
    """
    with Workers(CropperSetup(choice), count) as workers:
        for cropped in workers.map(files):
            yield cropped or Cropped(failure=KILLED)


@dataclass(frozen=True)
class CropperSetup:
    """Makes the job of one process: from the name of a file to its `Cropped`.

    Attributes:
        choice: which faces to crop.
    """

    choice: FaceChoice

    def __call__(self, ask: Callable[[Any], Any]) -> Callable[[str], Cropped]:
        """Make the job, inside the process that will do it.

        Args:
            ask: a way to ask the first process, for which there is no need.

        Returns:
            Crops one picture, given by its path.
        """
        del ask
        cv2.setNumThreads(1)  # each core has a process of its own
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
