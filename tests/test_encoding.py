"""Files are read alike on every system: unless told otherwise, Windows uses another encoding than UTF-8."""

import ast
import re

import pytest

from tests.paths import ROOT

SOURCES = [
    *(path for folder in ("demo", "slimnet", "training") for path in (ROOT / folder).rglob("*.py")),
    ROOT / "app.py",
]


def leaves_it_to_the_system(call: ast.Call) -> bool:
    """Whether a call reads or writes text of a file or a process without naming an encoding."""
    given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    if "encoding" in given:
        return False
    called = ast.unparse(call.func)
    name = called.rpartition(".")[2]
    if name == "open" and called not in ("Image.open", "os.open", "opener.open"):  # these read no text
        values = (given.get("mode", ""), *(ast.unparse(value) for value in call.args))
        return not any(re.fullmatch(r"'[rwax+]*b[rwax+]*'", value) for value in values)
    return name in ("read_text", "write_text") or given.get("text") == "True"


def lines(source: str) -> list[int]:
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return [call.lineno for call in calls if leaves_it_to_the_system(call)]


def test_whatever_is_read_or_written_as_text_names_its_encoding() -> None:
    found = {path.relative_to(ROOT).as_posix(): lines(path.read_text(encoding="utf-8")) for path in SOURCES}
    assert {name: numbers for name, numbers in found.items() if numbers} == {}


@pytest.mark.parametrize(
    "call", ["path.read_text()", "path.open()", "path.open('w', newline='')", "open(path)", "run(c, text=True)"]
)
def test_a_call_that_leaves_it_to_the_system_is_seen(call: str) -> None:
    assert lines(call) == [1]
