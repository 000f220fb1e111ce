"""Where a network looks, as Markdown, from maps.json alone."""

from collections.abc import Sequence
from typing import Any

from training.measure.maps import LEAST_RATIO
from training.report import tables

_METHODS = {"fine": "fine maps", "coarse": "coarse maps", "grad_cam": "Grad-CAM", "shuffled": "shuffled weights"}
_CHANGES = {"fine": "in the fine maps' order", "grad_cam": "in Grad-CAM's order", "random": "in random order"}


def where_it_looks(found: dict[str, Any]) -> str:
    """Write the section: what was measured, what came out, and a row for each attribute.

    Args:
        found: The content of maps.json.
    """
    rows = found["attributes"]
    elsewhere = [row["attribute"] for row in rows if row["elsewhere"]]
    most = max(row["faces"] for row in rows)
    body = [
        (
            row["attribute"],
            str(row["faces"]),
            f"{tables.percent(row['area'])} %",
            *(_ratio(row[name]) for name in _METHODS),
        )
        for row in rows
    ]
    parts = [
        f"On faces of the {found['split']} split that have an attribute (up to {most} each): the share of the "
        "positive evidence that lies in the attribute's part of the face, over that part's share of the crop. 1 is no "
        "better than anywhere. The parts are boxes around the mean places of eyes, nose and mouth, to which crops "
        f"are aligned. In brackets 95 % bootstrap intervals ({found['resamples']:,} samples, people resampled).",
        f"Often looks elsewhere (below {LEAST_RATIO}): {', '.join(elsewhere) or 'none'}. Attributes that are not "
        "listed have no place of their own, or too few faces.",
        tables.table(("attribute", "faces", "share of the crop", *_METHODS.values()), body),
        _means(rows),
    ]
    measured = [row for row in rows if row["deletion"]]
    return "\n\n".join(parts + ([_changes(measured, found["changed_faces"])] if measured else []))


def _ratio(found: dict[str, Any]) -> str:
    low, high = found["interval"]
    return f"{found['mean']:.2f} ({low:.2f}–{high:.2f})"


def _means(rows: Sequence[dict[str, Any]]) -> str:
    """For how many attributes each method reaches the least ratio."""
    counts = (f"{sum(row[name]['mean'] >= LEAST_RATIO for row in rows)} by {title}" for name, title in _METHODS.items())
    return f"How many of {len(rows)} attributes reach {LEAST_RATIO}: {', '.join(counts)}."


def _changes(rows: Sequence[dict[str, Any]], faces: int) -> str:
    """Deletion and insertion, means over the attributes."""
    body = [
        (title, *(f"{sum(row[kind][name] for row in rows) / len(rows):.3f}" for kind in ("deletion", "insertion")))
        for name, title in _CHANGES.items()
    ]
    return (
        "Whether these places matter to the answer: the mean probability after 5 to 50 % of the cells are blanked "
        "(deletion, lower is better), or nothing but them is shown (insertion, higher is better), over up to "
        f"{faces} faces of each of {len(rows)} attributes:\n\n" + tables.table(("cells", "deletion", "insertion"), body)
    )
