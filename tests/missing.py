"""What a machine lacks for a test: it is skipped, except on a machine that must have everything."""

import importlib
import os
from typing import Any, NoReturn

import pytest


def missing(why: str) -> NoReturn:
    """Skip a test; fail it in CI."""
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


def package(name: str, reason: str) -> Any:
    """Import a package of tests/requirements.txt; without it skip the test, or the module, but fail in CI."""
    return importlib.import_module(name) if os.environ.get("CI") else pytest.importorskip(name, reason=reason)
