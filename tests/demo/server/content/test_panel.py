import hashlib
import json
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from markupsafe import Markup

from demo.limits import MAX_PICTURE_BYTES
from demo.paths import WEIGHTS
from demo.pipeline.analyse import Pipeline
from demo.pipeline.track import REMEMBERED_SECONDS
from demo.server.content.measured import Measured
from demo.server.content.panel import FACE_COLOURS, NUMBER_COLOUR
from demo.server.live import live_panel
from demo.server.photo import photo_panel
from tests.fakes.decided import decided

MEASURED = Measured(
    {"Male": "Right for 42 of 100 Black women."}, [{"name": "size", "classes": []}], 570_000, ["Oval_Face"]
)


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline.load(WEIGHTS, "cpu")


def made(panel: Any, pipeline: Any) -> gr.HTML:
    with gr.Blocks():
        return panel(pipeline, Markup(), MEASURED, None)


def facts(panel: Any, pipeline: Any) -> dict[str, Any]:
    """What the page tells the scripts of a panel."""
    return json.loads(made(panel, pipeline).props["facts"])


@pytest.mark.parametrize("panel", [live_panel, photo_panel])
def test_both_panels_scripts_are_told_the_colours_of_the_faces(panel: Any, pipeline: Pipeline) -> None:
    told = facts(panel, pipeline)
    assert tuple(told["face_colours"]) == FACE_COLOURS
    assert told["number_colour"] == NUMBER_COLOUR


@pytest.mark.parametrize("panel", [live_panel, photo_panel])
def test_both_panels_tell_what_was_measured_of_the_weights(panel: Any, pipeline: Pipeline) -> None:
    assert facts(panel, pipeline)["conditions"] == MEASURED.conditions
    assert MEASURED.notes["Male"] in made(panel, pipeline).html_template


def test_each_is_told_the_limits_that_concern_it(pipeline: Pipeline) -> None:
    of_photos = facts(photo_panel, pipeline)
    assert of_photos["largest_bytes"] == MAX_PICTURE_BYTES
    assert {".heic", ".psd"} < set(of_photos["unread_suffixes"])
    assert not {".jpg", ".tif"} & set(of_photos["unread_suffixes"])
    assert of_photos["weights"] == hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()
    told = facts(live_panel, pipeline)
    assert told["remembered_ms"] == 1000 * REMEMBERED_SECONDS
    assert told["recording_header"].startswith("milliseconds,face,5_o_Clock_Shadow,Arched_Eyebrows,")


@pytest.mark.parametrize("panel", [live_panel, photo_panel])
def test_weights_with_operating_points_get_the_switch_and_its_numbers(panel: Any) -> None:
    predictor = SimpleNamespace(calibration=decided(1))
    pipeline = SimpleNamespace(
        attributes=("Smiling",), reliability=predictor.calibration.reliability, predictor=predictor, weights="5" * 64
    )
    assert facts(panel, pipeline)["decisions"]["points"]["f1"]["thresholds"] == [0.4]
    html = made(panel, pipeline).html_template
    assert 'value="f1"' in html
    assert '-point"' in html


@pytest.mark.parametrize("panel", [live_panel, photo_panel])
def test_weights_without_them_get_neither(panel: Any) -> None:
    predictor = SimpleNamespace(calibration=None)
    pipeline = SimpleNamespace(attributes=("Smiling",), reliability=None, predictor=predictor, weights="5" * 64)
    assert facts(panel, pipeline)["decisions"] is None
    assert '-point"' not in made(panel, pipeline).html_template
