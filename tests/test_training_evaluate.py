import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from slimnet import Calibration, Reliability, SlimNet
from tests import celeba
from training import evaluate, report, robustness, subgroups

ROOT = Path(__file__).parent.parent


@pytest.fixture
def weights(tmp_path):
    """A network that says yes and no by turns, with temperatures."""
    path = tmp_path / "w.safetensors"
    model = SlimNet((4,), (4, 7, 2), 3, attributes=celeba.ATTRIBUTES)
    model.calibration = Calibration((0.5, 1.0, 4.0), (Reliability(0.5, 0.4, 0.6),) * 3)
    model.save(path)
    return path


@pytest.fixture
def light(monkeypatch):
    """Two damages instead of 32, and groups by a label that the small data set has."""
    monkeypatch.setattr(robustness, "DAMAGES", (robustness.DAMAGES[0], robustness.DAMAGES[-1]))
    monkeypatch.setattr(subgroups, "DIVISIONS", (("First",), ("Male", "Young")))
    monkeypatch.setattr(subgroups, "LEAST", 1)


def run(*arguments):
    return evaluate.main([str(argument) for argument in arguments])


def test_the_command_prints_a_table_and_writes_json(tmp_path, weights, capsys):
    data = celeba.write(tmp_path / "data")
    status = run("--weights", weights, "--data_dir", data, "--split", "valid", "--json", tmp_path / "e.json")
    assert status == 0
    written = json.loads((tmp_path / "e.json").read_text())
    assert written["images"] == 6
    assert [row["attribute"] for row in written["attributes"]] == list(celeba.ATTRIBUTES)
    for name in ("accuracy", "balanced_accuracy", "majority_accuracy", "positive_share", "roc_auc"):
        assert written[name] == pytest.approx(np.mean([row[name] for row in written["attributes"]]), abs=1e-6)
        low, high = written["intervals"][name]
        assert low <= written[name] <= high
    assert f"{100 * written['accuracy']:.2f}" in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.usefixtures("light")
def test_a_folder_is_filled_with_everything(tmp_path, weights):
    data = celeba.write(tmp_path / "data", sizes={0: 4, 2: 24})
    run_file = tmp_path / "a.jsonl"
    run_file.write_text(json.dumps({"images": 4.0, "valid/accuracy": 0.5, "train/loss": 0.7}) + "\n")
    out = tmp_path / "deep" / "out"
    few = ("--resamples", "20", "--robustness_images", "4", "--runs", run_file)
    assert run("--weights", weights, "--data_dir", data, "--out", out, *few) == 0
    assert {path.name for path in out.iterdir()} == {
        "evaluation.json", "results.md", "attributes.csv", "groups.csv", "gaps.csv", "robustness.csv",
        "attributes.png", "reliability.png", "robustness.png", "training.png",
    }  # fmt: skip
    written = json.loads((out / "evaluation.json").read_text())
    assert written["weights"]["file"] == "w.safetensors"
    assert [division["by"] for division in written["divisions"]] == [["First"]]  # there are no labels for the other
    assert len(written["robustness"]["outcomes"]) == 8
    assert written["before"] != written["served"]
    loss = written["log_loss"]
    assert loss["change"] == pytest.approx(loss["served"] - loss["before"], abs=2e-6)
    assert loss["interval"][0] <= loss["change"] <= loss["interval"][1]
    results = (out / "results.md").read_text()
    for expected in ("Second", "First, not", "### By First", "detail", f"{100 * written['accuracy']:.2f}"):
        assert expected.split(",")[0] in results
    with (out / "attributes.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["attribute"] for row in rows] == [*celeba.ATTRIBUTES, "mean"]
    assert float(rows[-1]["recall"]) == pytest.approx(written["recall"])
    for picture in out.glob("*.png"):
        assert np.array(Image.open(picture)).std() > 10, picture.name


def test_an_impossible_number_is_named(capsys):
    for flag in ("--batch_size", "--resamples"):
        with pytest.raises(SystemExit):
            run(flag, "0")
        assert f"{flag} must be at least 1" in capsys.readouterr().err


def test_a_run_that_is_not_there_is_named_before_the_work(tmp_path, capsys):
    with pytest.raises(SystemExit):
        run("--out", tmp_path, "--runs", tmp_path / "none.jsonl")
    assert "there is no" in capsys.readouterr().err
    (tmp_path / "other.jsonl").write_text('{"epoch": 1}\n')
    with pytest.raises(SystemExit):
        run("--out", tmp_path, "--runs", tmp_path / "other.jsonl")
    assert "no metrics.jsonl" in capsys.readouterr().err


def test_labels_of_another_kind_are_refused(tmp_path, capsys):
    SlimNet((4,), (4, 7, 2), 3).save(tmp_path / "other.safetensors")
    assert run("--weights", tmp_path / "other.safetensors", "--data_dir", celeba.write(tmp_path / "data")) == 1
    assert "labels other attributes" in capsys.readouterr().err


def test_missing_weights_and_data_are_named(tmp_path, weights, capsys):
    assert run("--weights", tmp_path / "none.safetensors", "--data_dir", tmp_path) == 1
    assert "none.safetensors" in capsys.readouterr().err
    assert run("--weights", weights, "--data_dir", tmp_path) == 1
    assert "list_attr_celeba" in capsys.readouterr().err


@pytest.mark.usefixtures("light")
def test_the_notebook_runs_and_holds_no_output(tmp_path, weights, monkeypatch, capsys):
    cells = json.loads((ROOT / "training" / "evaluate.ipynb").read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    data = celeba.write(tmp_path / "data", sizes={0: 4, 2: 24})
    settings = {"WEIGHTS": weights, "DATA_DIR": data, "RESAMPLES": 20, "ROBUSTNESS_IMAGES": 4}
    for name, value in settings.items():
        monkeypatch.setitem(os.environ, name, str(value))
    monkeypatch.chdir(ROOT / "training")  # where Jupyter starts it; the notebook goes to the root
    names: dict = {}
    for cell in code:
        exec(compile("".join(cell["source"]), "evaluate.ipynb", "exec"), names)
    assert names["found"]["images"] == 24
    assert "mean" in capsys.readouterr().out
    sections = {title: names["read"](title)._repr_markdown_() for title in report.sections(names["found"])}
    assert all(f'read("{title}")' in "".join("".join(cell["source"]) for cell in code) for title in sections)
    assert "| ROC area |" in sections["Summary"]
    assert not any("](" in text for text in sections.values())
