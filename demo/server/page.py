"""The whole page, and how it is served."""

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from string import Template
from typing import Any

import gradio as gr
from starlette.applications import Starlette
from starlette.middleware import Middleware

from demo.paths import BROWSER
from demo.pictures.decode import LARGEST_BYTES
from demo.pipeline.analyse import Pipeline
from demo.server.about import about, counted, labels
from demo.server.api import endpoints
from demo.server.disclosure import disclosure
from demo.server.http.gate import Gate
from demo.server.http.refusals import HANDLERS, CallStatuses, refuse_by_sentences
from demo.server.http.request_limits import WholeBodies
from demo.server.http.security_headers import SecurityHeaders
from demo.server.http.uploads import NothingLeft
from demo.server.live import live_panel
from demo.server.photo import photo_panel

_FONT = ("ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "DejaVu Sans", "sans-serif")
_MONO = ("ui-monospace", "SF Mono", "Consolas", "DejaVu Sans Mono", "monospace")
_SPACES = "https://huggingface.co"  # shows a Space in a frame of its own page
_STYLES = ("page.css", "shared/attributes.css", "live/timeline.css", "live/live.css", "photo/photo.css", "about.css")

# --share and Colab make a second address for the same page, so only the browser knows which one it is at.
_TELL_OF_THE_TUNNEL = 'element.querySelector(".tunnel").hidden = !location.hostname.endsWith(".gradio.live");'


def build(
    live: Pipeline, photos: Pipeline | None = None, *, mcp: bool = False, operator: str | None = None
) -> gr.Blocks:
    """The page with both panels and the endpoints.

    Args:
        live: analyses the camera's frames.
        photos: analyses photos, if not the same does.
        mcp: make ready for `launch(mcp_server=True)`, which offers a tool to language models.
        operator: who runs the page, as visitors are told before the camera starts.
    """
    photos = photos or live
    with gr.Blocks(title="SlimNet Faces", analytics_enabled=False, fill_width=True) as page:
        gr.HTML(masthead(live), apply_default_css=False, js_on_load=_TELL_OF_THE_TUNNEL)
        with gr.Row(elem_id="panels"):
            live_panel(live, disclosure(operator, live.attributes))
            photo_panel(photos, disclosure(operator, photos.attributes))
        gr.HTML(about(live), apply_default_css=False)
        endpoints(page, photos, mcp=mcp)
    refuse_by_sentences(page)
    return page.queue(max_size=64)


def masthead(pipeline: Pipeline) -> str:
    """HTML of the head of the page: what the weights in use read, and what their answers are."""
    return Template((BROWSER / "page.html").read_text(encoding="utf-8")).substitute(
        attributes=counted(pipeline.attributes),
        parameters=f"{pipeline.parameters:,}",
        labels=labels(pipeline.attributes),
    )


def launch_options(folder: Path, ancestors: Sequence[str] = ()) -> dict[str, Any]:
    """Arguments of `gr.Blocks.launch` that belong to the page: its look, and that nothing is recorded.

    Args:
        folder: a temporary folder of the program's own, where Gradio writes uploads and where nothing is to stay.
        ancestors: origins of other sites whose pages may show this one in a frame.
    """
    return {
        "theme": gr.themes.Base(primary_hue="teal", neutral_hue="slate", font=_FONT, font_mono=_MONO),
        "css_paths": [BROWSER / name for name in _STYLES],
        "footer_links": ["api"],
        "run_history": False,
        "enable_monitoring": False,
        "max_file_size": LARGEST_BYTES,
        # Programs are told what was wrong with a call, instead of {"error": null}.
        "show_error": True,
        # In base64 a picture is a third longer.
        "app_kwargs": {
            "middleware": [
                Middleware(WholeBodies, largest=LARGEST_BYTES * 3 // 2),
                Middleware(NothingLeft, folder=folder),
                Middleware(CallStatuses),
            ],
            "exception_handlers": HANDLERS,
            "lifespan": _guard((*ancestors, _SPACES) if os.environ.get("SPACE_ID") else ancestors),
        },
        # Off unless it is asked for: Node.js would answer in Python's place, without the headers.
        "ssr_mode": None if os.environ.get("GRADIO_SSR_MODE") else False,
        "quiet": True,
    }


def _guard(ancestors: Sequence[str]) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    """A lifespan that puts the gate and the headers around the whole server, Gradio's own middleware included.

    What is given as middleware stands inside of that, which answers some requests by itself.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        whole = app.middleware_stack
        assert whole is not None  # this very call came through it
        app.middleware_stack = SecurityHeaders(Gate(whole), ancestors)
        yield
        app.middleware_stack = whole

    return lifespan
