"""The image in demo/replicas installs what CI tests, and all that requirements.txt asks for."""

import re
import runpy
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.paths import ROOT

TESTED = ROOT / ".ci" / "lock.txt"
FOLDER = ROOT / "demo" / "replicas" / "locks"


def lines(name: str) -> list[str]:
    """The lines of a lock or a list of requirements, without comments."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def locked(*names: str) -> dict[str, str]:
    """The locked version of each package."""
    pairs = (line.split()[0].split("==") for name in names for line in lines(f"demo/replicas/locks/{name}"))
    return {canonicalize_name(name): version for name, version in pairs}


def test_the_image_gets_the_very_files_that_are_tested() -> None:
    assert {*lines("demo/replicas/locks/page.txt"), *lines("demo/replicas/locks/torch-gpu.txt")} <= {
        *lines(".ci/lock.txt")
    }


def test_torch_for_cpus_has_the_tested_versions() -> None:
    gpu = locked("torch-gpu.txt")
    assert locked("torch-cpu.txt") == {name: f"{gpu[name]}+cpu" for name in ("torch", "torchvision")}


def test_all_locks_are_for_the_tested_python() -> None:
    pythons = [re.findall(r"Python (\d+\.\d+)", file.read_text("utf-8")) for file in (TESTED, *FOLDER.iterdir())]
    assert len({*map(tuple, pythons)}) == 1
    assert len(pythons[0]) == 1


@pytest.mark.parametrize("torch", ["torch-cpu.txt", "torch-gpu.txt"])
@pytest.mark.parametrize("line", lines("requirements.txt"))
def test_the_locked_version_is_in_the_range(line: str, torch: str) -> None:
    requirement = Requirement(line)
    found = locked("page.txt", torch).get(canonicalize_name(requirement.name), "no version at all")
    assert requirement.specifier.contains(found), f"{line}, but locked is {found}: run .ci/lock"


@pytest.fixture
def maker() -> dict[str, Any]:
    """What .ci/lock runs."""
    return runpy.run_path(str(ROOT / ".ci" / "locks.py"))


def test_the_lock_holds_what_is_required_and_nothing_that_happens_to_be_installed(maker: dict[str, Any]) -> None:
    python = re.search(r"Python (\d+\.\d+)", TESTED.read_text("utf-8"))
    assert python
    if python[1] != f"{sys.version_info.major}.{sys.version_info.minor}":
        pytest.skip(f"the lock is for Python {python[1]}, on which packages may need others")
    found = {canonicalize_name(line.split("==")[0]) for line in lines(".ci/lock.txt")}
    assert found == maker["needed"]("requirements.txt", "tests/requirements.txt")


def test_an_environment_with_torch_for_cpus_alone_is_not_locked(maker: dict[str, Any]) -> None:
    versions = {"torch": "2.15.0+cpu", "numpy": "2.4.0"}
    maker["hashed"].__globals__["version"] = versions.__getitem__
    with pytest.raises(SystemExit, match=r"^PyPI does not have torch 2\.15\.0\+cpu: "):
        maker["hashed"]({*versions})


def requirements_of(name: str, found: str) -> Iterator[Requirement]:
    """What a package itself needs here, if it is installed in this version."""
    try:
        if version(name).split("+")[0] != found.split("+")[0]:
            return
    except PackageNotFoundError:
        return
    for requirement in map(Requirement, requires(name) or []):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement


def test_the_locks_hold_what_their_packages_need_and_none_of_the_tests_tools() -> None:
    found = locked("page.txt", "torch-gpu.txt")
    needed = {
        canonicalize_name(requirement.name): f"{name} needs {requirement}"
        for name in found
        for requirement in requirements_of(name, found[name])
    }
    assert [why for name, why in needed.items() if name not in found] == []
    own = {canonicalize_name(Requirement(line).name) for line in lines("requirements.txt")}
    tools = {canonicalize_name(Requirement(line).name) for line in lines("tests/requirements.txt")} - own
    assert not tools & {*found}
