"""Paths on a command line: an empty one, as of a shell's variable that is not set, would stand for this folder."""

from __future__ import annotations

import argparse
from pathlib import Path


def given(text: str) -> str:
    """What argparse takes for the type of a flag that names a file or folder."""
    if not text.strip():
        raise argparse.ArgumentTypeError("is empty; name a file or folder, . for this one")
    return text


def given_path(text: str) -> Path:
    """As given, but as a Path."""
    return Path(given(text))
