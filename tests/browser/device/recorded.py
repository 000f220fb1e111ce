"""Records what the Python pipeline shows its models and what they answer, to compare with the scripts that do the same.

The models themselves differ, since a browser runs other builds of them. Given the same answers, everything around them
has to be the same: which parts of a frame they are shown, and what becomes of their answers.
"""

import base64
from collections.abc import Iterable, Sequence
from typing import Any

import cv2
import numpy as np

from demo.pipeline.analyse import Pipeline
from demo.pipeline.detect import FaceFinder
from demo.pipeline.mediapipe.blazeface import BlazeFace
from demo.pipeline.mediapipe.face_models import FaceModels
from demo.pipeline.mediapipe.landmarks import Landmarker
from demo.pipeline.result import Analysis
from demo.server.answer import describe_face

ATTRIBUTES = 3


class Recording:
    """A pipeline that keeps the calls of its models, as JSON values.

    Attributes:
        calls: for each call, the size and mean colour of what the model was shown, and its answer, in the form of
            MediaPipe's JavaScript or of the network.
    """

    def __init__(self, models: FaceModels) -> None:
        self.calls: list[dict[str, Any]] = []
        self._models = models
        self.pipeline = Pipeline(self, _Finder(self))

    def detect(self, image: np.ndarray) -> Any:
        """MediaPipe's detector."""
        found = self._models.detector(image)
        self._note(image, [_detection(part) for part in found.detections])
        return found

    def landmark(self, image: np.ndarray) -> Any:
        """MediaPipe's landmarker."""
        found = self._models.landmarker(image)
        faces = [[{"x": point.x, "y": point.y, "z": point.z} for point in face] for face in found.face_landmarks]
        self._note(image, faces)
        return found

    attributes = tuple("abc"[:ATTRIBUTES])
    calibration = None

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        """A network that only sees the mean colour."""
        probabilities = (crops.mean(axis=(1, 2)) / 255).astype(np.float32)
        for crop, row in zip(crops, probabilities, strict=True):
            self._note(crop, row.tolist())
        return probabilities

    def _note(self, image: np.ndarray, answer: Any) -> None:
        height, width = image.shape[:2]
        colour = image.mean(axis=(0, 1)).tolist()
        self.calls.append({"width": width, "height": height, "colour": colour, "answer": answer})


class _Finder(FaceFinder):
    def __init__(self, recording: Recording) -> None:
        self._detector = BlazeFace(recording.detect)  # type: ignore[arg-type]
        self._landmarker = Landmarker(recording.landmark)  # type: ignore[arg-type]


def _detection(found: Any) -> dict[str, Any]:
    box = found.bounding_box
    return {
        "boundingBox": {"originX": box.origin_x, "originY": box.origin_y, "width": box.width, "height": box.height},
        "keypoints": [{"x": point.x, "y": point.y} for point in found.keypoints],
        "categories": [{"score": found.categories[0].score}],
    }


def as_png(frame: np.ndarray) -> str:
    """A frame (RGB) as base64 of a lossless file."""
    return base64.b64encode(cv2.imencode(".png", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))[1].tobytes()).decode()


def described(analysis: Analysis) -> list[dict[str, Any]]:
    """The faces as the page gets them, with the means of their crops."""
    return [describe_face(face) | {"crop": face.crop.mean(axis=(0, 1)).tolist()} for face in analysis.faces]


REPLAY = """
    const bytes = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const colourOf = (data, step) => {
      const sums = [0, 0, 0];
      for (let i = 0; i < data.length; i += step) for (let c = 0; c < 3; c++) sums[c] += data[i + c];
      return sums.map((sum) => sum / (data.length / step));
    };
    window.frameOf = (png) => pixelsOf(new Blob([bytes(png)], {type: "image/png"}));
    /** A pipeline whose models answer as those of the recording did, and which notes what they are shown. */
    window.replay = (calls) => {
      const shown = [];
      const answer = ({width, height, data}, step) => {
        shown.push({width, height, colour: colourOf(data, step)});
        return calls[shown.length - 1].answer;
      };
      const model = (image) => answer(image, 4);
      const predict = async (crops) =>
        crops.map((data) => {
          const probabilities = Float32Array.from(answer({width: WIDTH, height: HEIGHT, data}, 3));
          return {probabilities, features: null};
        });
      return {shown, pipeline: new Pipeline(predict, new FaceFinder(model, model))};
    };
    window.describedFaces = async ({faces, ...rest}) => {
      const {faces: described} = await describe({faces, ...rest}, {}, null, null);
      return described.map((face, i) => ({...face, crop: colourOf(faces[i].crop, 3)}));
    };
"""
SCRIPTS = ("pixels", "answer", "pipeline/analyse", "pipeline/detect", "pipeline/align")


def assert_same_shown(shown: Sequence[dict[str, Any]], calls: Sequence[dict[str, Any]]) -> None:
    """Both models were shown the same pictures, up to the rounding of single pixels."""
    sizes = [[(call["width"], call["height"]) for call in each] for each in (shown, calls)]
    assert sizes[0] == sizes[1]
    found, expected = (np.array([call["colour"] for call in each]) for each in (shown, calls))
    np.testing.assert_allclose(found, expected, atol=0.02)


def assert_same_faces(found: Iterable[Any], expected: Iterable[Any]) -> None:
    """Numbers, boxes and warnings are equal, and figures nearly so."""
    for one, other in zip(found, expected, strict=True):
        exact = ("number", "box", "warnings")
        assert {name: one[name] for name in exact} == {name: other[name] for name in exact}
        for name in ("probabilities", "crop"):
            np.testing.assert_allclose(one[name], other[name], atol=0.02)
        assert one["conditions"].keys() == other["conditions"].keys()
        for name, figure in other["conditions"].items():
            assert abs(one["conditions"][name] - figure) <= 1e-3 * max(1, abs(figure))
