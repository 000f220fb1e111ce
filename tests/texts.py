"""The English texts of the page's scripts and of the server's answers to them, read from the sources."""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from types import ModuleType

from demo.paths import BROWSER

_TEXT = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_CALL = re.compile(r"(?<![\w.])t\(\s*(" + _TEXT + r"(?:\s*\+\s*" + _TEXT + r")*)?")
# The page shows the errors of these modules, and their answers of the form {"error": a sentence}.
_ANSWERING = (
    "demo.pictures.decode",
    "demo.pictures.decoders",
    "demo.pictures.jpeg_cost",
    "demo.server.answer",
    "demo.server.live",
    "demo.server.photo",
)
_PLACEHOLDER = re.compile(r"\{\w*\}")


def bare(text: str) -> str:
    """A text without the names of its placeholders, which Python's sentences do not have."""
    return _PLACEHOLDER.sub("{}", text)


def placeholders(text: str) -> list[str]:
    """What a translation must have in common with its key: names in braces, and marks of elements."""
    return sorted(re.findall(r"\{\w+\}|</?\d+/?>", text))


def script_texts() -> dict[str, str]:
    """Text that a script gives to `t` -> the script's name. Only literal texts can be looked up in a table."""
    found = {}
    for path in sorted(BROWSER.rglob("*.js")):
        if path.name == "language.js":
            continue
        for call in _CALL.finditer(path.read_text(encoding="utf-8")):
            assert call[1], f"{path.name}: t() wants its text here and now, see {call[0]}…"
            found["".join(map(ast.literal_eval, re.findall(_TEXT, call[1])))] = path.name
    return found


def server_texts() -> set[str]:
    """Sentences in which the server says what is wrong with a picture or a frame, with {} for their values."""
    modules = [importlib.import_module(name) for name in _ANSWERING]
    kinds = [importlib.import_module(f"demo.pictures.{name}") for name in ("formats", "tiff")]
    errors = {text for module in modules for text in _errors(module)} - {"{} {}"}
    unsupported = {f"{{}} {text}" for module in kinds for text in _unsupported(module)}
    return errors | unsupported | {importlib.import_module("demo.server.http.gate").REFUSAL}


def _errors(module: ModuleType) -> Iterator[str]:
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.endswith("Error"):
            file = "{} " if node.func.id == "CostlyPictureError" else ""  # the sentence follows the file's name
            yield from (file + _text(argument, module) for argument in node.args if _is_text(argument))
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "error" and _is_text(value):
                    yield _text(value, module)
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "message" and _is_text(node.value):
            yield _text(node.value, module)


def _unsupported(module: ModuleType) -> Iterator[str]:
    """What follows a file's name if its format is known but not supported."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.JoinedStr | ast.Constant | ast.BinOp):
            text = _text(node, module) if _is_text(node) else ""
            if re.match(r"(is|holds) (an?|wider or) .*\.$", text):
                yield text


def _is_text(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp):
        return _is_text(node.left)
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _text(node: ast.expr, module: ModuleType) -> str:
    """A text with {} for each value, unless that is one of the module's own texts."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.BinOp):
        return _text(node.left, module) + _text(node.right, module)
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part, module) for part in node.values)
    named = node.value if isinstance(node, ast.FormattedValue) else node
    value = getattr(module, named.id, None) if isinstance(named, ast.Name) else None
    return value if isinstance(value, str) else "{}"
