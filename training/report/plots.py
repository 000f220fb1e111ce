"""Plots of an evaluation, from the content of evaluation.json and the metrics.jsonl of runs.

The colours are from Okabe and Ito's palette, which people with any colour blindness can tell apart.
"""

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, product
from pathlib import Path
from typing import Any

from slimnet.files.atomic import replacement


@contextmanager
def _nothing_at_home() -> Iterator[None]:
    """Keep matplotlib's font cache in a temporary folder instead of the home folder, unless MPLCONFIGDIR is set."""
    if "MPLCONFIGDIR" in os.environ:
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MPLCONFIGDIR"] = folder
        try:
            yield
        finally:
            del os.environ["MPLCONFIGDIR"]


with _nothing_at_home():
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BLUE, _ORANGE, _GREEN, _GREY = "#0072B2", "#D55E00", "#009E73", "#8C8C8C"
_ACCURACY_POINTS = 2  # of the runs' accuracy, below the best
_LEGEND_ROWS = 12


def write(evaluation: dict[str, Any], runs: Sequence[Path], out: Path) -> None:
    """Write the plots as PNG files into an existing folder.

    robustness.png is written if robustness was measured, training.png if runs are given; otherwise those of an earlier
    evaluation are removed.

    Args:
        evaluation: The content of evaluation.json.
        runs: metrics.jsonl of the runs to draw.
        out: The folder.
    """
    pictures = {"attributes": attributes(evaluation), "reliability": reliability(evaluation)}
    if evaluation["robustness"]:
        pictures["robustness"] = robustness(evaluation["robustness"])
    if runs:
        pictures["training"] = training(runs)
    for name in {"robustness", "training"} - pictures.keys():
        (out / f"{name}.png").unlink(missing_ok=True)
    for name, figure in pictures.items():
        with replacement(out / f"{name}.png") as part:
            figure.savefig(part, format="png", dpi=110, facecolor="white")


def attributes(evaluation: dict[str, Any]) -> Figure:
    """Plot each attribute's accuracy beside the majority class, and its balanced accuracy, with intervals.

    Attributes are sorted by balanced accuracy, the best on top; those without a known label are left out.

    Args:
        evaluation: The content of evaluation.json.
    """
    measured = [row for row in evaluation["attributes"] if row["accuracy"] is not None]
    rows = sorted(measured, key=lambda row: row["balanced_accuracy"] or 0)
    figure = Figure(figsize=(10, 1.5 + 0.23 * len(rows)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    places = range(len(rows))
    _bars(left, rows, "accuracy", _BLUE)
    left.scatter(
        [100 * row["majority_accuracy"] for row in rows], places, marker="|", s=110, linewidths=2.2, color=_ORANGE,
        zorder=3, label="majority class",
    )  # fmt: skip
    _bars(right, rows, "balanced_accuracy", _GREEN)
    right.axvline(50, color=_ORANGE, linewidth=2, label="50 %: worth nothing")
    for axes, least, title in ((left, 40, "accuracy, %"), (right, 40, "balanced accuracy, %")):
        axes.set(xlim=(least, 100), title=title)
        axes.grid(axis="x", alpha=0.3)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    left.set_yticks(places, [row["attribute"].replace("_", " ") for row in rows], parse_math=False)
    left.set_ylim(-0.7, len(rows) - 0.3)
    figure.legend(*_joined(left, right), loc="outside lower center", ncols=2, frameon=False)
    figure.suptitle(f"{evaluation['images']:,} images of the {evaluation['split']} split, 95 % intervals", fontsize=11)
    return figure


def _bars(axes: Axes, rows: Sequence[dict[str, Any]], name: str, colour: str) -> None:
    """Draw a bar with its interval for each attribute.

    Args:
        axes: Where to draw.
        rows: The attributes' scores, from the bottom up.
        name: The metric.
        colour: Of the bars.
    """
    values = [100 * (row[name] or 0) for row in rows]
    ends = [[100 * end for end in row["intervals"][name]] if row["intervals"][name] else None for row in rows]
    spans = [end or [value, value] for end, value in zip(ends, values, strict=True)]
    errors = [
        [max(0.0, value - low) for value, (low, _) in zip(values, spans, strict=True)],
        [max(0.0, high - value) for value, (_, high) in zip(values, spans, strict=True)],
    ]
    axes.barh(range(len(rows)), values, height=0.62, color=colour, alpha=0.75)
    axes.errorbar(values, range(len(rows)), xerr=errors, fmt="none", ecolor="#222222", elinewidth=1, capsize=2)


def _joined(*several: Axes) -> tuple[list[Any], list[Any]]:
    """The legend handles and labels of several axes together."""
    found = [pair for axes in several for pair in zip(*axes.get_legend_handles_labels(), strict=True)]
    return [handle for handle, _ in found], [label for _, label in found]


def reliability(evaluation: dict[str, Any]) -> Figure:
    """Plot reliability diagrams, before and after temperatures, if any, above the number of predictions.

    Args:
        evaluation: The content of evaluation.json.
    """
    titles = {"before": "network alone", "served": "with temperatures, as served"}
    if evaluation["before"] == evaluation["served"]:
        titles = {"served": "network alone, as served"}
    figure = Figure(figsize=(4.75 * len(titles), 5), layout="constrained")
    axes = figure.subplots(2, len(titles), sharex=True, height_ratios=(4, 1), squeeze=False)
    for (name, title), above, below in zip(titles.items(), *axes, strict=True):
        found = evaluation[name]
        predicted = [100 * value for value in found["predicted"]]
        above.plot([0, 100], [0, 100], color=_GREY, linestyle="--", linewidth=1.2, label="as it should be")
        above.plot(
            predicted, [100 * v for v in found["observed"]], color=_BLUE, marker="o", markersize=4, label="measured"
        )
        above.set(title=f"{title}: error {100 * found['error']:.2f} points", ylabel="share that has the attribute, %")
        above.set(xlim=(0, 100), ylim=(0, 100))
        above.legend(frameon=False, loc="upper left")
        below.bar(predicted, found["answers"], width=4.5, color=_BLUE, alpha=0.75)
        below.set(xlabel="predicted probability, %", ylabel="answers", yscale="log")
        for part in (above, below):
            part.grid(alpha=0.3)
            part.set_axisbelow(True)
            part.spines[["top", "right"]].set_visible(False)
    return figure


def robustness(found: dict[str, Any]) -> Figure:
    """Plot accuracy against the strength of each damage, one panel per kind, with the undamaged accuracy as a line.

    Args:
        found: The "robustness" entry of evaluation.json.
    """
    kinds = list(dict.fromkeys(row["kind"] for row in found["outcomes"]))
    figure = Figure(figsize=(10, 5.4), layout="constrained")
    panels = figure.subplots(2, -(-len(kinds) // 2), sharey=True, squeeze=False)
    for axes, kind in zip(panels.flat, kinds, strict=False):
        rows = [row for row in found["outcomes"] if row["kind"] == kind]
        ends = [row["interval"] or (row["loss"], row["loss"]) for row in rows]
        high, low = ([100 * (found["undamaged"] - loss) for loss in side] for side in zip(*ends, strict=True))
        axes.axhline(100 * found["undamaged"], color=_ORANGE, linewidth=1.4, linestyle="--", label="undamaged")
        axes.plot(range(len(rows)), [100 * row["accuracy"] for row in rows], color=_BLUE, marker="o", markersize=4)
        axes.fill_between(range(len(rows)), low, high, color=_BLUE, alpha=0.2, label="95 % interval of the loss")
        axes.set_xticks(range(len(rows)), [f"{row['strength']:g}" for row in rows])
        axes.set(title=kind, xlabel=rows[0]["unit"])
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    for row_of_panels in panels:
        row_of_panels[0].set_ylabel("mean accuracy, %")
    figure.legend(*panels.flat[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    figure.suptitle(f"{found['images']:,} images; damage grows to the right", fontsize=11)
    return figure


def training(runs: Sequence[Path]) -> Figure:
    """Plot validation accuracy and training loss of each run against the number of images seen.

    Runs end close together, so accuracy is cut off two points below the best.

    Args:
        runs: metrics.jsonl of each run, whose folder's name is its label, or a file that is named after the run.
    """
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    best = 0.0
    styles = product(".s^x", ("-", "--", ":"), (_BLUE, _ORANGE, _GREEN, _GREY))
    for path, (marker, line, colour) in zip(runs, cycle(styles), strict=False):
        epochs = [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]
        seen = [epoch["images"] / 1000 for epoch in epochs]
        style: dict[str, Any] = {"color": colour, "linestyle": line, "marker": marker, "markersize": 4}
        accuracies = [100 * epoch["valid/accuracy"] for epoch in epochs]
        best = max([best, *accuracies])
        left.plot(seen, accuracies, **style, label=_run_name(path))
        right.plot(seen, [epoch["train/loss"] for epoch in epochs], **style)
    for axes, title in ((left, "validation: mean accuracy, %"), (right, "training loss")):
        axes.set(title=title, xlabel="images seen, thousands")
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    left.set_ylim(best - _ACCURACY_POINTS, best + 0.1)
    figure.legend(title="run", frameon=False, loc="outside right upper", ncols=1 + (len(runs) - 1) // _LEGEND_ROWS)
    return figure


def _run_name(path: Path) -> str:
    return path.resolve().parent.name if path.stem == "metrics" else path.stem
