"""A page whose device engine is a stand-in that answers at once with `window.device.faces`."""

import json
from typing import Any

from demo.paths import NPM_PACKAGES
from tests.browser.conftest import Server, missing
from tests.browser.films import SMILING, face
from tests.paths import ROOT

ENGINE = (ROOT / "tests" / "fakes" / "device_engine.js").read_text(encoding="utf-8")
BY_DEVICE = face(1, 200, 0.2, crop="data:image/gif;base64,R0lGODlhAQABAAAAACw=", why=SMILING)
SCRIPT = f"window.device = {{faces: {json.dumps([BY_DEVICE])}}};"


def need_npm_packages() -> None:
    """Skip a test where the page cannot offer the engine on the visitor's device."""
    if not (NPM_PACKAGES / "onnxruntime-web").exists():
        missing("npm's packages (npm ci)")


def open_with_stand_in(open_page: Any, server: Server, script: str = "") -> Any:
    """The page of a server, which offers the switch."""
    need_npm_packages()
    return open_page(server, SCRIPT + script, modules={"device/engine.js": ENGINE})


def choose_engine(page: Any, engine: str, panel: str = "live") -> None:
    """Use the switch of a panel."""
    page.check(f"#{panel} .engine input[value={engine}]", force=True)


def wait_for_engine(page: Any, engine: str, state: str = "ready", panel: str = "live") -> None:
    """Wait until a panel shows this engine's state."""
    page.wait_for_selector(f"#{panel}[data-engine={engine}][data-engine-state={state}]", state="attached")


def hold_loading(page: Any) -> None:
    """Stop the engine from loading further until `let_load`."""
    page.evaluate("() => { window.device.wait = new Promise((go) => { window.go = go; }); }")


def let_load(page: Any) -> None:
    """Let the engine finish loading."""
    page.evaluate("window.go()")
