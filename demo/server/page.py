"""The whole page, and how it is served."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from markupsafe import Markup
from starlette.middleware import Middleware

from demo.device_files import DeviceFilesError, device_files
from demo.limits import (
    MAX_BODY_BYTES,
    MAX_PICTURE_BYTES,
    MAX_QUEUED_CALLS,
    MAX_SESSION_CHARACTERS,
    MAX_SESSIONS,
    UNFETCHED_SECONDS,
)
from demo.npm_packages import install_on_space
from demo.paths import BROWSER
from demo.pipeline.analyse import ExplainingPredictor, Pipeline
from demo.server.api.endpoints import add_endpoints
from demo.server.content.about import about, counted, labels
from demo.server.content.disclosure import disclosure
from demo.server.content.languages import choice_of, page_languages
from demo.server.content.measured import measured_of
from demo.server.gradio_internals import (
    around_whole_server,
    bound_session_names,
    forget_unfetched,
    keep_no_values,
    refuse_by_sentences,
    refuse_web_addresses,
)
from demo.server.http.bodies.request_limits import WholeBodies
from demo.server.http.bodies.uploads import NothingLeft
from demo.server.http.files.device_parts import DEVICE_PARTS
from demo.server.http.files.gradio_files import GRADIO_FILES
from demo.server.http.files.scripts import SCRIPTS
from demo.server.http.gate import Gate
from demo.server.http.health import HEALTH_ROUTE
from demo.server.http.link_preview import PREVIEW_ROUTE, TITLE, LinkPreview
from demo.server.http.page_turns import PageTurns
from demo.server.http.panel_calls import PanelCalls
from demo.server.http.refusals import HANDLERS, CallStatuses
from demo.server.http.security_headers import SecurityHeaders
from demo.server.live import live_panel
from demo.server.markup import render
from demo.server.photo import examples, photo_panel
from demo.server.turns.photo_queue import PhotoQueue
from slimnet import Predictor

_FONT = ("ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "DejaVu Sans", "sans-serif")
_MONO = ("ui-monospace", "SF Mono", "Consolas", "DejaVu Sans Mono", "monospace")
_SPACES = "https://huggingface.co"  # shows a Space in a frame of its own page
STYLES = (
    "page.css",
    "shared/attributes/attributes.css",
    "shared/why/why.css",
    "engines/engines.css",
    "live/timeline/timeline.css",
    "live/live.css",
    "live/class_mode/class_mode.css",
    "live/access/help.css",
    "photo/photo.css",
    "about.css",
    "shared/forced_colours.css",
)

_LOG = logging.getLogger(__name__)
_START = (
    "import(`${window.gradio_config.root}/${props.module}`)"
    ".then(async ({ready, start}) => { await ready; start(element); });"
)


def build(
    live: Pipeline[Predictor],
    photos: Pipeline[ExplainingPredictor] | None = None,
    *,
    mcp: bool = False,
    operator: str | None = None,
) -> gr.Blocks:
    """Build the page with both panels and the endpoints.

    Args:
        live: analyses the camera's frames.
        photos: analyses photos; None for `live`.
        mcp: add a tool for language models, which `launch(mcp_server=True)` then offers.
        operator: who runs the page, for the disclosure; None for a page without one.

    Returns:
        The page, to be launched with `launch_options`.
    """
    photos = photos or live
    measured = measured_of(live.predictor)
    device = device_addresses(live.predictor.path)
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as page:
        gr.HTML(
            str(masthead(live.predictor)),
            apply_default_css=False,
            js_on_load=_START,
            module=SCRIPTS.address("page.js"),
        )
        with gr.Row(elem_id="panels"):
            live_panel(live, disclosure(operator, live.attributes), measured, device)
            photo_panel(photos, disclosure(operator, photos.attributes), measured, device)
        gr.HTML(
            str(about(live, on_device=device is not None)),
            apply_default_css=False,
            js_on_load=_START,
            module=SCRIPTS.address("about.js"),
        )
        queue = PhotoQueue()  # not the panel's, so that a program with many pictures keeps no visitor waiting
        add_endpoints(page, photos, queue)
        if mcp:
            from demo.server.api.mcp_tool import add_tool  # here: the page starts without what this needs

            add_tool(page, photos, queue)
    refuse_web_addresses(page)
    refuse_by_sentences(page)
    # By default Gradio's queue would run one call at a time, even if a single address put them all there. PhotoQueue is
    # fair to addresses.
    page.queue(max_size=MAX_QUEUED_CALLS, default_concurrency_limit=None)
    forget_unfetched(page, UNFETCHED_SECONDS)
    bound_session_names(MAX_SESSION_CHARACTERS)
    keep_no_values()
    return page


def device_addresses(weights: Path) -> dict[str, str] | None:
    """The addresses of the files with which the visitor's own browser reads faces, and of example pictures for it.

    Args:
        weights: file of the weights in use.

    Returns:
        As for `live_panel`; None if npm's packages aren't installed.
    """
    install_on_space()
    try:
        pictures = {name: path.read_bytes() for name, path in examples().items()}
        folder = DEVICE_PARTS.offer(device_files(weights) | pictures)
        return {"base": folder, "examples": folder}
    except DeviceFilesError as error:
        _LOG.warning("%s", error)  # so that an operator learns why the page doesn't offer "This device"
        return None


def masthead(predictor: Predictor) -> Markup:
    """Render the head of the page: what the weights in use predict, and what their answers mean.

    Args:
        predictor: the network with the weights in use.

    Returns:
        The head's HTML.
    """
    return render(
        "page.html",
        attributes=counted(predictor.attributes),
        parameters=f"{predictor.parameters:,}",
        labels=labels(predictor.attributes),
    )


def _server_side_rendering() -> bool | None:
    """Whether Node.js renders the page: only if an operator asks for it with `GRADIO_SSR_MODE`.

    Node.js would answer in Python's place, without our headers and with Gradio's link preview before ours. Hugging Face
    sets the variable on every Space, so there it says nothing about the operator's wish.

    Returns:
        None: as the variable says; False: never.
    """
    asked = os.environ.get("GRADIO_SSR_MODE") and not os.environ.get("SPACE_ID")
    return None if asked else False


def launch_options(folder: Path, ancestors: Sequence[str] = ()) -> dict[str, Any]:
    """Arguments of `gr.Blocks.launch` that belong to the page, for its look, limits and middleware.

    Args:
        folder: the program's own temporary folder, where Gradio writes uploads and where nothing should stay.
        ancestors: origins of other sites whose pages may show this one in a frame.

    Returns:
        Name of an argument -> its value.
    """
    languages = page_languages()
    framing = (*ancestors, _SPACES) if os.environ.get("SPACE_ID") else ancestors
    return {
        "theme": gr.themes.Base(primary_hue="teal", neutral_hue="slate", font=_FONT, font_mono=_MONO),
        "i18n": languages,
        "head": choice_of(languages),
        "css_paths": [BROWSER / name for name in STYLES],
        "footer_links": ["api"],
        "run_history": False,
        "enable_monitoring": False,
        "max_file_size": MAX_PICTURE_BYTES,
        "state_session_capacity": MAX_SESSIONS,
        # Programs are told what was wrong with a call, instead of {"error": null}.
        "show_error": True,
        "app_kwargs": {
            "routes": [SCRIPTS.route, DEVICE_PARTS.route, GRADIO_FILES.route, PREVIEW_ROUTE, HEALTH_ROUTE],
            "middleware": [
                Middleware(WholeBodies, max_bytes=MAX_BODY_BYTES),
                Middleware(NothingLeft, folder=folder),
                Middleware(CallStatuses),
                Middleware(PageTurns),
                Middleware(LinkPreview),
                Middleware(PanelCalls),
            ],
            "exception_handlers": HANDLERS,
            "lifespan": around_whole_server(lambda app: SecurityHeaders(Gate(app), framing)),
        },
        "ssr_mode": _server_side_rendering(),
        "quiet": True,
    }
