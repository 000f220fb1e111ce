import ast
from collections.abc import Iterator
from pathlib import Path

from demo import limits
from tests.paths import ROOT

# Those that bound what the page shows or does by itself: views, examples, notes, a decoder's answer and its priority.
_NO_STRANGER_MEETS = {"_MAX_VIEW_SIDE", "_MAX_EXAMPLES", "_MAX_ANSWER_BYTES", "_MAX_NICENESS"}


def bounds_in(path: Path) -> Iterator[str]:
    """The names of a module's constants that are called a bound, and have a number of their own."""
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and any(isinstance(node, ast.Constant) for node in ast.walk(statement)):
            for node in ast.walk(statement):
                if (
                    isinstance(node, ast.Name)
                    and isinstance(node.ctx, ast.Store)
                    and {"MAX", "MIN"} & {*node.id.split("_")}
                ):
                    yield node.id


def test_no_other_module_has_a_bound_of_its_own() -> None:
    modules = [path for folder in ("server", "pictures") for path in (ROOT / "demo" / folder).rglob("*.py")]
    assert {name for path in modules for name in bounds_in(path)} == _NO_STRANGER_MEETS


def test_a_decoder_that_does_not_start_does_not_seem_to_hang() -> None:
    assert limits.DECODER_START_SECONDS + limits.DECODER_END_SECONDS < limits.WORK_HANG_SECONDS


def test_some_of_the_visitors_who_are_remembered_are_always_silent() -> None:
    assert limits.MAX_WAITING_FRAMES < limits.MAX_VISITORS
