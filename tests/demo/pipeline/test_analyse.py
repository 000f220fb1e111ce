import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from demo.pictures.decode import open_picture
from demo.pipeline.analyse import Pipeline, Stream
from slimnet import ATTRIBUTES, Predictor, Preprocessing, SlimNet, decide
from slimnet.explain import Explanation
from slimnet.files.checkpoint import CheckpointError
from tests.paths import PORTRAIT


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "untrained.safetensors"
    SlimNet().save(path)
    return path


@pytest.fixture(scope="module")
def pipeline(weights: Path) -> Pipeline[Predictor]:
    return Pipeline.load(weights, "cpu")


@pytest.fixture(scope="module")
def pair() -> np.ndarray:
    part = open_picture(PORTRAIT)[20:240, 40:290]
    return np.concatenate([part, part[:, ::-1] // 2], axis=1)


def test_it_says_which_weights_it_has(pipeline: Pipeline[Predictor], weights: Path) -> None:
    assert pipeline.predictor.path == weights
    assert pipeline.predictor.parameters == 571_304


def test_faces_are_numbered_from_left_to_right(pipeline: Pipeline, pair: np.ndarray) -> None:
    analysis = pipeline.analyse_photo(pair)
    assert (analysis.width, analysis.height) == (500, 220)
    assert analysis.attributes == ATTRIBUTES
    assert [face.number for face in analysis.faces] == [1, 2]
    left, right = analysis.faces
    assert left.box[0] + left.box[2] < 250 < right.box[0]
    assert left.crop.mean() > 1.5 * right.crop.mean()  # the right half was darkened
    for face in analysis.faces:
        x, y, width, height = face.box
        assert 0 <= x < x + width <= 500
        assert 0 <= y < y + height <= 220
        assert all(isinstance(value, int) for value in face.box)


def test_only_in_a_photo_are_turned_faces_looked_for(pipeline: Pipeline) -> None:
    upside_down = open_picture(PORTRAIT)[86:161, 138:202][::-1, ::-1]
    assert len(pipeline.analyse_photo(upside_down).faces) == 1
    assert pipeline.analyse_camera_frame(upside_down).faces == ()


def test_probabilities_are_those_of_the_crop(pipeline: Pipeline, weights: Path, pair: np.ndarray) -> None:
    predictor = Predictor(weights, "cpu")
    for face in pipeline.analyse_camera_frame(pair).faces:
        assert (face.crop.shape, face.crop.dtype) == ((218, 178, 3), np.uint8)
        assert (face.probabilities.shape, face.probabilities.dtype) == ((40,), np.float32)
        assert np.allclose(face.probabilities, predictor(face.crop[None])[0], atol=1e-5)


class CountingPredictor:
    """A stand-in for `slimnet.Predictor` that notes the size of each batch."""

    attributes = ("Smiling", "Bangs")
    calibration = None
    sha256 = "5" * 64

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, crops: np.ndarray) -> np.ndarray:
        self.batches.append(len(crops))
        return np.full((len(crops), 2), 0.25, np.float32)

    def with_features(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self(crops), np.arange(len(crops), dtype=np.float32).reshape(-1, 1, 1, 1)

    def explain_features(self, features: np.ndarray, attributes: Sequence[int]) -> Explanation:
        raise NotImplementedError


def test_all_faces_of_a_frame_go_through_any_predictor_at_once(pipeline: Pipeline, pair: np.ndarray) -> None:
    predictor = CountingPredictor()
    analysis = Pipeline(predictor, pipeline.finder).analyse_photo(pair)
    assert predictor.batches == [2]
    assert analysis.attributes == ("Smiling", "Bangs")
    assert [face.probabilities.tolist() for face in analysis.faces] == [[0.25, 0.25]] * 2


def test_a_predictor_that_cannot_explain_is_named(pipeline: Pipeline[Predictor], pair: np.ndarray) -> None:
    class Plain:
        attributes = ("Smiling",)
        calibration = None

        def __call__(self, crops: np.ndarray) -> np.ndarray:
            return np.full((len(crops), 1), 0.25, np.float32)

    plain = Pipeline(Plain(), pipeline.finder)
    assert len(plain.analyse_photo(pair).faces) == 2
    with pytest.raises(TypeError, match="a Plain keeps no features"):
        plain.analyse_photo(pair, explained=True)


def test_each_stage_is_timed(pipeline: Pipeline, pair: np.ndarray) -> None:
    timings = pipeline.analyse_camera_frame(pair).timings
    assert min(timings.detect, timings.align, timings.infer) > 0
    assert pipeline.analyse_camera_frame(np.zeros_like(pair)).timings.align < 1


def test_a_dark_face_gets_a_warning(pipeline: Pipeline, pair: np.ndarray) -> None:
    assert [face.warnings for face in pipeline.analyse_photo(pair).faces] == [(), ()]
    dark = [face.warnings for face in pipeline.analyse_photo(pair // 4).faces]
    assert dark[1] == ("dark",)


def test_in_a_stream_faces_keep_their_numbers(pipeline: Pipeline, pair: np.ndarray) -> None:
    stream = pipeline.stream()
    only_right, both = pair.copy(), pair
    only_right[:, :250] = 0
    seen = [stream.analyse(frame, number / 10) for number, frame in enumerate((only_right, only_right, *[both] * 4))]
    assert [len(analysis.faces) for analysis in seen] == [1, 1, 2, 2, 2, 2]
    for analysis in seen:
        assert [face.number for face in analysis.faces] == [1, 2][: len(analysis.faces)]
        assert analysis.faces[0].box[0] > 250
    other = pipeline.stream().analyse(both, 0)
    assert [face.box[0] > 250 for face in other.faces] == [False, True]


def stream_that_numbers_from_the_right(pipeline: Pipeline, pair: np.ndarray) -> Stream:
    """The stream saw the right face first; one that started over would number them the other way round."""
    stream = pipeline.stream()
    only_right = pair.copy()
    only_right[:, :250] = 0
    for number, frame in enumerate((only_right, only_right, *[pair] * 4)):
        analysis = stream.analyse(frame, number / 10)
    assert [(face.number, face.box[0] > 250) for face in analysis.faces] == [(1, True), (2, False)]
    return stream


def test_faces_keep_their_numbers_over_a_pause(pipeline: Pipeline, pair: np.ndarray) -> None:
    stream = stream_that_numbers_from_the_right(pipeline, pair)
    analysis = stream.analyse(pair, 45)
    assert [(face.number, face.box[0] > 250) for face in analysis.faces] == [(1, True), (2, False)]


def test_the_number_of_who_left_in_a_pause_goes_to_nobody_else(pipeline: Pipeline, pair: np.ndarray) -> None:
    stream = stream_that_numbers_from_the_right(pipeline, pair)
    only_left = pair.copy()
    only_left[:, 250:] = 0
    assert [face.number for face in stream.analyse(only_left, 45).faces] == [2]


@pytest.mark.parametrize("scale", [0.6, 2])
def test_faces_keep_their_numbers_when_the_pictures_change_their_size(
    pipeline: Pipeline, pair: np.ndarray, scale: float
) -> None:
    stream = stream_that_numbers_from_the_right(pipeline, pair)
    analysis = stream.analyse(cv2.resize(pair, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), 0.65)
    assert [(face.number, face.box[0] > 250 * scale) for face in analysis.faces] == [(1, True), (2, False)]


def test_a_stream_tells_how_many_faces_of_a_crowd_it_leaves_out(pipeline: Pipeline) -> None:
    face = cv2.resize(open_picture(PORTRAIT)[49:199, 95:245], (142, 142))
    stream = pipeline.stream()
    for moment in (0.0, 0.2):
        analysis = stream.analyse(np.tile(face, (4, 4, 1)), moment)
        assert (len(analysis.faces), analysis.left_out) == (8, 8)


def test_in_a_stream_warnings_do_not_flicker(pipeline: Pipeline, pair: np.ndarray) -> None:
    stream = pipeline.stream()
    frames = (pair, pair // 4, pair, pair // 4)
    assert [stream.analyse(frame, number / 20).faces[0].warnings for number, frame in enumerate(frames)] == [()] * 4
    assert stream.analyse(pair // 4, 2).faces[0].warnings
    assert not stream.analyse(np.zeros_like(pair), 2.05).faces  # missed for a moment
    back = next(found for number in range(20) if (found := stream.analyse(pair, 2.1 + number / 50)).faces)
    assert back.faces[0].warnings


def test_a_stream_gives_what_a_single_frame_gives(pipeline: Pipeline, pair: np.ndarray) -> None:
    stream = pipeline.stream()
    stream.analyse(pair, 0)
    streamed, single = stream.analyse(pair, 0.1), pipeline.analyse_camera_frame(pair)
    assert (streamed.width, streamed.height, streamed.attributes) == (500, 220, ATTRIBUTES)
    for one, other in zip(streamed.faces, single.faces, strict=True):
        assert np.abs(np.subtract(one.box, other.box)).max() <= 3
        assert np.abs(one.crop.astype(int) - other.crop).mean() < 6


def test_weights_that_were_never_measured_have_no_reliability(pipeline: Pipeline) -> None:
    assert pipeline.reliability is None


def test_to_dict_is_plain_json(pipeline: Pipeline, pair: np.ndarray) -> None:
    analysis = pipeline.analyse_photo(pair)
    faces = json.loads(json.dumps(analysis.to_dict(), allow_nan=False))["faces"]
    assert [set(face) for face in faces] == [{"number", "box", "probabilities"}] * 2
    assert faces[0]["box"] == list(analysis.faces[0].box)
    assert tuple(faces[0]["probabilities"]) == ATTRIBUTES
    assert all(0 <= value <= 1 for face in faces for value in face["probabilities"].values())


@pytest.mark.parametrize("shape", [(1, 1, 3), (480, 640, 3)])
def test_no_face_gives_no_result(pipeline: Pipeline, shape: tuple[int, int, int]) -> None:
    analysis = pipeline.analyse_photo(np.full(shape, 70, np.uint8))
    assert analysis.faces == ()
    assert analysis.to_dict() == {"faces": []}
    assert (analysis.height, analysis.width) == shape[:2]


def test_missing_weights_are_an_error_for_people(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"none\.safetensors"):
        Pipeline.load(tmp_path / "none.safetensors")


def test_weights_for_crops_of_another_size_are_an_error_for_people(tmp_path: Path) -> None:
    path = tmp_path / "small.safetensors"
    SlimNet((4, 8), (8, 7, 2), 2, preprocessing=Preprocessing(160, 140)).save(path)
    with pytest.raises(CheckpointError, match="140x160 pixels, but faces are cut out with 178x218"):
        Pipeline.load(path, "cpu")


def test_the_shipped_weights_read_a_real_face() -> None:
    pipeline = Pipeline.load(device="cpu")
    (face,) = pipeline.analyse_photo(open_picture(PORTRAIT)).faces
    probable = {name for name, p in zip(ATTRIBUTES, face.probabilities, strict=True) if p > 0.5}
    answers = decide(face.probabilities, ATTRIBUTES, pipeline.calibration, "accuracy")  # as the page does at first
    ticked = {name for name, answer in zip(ATTRIBUTES, answers, strict=True) if answer}
    assert {"Smiling", "No_Beard"} <= probable & ticked
    assert not {"Bald", "Eyeglasses", "Mustache"} & probable
    assert "Male" not in ticked  # its probability is 0.36, which is not sure
