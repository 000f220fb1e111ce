from pathlib import Path
from typing import Any

import numpy as np
import pytest

from demo.benchmark.__main__ import main
from demo.benchmark.device import measure
from demo.benchmark.device.measure import Run, measure_equality, print_pace, print_reasons, run_here
from demo.device_files import DeviceFilesError
from demo.paths import WEIGHTS
from demo.pictures.decode import open_picture
from demo.pipeline.analyse import Pipeline
from demo.server.live import describe
from tests.paths import EXAMPLES, PORTRAIT


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline.load(WEIGHTS, "cpu")


class Page:
    """A stand-in for a page whose engine answers as the server does, except for what a test changes."""

    def __init__(self, pipeline: Pipeline, **changes: Any) -> None:
        self.pipeline = pipeline
        self.changes = changes
        self.asked: list[str] = []

    def evaluate(self, _: str, question: Any) -> Any:
        address, as_photo = question
        self.asked.append(address)
        frame = open_picture(EXAMPLES / Path(address).name)
        analyse = self.pipeline.analyse_photo if as_photo else self.pipeline.analyse_camera_frame
        answer = describe(analyse(frame), {}, None)
        answer["faces"][0] |= self.changes
        return answer


def test_the_same_answers_are_equal(pipeline: Pipeline) -> None:
    page, files = Page(pipeline), {}  # type: ignore[var-annotated]
    found = measure_equality(page, files, pipeline, [PORTRAIT, EXAMPLES / "two_portraits.jpg"], as_photos=True)
    assert (found.pictures, found.differing) == (2, 0)
    assert found.mean <= found.largest <= 1e-6  # since answers are rounded
    assert set(files) == {PORTRAIT.name, "two_portraits.jpg"}
    assert page.asked == [f"/engine/{name}" for name in files]


@pytest.mark.parametrize("change", [{"box": [0, 0, 9, 9]}, {"warnings": ["dark"]}])
def test_another_box_or_warning_counts_as_differing(pipeline: Pipeline, change: dict[str, Any]) -> None:
    assert measure_equality(Page(pipeline, **change), {}, pipeline, [PORTRAIT], as_photos=False).differing == 1


def test_differences_of_probabilities_are_measured(pipeline: Pipeline) -> None:
    (face,) = pipeline.analyse_camera_frame(open_picture(PORTRAIT)).faces
    moved = [*face.probabilities[:-1], face.probabilities[-1] + 0.2]
    found = measure_equality(Page(pipeline, probabilities=moved), {}, pipeline, [PORTRAIT], as_photos=False)
    assert found.largest == pytest.approx(0.2, abs=1e-5)
    assert found.mean == pytest.approx(0.2 / 41, abs=1e-3)


def test_a_pace_is_told_in_frames_and_processor_time(capsys: pytest.CaptureFixture[str]) -> None:
    answers = [{"faces": n, "ms": {"detect": 4.0, "infer": 6.0}} for n in (1, 1, 0, 1)]
    print_pace("this device", Run(2, 0.1, answers))
    assert capsys.readouterr().out == (
        "this device: 2.0 frames/s, 3 of 4 with the face; 25.0 ms of processor time a frame; "
        "median ms: detect 4.0, infer 6.0\n"
    )


def test_frames_that_were_explained_are_compared_with_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    times = [(False, 10.0), (True, 12.5), (False, 11.0), (True, 13.0), (False, 30.0)]
    answers = [{"faces": 1, "explained": explained, "ms": {"infer": time}} for explained, time in times]
    print_reasons(Run(2, 0.1, answers))
    assert capsys.readouterr().out == "asked why: 1.8 ms more a frame (median infer 12.8 against 11.0)\n"


def test_the_server_follows_the_same_film(pipeline: Pipeline) -> None:
    run = run_here(pipeline, [np.ascontiguousarray(open_picture(PORTRAIT))], 0.01)
    assert {answer["faces"] for answer in run.answers} == {1}
    assert run.processor_seconds > 0


def test_without_the_programs_of_npm_it_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def not_installed(_: Path) -> Any:
        raise DeviceFilesError("vision_bundle.mjs is missing: npm ci")

    monkeypatch.setattr(measure, "device_files", not_installed)
    assert main(["device"]) == 2
    assert capsys.readouterr().err == "demo.benchmark: vision_bundle.mjs is missing: npm ci\n"
