"""The whole page, and how it is served."""

from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from demo.about import about
from demo.endpoint import endpoints
from demo.limits import WholeBodies
from demo.live import live_panel
from demo.photo import photo_panel
from demo.pictures import LARGEST_BYTES
from demo.pipeline import Pipeline

_HERE = Path(__file__).parent
_FONT = ("ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "DejaVu Sans", "sans-serif")
_MONO = ("ui-monospace", "SF Mono", "Consolas", "DejaVu Sans Mono", "monospace")
_STYLES = ("page.css", "panel.css", "timeline.css", "live.css", "photo.css", "about.css")

# --share and Colab make a second address for the same page, so only the browser knows which one it is at.
_TELL_OF_THE_TUNNEL = 'element.querySelector(".tunnel").hidden = !location.hostname.endsWith(".gradio.live");'


def build(live: Pipeline, photos: Pipeline | None = None, *, mcp: bool = False) -> gr.Blocks:
    """The page with both panels and the endpoints.

    Args:
        live: analyses the camera's frames.
        photos: analyses photos, if not the same does.
        mcp: make ready for `launch(mcp_server=True)`, which offers a tool to language models.
    """
    photos = photos or live
    # delete_cache removes uploads that never reached the endpoint, which deletes its own as soon as they are read.
    with gr.Blocks(title="SlimNet Faces", analytics_enabled=False, delete_cache=(60, 300), fill_width=True) as page:
        masthead = (_HERE / "page.html").read_text(encoding="utf-8")
        gr.HTML(masthead, apply_default_css=False, js_on_load=_TELL_OF_THE_TUNNEL)
        with gr.Row(elem_id="panels"):
            live_panel(live)
            photo_panel(photos)
        gr.HTML(about(), apply_default_css=False)
        endpoints(page, photos, mcp=mcp)
    return page.queue(max_size=64)


def launch_options() -> dict[str, Any]:
    """Arguments of `gr.Blocks.launch` that belong to the page: its look, and that nothing is recorded."""
    return {
        "theme": gr.themes.Base(primary_hue="teal", neutral_hue="slate", font=_FONT, font_mono=_MONO),
        "css_paths": [_HERE / name for name in _STYLES],
        "footer_links": ["api"],
        "run_history": False,
        "enable_monitoring": False,
        "max_file_size": LARGEST_BYTES,
        # Programs are told what was wrong with a call, instead of {"error": null}.
        "show_error": True,
        # In base64 a picture is a third longer.
        "app_kwargs": {"middleware": [Middleware(WholeBodies, largest=LARGEST_BYTES * 3 // 2)]},
        "quiet": True,
    }
