"""Writes the locks in demo/replicas/locks: what requirements.txt needs of .ci/lock.txt, without the tests' tools.

.ci/lock runs this. It goes by what the packages in .venv say they need.
"""

import re
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_ROOT = Path(__file__).parents[1]
_FOLDER = _ROOT / "demo" / "replicas" / "locks"
_TORCH = ("torch", "torchvision")
_FOR_GPUS = re.compile(r"(torch|torchvision|triton|cuda-.*|nvidia-.*)==", re.IGNORECASE)
_MADE = "# Made by .ci/lock from .ci/lock.txt, for Linux (x86-64) and Python"


def needed(requirements: list[str]) -> set[str]:
    """The names of all packages that requirements lead to."""
    extras: dict[str, set[str]] = {}  # name -> its extras that are needed; "" for the package itself
    waiting = [Requirement(line) for line in requirements]
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


def main() -> None:
    """Write the three files."""
    lines = (_ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    names = needed([line for line in lines if line and not line.startswith("#")])
    first, *rest = (_ROOT / ".ci" / "lock.txt").read_text(encoding="utf-8").splitlines()
    python = re.search(r"Python (\d+\.\d+)", first)
    assert python
    made = f"{_MADE} {python[1]}."
    locked = [line for line in rest if not line.startswith("#") and canonicalize_name(line.split("==")[0]) in names]
    missing = names - {canonicalize_name(line.split("==")[0]) for line in locked}
    if missing:
        raise SystemExit(f".ci/lock.txt lacks {', '.join(sorted(missing))}: run .ci/lock")
    gpu = [line for line in locked if _FOR_GPUS.match(line)]
    cpu = [f"{line.split()[0]}+cpu" for line in gpu if line.split("==")[0] in _TORCH]
    _FOLDER.mkdir(exist_ok=True)
    for name, text in {
        "page.txt": (made, "# All that the page needs, except torch.", *(line for line in locked if line not in gpu)),
        "torch-gpu.txt": (made, "# torch for GPUs, which CI tests with.", *gpu),
        "torch-cpu.txt": (
            made,
            "# The same versions without a GPU's libraries, from PyTorch's own index. CI has never had these files, so",
            "# there are no hashes of them.",
            *cpu,
        ),
    }.items():
        (_FOLDER / name).write_text("\n".join(text) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
