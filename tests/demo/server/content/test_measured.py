import hashlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from demo.paths import CONDITIONS, MAPS, OUTSIDE, WEIGHTS
from demo.server.content.measured import figures_of, measured_of
from slimnet import ATTRIBUTES
from tests.demo.server.content.test_conditions import figures, measured
from tests.demo.server.content.test_outside import BLACK
from tests.demo.server.content.test_outside import figures as outside


@pytest.mark.parametrize("content", [b"these weights", b"other weights"])
def test_figures_are_those_of_the_weights_in_use(tmp_path: Path, content: bytes) -> None:
    weights, file = tmp_path / "w.safetensors", tmp_path / "figures.json"
    weights.write_bytes(b"these weights")
    found = {"weights": {"sha256": hashlib.sha256(content).hexdigest()}}
    file.write_text(json.dumps(found))
    assert figures_of(weights, file) == (found if content == b"these weights" else None)
    assert figures_of(weights, tmp_path / "nowhere.json") is None


def test_what_was_measured_is_there_for_the_panels_and_nothing_where_no_file_is(tmp_path: Path) -> None:
    weights = tmp_path / "w.safetensors"
    weights.write_bytes(b"these weights")
    mine = {"weights": {"sha256": hashlib.sha256(b"these weights").hexdigest()}}
    predictor: Any = SimpleNamespace(path=weights, attributes=("Smiling", "Bald"), parameters=570_000)
    files = [tmp_path / "outside.json", tmp_path / "conditions.json", tmp_path / "maps.json"]
    nothing = measured_of(predictor, *files)
    assert (nothing.notes, nothing.conditions, nothing.elsewhere) == ({}, [], [])
    files[0].write_text(json.dumps(mine | outside(("A", "Male", [BLACK], []))))
    files[1].write_text(json.dumps(mine | figures(measured("size", 0.7, 0.8))))
    judged = [{"attribute": "Smiling", "elsewhere": False}, {"attribute": "Bald", "elsewhere": True}]
    files[2].write_text(json.dumps(mine | {"attributes": judged}))
    found = measured_of(predictor, *files)
    assert found.elsewhere == ["Bald"]
    assert list(found.notes) == ["Male"]
    assert [row["name"] for row in found.conditions] == ["size"]


@pytest.mark.parametrize("file", [OUTSIDE, CONDITIONS, MAPS], ids=lambda file: file.name)
def test_the_shipped_figures_are_of_the_shipped_weights(file: Path) -> None:
    assert figures_of(WEIGHTS, file)


def test_the_shipped_conditions_can_be_shown() -> None:
    predictor: Any = SimpleNamespace(path=WEIGHTS, attributes=ATTRIBUTES, parameters=570_000)
    found = measured_of(predictor).conditions
    assert [row["name"] for row in found] == ["size", "sharpness", "turn"]
    assert all(len(each["rows"]) == len(ATTRIBUTES) for row in found for each in row["classes"])
