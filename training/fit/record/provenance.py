"""How a run makes its weights: settings, this code's commit, and data, for config.json and the weights themselves."""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from training.data.folders import RunData
from training.fit.config import FREE_ON_RESUME, TrainConfig
from training.measure.predictions import identify

_CODE = Path(__file__).resolve().parents[3]
_GIT_SECONDS = 10  # then we give up, for example on a slow network disk


def run_description(config: TrainConfig, data: RunData, files: dict[str, Any]) -> dict[str, Any]:
    """Describe a run completely, for config.json.

    Args:
        config: Its settings.
        data: Its pictures and labels.
        files: Its teachers and initial weights, from input_files.

    Returns:
        "settings", "data" (the fingerprint, and the numbers of pictures), "files" if there are any and, if this code is
        in a git repository, "commit" and "modified": whether files differ from that commit.
    """
    return {
        "settings": asdict(config),
        **_commit(),
        "data": {
            "fingerprint": data.fingerprint(),
            "pictures": len(data.train.split),
            "drawn_each_epoch": len(data.draws),
            "validation_pictures": {name: len(valid.split) for name, valid in data.valid.items()},
        },
        **({"files": files} if files else {}),
    }


def provenance(description: dict[str, Any]) -> dict[str, Any]:
    """Shorten a run's description for its weights, which may be published.

    Args:
        description: From run_description.

    Returns:
        "settings" that differ from the defaults and affect what is computed, with file names only, since paths reveal
        details of the machine; "data", its fingerprint; "files", "commit" and "modified" if known.
    """
    settings = {}
    for item in fields(TrainConfig):
        value = description["settings"][item.name]
        if item.name in FREE_ON_RESUME or value == item.default:
            continue
        if item.name == "teachers":
            value = [Path(path).name for path in value]
        settings[item.name] = Path(value).name if item.name == "init_from" else value
    return {**description, "settings": settings, "data": description["data"]["fingerprint"]}


def step_provenance(weights: Sequence[str], data: Mapping[str, str | list[str]]) -> dict[str, Any]:
    """Describe what a step that makes weights from others used, for the new weights.

    Args:
        weights: Files of the weights that it begins with.
        data: Fingerprints of the splits that it reads, by name; may be empty.

    Returns:
        "files", with these weights, and "data"; "commit" and "modified" if known.
    """
    files = {"weights": [identify(Path(path)) for path in weights]}
    return {**_commit(), **({"data": dict(data)} if data else {}), "files": files}


def _commit() -> dict[str, Any]:
    """Return the commit of this code, and whether files differ from it; nothing if unknown."""

    def git(*words: str) -> str:
        command = ["git", "--no-optional-locks", "-C", str(_CODE), *words]
        return subprocess.run(
            command, check=True, capture_output=True, encoding="utf-8", timeout=_GIT_SECONDS
        ).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", "training/train.py")  # fails inside another project's repository
        return {
            "commit": git("rev-parse", "HEAD"),
            "modified": bool(git("status", "--porcelain", "--untracked-files=no")),
        }
    except (OSError, subprocess.SubprocessError):
        return {}
