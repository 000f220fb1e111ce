import asyncio
import base64
import json
from typing import Any

import cv2
import numpy as np
import pytest

from demo.paths import WEIGHTS
from demo.pictures.decode import open_picture
from demo.pipeline.analyse import Pipeline
from demo.pipeline.result import Analysis
from demo.server.live import FrameQueue
from demo.server.photo import answer
from demo.server.turns.photo_queue import PhotoQueue
from demo.server.why import Question, explain, read_question
from slimnet import ATTRIBUTES, Predictor
from tests.paths import PORTRAIT


@pytest.fixture(scope="module")
def pipeline() -> Pipeline[Predictor]:
    return Pipeline.load(WEIGHTS, "cpu")


@pytest.fixture(scope="module")
def turned() -> np.ndarray:
    """The portrait, turned and moved."""
    picture = open_picture(PORTRAIT)
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 14, 0.9)
    return np.ascontiguousarray(cv2.warpAffine(picture, matrix, (width, height), borderValue=(128, 128, 128)))


@pytest.fixture(scope="module")
def analysis(pipeline: Pipeline, turned: np.ndarray) -> Analysis:
    return pipeline.analyse_photo(turned, explained=True)


def log_odds(why: dict[str, Any]) -> list[float]:
    """The sum of each map."""
    return [np.sum(cells) + bias for cells, bias in zip(why["cells"], why["bias"], strict=True)]


def probabilities(why: dict[str, Any]) -> np.ndarray:
    return 1 / (1 + np.exp(-np.array(log_odds(why))))


def test_the_cells_of_each_map_add_up_to_the_answer(pipeline: Pipeline, analysis: Analysis) -> None:
    why = explain(analysis, 1, ATTRIBUTES, pipeline.predictor)
    assert why
    assert why["attributes"] == list(ATTRIBUTES)
    assert np.allclose(probabilities(why), analysis.faces[0].probabilities, atol=2e-4)
    for cells in why["cells"]:
        assert [len(row) for row in cells] == [len(why["columns"]) - 1] * (len(why["rows"]) - 1)
    assert json.loads(json.dumps(why)) == why


def test_the_placement_leads_from_the_crop_to_the_picture(
    pipeline: Pipeline, analysis: Analysis, turned: np.ndarray
) -> None:
    why = explain(analysis, 1, ["Smiling"], pipeline.predictor)
    assert why
    # Pixels count from their corners there, but from their centres in OpenCV.
    matrix = np.reshape(why["placement"], (2, 3))
    matrix[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5
    seen = cv2.warpAffine(turned, matrix, (178, 218), flags=cv2.INTER_AREA | cv2.WARP_INVERSE_MAP)
    assert np.abs(seen.astype(int) - analysis.faces[0].crop).mean() < 5
    assert abs(matrix[0, 1]) > 0.1  # the face is turned


def test_nothing_is_told_of_a_face_or_an_attribute_that_is_not_there(pipeline: Pipeline, analysis: Analysis) -> None:
    assert explain(analysis, 2, ["Smiling"], pipeline.predictor) is None
    assert explain(analysis, 1, ["Smoking"], pipeline.predictor) is None
    plain = pipeline.read(np.zeros((90, 90, 3), np.uint8), (), 0.0, explained=True)
    assert explain(plain, 1, ["Smiling"], pipeline.predictor) is None


@pytest.mark.parametrize(
    "given", [None, [], "Smiling", {}, {"face": 1}, {"face": "1", "attribute": "Bald"}, {"face": 1, "attribute": []}]
)
def test_a_question_in_another_form_is_none(given: Any) -> None:
    assert read_question(given) is None
    assert read_question({"face": 1, "attribute": "Bald"}) == Question(1, "Bald")


def test_live_sends_the_map_that_was_asked_for_with_its_frame_and_no_other(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.server.live.MAX_FRAME_SECONDS", 60.0)  # a slow machine's frames are read, too
    portrait = cv2.imread(str(PORTRAIT))
    assert portrait is not None
    small = cv2.imencode(".jpg", cv2.resize(portrait, None, fx=0.5, fy=0.5))[1]
    message = {"frame": "data:image/jpeg;base64," + base64.b64encode(small.tobytes()).decode(), "visitor": "one"}

    async def visit(*questions: Any) -> list[dict[str, Any]]:
        queue = FrameQueue(pipeline)
        return [(await queue.answer(message | {"why": question}))["faces"][0] for question in questions]

    smiling = {"face": 1, "attribute": "Smiling"}
    asked, other, unknown, silent = asyncio.run(
        visit(smiling, {"face": 7, "attribute": "Smiling"}, {"face": 1, "attribute": "Smoking"}, None)
    )
    assert asked["why"]["attributes"] == ["Smiling"]
    expected = asked["probabilities"][ATTRIBUTES.index("Smiling")]
    assert probabilities(asked["why"]) == pytest.approx([expected], abs=2e-4)
    assert not any("why" in face for face in (other, unknown, silent))
    assert {key: value for key, value in asked.items() if key != "why"}.keys() == silent.keys()


def test_a_photo_that_is_sent_again_is_answered_by_the_maps_of_a_face_alone(pipeline: Pipeline) -> None:
    async def ask(**question: Any) -> dict[str, Any]:
        return await answer({"example": "eileen_collins.jpg", **question}, pipeline, PhotoQueue())

    shown = asyncio.run(ask())["faces"][0]
    told = asyncio.run(ask(why=1))
    assert list(told) == ["why"]
    assert np.allclose(probabilities(told["why"]), shown["probabilities"], atol=2e-4)
    for number in (2, "1", None):
        assert "not in it any more" in asyncio.run(ask(why=number))["error"]
