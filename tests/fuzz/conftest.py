"""Decides how many inputs the fuzz tests try: about a thousand in CI, always the same.

`python -m pytest tests/fuzz --hypothesis-profile=long` tries others each time. Both end with a line for each door.
"""

import pytest
from hypothesis import HealthCheck, settings

from tests.fuzz.door import DOORS

_ANY_SPEED = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
settings.register_profile("short", _ANY_SPEED, max_examples=60, derandomize=True)
settings.register_profile("long", _ANY_SPEED, max_examples=2000, print_blob=True)
settings.load_profile("short")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was tried at each door."""
    terminalreporter.section("fuzzed")
    for door in DOORS:
        terminalreporter.write_line(str(door))
    terminalreporter.write_line(f"{sum(door.inputs for door in DOORS):,} inputs in all")
