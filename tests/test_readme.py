"""The examples in the READMEs run: all blocks of Python and bash, except below a comment `<!-- not run: why -->`."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from demo.benchmark.server import PageServer
from tests.missing import missing
from tests.paths import PORTRAIT, ROOT

DOCUMENTS = ("README.md", "demo/README.md", "demo/annotate/README.md", "training/README.md")
ADDRESS = "http://127.0.0.1:7860"
BLOCK = re.compile(r"(?P<mark><!-- not run: .+? -->\s*)?^```(?P<language>python|bash)\n(?P<code>.*?)^```$", re.M | re.S)
# What readers replace with their own, and what the tests put there.
REPLACED = {"PATH_TO_IMAGE": '"crop.jpg"', "PICTURE_OR_FOLDER…": "photo.jpg", ".venv/bin/python": sys.executable}


@dataclass(frozen=True)
class Example:
    document: str
    line: int
    language: str
    code: str


def examples() -> list[Example]:
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in DOCUMENTS}
    return [
        Example(name, text.count("\n", 0, block.start("code")), block["language"], block["code"])
        for name, text in texts.items()
        for block in BLOCK.finditer(text)
        if not block["mark"]
    ]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    with PageServer(("app.py", "--device", "cpu"), tmp_path_factory.mktemp("page")) as page:
        yield page


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder that looks like the repository and has pictures too, so that nothing is written into the real one."""
    for name in ("app.py", "assets", "demo", "slimnet", "training"):
        (tmp_path / name).symlink_to(ROOT / name)
    portrait = PORTRAIT
    shutil.copy(portrait, tmp_path / "photo.jpg")
    with Image.open(portrait) as picture:
        ImageOps.fit(picture, (178, 218)).save(tmp_path / "crop.jpg")
    return tmp_path


@pytest.mark.parametrize("example", examples(), ids=lambda example: f"{example.document} line {example.line}")
def test_the_example_runs(example: Example, checkout: Path, request: pytest.FixtureRequest) -> None:
    code = example.code
    for name, own in REPLACED.items():
        code = code.replace(name, own)
    if "curl" in code and not shutil.which("curl"):
        missing("needs curl")
    page = request.getfixturevalue("page") if ADDRESS in code else None
    if page:
        code = code.replace(ADDRESS, page.url.rstrip("/"))
    start = [sys.executable, "-c"] if example.language == "python" else ["bash", "-euo", "pipefail", "-c"]
    done = subprocess.run([*start, code], cwd=checkout, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() or "--out" in code
    if "curl" in code:  # curl calls an error a success, too
        assert "probabilities" in done.stdout
    if page:
        assert [path for path in (page.folder / "uploads").rglob("*") if path.is_file()] == []


def test_there_are_examples_of_every_way_in() -> None:
    code = "".join(example.code for example in examples() if example.document == "README.md")
    assert all(way in code for way in ("load_pretrained", "gradio_client", "curl", "demo.annotate"))


@pytest.mark.parametrize(
    "document",
    [*DOCUMENTS, "demo/RELIABILITY.md", "SECURITY.md", "CONTRIBUTING.md", "assets/README.md", "training/RUNS.md"],
)
def test_links_lead_somewhere(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    for target, heading in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)", text):
        linked = (ROOT / document).parent / target if target else ROOT / document
        assert linked.exists(), target
        if heading:
            headings = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            assert heading in [re.sub(r"[^\w -]", "", found.lower()).replace(" ", "-") for found in headings]
