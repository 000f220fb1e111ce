"""Writes the recorded figures of `python -m demo.benchmark load` and `attack` into demo/RELIABILITY.md."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from demo.benchmark.load.attack_table import attack_table
from demo.benchmark.load.capacity import Capacity
from demo.benchmark.load.measure import share_of_median
from demo.paths import ROOT
from slimnet.files.atomic import replace_text

DOCUMENT = ROOT / "demo" / "RELIABILITY.md"
_RECORDS = ROOT / "assets" / "evaluation"
_PART = re.compile(
    r"(?P<begin><!-- (?P<kind>load|capacity|attack): (?P<record>[\w-]+\.json) -->\n).*?(?P<end><!-- /(?P=kind) -->)",
    re.DOTALL,
)
_HEADER = (
    "live visitors", "faces each", "photo visitors", "addresses", "frames/s in all", "each", "fewest, of the median",
    "frame p50 / p95, ms", "photos/s", "fewest photos, of the median", "photo p50 / p95, ms", "turned away",
    "wrong answers", "cores busy", "memory, MB", "files", "threads",
)  # fmt: skip
_NOT_RECORDED = "Not recorded yet."


def write_reliability(document: Path = DOCUMENT, records: Path = _RECORDS) -> None:
    """Write a table of each record between the marks that name it.

    Args:
        document: a text with marks such as `<!-- load: load.json --> … <!-- /load -->`.
        records: folder with the files of `load --json`, also with `--capacity`, and `attack --json`.
    """
    text = document.read_text(encoding="utf-8")
    replace_text(document, _PART.sub(lambda part: _filled(part, records), text))


def _filled(part: re.Match[str], records: Path) -> str:
    record = records / part["record"]
    tables: dict[str, Callable[[Any], str]] = {"load": load_table, "capacity": capacity_table, "attack": attack_table}
    table = tables[part["kind"]]
    made = table(json.loads(record.read_text(encoding="utf-8"))) if record.is_file() else _NOT_RECORDED
    return f"{part['begin']}\n{made}\n\n{part['end']}"


def load_table(loads: list[dict[str, Any]]) -> str:
    """Write a Markdown table with a row for each crowd.

    Args:
        loads: `demo.benchmark.load.measure.Load` of each crowd, as JSON.
    """
    lines = [_HEADER, ("---",) * len(_HEADER), *(_row(load) for load in loads)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def capacity_table(record: dict[str, Any]) -> str:
    """Write a machine's capacity, and a Markdown table with a row for each crowd that was tried.

    Args:
        record: `demo.benchmark.load.capacity.Capacity`, as JSON.
    """
    line = Capacity(record["cores"], record["pace"], record["live"], record["photos"], ()).line
    return f"{line}.\n\n{load_table(record['tried'])}"


def _row(load: dict[str, Any]) -> tuple[str, ...]:
    seconds, live, photos = load["seconds"], load["live"], load["photos"]
    median = float(np.median(live)) if live else 0.0
    before, after = load["before"], load["after"]
    known = before is not None and after is not None
    lasted = load.get("lasted") or seconds  # older records leave out the answers that came late
    busy = (after["cpu_seconds"] - before["cpu_seconds"]) / lasted / load["cores"] if known else None
    return (
        str(len(live)),
        f"{load['faces']:g}" if live else "",
        str(len(photos)),
        str(load.get("addresses", "")),  # older records do not say
        f"{sum(live) / seconds:.1f}",
        f"{median / seconds:.1f}",
        f"{share_of_median(live):.2f}" if live else "",
        _spread(load["frame_delay"]),
        f"{sum(photos) / seconds:.1f}" if photos else "",
        f"{share_of_median(photos):.2f}" if photos else "",
        _spread(load["photo_delay"]),
        str(load.get("turned_away", "")),
        str(sum(load["failures"].values())),
        "" if busy is None else f"{100 * busy:.0f} % of {load['cores']}",
        *(f"{before[held]:g} → {after[held]:g}" if known else "" for held in ("memory_mb", "files", "threads")),
    )


def _spread(delay: dict[str, float] | None) -> str:
    return f"{delay['median']:.0f} / {delay['p95']:.0f}" if delay else ""
