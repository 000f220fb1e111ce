import json
from pathlib import Path

import numpy as np
import pytest
import torch

from slimnet import SlimNet
from tests.fakes import celeba
from tests.paths import ROOT
from training import explain
from training.measure.regions import REGIONS
from training.report.maps import where_it_looks

NAMES = ("Bangs", "Smiling", "Young")  # patches 40 to 140 across and from 0, 60 and 120 down; Young has no place


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return celeba.with_columns(celeba.write(tmp_path_factory.mktemp("data"), sizes={0: 2, 1: 30}), *NAMES)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "w.safetensors"
    SlimNet((4, 4, 8, 8), (8, 7, 2), 3, attributes=NAMES).save(path)
    return path


def run(*arguments: object) -> int:
    return explain.main([str(argument) for argument in arguments])


def test_the_command_judges_each_attribute_that_has_a_place(
    data: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "deep" / "maps.json"
    few = ("--faces", "12", "--changed_faces", "2", "--resamples", "20")
    assert run("--weights", weights, "--data_dir", data, "--out", out, *few) == 0
    found = json.loads(out.read_text(encoding="utf-8"))
    assert [row["attribute"] for row in found["attributes"]] == ["Bangs", "Smiling"]
    assert (found["split"], len(found["weights"]["sha256"])) == ("valid", 64)
    for row in found["attributes"]:
        assert 10 <= row["faces"] <= 12
        assert row["elsewhere"] is (row["fine"]["mean"] < 1.5)
        for method in ("fine", "coarse", "grad_cam", "shuffled"):
            low, high = row[method]["interval"]
            assert 0 <= low <= row[method]["mean"] <= high <= 1 / row["area"] + 1e-3
        assert all(0 < row[kind][order] < 1 for kind in ("deletion", "insertion") for order in ("fine", "random"))
    assert capsys.readouterr().out.strip() == where_it_looks(found)


def test_attributes_that_look_elsewhere_are_named_in_the_card(data: Path, weights: Path, tmp_path: Path) -> None:
    out = tmp_path / "maps.json"
    few = ("--faces", "10", "--changed_faces", "0", "--resamples", "20")
    assert run("--weights", weights, "--data_dir", data, "--out", out, *few) == 0
    found = json.loads(out.read_text(encoding="utf-8"))
    for row, elsewhere in zip(found["attributes"], (True, False), strict=True):
        row["elsewhere"] = elsewhere
    text = where_it_looks(found)
    assert "Often looks elsewhere (below 1.5): Bangs." in text
    assert f"| Smiling | {found['attributes'][1]['faces']} | 8.28 % |" in text
    assert "deletion" not in text


@pytest.mark.parametrize(
    ("names", "told"), [(("A", "B", "C"), "no attribute that has a place"), (("Bangs", "", "C"), "it lacks")]
)
def test_what_cannot_be_judged_is_a_clear_error(
    names: tuple[str, ...], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = celeba.with_columns(celeba.write(tmp_path, sizes={0: 2, 1: 4}), *names)
    own = tuple(name or "Smiling" for name in names)
    SlimNet((4, 4, 8, 8), (8, 7, 2), 3, attributes=own).save(tmp_path / "w.safetensors")
    assert run("--weights", tmp_path / "w.safetensors", "--data_dir", data) == 1
    assert told in capsys.readouterr().err


def test_weights_whose_outputs_are_not_finite_are_refused(
    data: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = SlimNet.load_pretrained(weights)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(1e30)
    network.save(tmp_path / "huge.safetensors")
    assert run("--weights", tmp_path / "huge.safetensors", "--data_dir", data) == 1
    assert "not finite" in capsys.readouterr().err


def test_boxes_of_a_region_lie_in_the_crop_and_do_not_overlap() -> None:
    for region in REGIONS.values():
        times = np.zeros((218, 178), int)
        for left, top, right, bottom in region:
            assert 0 <= left < right <= 178
            assert 0 <= top < bottom <= 218
            times[top:bottom, left:right] += 1
        assert times.max() == 1


def test_the_notebook_runs_and_holds_no_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = json.loads((ROOT / "training" / "explain.ipynb").read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    monkeypatch.chdir(ROOT / "training")  # Jupyter starts it there; the notebook changes to the root
    names: dict = {}
    for cell in code:
        exec(compile("".join(cell["source"]), "explain.ipynb", "exec"), names)
    glasses = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("Eyeglasses"))
    added_up, shown = glasses.split("  ")[-1].split(" is ")
    assert added_up == shown
    assert names["draw"]("Smiling").size[0] == 4 * 178
