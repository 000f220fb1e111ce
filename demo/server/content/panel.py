"""What the live and the photo panel have in common: the component, and what Python tells its scripts."""

import json
from collections.abc import Callable, Coroutine
from typing import Any

import gradio as gr
from markupsafe import Markup

from demo.pipeline.analyse import CropPredictor, Pipeline
from demo.pipeline.table import FORMULA_STARTS
from demo.server.content.attributes import attribute_list
from demo.server.content.decisions import decisions
from demo.server.content.measured import Measured
from demo.server.content.telling import telling
from demo.server.http.files.scripts import SCRIPTS, START_PANEL
from demo.server.markup import render

FACE_COLOURS = ("#2dd4bf", "#fbbf24", "#a78bfa", "#fb7185", "#60a5fa", "#a3e635")
NUMBER_COLOUR = "#0b1315"  # of a face's number, on its colour


def panel(
    name: str,
    pipeline: Pipeline[CropPredictor],
    function: Callable[[Any], Coroutine[Any, Any, dict[str, Any]]],
    facts: dict[str, Any],
    measured: Measured,
    **values: Any,
) -> gr.HTML:
    """Make a panel; to be called inside a gr.Blocks.

    Args:
        name: "live" or "photo": the panel's id, and the folder of its template and scripts.
        pipeline: analyses the pictures.
        function: answers the panel's scripts, which call it by its name.
        facts: what only this panel's scripts must know, as `globals.d.ts` describes it; JSON values.
        measured: what was measured of the weights in use.
        values: further values for the template.

    Returns:
        The panel's component.
    """
    html, known = panel_content(name, pipeline, facts, measured, at_server=True, **values)
    return gr.HTML(
        html_template=str(html),
        js_on_load=START_PANEL,
        module=SCRIPTS.address(f"{name}/main.js"),
        facts=json.dumps(known),  # as text: Gradio passes lists and objects as slow proxies
        apply_default_css=False,
        server_functions=[function],
    )


def panel_content(
    name: str,
    pipeline: Pipeline[CropPredictor],
    facts: dict[str, Any],
    measured: Measured,
    *,
    at_server: bool,
    **values: Any,
) -> tuple[Markup, dict[str, Any]]:
    """What a panel holds, on a page with a server or without one.

    Args:
        name: as for `panel`.
        pipeline: as for `panel`.
        facts: as for `panel`.
        measured: as for `panel`.
        at_server: whether a server reads the pictures, unless the visitor chooses otherwise.
        values: further values for the template.

    Returns:
        Its HTML, and all that its scripts must know.
    """
    decided = decisions(pipeline.attributes, pipeline.predictor.calibration)
    attributes = attribute_list(
        pipeline.attributes,
        name,
        pipeline.reliability,
        decided=decided is not None,
        live=name == "live",
        notes=measured.notes,
    )
    shared = {
        "face_colours": FACE_COLOURS,
        "number_colour": NUMBER_COLOUR,
        "decisions": decided,
        "conditions": measured.conditions,
        "telling": telling(pipeline.attributes, pipeline.reliability),
        "parameters": measured.parameters,
        "formula_starts": FORMULA_STARTS,
        "elsewhere": measured.elsewhere,
    }
    return render(f"{name}/{name}.html", attributes=attributes, at_server=at_server, **values), shared | facts
