import hashlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from demo.paths import WEIGHTS
from demo.server.content.about import EVALUATION, about, counted, labels
from slimnet import ATTRIBUTES, Calibration, Reliability, SlimNet
from tests.fakes.decided import decided

SHIPPED, OTHER = hashlib.sha256(WEIGHTS.read_bytes()).hexdigest(), "5" * 64  # of weights


def pipeline(
    sha256: str, *attributes: str, shares: tuple[float, ...] | None = None, calibration: Calibration | None = None
) -> Any:
    """A stand-in for a pipeline, whose weights carry these balanced accuracies, or none."""
    reliability = None if shares is None else tuple(Reliability(share, 0, 1) for share in shares)
    predictor = SimpleNamespace(sha256=sha256, calibration=calibration)
    return SimpleNamespace(predictor=predictor, attributes=attributes, reliability=reliability)


def test_it_tells_the_figures_of_the_evaluation(tmp_path: Path) -> None:
    names = ["Bald", "Bangs", "Big_Nose", "Young", "5_o_Clock_Shadow", "Goatee", "Male", "Chubby", "<b>"]
    figures = {
        "split": "test",
        "images": 12345,
        "accuracy": 0.9123,
        "majority_accuracy": 0.8,
        "balanced_accuracy": 0.7651,
        "attributes": [{"attribute": name, "balanced_accuracy": 0.1 + place / 10} for place, name in enumerate(names)],
        "weights": {"sha256": OTHER},
    }
    path = tmp_path / "evaluation.json"
    path.write_text(json.dumps(figures))
    told = about(pipeline(OTHER, *names, shares=(0.5,) * 9), path)
    assert all(figure in told for figure in ("91.2", "80.0", "76.5", "12,345", "9 attributes"))
    assert (
        "Most reliable: &lt;b&gt; (90&thinsp;%), Chubby (80&thinsp;%), Male (70&thinsp;%), Goatee (60&thinsp;%)."
        in told
    )
    assert "Least reliable: Bald (10&thinsp;%), Bangs (20&thinsp;%)" in told


def test_an_attribute_that_could_not_be_measured_is_left_out(tmp_path: Path) -> None:
    rows = [{"attribute": name, "balanced_accuracy": share} for name, share in (("Bald", None), ("Bangs", 0.9))]
    figures = {"split": "test", "images": 9, "accuracy": 0.9, "majority_accuracy": 0.8, "balanced_accuracy": 0.9}
    path = tmp_path / "evaluation.json"
    path.write_text(json.dumps(figures | {"attributes": rows, "weights": {"sha256": OTHER}}))
    told = about(pipeline(OTHER, "Bald", "Bangs", shares=(0.5,) * 2), path)
    assert "Bangs (90&thinsp;%)" in told
    assert "Bald (" not in told


def test_the_shipped_evaluation_is_told_of_the_shipped_weights() -> None:
    accuracy = json.loads(EVALUATION.read_text())["accuracy"]
    told = about(pipeline(SHIPPED, *ATTRIBUTES, shares=(0.9,) * 40))
    assert f"{100 * accuracy:.1f}" in told
    assert "CelebA's terms" in told


def test_whom_it_fails_outside_celeba_is_told_where_it_was_measured(tmp_path: Path) -> None:
    part = {"group": "Black", "gender": "female", "images": 231, "right": 0.429, "interval": [0.366, 0.493]}
    male = {"attribute": "Male", "adults": part | {"group": None, "images": 3710, "right": 0.806}, "worst": part}
    mine = {"sha256": OTHER}
    path = tmp_path / "outside.json"
    for fingerprint, there in ((mine, True), ({"sha256": "other"}, False)):
        path.write_text(json.dumps({"weights": fingerprint, "sets": [{"name": "FairFace", "attributes": [male]}]}))
        told = " ".join(about(pipeline(OTHER, *ATTRIBUTES), outside=path).split())
        assert ("FairFace’s photos of 3,710 adults" in told) is there
        assert (
            "is right for 81&thinsp;%, but for only 43&thinsp;% of Black women (95&thinsp;% interval: 37 to 49)" in told
        ) is there
        assert ("how errors differ by ethnicity is not known" in told) is not there


def test_how_many_adults_outside_celeba_get_an_answer_is_told_where_it_was_measured(tmp_path: Path) -> None:
    part = {"group": "Black", "gender": "female", "images": 231, "right": 0.429, "interval": [0.366, 0.493]}
    adults = part | {"group": None, "answered": 0.664, "right_answers": 0.975}
    male = {"attribute": "Male", "adults": adults, "worst": part}
    figures = {"weights": {"sha256": OTHER}, "sets": [{"name": "FairFace", "attributes": [male]}]}
    path = tmp_path / "outside.json"
    path.write_text(json.dumps(figures))
    told = " ".join(about(pipeline(OTHER, *ATTRIBUTES, calibration=decided(40)), outside=path).split())
    assert "says yes or no for 66&thinsp;% of these adults; 98&thinsp;% of these answers are right." in told
    assert "of these adults" not in about(pipeline(OTHER, *ATTRIBUTES), outside=path)


def test_what_is_said_of_ticks_holds_for_the_shipped_weights() -> None:
    calibration = SlimNet.load_pretrained(WEIGHTS).calibration
    assert calibration
    assert calibration.sure
    ticks = zip(calibration.sure.precision, calibration.unsure, strict=True)
    told = " ".join(about(pipeline(SHIPPED, *ATTRIBUTES, calibration=calibration)).split())
    assert "at least 80 in 100 of its yes answers" in told
    assert min(precision for precision, (_, high) in ticks if high < 1) >= 0.8


def test_other_weights_are_told_by_what_they_say_of_themselves() -> None:
    names, shares = ("Smoking", "Eye_Patch", "Smiling"), (0.8, 0.95, 0.605)
    told = about(pipeline(OTHER, *names, shares=shares))
    assert "<dt>Accuracy</dt>" not in told
    assert "<dd>78.5&thinsp;%</dd>" in told
    assert "3 attributes" in told
    assert "most to the least reliable: Eye Patch (95&thinsp;%), Smoking (80&thinsp;%), Smiling (60&thinsp;%)" in told
    assert "was not measured" in told


def test_weights_without_figures_are_said_to_have_none() -> None:
    told = about(pipeline(OTHER, *ATTRIBUTES))
    assert "was not measured" in told
    assert "&thinsp;%" not in told
    assert "CelebA's terms" in told  # the same labels, so the page knows the same about them


def test_nothing_is_said_of_celeba_where_its_labels_were_not_learned() -> None:
    for shares in (None, (0.8, 0.9)):
        assert "Celeb" not in about(pipeline(OTHER, "Smoking", "Smiling", shares=shares))
    assert "celebrities" not in labels(("Smoking", "Smiling"))
    assert "celebrities" in labels(("Smiling",))


def test_reading_faces_in_the_browser_can_be_added_to_a_clone_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "npm ci --omit=dev" in about(pipeline(OTHER, *ATTRIBUTES))
    assert "npm ci" not in about(pipeline(OTHER, *ATTRIBUTES), on_device=True)
    monkeypatch.setattr("demo.server.content.about.PACKAGE_LOCK", tmp_path / "package-lock.json")
    assert "npm ci" not in about(pipeline(OTHER, *ATTRIBUTES))


def test_attributes_are_counted() -> None:
    assert counted(("Smiling",)) == "1 attribute"
    assert counted(ATTRIBUTES) == "40 attributes"


def test_the_switch_and_what_excludes_each_other_are_explained() -> None:
    told = about(pipeline(SHIPPED, *ATTRIBUTES, calibration=decided(40)))
    assert all(title in told for title in ("Fewest mistakes", "Balanced", "Find all", "not sure"))
    assert "finds 90&thinsp;% of what is there" in told
    assert "no beard and a goatee" in told
    other = about(pipeline(OTHER, "Smoking", "Eye_Patch", calibration=decided(2)))
    assert "never\n      stand together" in other
    assert "goatee" not in other


def test_weights_without_operating_points_need_no_explanation() -> None:
    assert "not sure" not in about(pipeline(OTHER, "Smoking", shares=(0.8,)))
