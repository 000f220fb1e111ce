"""Thresholds have the same values in the scripts in demo/browser/device/pipeline and in demo/pipeline.

Pictures alone would not show that one is slightly off.
"""

import ast
import inspect
import re
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest

from demo.paths import BROWSER

PIPELINE = BROWSER / "device" / "pipeline"
MODULES = (
    *("align", "analyse", "detect", "face", "follow", "quality", "reading_order", "track"),
    *(f"mediapipe/{name}" for name in ("blazeface", "head_pose", "landmarks", "views", "windows")),
)
NUMBERS = r"[-\d.]+|\[[-\d., ]+\]|\{[-\d.:, ]+\}"
IN_SCRIPT = re.compile(rf"^(?:export )?const (\w+|\[[\w, ]+\]) = ({NUMBERS});", re.MULTILINE)
IN_PYTHON = re.compile(r"^(_?[A-Z][A-Z\d_]*(?:, _?[A-Z][A-Z\d_]*)*) = ", re.MULTILINE)
# A device has one visitor, so it need not save what a busy server does. The script has the last one as two constants.
NOT_IN_SCRIPTS = {
    "CLEARLY_LARGER",
    "MAX_CONFIRMED_RATIO",
    "MAX_LANDMARK_INTERVAL_SECONDS",
    "MAX_SEEN_RATIO",
    "MOUTH_CORNERS",
}


def in_script(name: str) -> dict[str, Any]:
    """The script's constants that are plain numbers: name -> value."""
    found: dict[str, Any] = {}
    for names, text in IN_SCRIPT.findall((PIPELINE / f"{name}.js").read_text(encoding="utf-8")):
        value = ast.literal_eval(text)
        found |= dict(zip(re.findall(r"\w+", names), value if names[0] == "[" else [value], strict=True))
    return found


def in_python(module: ModuleType) -> dict[str, Any]:
    """The module's own constants that are plain numbers: name without its underscore -> value."""
    found = {}
    for name in re.findall(r"\w+", " ".join(IN_PYTHON.findall(inspect.getsource(module)))):
        value = getattr(module, name)
        plain = list(value) if isinstance(value, tuple) else value
        if re.fullmatch(NUMBERS, repr(plain)):
            found[name.lstrip("_")] = plain
    return found


@pytest.mark.parametrize("name", MODULES)
def test_each_threshold_has_its_value_of_python(name: str) -> None:
    script = in_script(name)
    python = in_python(import_module(f"demo.pipeline.{name.replace('/', '.')}"))
    expected = {key: value for key, value in python.items() if key not in NOT_IN_SCRIPTS}
    assert expected
    assert {key: script.get(key) for key in expected} == expected
