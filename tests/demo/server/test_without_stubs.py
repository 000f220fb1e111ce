import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT

COMPONENT = '''
import gradio as gr


class Boxes(gr.HTML):
    """A component in a file of its own, beside which Gradio writes a stub."""
'''


@pytest.mark.parametrize(("first", "stubs"), [("import gradio", ["boxes.pyi"]), ("import demo.server", [])])
def test_gradio_writes_no_stubs_for_editors(tmp_path: Path, first: str, stubs: list[str]) -> None:
    (tmp_path / "boxes.py").write_text(COMPONENT, encoding="utf-8")
    program = (
        f"import sys; sys.path.append({str(tmp_path)!r}); {first}; import boxes; assert boxes.Boxes().get_config()"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
    assert [path.name for path in tmp_path.glob("*.pyi")] == stubs
