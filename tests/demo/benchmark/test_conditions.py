import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from demo.benchmark.__main__ import main
from demo.benchmark.conditions import CLASSES, LEAST_FACES, Sightings, classes
from slimnet import ATTRIBUTES, Calibration, SlimNet
from tests.fakes.celeba import write_portraits
from tests.fakes.decided import decided


def test_every_picture_is_read_as_it_is_and_changed_and_put_into_classes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_portraits(tmp_path)
    SlimNet().save(tmp_path / "untrained.safetensors")
    weights, file = str(tmp_path / "untrained.safetensors"), tmp_path / "conditions.json"
    command = ["conditions", "--data_dir", str(tmp_path), "--weights", weights, "--json", str(file), "--device", "cpu"]
    assert main(command) == 0
    found = json.loads(file.read_text())
    sha256 = hashlib.sha256(Path(weights).read_bytes()).hexdigest()
    assert found["weights"] == {"file": "untrained.safetensors", "sha256": sha256}
    assert found["attributes"] == list(ATTRIBUTES)
    assert {row["name"]: row["found"] for row in found["conditions"]} == {"size": 4, "sharpness": 4, "turn": 2}
    counts = {row["name"]: [each["images"] for each in row["classes"]] for row in found["conditions"]}
    assert counts["turn"] == [2, 0, 0, 0]
    assert all(counts[name][-1] >= 2 and sum(counts[name]) == 4 for name in ("size", "sharpness"))
    assert sum(counts["size"][:-1]) >= 1  # two pictures, shrunk to 10 to 32 pixels between the eyes
    printed = capsys.readouterr().out
    assert re.search(r"^turn +30 +0 +- +-$", printed, re.MULTILINE)  # no face, so no figure
    assert all(printed.count(f"\n{name} ") == len(starts) for name, starts in CLASSES.items())


def sightings(figure: float, positives: int, found: int, negatives: int, rejected: int) -> Sightings:
    """Faces with one figure: `found` of those with the attribute are ticked, and all but `rejected` of the others."""
    labels = np.arange(positives + negatives) < positives
    ticks = np.concatenate([np.arange(positives) < found, np.arange(negatives) >= rejected])
    known = np.ones((len(labels), 1), bool)
    return Sightings(np.full(len(labels), figure), np.where(ticks, 0.95, 0.05)[:, None], labels[:, None], known)


def rows(seen: Sightings, *starts: float, calibration: Calibration | None = None) -> list[dict[str, Any]]:
    return classes(seen, starts, ("Smiling",), calibration)


def test_reliability_is_balanced_accuracy_with_its_interval() -> None:
    small, large = rows(sightings(20.0, 40, 30, 100, 90), 0, 20)
    assert (small["images"], small["balanced_accuracy"], small["mean"]) == (0, [None], None)
    assert large["images"] == 140
    assert large["accuracy"] == [pytest.approx(120 / 140, abs=1e-4)]
    assert large["balanced_accuracy"] == [0.825]
    # The interval of half a sum, from Wilson's for 30 of 40 (0.5981 to 0.8581) and 90 of 100 (0.8256 to 0.9448).
    below, above = np.hypot(0.75 - 0.5981, 0.9 - 0.8256) / 2, np.hypot(0.8581 - 0.75, 0.9448 - 0.9) / 2
    assert large["low"] == [pytest.approx(0.825 - below, abs=2e-4)]
    assert large["high"] == [pytest.approx(0.825 + above, abs=2e-4)]


def test_few_faces_measure_nothing() -> None:
    (row,) = rows(sightings(5.0, LEAST_FACES - 1, 3, 100, 90), 0)
    assert (row["balanced_accuracy"], row["low"], row["high"], row["mean"]) == ([None], [None], [None], None)
    (row,) = rows(sightings(5.0, LEAST_FACES, 5, 100, 100), 0)
    assert row["mean"] == 0.75


def test_each_class_says_what_the_boxes_are_worth_there() -> None:
    small, large = rows(sightings(20.0, 40, 30, 100, 90), 0, 20, calibration=decided(1))
    assert large["decided"]["points"]["f1"] == {"precision": [0.75], "recall": [0.75]}
    assert large["decided"]["sure"]["answered"] == [1]
    assert small["decided"]["sure"]["answered"] == [None]
    assert [row["decided"] for row in rows(sightings(20.0, 40, 30, 100, 90), 0, 20)] == [None, None]


def test_unknown_labels_are_not_counted() -> None:
    seen = sightings(20.0, 40, 30, 100, 90)
    doubled = seen.where(np.tile(np.arange(140), 2))
    unknown = replace(doubled, known=(np.arange(280) < 140)[:, None])
    (plain,), (partly,) = rows(seen, 0, calibration=decided(1)), rows(unknown, 0, calibration=decided(1))
    assert partly == plain | {"images": 280}
