"""Write an evaluation's results into documents: `python -m training.model_card assets/README.md README.md`.

In a document, marks surround the parts that are generated: `<!-- evaluation: PART -->` to `<!-- /evaluation -->`, and
in YAML `# evaluation: PART` to `# /evaluation`. What is between them is replaced; everything else is written by hand.
"""

import argparse
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from slimnet.files.atomic import replace_text
from training.fit.arguments import given_path
from training.measure.decisions import RIGHT, RIGHT_OF_EACH_KIND
from training.measure.metrics import NETWORK_FIGURES
from training.report import tables as report
from training.report.maps import where_it_looks
from training.report.outside import who_it_fails

_BEGIN = re.compile(r"^(?:<!--|#) evaluation: (?P<part>[\w-]+)(?: -->)?\n", re.MULTILINE)
_MARKED = re.compile(
    rf"(?P<begin>{_BEGIN.pattern})(?P<body>.*?)(?P<end>^(?:<!--|#) /evaluation)",
    re.MULTILINE | re.DOTALL,
)


class DocumentError(ValueError):
    """A document or an evaluation can't be used; the message says which and why."""


def _parts(
    evaluation: dict[str, Any],
    calibration: dict[str, Any] | None,
    outside: dict[str, Any] | None,
    maps: dict[str, Any] | None,
) -> dict[str, str]:
    """Write every part that a document may ask for, by its name.

    Args:
        evaluation: From training.evaluate --out.
        calibration: From training.calibrate --json.
        outside: From training.evaluate --outside.
        maps: From training.explain.

    Raises:
        DocumentError: They belong to different weights.
    """
    for name, report_of, command in (
        ("calibration.json", calibration, "training.calibrate --json"),
        ("outside.json", outside, "training.evaluate --outside"),
        ("maps.json", maps, "training.explain"),
    ):
        if report_of and report_of["weights"]["sha256"] != evaluation["weights"]["sha256"]:
            raise DocumentError(f"{name} is of other weights: make it again by {command}")
    found = {
        "model-index": _model_index(evaluation),
        "headline": _headline(evaluation),
        "summary": report.summary(evaluation),
        "decisions": report.decisions(evaluation),
        "attributes": report.attributes(evaluation),
        "calibration": report.calibration(evaluation),
        "groups": report.groups(evaluation),
    }
    if calibration:
        found["thresholds"] = _thresholds(calibration)
        found["temperatures"] = _temperatures(calibration)
        found["held-out"] = _held_out(calibration)
    if outside:
        found["outside"] = who_it_fails(outside)
    if maps:
        found["maps"] = where_it_looks(maps)
    if evaluation["robustness"]:
        found["robustness"] = report.robustness(evaluation)
    return found


def _model_index(evaluation: dict[str, Any]) -> str:
    """Write the results as Hugging Face's model index, in YAML; figures in per cent."""
    celeba = report.of_celeba(evaluation)
    results = [
        EvalResult(
            task_type="image-classification",
            task_name="Face attributes",
            dataset_type="celeba" if celeba else "custom",
            dataset_name=f"{'CelebA, ' if celeba else ''}{evaluation['images']:,} images",
            dataset_split=evaluation["split"],
            metric_type=name,
            metric_name=f"{report.TITLES[name]}, mean over {len(evaluation['attributes'])} attributes",
            metric_value=round(100 * evaluation[name], 2),
        )
        for name in NETWORK_FIGURES
        if evaluation[name] is not None
    ]
    return ModelCardData(model_name="SlimNet", eval_results=results).to_yaml()


def _headline(evaluation: dict[str, Any]) -> str:
    """Write a few lines for a README: our figures, beside those that others report of CelebA's attributes."""
    images = f"{evaluation['images']:,}"
    rows = [
        ("**this repository**", images, *(f"**{report.with_span(evaluation, n)}**" for n in report.TICKED[:2])),
        ("always guessing the more common answer", f"the same {images}",
         report.percent(evaluation["majority_accuracy"]), "50.00"),
    ]  # fmt: skip
    compared = []
    if report.of_celeba(evaluation):
        rows += [("original PyTorch code", "all 19,962", "89.85", ""), ("the paper", "all 19,962", "91.24", "")]
        compared = [
            "The last two rows are what others state, on the whole official test split, so they compare only roughly.",
            "",
        ]
    return "\n".join(
        [
            f"Mean over the {len(evaluation['attributes'])} attributes, in per cent, with 95 % bootstrap intervals:",
            "",
            report.table(("", f"images of the {evaluation['split']} split", "accuracy", "balanced accuracy"), rows),
            "",
            *compared,
            "![Accuracy and balanced accuracy of every attribute](attributes.png)",
        ]
    )


def _thresholds(calibration: dict[str, Any]) -> str:
    """Say what became of the thresholds that training.calibrate tried."""
    found = calibration["thresholds"]
    moved = [name for name, logit in zip(calibration["attributes"], found["logits"], strict=True) if logit]
    judged = (
        f"on halves of the {calibration['images']:,} validation images, of people it was not fitted on, it changed "
        f"accuracy by {100 * found['gain']:+.3f} points (95 %: {100 * found['low']:+.3f} to {100 * found['high']:+.3f})"
    )
    if found["folded"]:
        return f"Another threshold than 0 was folded into the last bias for {', '.join(moved)}: {judged}."
    return f"Every attribute is decided at logit 0. Choosing other thresholds was tried and left: {judged}."


def _temperatures(calibration: dict[str, Any]) -> str:
    """Say what became of the temperatures that training.calibrate tried."""
    found = calibration["temperatures"]
    return (
        f"Temperatures from {min(found['fitted']):.2f} to {max(found['fitted']):.2f} "
        f"{'are applied' if found['used'] else 'were tried and left'}: on the {calibration['images']:,} validation "
        "images, each time of people they were not fitted on, they changed the log loss by "
        f"{-found['gain']:+.4f} (95 %: {-found['high']:+.4f} to {-found['low']:+.4f}) and the error, each attribute "
        f"alone, averaged, from {100 * found['error_before']:.2f} to {100 * found['error_after']:.2f}. They are "
        "applied where the log loss clearly falls."
    )


def _held_out(calibration: dict[str, Any]) -> str:
    """Say how good the decisions are on held-out folds of the validation split."""
    if "decisions" not in calibration:
        return "Operating points and bands were not measured."
    found = calibration["decisions"]
    right = found["sure"]["right"]
    never = [name for name, share in zip(calibration["attributes"], right, strict=True) if share == 0]
    ticks = [value for value, share in zip(found["sure"]["precision"], found["sure"]["recall"], strict=True) if share]
    never_empty, never_ticked = (
        [
            name
            for name, band in zip(calibration["attributes"], found["unsure"], strict=True)
            if band[end] == at and name not in never
        ]
        for end, at in ((0, 0), (1, 1))
    )
    return (
        f"On five folds of the {calibration['images']:,} validation images, each time of people that thresholds and "
        f"bands were not fitted on, balanced accuracy is "
        f"{report.percent(found['held_out']['balanced']['balanced_accuracy'])} at its point and F1 "
        f"{report.percent(found['held_out']['f1']['f1'])} at its own. Outside the bands "
        f"{report.percent(found['answered'])} of all boxes are answered and {report.percent(found['right'])} of the "
        f"answers are right. The bands' margins were chosen by these figures, so that for each attribute at least "
        f"{100 * RIGHT:g} are right, and single attributes may do a little worse on other people (the "
        f"least: {report.percent(min(filter(None, right), default=None))}), and of its ticks and of its empty boxes, "
        f"each on their own, at least {100 * RIGHT_OF_EACH_KIND:g} (the least of the ticks: "
        f"{report.percent(min(ticks, default=None))}). Never answered at the point of the fewest mistakes: "
        f"{', '.join(never) or 'none'}. Never ticked there: {', '.join(never_ticked) or 'none'}. Never left empty "
        f"there: {', '.join(never_empty) or 'none'}." + "".join(map(_other_people, calibration.get("other_people", ())))
    )


def _other_people(found: dict[str, Any]) -> str:
    """Say how an attribute's band was widened for other people."""
    low, high = found["band"]
    return (
        f" *{found['attribute'].replace('_', ' ')}* is not sure from {low:.2f} to {high:.2f} at least: of "
        f"{found['images']:,} held-out faces of {found['folder']} {report.percent(found['accuracy'])} are right, but "
        f"outside that band, on people that it was not fitted on, {report.percent(found['right'])} of the "
        f"{report.percent(found['answered'])} that are answered."
    )


def _fill(document: Path, made: Mapping[str, str], folder: Path) -> str:
    """Replace the marked parts in a document's text; relative links are changed to point into the evaluation's folder.

    Raises:
        DocumentError: The document has no marks, an end mark is missing, or it asks for a part that doesn't exist.
    """
    text = document.read_text(encoding="utf-8")
    open_mark = next((match["part"] for match in _MARKED.finditer(text) if _BEGIN.search(match["body"])), None)
    if open_mark:
        raise DocumentError(f"{document}: the end mark of {open_mark} is missing")
    wanted = [match["part"] for match in _MARKED.finditer(text)]
    if not wanted:
        raise DocumentError(f"{document} has no marks such as <!-- evaluation: summary --> … <!-- /evaluation -->")
    unknown = [part for part in wanted if part not in made]
    if unknown:
        raise DocumentError(f"{document} asks for {', '.join(unknown)}; this evaluation has {', '.join(made)}")
    place = Path(os.path.relpath(folder, document.parent)).as_posix()

    def replace(match: re.Match[str]) -> str:
        body = re.sub(r"\]\((?!\w+:)", f"]({place}/", made[match["part"]])
        around = "" if match["begin"].startswith("#") else "\n"  # Markdown needs empty lines beside comments
        return f"{match['begin']}{around}{body}\n{around}{match['end']}"

    return _MARKED.sub(replace, text)


def _read_if_there(path: Path) -> dict[str, Any] | None:
    """Read a JSON file; None if there is none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: Without the program's name; None for the program's own.

    Returns:
        The exit status: 0, or 1 if something went wrong.
    """
    parser = argparse.ArgumentParser("python -m training.model_card", description="Bring results into documents.")
    parser.add_argument(
        "documents",
        nargs="*",
        type=given_path,
        default=[Path("assets/README.md")],
        help="to be changed (default: assets/README.md)",
    )
    parser.add_argument(
        "--evaluation",
        type=given_path,
        default=Path("assets/evaluation"),
        help="folder of training.evaluate (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    try:
        evaluation = json.loads((options.evaluation / "evaluation.json").read_text(encoding="utf-8"))
        others = (
            _read_if_there(options.evaluation / name) for name in ("calibration.json", "outside.json", "maps.json")
        )
        made = _parts(evaluation, *others)
        texts = {document: _fill(document, made, options.evaluation) for document in options.documents}
        for document, text in texts.items():
            replace_text(document, text)
    except KeyError as error:
        print(
            f"training.model_card: {options.evaluation} lacks {error}: make it again by training.evaluate --out and "
            "training.calibrate --json",
            file=sys.stderr,
        )
        return 1
    except (OSError, ValueError) as error:
        print(f"training.model_card: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
