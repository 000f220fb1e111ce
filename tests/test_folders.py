"""Strangers can find their way by the folders: each is small enough to take in, and the README's tree is true."""

import re
from collections import Counter

from tests.paths import ROOT

CODE = {".py", ".js", ".ts", ".css", ".html"}
# In a folder with more files than this, a reader no longer sees which belong together: make a folder within it.
MAX_FILES = 16


def test_no_folder_holds_more_code_than_a_reader_takes_in_at_once() -> None:
    files = [path for top in ("demo", "slimnet", "training", "tests") for path in (ROOT / top).rglob("*")]
    counts = Counter(path.parent.relative_to(ROOT).as_posix() for path in files if path.suffix in CODE)
    assert {folder: count for folder, count in counts.items() if count > MAX_FILES} == {}


def test_what_the_tree_in_the_readme_names_is_there() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    tree = text.partition("## Find your way")[2].split("```")[1]
    lines = re.findall(r"^( *)(\S+)", tree, re.MULTILINE)
    assert lines
    above: list[str] = []
    for indent, name in lines:
        above[len(indent) // 2 :] = [name]
        assert (ROOT / "".join(above)).exists(), "".join(above)
