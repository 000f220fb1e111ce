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

SHIPPED = hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()


@pytest.mark.parametrize("sha256", ["5" * 64, "6" * 64])
def test_figures_are_those_of_the_weights_in_use(tmp_path: Path, sha256: str) -> None:
    file = tmp_path / "figures.json"
    found = {"weights": {"sha256": sha256}}
    file.write_text(json.dumps(found))
    assert figures_of("5" * 64, file) == (found if sha256 == "5" * 64 else None)
    assert figures_of("5" * 64, tmp_path / "nowhere.json") is None


def test_what_was_measured_is_there_for_the_panels_and_nothing_where_no_file_is(tmp_path: Path) -> None:
    mine = {"weights": {"sha256": "5" * 64}}
    predictor: Any = SimpleNamespace(sha256="5" * 64, attributes=("Smiling", "Bald"), parameters=570_000)
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
    assert figures_of(SHIPPED, file)


def test_the_shipped_conditions_can_be_shown() -> None:
    predictor: Any = SimpleNamespace(sha256=SHIPPED, attributes=ATTRIBUTES, parameters=570_000)
    found = measured_of(predictor).conditions
    assert [row["name"] for row in found] == ["size", "sharpness", "turn"]
    assert all(len(each["rows"]) == len(ATTRIBUTES) for row in found for each in row["classes"])
