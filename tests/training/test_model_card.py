import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slimnet import ATTRIBUTES
from training import model_card
from training.evaluate import FullEvaluation
from training.measure import bootstrap, calibration_error, scores, subgroups
from training.measure.robustness import Outcome, Robustness

CARD = """---
license: other
# evaluation: model-index
model-index: of long ago
# /evaluation
---

By hand.

<!-- evaluation: attributes -->
old
<!-- /evaluation -->

Also by hand: [a link](elsewhere.md).

<!-- evaluation: robustness -->
<!-- /evaluation -->
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An evaluation of 60 pictures, as training.evaluate writes it."""
    rng = np.random.default_rng(0)
    labels = rng.random((60, 2)) < 0.5
    probabilities = labels * 0.4 + rng.random((60, 2)) * 0.6
    answers = subgroups.Answers(("Male", "Bald"), labels, probabilities, labels[0], np.ones(labels.shape, bool))
    draws = bootstrap.draw(np.arange(60), 20)
    values, samples = answers.figures(), answers.resampled(draws)
    diagram = calibration_error.diagram(labels, answers.known, answers.probabilities)
    found = FullEvaluation(
        **vars(scores.mean_scores(values, samples)),
        split="test", images=60, resamples=20,
        attributes=scores.attribute_scores(answers.names, answers.known, values, samples),
        weights={"file": "w.safetensors", "sha256": "0"}, before=diagram, served=diagram,
        log_loss=calibration_error.LogLoss(0.2, 0.21, 0.01, (-0.01, 0.03)),
        divisions=(subgroups.divide(answers, ("Male",), draws),),
        robustness=Robustness(60, 0.9, 0.91, (Outcome("blur", "pixels", 2, 0.8, 0.7, 0.1, (0.05, 0.15)),)),
    )  # fmt: skip
    (tmp_path / "evaluation").mkdir()
    (tmp_path / "evaluation" / "evaluation.json").write_text(json.dumps(found, default=vars))
    return tmp_path / "evaluation"


def run(*arguments: object) -> int:
    return model_card.main([str(argument) for argument in arguments])


def test_only_marked_parts_are_written_anew(tmp_path: Path, folder: Path) -> None:
    card = tmp_path / "README.md"
    card.write_text(CARD)
    assert run(card, "--evaluation", folder) == 0
    once = card.read_text()
    evaluation = json.loads((folder / "evaluation.json").read_text())
    assert f"value: {100 * evaluation['accuracy']:.2f}\n" in once
    assert "| Bald |" in once
    assert "| blur, pixels | 2 | 80.00 | 70.00 | 10.00 | 5.00 to 15.00 |" in once
    assert "](evaluation/attributes.png)" in once
    assert "Also by hand: [a link](elsewhere.md)." in once
    assert "old" not in once
    assert "long ago" not in once
    assert run(card, "--evaluation", folder) == 0
    assert card.read_text() == once


def test_links_lead_from_the_document_to_the_evaluation(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "docs").mkdir()
    document = tmp_path / "docs" / "results.md"
    document.write_text("<!-- evaluation: headline -->\n<!-- /evaluation -->\n")
    assert run(document, "--evaluation", folder) == 0
    assert "](../evaluation/attributes.png)" in document.read_text()


def test_only_what_is_of_celebas_attributes_is_told_of_celeba(tmp_path: Path, folder: Path) -> None:
    document = tmp_path / "results.md"
    parts = ("headline", "summary", "decisions", "groups")
    marks = "".join(f"<!-- evaluation: {part} -->\n<!-- /evaluation -->\n" for part in parts)
    document.write_text(f"# evaluation: model-index\n# /evaluation\n{marks}")
    assert run(document, "--evaluation", folder) == 0
    own = document.read_text()
    assert "type: custom" in own
    assert "CelebA" not in own
    assert "the paper" not in own

    evaluation = json.loads((folder / "evaluation.json").read_text())
    evaluation["attributes"] = [evaluation["attributes"][0] | {"attribute": name} for name in ATTRIBUTES]
    (folder / "evaluation.json").write_text(json.dumps(evaluation))
    assert run(document, "--evaluation", folder) == 0
    of_celeba = document.read_text()
    assert "type: celeba" in of_celeba
    assert "| the paper | all 19,962 | 91.24 |" in of_celeba
    assert "CelebA has no label of ethnicity" in of_celeba


def calibrated(pays: bool = True) -> dict[str, Any]:
    """What training.calibrate --json writes for weights without decisions."""
    gain = {"gain": 0.001, "low": 0.0005, "high": 0.0015}
    temperatures = {"fitted": [0.9, 1.2], "error_before": 0.02, "error_after": 0.01, "used": pays}
    thresholds = {"logits": [0, 0.5], "folded": pays}
    return {
        "images": 3000, "attributes": ["Male", "Bald"],
        "thresholds": thresholds | gain, "temperatures": temperatures | gain,
        "weights": {"file": "w.safetensors", "sha256": "0"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("part", "pays", "words"),
    [("thresholds", True, "folded into the last bias for Bald"), ("thresholds", False, "tried and left"),
     ("temperatures", True, "from 0.90 to 1.20 are applied"), ("temperatures", False, "tried and left")],
)  # fmt: skip
def test_what_was_tried_is_told_as_calibration_found_it(
    tmp_path: Path, folder: Path, part: str, pays: bool, words: str
) -> None:
    (folder / "calibration.json").write_text(json.dumps(calibrated(pays)))
    document = tmp_path / "results.md"
    document.write_text(f"<!-- evaluation: {part} -->\n<!-- /evaluation -->\n")
    assert run(document, "--evaluation", folder) == 0
    assert words in document.read_text()
    change = {"thresholds": "+0.100 points (95 %: +0.050 to +0.150)",
              "temperatures": "-0.0010 (95 %: -0.0015 to -0.0005) and the error"}  # fmt: skip
    assert change[part] in document.read_text()


def test_how_reliable_ticks_alone_are_is_told_and_what_is_never_ticked(tmp_path: Path, folder: Path) -> None:
    sure = {"right": [0.985, 0.99], "answered": [0.7, 0.8], "precision": [0.85, 0], "recall": [0.5, 0]}
    held_out = {"balanced": {"balanced_accuracy": 0.9}, "f1": {"f1": 0.8}}
    bands = {"unsure": [[0, 0.7], [0.2, 1]]}
    found = calibrated() | {
        "decisions": {"sure": sure, **bands, "held_out": held_out, "answered": 0.75, "right": 0.987}
    }
    (folder / "calibration.json").write_text(json.dumps(found))
    document = tmp_path / "results.md"
    document.write_text("<!-- evaluation: held-out -->\n<!-- /evaluation -->\n")
    assert run(document, "--evaluation", folder) == 0
    text = document.read_text()
    assert "for each attribute at least 98 are right, and single attributes" in text
    assert "(the least: 98.50)" in text
    assert "each on their own, at least 80 (the least of the ticks: 85.00)" in text
    assert "Never answered at the point of the fewest mistakes: none. Never ticked there: Bald. " in text
    assert text.split("Never left empty there: ")[1].startswith("Male.")


@pytest.mark.parametrize(
    ("text", "message"),
    [("nothing", "has no marks"), ("<!-- evaluation: weather -->\n<!-- /evaluation -->\n", "asks for weather"),
     ("<!-- evaluation: thresholds -->\n<!-- /evaluation -->\n", "asks for thresholds"),
     ("<!-- evaluation: summary -->\n\n<!-- evaluation: groups -->\n<!-- /evaluation -->\n", "end mark of summary")],
)  # fmt: skip
def test_a_document_that_cannot_be_filled_is_left_as_it_is(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    document = tmp_path / "results.md"
    document.write_text(text)
    assert run(document, "--evaluation", folder) == 1
    assert message in capsys.readouterr().err
    assert document.read_text() == text


def test_what_is_no_full_evaluation_is_named(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "evaluation.json").write_text("{}")
    document = tmp_path / "results.md"
    document.write_text(CARD)
    assert run(document, "--evaluation", folder) == 1
    assert "training.evaluate --out" in capsys.readouterr().err
    assert document.read_text() == CARD


def outside_of(folder: Path, sha256: str) -> None:
    """Figures on other people, as training.evaluate --outside writes them for weights with this fingerprint."""
    part = {"group": "Black", "gender": "female", "age": None, "images": 200, "right": 0.42, "interval": [0.36, 0.48],
            "answered": 0.5, "right_answers": 0.625}  # fmt: skip
    everybody = {**part, "group": None, "gender": None, "right": 0.79, "interval": [0.77, 0.81]}
    young = {**part, "group": None, "gender": None, "age": "0-2", "right": 0.54, "interval": [0.47, 0.61],
             "answered": 0, "right_answers": None}  # fmt: skip
    male = {"attribute": "Male", "everybody": everybody, "adults": everybody, "groups": [part], "ages": [young],
            "unlabelled": ["30-39"], "worst": part}  # fmt: skip
    others = [{"name": "others", "split": "test", "images": 1234, "attributes": [male]}]
    (folder / "outside.json").write_text(json.dumps({"weights": {"sha256": sha256}, "sets": others}))


def test_whom_it_fails_is_told_where_it_was_measured(tmp_path: Path, folder: Path) -> None:
    document = tmp_path / "results.md"
    document.write_text("<!-- evaluation: outside -->\n<!-- /evaluation -->\n")
    outside_of(folder, "0")
    assert run(document, "--evaluation", folder) == 0
    text = document.read_text()
    assert "### Male on others, 1,234 pictures of its test split" in text
    assert "Least often right for Black women: 42.0 (36.0–48.0) of 200." in text
    assert "fewest mistakes 50.00 % of these adults get an answer, which is right for 62.50 % of them." in text
    assert "No labels, and so no figures, for ages 30-39." in text
    assert "| Black | 42.0 (36.0–48.0) of 200 | – |" in text
    assert "| Black | 62.5 right, 50 answered | – |" in text
    assert "| 0-2 | – | – | – |" in text
    assert "| 0-2 | 54.0 (47.0–61.0) of 200 | – | – |" in text


def maps_of(folder: Path, sha256: str) -> None:
    """How well maps do, as training.explain writes it for weights with this fingerprint."""
    ratios = {name: {"mean": mean, "interval": [mean - 0.2, mean + 0.3]} for name, mean in
              (("fine", 1.4), ("coarse", 0.5), ("grad_cam", 1.6), ("shuffled", 1.0))}  # fmt: skip
    orders = {"fine": 0.25, "grad_cam": 0.375, "random": 0.5}
    bald = {"attribute": "Bald", "area": 0.125, "faces": 12, **ratios, "deletion": orders, "insertion": orders,
            "elsewhere": True}  # fmt: skip
    found = {"weights": {"sha256": sha256}, "split": "valid", "resamples": 20, "changed_faces": 3, "attributes": [bald]}
    (folder / "maps.json").write_text(json.dumps(found))


def test_where_it_looks_is_told_where_it_was_measured(tmp_path: Path, folder: Path) -> None:
    document = tmp_path / "results.md"
    document.write_text("<!-- evaluation: maps -->\n<!-- /evaluation -->\n")
    maps_of(folder, "0")
    assert run(document, "--evaluation", folder) == 0
    text = document.read_text()
    assert "Often looks elsewhere (below 1.5): Bald." in text
    ratios = "1.40 (1.20–1.70) | 0.50 (0.30–0.80) | 1.60 (1.40–1.90) | 1.00 (0.80–1.30)"
    assert f"| Bald | 12 | 12.50 % | {ratios} |" in text
    assert "How many of 1 attributes reach 1.5: 0 by fine maps, 0 by coarse maps, 1 by Grad-CAM, 0 by" in text
    assert "| in Grad-CAM's order | 0.375 | 0.375 |" in text


def calibration_of(folder: Path, sha256: str) -> None:
    (folder / "calibration.json").write_text(json.dumps({"weights": {"sha256": sha256}}))


@pytest.mark.parametrize(
    ("figures_of", "name"),
    [(calibration_of, "calibration.json"), (outside_of, "outside.json"), (maps_of, "maps.json")],
)
def test_figures_of_other_weights_are_refused(
    figures_of: Callable[[Path, str], None], name: str, tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = tmp_path / "results.md"
    document.write_text(CARD)
    figures_of(folder, "1")
    assert run(document, "--evaluation", folder) == 1
    assert f"{name} is of other weights" in capsys.readouterr().err
    assert document.read_text() == CARD
