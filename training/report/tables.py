"""The report of an evaluation as Markdown and CSV, from evaluation.json alone."""

import csv
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from slimnet.attributes import ATTRIBUTES
from slimnet.files.atomic import replace_text, replacement
from training.measure.metrics import FIGURES

TITLES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "average_precision": "average precision",
    "roc_auc": "ROC area",
    "majority_accuracy": "majority class",
    "positive_share": "share of positives",
}
TICKED = ("accuracy", "balanced_accuracy")  # metrics shown with their intervals
_GAP_HEADER = ("higher", "lower", "gap", "95 % interval")


def write(evaluation: dict[str, Any], out: Path) -> None:
    """Write results.md and the CSV files into an existing folder.

    Args:
        evaluation: The content of evaluation.json.
        out: The folder.
    """
    parts = sections(evaluation)
    body = "\n\n".join(f"## {title}\n\n{text}" for title, text in parts.items())
    replace_text(out / "results.md", f"# How good {evaluation['weights']['file']} is\n\n{body}\n")
    _write_csv(out / "attributes.csv", _attribute_rows(evaluation))
    _write_csv(out / "groups.csv", _group_rows(evaluation))
    _write_csv(out / "gaps.csv", _gap_rows(evaluation))
    outcomes = evaluation["robustness"]["outcomes"] if evaluation["robustness"] else []
    _write_csv(out / "robustness.csv", map(_flat, outcomes))


def sections(evaluation: dict[str, Any]) -> dict[str, str]:
    """Write the Markdown of each section.

    Args:
        evaluation: The content of evaluation.json.

    Returns:
        The texts by their titles, in order; they link to plots in the same folder.
    """
    found = {
        "Summary": summary(evaluation),
        **({"Decisions": decisions(evaluation)} if evaluation.get("operating_points") else {}),
        "Every attribute": attributes(evaluation),
        "Calibration": calibration(evaluation),
        "For whom": groups(evaluation),
    }
    if evaluation["robustness"]:
        found["Robustness"] = robustness(evaluation)
    return found


def of_celeba(evaluation: dict[str, Any]) -> bool:
    """Whether the attributes are CelebA's 40, so that what is known of CelebA belongs into the report.

    Args:
        evaluation: The content of evaluation.json.
    """
    return {scores["attribute"] for scores in evaluation["attributes"]} == {*ATTRIBUTES}


# Sections


def summary(evaluation: dict[str, Any]) -> str:
    """Write the table of mean metrics, with their intervals.

    Args:
        evaluation: The content of evaluation.json.
    """
    lines = [
        f"On {evaluation['images']:,} images of the {evaluation['split']} split; means over the "
        f"{len(evaluation['attributes'])} attributes, in per cent, with 95 % bootstrap intervals "
        f"({evaluation['resamples']:,} samples, each of as many people, with all their images):",
        "",
        table(
            ("figure", "mean", "95 % interval"),
            [(TITLES[name], percent(evaluation[name]), _span(evaluation["intervals"][name])) for name in FIGURES],
        ),
        "",
        "Majority class: what always guessing the training split's more common answer would reach. Balanced accuracy: "
        "the mean of how many of those that have an attribute, and of those that have not, are read right; 50 is worth "
        "nothing.",
        *_unknown(evaluation),
    ]
    return "\n".join(lines)


def _unknown(evaluation: dict[str, Any]) -> list[str]:
    """A blank line and a sentence on unknown labels; empty if all are known.

    Evaluations from before labels could be unknown have no "known" entry; all their labels are known.
    """
    images = evaluation["images"]
    gaps = {row["attribute"]: images - row.get("known", images) for row in evaluation["attributes"]}
    if not any(gaps.values()):
        return []
    never = [name for name, count in gaps.items() if count == images]
    text = f"{sum(gaps.values()):,} of {images * len(gaps):,} labels are not known, and no figure counts them."
    return ["", text + (f" Not measured, for want of any label: {', '.join(never)}." if never else "")]


_POINT_NAMES = {"accuracy": "Fewest mistakes", "f1": "Balanced", "balanced": "Find all"}  # as on the page: tested


def decisions(evaluation: dict[str, Any]) -> str:
    """Write the table of the operating points.

    Args:
        evaluation: The content of evaluation.json.
    """
    points = {row["point"]: row for row in evaluation.get("operating_points", ())}
    if not points:
        return "These weights have no operating points: a box is ticked above a probability of 0.5."
    rows = [
        (f"{title} (`{name}`)", *(with_span(points[name], figure) for figure in TICKED),
         *(percent(points[name][figure]) for figure in ("precision", "recall")), with_span(points[name], "f1"),
         percent(points[name]["answered"]), percent(points[name]["right"]))
        for name, title in _POINT_NAMES.items()
    ]  # fmt: skip
    figures = (*TICKED, "precision", "recall", "f1")
    return "\n".join(
        [
            f"On {evaluation['images']:,} images of the {evaluation['split']} split, in per cent, with 95 % "
            "bootstrap intervals in brackets; thresholds were fitted on the validation split, and bands there and on "
            "the sets given to `training.calibrate --outside`, if any:",
            "",
            table(("operating point", *(TITLES[name] for name in figures), "answered", "right where answered"), rows),
            "",
            "Accuracy to F1 are means over the attributes of the ticks above each point's thresholds, a box that is "
            "not ticked counting as no. The last two columns are of all boxes: the share that is answered yes or no "
            "rather than not sure, and how much of that is right.",
        ]
    )


def attributes(evaluation: dict[str, Any]) -> str:
    """Write the table of every attribute's metrics, with the weakest attributes below it.

    Args:
        evaluation: The content of evaluation.json.
    """
    rows = [
        (
            scores["attribute"],
            with_span(scores, "accuracy"),
            percent(scores["majority_accuracy"]),
            with_span(scores, "balanced_accuracy"),
            *(percent(scores[name]) for name in ("precision", "recall", "f1", "average_precision", "roc_auc")),
            percent(scores["positive_share"]),
        )
        for scores in evaluation["attributes"]
    ]
    header = ("attribute", "accuracy", "majority class", "balanced accuracy", "precision", "recall", "F1",
              "average precision", "ROC area", "share of positives")  # fmt: skip
    return "\n".join(
        [
            "In per cent; 95 % intervals in brackets, those of the other columns in [attributes.csv](attributes.csv).",
            "",
            "![Accuracy and balanced accuracy of every attribute](attributes.png)",
            "",
            table(header, rows),
            "",
            weakest(evaluation),
        ]
    )


def weakest(evaluation: dict[str, Any]) -> str:
    """Name the attributes that are not clearly better than the majority class, or than tossing a coin.

    Args:
        evaluation: The content of evaluation.json.
    """

    def not_above(name: str, least: float) -> list[str]:
        measured = [scores for scores in evaluation["attributes"] if scores.get("known") != 0]
        spans = [(scores["attribute"], scores["intervals"][name]) for scores in measured]
        return [attribute for attribute, ends in spans if ends is not None and ends[0] <= least]

    rare, blind = not_above("above_majority", 0), not_above("balanced_accuracy", 0.5)
    undefined = [
        each["attribute"] for each in evaluation["attributes"] if each["intervals"]["balanced_accuracy"] is None
    ]
    return (
        f"Accuracy not above the majority class by more than chance, as is common for rare attributes: "
        f"{', '.join(rare) or 'none'}. Balanced accuracy not above 50 by more than chance, so that ticks mean nothing: "
        f"{', '.join(blind) or 'none'}." + f" Not measured: {', '.join(undefined)}." * bool(undefined)
    )


def calibration(evaluation: dict[str, Any]) -> str:
    """Write the table of calibration error and log loss, and how temperatures change the latter.

    Args:
        evaluation: The content of evaluation.json.
    """
    loss = evaluation["log_loss"]
    low, high = loss["interval"]
    effect = "lower" if high < 0 else "raise" if low > 0 else "do not clearly change"
    served = [("before", "network alone"), ("served", "with temperatures, as served")]
    text = (
        " Temperatures were fitted on the validation split, its answers weighted so that each attribute is as "
        f"frequent as in training; on the {evaluation['split']} split they {effect} the log loss "
        f"({loss['change']:+.4f}; 95 %: {low:+.4f} to {high:+.4f})."
    )
    if evaluation["before"] == evaluation["served"]:
        served, text = [("served", "network alone, as served")], " No temperatures are applied."
    rows = []
    for key, name in served:
        each = [error for error in evaluation[key]["attribute_errors"] if error is not None]
        rows.append((name, percent(evaluation[key]["error"]), percent(sum(each) / len(each)), f"{loss[key]:.4f}"))
    return "\n".join(
        [
            "Expected calibration error in points: how far, on average, a probability is from the share of pictures "
            f"that then have the attribute (15 bins of equal width).{text}",
            "",
            table(("probabilities", "error, all attributes pooled", "error, each alone, averaged", "log loss"), rows),
            "",
            "![Reliability diagrams](reliability.png)",
        ]
    )


def groups(evaluation: dict[str, Any]) -> str:
    """Write the tables of every division into groups.

    Args:
        evaluation: The content of evaluation.json.
    """
    ethnicity = (
        "CelebA has no label of ethnicity, so nothing can be said on it here; Pale_Skin is no substitute. "
        if of_celeba(evaluation)
        else ""
    )
    texts = [
        f"Groups are made by the data's own labels, which are annotators' impressions. {ethnicity}A gap is that of the "
        "two groups that lie farthest apart. The widest gaps are listed: because they are the widest, part of each is "
        "chance, and its interval lies too high.",
        *(_division(found) for found in evaluation["divisions"]),
    ]
    return "\n\n".join(texts)


def _division(found: dict[str, Any]) -> str:
    """One division: its groups' mean metrics, then the widest gaps."""
    others = [name for name in FIGURES if name not in TICKED]
    rows = [
        (group["name"], f"{group['images']:,}", *(with_span(group["mean"], name) for name in TICKED),
         *(percent(group["mean"][name]) for name in others))
        for group in found["groups"]
    ]  # fmt: skip
    means = [gap for gap in found["gaps"] if gap["attribute"] is None]
    single = [gap for gap in found["gaps"] if gap["attribute"] and gap["figure"] == "balanced_accuracy"]
    widest = sorted(single, key=lambda gap: -gap["difference"])[:5]
    text = [
        f"### By {' × '.join(found['by'])}",
        "",
        f"Means over the {len(found['compared'])} attributes that at least {found['least']} pictures of every group "
        f"show and at least {found['least']} do not ({', '.join(found['compared'])}). All attributes are "
        "in [groups.csv](groups.csv), all gaps in [gaps.csv](gaps.csv).",
        "",
        table(("group", "images", *(TITLES[name] for name in (*TICKED, *others))), rows),
        "",
        "The widest gap of each figure, in points:",
        "",
        table(
            ("figure", *_GAP_HEADER),
            [_gap_row(gap, TITLES[gap["figure"]]) for gap in means],
        ),
    ]
    if widest:
        text += ["", "The widest gaps in a single attribute's balanced accuracy, in points:", ""]
        text.append(table(("attribute", *_GAP_HEADER), [_gap_row(gap, gap["attribute"]) for gap in widest]))
    return "\n".join(text)


def robustness(evaluation: dict[str, Any]) -> str:
    """Write the table of accuracy under each damage; robustness must have been measured.

    Args:
        evaluation: The content of evaluation.json.
    """
    found = evaluation["robustness"]
    rows = [
        (f"{row['kind']}, {row['unit']}", f"{row['strength']:g}",
         *(percent(row[name]) for name in (*TICKED, "loss")), _span(row["interval"]))
        for row in found["outcomes"]
    ]  # fmt: skip
    return "\n".join(
        [
            f"Means over the attributes on {found['images']:,} images, spread over the whole split, after damage to "
            f"the aligned crop; undamaged, their accuracy is {percent(found['undamaged'])}.",
            "",
            "![Accuracy against the strength of each damage](robustness.png)",
            "",
            table(("damage", "strength", "accuracy", "balanced accuracy", "points lost", "95 % interval"), rows),
            "",
            f"Averaging each logit with that of the mirrored crop would give {percent(found['mirrored'])} instead of "
            f"{percent(found['undamaged'])} on these images, at twice the computing; it is not done.",
        ]
    )


# Rows of the CSV files: metrics from 0 to 1


def _attribute_rows(evaluation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One row per attribute, then one for the mean."""
    for scores in [*evaluation["attributes"], {**evaluation, "attribute": "mean"}]:
        yield {"attribute": scores["attribute"], **_flat_scores(scores)}


def _group_rows(evaluation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """For each group, one row per attribute, then one for the mean over the compared attributes."""
    for found in evaluation["divisions"]:
        for group in found["groups"]:
            place = {"division": " x ".join(found["by"]), "group": group["name"], "images": group["images"]}
            for scores in [*group["attributes"], {**group["mean"], "attribute": "mean over compared"}]:
                yield {**place, "attribute": scores["attribute"], **_flat_scores(scores)}


def _gap_rows(evaluation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One row per gap of every division."""
    for found in evaluation["divisions"]:
        for gap in found["gaps"]:
            yield {
                "division": " x ".join(found["by"]),
                **_flat(gap),
                "attribute": gap["attribute"] or "mean over compared",
            }


def _flat_scores(scores: dict[str, Any]) -> dict[str, Any]:
    """Each metric with the ends of its interval, as columns."""
    row: dict[str, float | None] = {}
    for name in FIGURES:
        low, high = scores["intervals"][name] or (None, None)
        row |= {name: scores[name], f"{name}_low": low, f"{name}_high": high}
    return row


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """The row with its interval as two columns, low and high."""
    low, high = row["interval"] or (None, None)
    return {**{name: value for name, value in row.items() if name != "interval"}, "low": low, "high": high}


def _write_csv(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write a CSV file whose columns are those of the first row; without rows an earlier file is removed."""
    rows = list(rows)
    if not rows:
        path.unlink(missing_ok=True)
        return
    with replacement(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


# Cells


def percent(share: float | None) -> str:
    """Format a share as per cent with two decimals, or a dash for None or nan.

    Args:
        share: From 0 to 1, or a difference of shares, which may be negative.
    """
    return "–" if share is None or math.isnan(share) else f"{round(100 * share, 2) + 0.0:.2f}"  # + 0.0: no -0.00


def _span(interval: Sequence[float] | None) -> str:
    """Format an interval of shares as per cent, or a dash for None."""
    return "–" if interval is None else f"{100 * interval[0]:.2f} to {100 * interval[1]:.2f}"


def with_span(scores: dict[str, Any], name: str) -> str:
    """Format a metric as per cent, with its interval in brackets if there is one.

    Args:
        scores: Scores with their intervals, as in evaluation.json.
        name: The metric.
    """
    interval = scores["intervals"][name]
    return percent(scores[name]) + (f" ({100 * interval[0]:.1f}–{100 * interval[1]:.1f})" if interval else "")


def _gap_row(gap: dict[str, Any], title: str) -> tuple[str, ...]:
    """The cells of a gap, after a title."""
    return title, gap["higher"], gap["lower"], percent(gap["difference"]), _span(gap["interval"])


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Format a Markdown table.

    Args:
        header: The columns' titles.
        rows: The cells of each row, in Markdown; a bar in them does not end the cell.
    """
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)
