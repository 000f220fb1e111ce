"""Writes .ci/lock.txt and the locks in demo/replicas/locks; .ci/lock runs this.

It goes by what the packages in .venv say they need.
"""

import json
import platform
import re
import subprocess
import sys
import tempfile
from importlib.metadata import requires, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_ROOT = Path(__file__).parents[1]
_TESTED = _ROOT / ".ci" / "lock.txt"
_IMAGE = _ROOT / "demo" / "replicas" / "locks"
_TORCH = ("torch", "torchvision")
_FOR_GPUS = re.compile(r"(torch|torchvision|triton|cuda-.*|nvidia-.*)==", re.IGNORECASE)
_PYTHON = platform.python_version()


def needed(*files: str) -> set[str]:
    """The names of all packages that the requirements in these files lead to."""
    lines = [line for file in files for line in (_ROOT / file).read_text(encoding="utf-8").splitlines()]
    waiting = [Requirement(line) for line in lines if line and not line.startswith("#")]
    extras: dict[str, set[str]] = {}  # name -> its extras that are needed; "" for the package itself
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        new = {"", *requirement.extras} - extras.setdefault(name, set())
        extras[name] |= new
        waiting += [
            found
            for found in map(Requirement, (requires(name) or []) if new else [])
            if found.marker is None or any(found.marker.evaluate({"extra": extra}) for extra in new)
        ]
    return {*extras}


def hashed(names: set[str]) -> list[str]:
    """A line for each installed package, with the hash of the file that the index has for this machine.

    Raises:
        SystemExit: A version such as 2.15.0+cpu is not on PyPI, or the index does not answer.
    """
    versions = {name: version(name) for name in sorted(names)}
    local = [f"{name} {found}" for name, found in versions.items() if "+" in found]
    if local:
        raise SystemExit(
            f"PyPI does not have {', '.join(local)}: lock an environment that was installed from PyPI alone"
        )
    with tempfile.TemporaryDirectory() as folder:
        wanted, report = Path(folder) / "versions", Path(folder) / "report"
        wanted.write_text("".join(f"{name}=={found}\n" for name, found in versions.items()), encoding="utf-8")
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--dry-run"]
        options = ["--ignore-installed", "--no-deps", "--only-binary", ":all:", "--report", str(report)]
        if subprocess.run([*pip, *options, "-r", str(wanted)]).returncode:
            raise SystemExit("pip could not look the versions up: the locks are left as they were")
        entries = json.loads(report.read_text(encoding="utf-8"))["install"]
    lines = [
        f"{entry['metadata']['name']}=={entry['metadata']['version']}"
        f" --hash=sha256:{entry['download_info']['archive_info']['hashes']['sha256']}"
        for entry in entries
    ]
    return sorted(lines, key=str.lower)


def main() -> None:
    """Write the four files, once all that they hold is known."""
    lines = hashed(needed("requirements.txt", "tests/requirements.txt"))
    page = needed("requirements.txt")
    for_page = [line for line in lines if canonicalize_name(line.split("==")[0]) in page]
    gpu = [line for line in for_page if _FOR_GPUS.match(line)]
    cpu = [f"{line.split()[0]}+cpu" for line in gpu if line.split("==")[0] in _TORCH]
    made = f"# Made by .ci/lock from .ci/lock.txt, for Linux (x86-64) and Python {_PYTHON.rpartition('.')[0]}."
    files = {
        _TESTED: (
            f"# The versions that CI tests with, on Linux (x86-64) and Python {_PYTHON}, and their files' hashes.",
            "# Made by .ci/lock; users get the ranges of requirements.txt.",
            *lines,
        ),
        _IMAGE / "page.txt": (
            made,
            "# All that the page needs, except torch.",
            *sorted({*for_page} - {*gpu}, key=str.lower),
        ),
        _IMAGE / "torch-gpu.txt": (made, "# torch for GPUs, which CI tests with.", *gpu),
        _IMAGE / "torch-cpu.txt": (
            made,
            "# The same versions without a GPU's libraries, from PyTorch's own index. CI has never had these files, so",
            "# there are no hashes of them.",
            *cpu,
        ),
    }
    for path, content in files.items():
        path.write_text("\n".join(content) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
