import csv
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from slimnet import Calibration, OperatingPoint, Predictor, Reliability, SlimNet, Sure
from tests.fakes import celeba
from tests.paths import ROOT
from tests.processes import largest_file
from training import evaluate
from training.data.celeba import read_celeba, read_pictures
from training.measure import robustness, subgroups
from training.report import tables as report


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A network with temperatures and operating points that says both yes and no."""
    path = tmp_path / "w.safetensors"
    model = SlimNet((4,), (4, 7, 2), 3, attributes=celeba.ATTRIBUTES)
    every, half = (1.0,) * 3, (0.5,) * 3
    points = {name: OperatingPoint(half, every, every) for name in ("accuracy", "balanced", "f1")}
    model.calibration = Calibration(
        (0.5, 1.0, 4.0), (Reliability(0.5, 0.4, 0.6),) * 3, points, ((0.4, 0.6),) * 3, Sure(every, every, every, every)
    )
    model.save(path)
    return path


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two damages instead of 32, and groups by a label that the small data set has."""
    monkeypatch.setattr(robustness, "DAMAGES", (robustness.DAMAGES[0], robustness.DAMAGES[-1]))
    monkeypatch.setattr(subgroups, "DIVISIONS", (("First",), ("Male", "Young")))
    monkeypatch.setattr(subgroups, "LEAST", 1)


def run(*arguments: object) -> int:
    return evaluate.main([str(argument) for argument in arguments])


def test_the_command_prints_a_table_and_writes_json(
    tmp_path: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
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
def test_a_folder_is_filled_with_everything(tmp_path: Path, weights: Path) -> None:
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
    assert [division["by"] for division in written["divisions"]] == [["First"]]  # there are no labels for the other one
    assert len(written["robustness"]["outcomes"]) == 8
    assert written["before"] != written["served"]
    loss = written["log_loss"]
    assert loss["change"] == pytest.approx(loss["served"] - loss["before"], abs=2e-6)
    assert loss["interval"][0] <= loss["change"] <= loss["interval"][1]
    results = (out / "results.md").read_text()
    for expected in ("Second", "| not First |", "### By First", "detail", f"{100 * written['accuracy']:.2f}"):
        assert expected in results
    with (out / "attributes.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["attribute"] for row in rows] == [*celeba.ATTRIBUTES, "mean"]
    assert float(rows[-1]["recall"]) == pytest.approx(written["recall"])
    for picture in out.glob("*.png"):
        assert np.array(Image.open(picture)).std() > 10, picture.name


def test_an_impossible_number_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    for flag in ("--batch_size", "--resamples"):
        with pytest.raises(SystemExit):
            run(flag, "0")
        assert f"{flag} must be at least 1" in capsys.readouterr().err


def test_a_run_that_is_not_there_is_named_before_the_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("--out", tmp_path, "--runs", tmp_path / "none.jsonl")
    assert "there is no" in capsys.readouterr().err
    (tmp_path / "other.jsonl").write_text('{"epoch": 1}\n')
    with pytest.raises(SystemExit):
        run("--out", tmp_path, "--runs", tmp_path / "other.jsonl")
    assert "no metrics.jsonl" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--outside", "a=b", "--resamples", "7", "--runs", "x"), "not CelebA: leave out --resamples, --runs"),
        (("--robustness_images", "9"), "only with --out: --robustness_images"),
    ],
)
def test_flags_that_would_have_no_effect_are_refused(
    flags: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run(*flags)
    assert said in capsys.readouterr().err


def test_labels_of_another_kind_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    SlimNet((4,), (4, 7, 2), 3).save(tmp_path / "other.safetensors")
    assert run("--weights", tmp_path / "other.safetensors", "--data_dir", celeba.write(tmp_path / "data")) == 1
    assert "labels other attributes" in capsys.readouterr().err


def test_missing_weights_and_data_are_named(tmp_path: Path, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--weights", tmp_path / "none.safetensors", "--data_dir", tmp_path) == 1
    assert "none.safetensors" in capsys.readouterr().err
    assert run("--weights", weights, "--data_dir", tmp_path) == 1
    assert "list_attr_celeba" in capsys.readouterr().err


@pytest.mark.usefixtures("light")
@pytest.mark.parametrize("robustness_images", [4, 0])
def test_the_notebook_runs_and_holds_no_output(
    tmp_path: Path,
    weights: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    robustness_images: int,
) -> None:
    cells = json.loads((ROOT / "training" / "evaluate.ipynb").read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    data = celeba.write(tmp_path / "data", sizes={0: 4, 2: 24})
    settings = {"WEIGHTS": weights, "DATA_DIR": data, "RESAMPLES": 20, "ROBUSTNESS_IMAGES": robustness_images}
    for name, value in settings.items():
        monkeypatch.setitem(os.environ, name, str(value))
    monkeypatch.chdir(ROOT / "training")  # Jupyter starts it there; the notebook changes to the root
    names: dict = {}
    for cell in code:
        exec(compile("".join(cell["source"]), "evaluate.ipynb", "exec"), names)
    assert names["found"]["images"] == 24
    assert "mean" in capsys.readouterr().out
    sections = {title: names["read"](title)._repr_markdown_() for title in report.sections(names["found"])}
    assert all(f'read("{title}")' in "".join("".join(cell["source"]) for cell in code) for title in sections)
    assert "| ROC area |" in sections["Summary"]
    assert not any("](" in text for text in sections.values())
    assert ("Robustness" in sections) is bool(robustness_images)
    assert "Decisions" in sections


@pytest.mark.usefixtures("light")
def test_labels_that_are_not_known_are_in_no_figure_and_their_number_is_told(
    tmp_path: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = celeba.with_gaps(celeba.write(tmp_path / "data", sizes={0: 8, 2: 40}))
    table = data / "list_attr_celeba.csv"
    rows = [row.split(",") for row in table.read_text().splitlines()]
    table.write_text("\n".join(",".join([*row[:3], row[3] if row[0] == "image_id" else "0"]) for row in rows))
    out = tmp_path / "out"
    few = ("--resamples", "20", "--robustness_images", "10")
    assert run("--weights", weights, "--data_dir", data, "--out", out, *few) == 0
    said = capsys.readouterr()
    split = read_celeba(data)["test"]
    assert f"{(~split.known).sum()} of 120 in test" in said.err
    assert "test knows none of Third" in said.err
    found = json.loads((out / "evaluation.json").read_text())  # it must not have nan
    predictor = Predictor(weights, "cpu")
    ticks = np.concatenate([predictor(crops) for crops in read_pictures(split, predictor.preprocessing)]) > 0.5
    for n in range(2):
        there, row = split.known[:, n], found["attributes"][n]
        assert row["known"] == there.sum() < 40
        assert row["accuracy"] == pytest.approx((ticks[there, n] == split.labels[there, n]).mean(), abs=1e-6)
        assert row["positive_share"] == pytest.approx(split.labels[there, n].mean(), abs=1e-6)
    assert found["attributes"][2]["known"] == 0
    assert found["attributes"][2]["accuracy"] is None
    assert found["accuracy"] == pytest.approx(np.mean([row["accuracy"] for row in found["attributes"][:2]]), abs=1e-6)
    assert sum(found["served"]["answers"]) == split.known.sum()
    assert sum(group["images"] for group in found["divisions"][0]["groups"]) == split.known[:, 0].sum()
    assert "NaN" not in (out / "evaluation.json").read_text()
    results = (out / "results.md").read_text()
    assert f"{(~split.known).sum()} of 120 labels are not known" in results
    assert "Not measured, for want of any label: Third." in results
    assert "nan" not in results.lower().split()


def test_the_majority_of_an_attribute_that_no_training_picture_has_a_label_of_is_the_splits_own(
    tmp_path: Path, weights: Path
) -> None:
    data = celeba.write(tmp_path / "data", sizes={0: 8, 2: 40})
    train = {path.name for path in read_celeba(data)["train"].paths}
    table = data / "list_attr_celeba.csv"
    head, *rows = [row.split(",") for row in table.read_text().splitlines()]
    rows = [[row[0], "" if row[0] in train else "1", *row[2:]] for row in rows]
    table.write_text("\n".join(map(",".join, [head, *rows])))
    assert run("--weights", weights, "--data_dir", data, "--resamples", "20", "--json", tmp_path / "e.json") == 0
    first = json.loads((tmp_path / "e.json").read_text())["attributes"][0]
    assert first["majority_accuracy"] == 1


def test_a_split_without_any_known_label_is_named(
    tmp_path: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = celeba.write(tmp_path / "data")
    test = {path.name for path in read_celeba(data)["test"].paths}
    table = data / "list_attr_celeba.csv"
    rows = table.read_text().splitlines()
    table.write_text("\n".join(f"{row[:10]},0,0,0" if row[:10] in test else row for row in rows))
    assert run("--weights", weights, "--data_dir", data) == 1
    assert "no label of the test split is known" in capsys.readouterr().err


@pytest.fixture
def outside(tmp_path: Path) -> tuple[Path, Path]:
    """What `other_people` writes, with pictures for training and testing."""
    return other_people(tmp_path, {0: 4, 2: 12})


def other_people(tmp_path: Path, sizes: dict[int, int]) -> tuple[Path, Path]:
    """Weights that know Male and Bald, and a set of other people labelled with Male and Young."""
    model = SlimNet((4,), (4, 7, 2), 2, attributes=("Bald", "Male"))
    model.save(tmp_path / "outside.safetensors")
    data = celeba.write(tmp_path / "set", sizes=sizes)
    table = data / "list_attr_celeba.csv"
    rows = table.read_text().splitlines()[1:]
    lines = [row.rsplit(",", 1)[0] for row in rows]
    table.write_text("\n".join(["image_id,Male,Young", *lines]) + "\n")
    groups = [f"{row.split(',')[0]},Black,{20 + n}" for n, row in enumerate(rows)]
    (data / "list_groups.csv").write_text("\n".join(["image_id,group,age", *groups]) + "\n")
    return tmp_path / "outside.safetensors", data


@pytest.mark.parametrize(
    ("sizes", "flags", "split", "judged", "line"),
    [
        ({0: 4, 1: 3, 2: 12}, (), "test", {"test": 12}, "12 of test; the others may have been trained on"),
        ({0: 4, 1: 3}, (), "valid", {"valid": 3}, "judge these); the bands of not sure may have been fitted on these"),
        ({0: 4}, (), None, {"train": 4}, "4 of train; right only for weights that were not trained on them"),
        ({1: 3, 2: 2}, (), None, {"valid": 3, "test": 2}, "5 pictures, 3 of valid and 2 of test"),
        ({0: 4, 2: 12}, ("--split", "train"), "train", {"train": 4}, "4 of train; right only for weights"),
    ],
    ids=["test first", "else valid", "made for training only", "not for training", "as asked"],
)
def test_other_people_are_those_that_were_not_for_training_and_their_number_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], sizes: dict[int, int], flags: tuple[str, ...],
    split: str | None, judged: dict[str, int], line: str,
) -> None:  # fmt: skip
    weights, data = other_people(tmp_path, sizes)
    command = ("--weights", weights, "--outside", f"others={data}", "--json", tmp_path / "outside.json")
    assert run(*command, *flags) == 0
    (others,) = json.loads((tmp_path / "outside.json").read_text())["sets"]
    assert (others["split"], others["images"], others["splits"]) == (split, sum(judged.values()), judged)
    assert others["attributes"][0]["everybody"]["images"] == sum(judged.values())
    said = capsys.readouterr()
    assert f"others: judged on {sum(judged.values())} pictures, " in said.err
    assert line in said.err
    assert "judged on" not in said.out  # which has only the report


def test_other_people_are_measured_by_their_own_labels(
    tmp_path: Path, outside: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    weights, data = outside
    command = ("--weights", weights, "--outside", f"others={data}", "--out", tmp_path / "out")
    assert run(*command, "--split", "test") == 0
    printed = capsys.readouterr().out
    found = json.loads((tmp_path / "out" / "outside.json").read_text())
    assert found["weights"]["file"] == "outside.safetensors"
    (other,) = found["sets"]
    assert (other["name"], other["split"], other["images"]) == ("others", "test", 12)
    (male,) = other["attributes"]  # the weights don't know Young
    split, predictor = read_celeba(data)["test"], Predictor(weights, "cpu")
    ticks = np.concatenate([predictor(crops) for crops in read_pictures(split, predictor.preprocessing)]) > 0.5
    assert male["everybody"]["right"] == pytest.approx((ticks[:, 1] == split.labels[:, 0]).mean(), abs=1e-6)
    assert sum(part["images"] for part in male["groups"]) == 12
    assert "Male on others, 12 pictures of its test split" in printed
    assert "| Black |" in printed


@pytest.mark.parametrize(
    ("change", "message"),
    [("list_groups.csv", "no list_groups.csv"), ("list_attr_celeba.csv", "no list_attr_celeba.csv")],
)
def test_a_set_that_lacks_a_table_is_named(
    outside: tuple[Path, Path], capsys: pytest.CaptureFixture[str], change: str, message: str
) -> None:
    weights, data = outside
    (data / change).unlink()
    assert run("--weights", weights, "--outside", f"others={data}") == 1
    assert message in capsys.readouterr().err


def test_weights_that_know_none_of_the_labels_are_told_so(
    weights: Path, outside: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--weights", weights, "--outside", f"others={outside[1]}") == 1
    assert "no label of Male or Young" in capsys.readouterr().err


@pytest.mark.parametrize("sets", [["data"], ["=data"], ["a="], ["a=one", "a=two"]])
def test_each_set_needs_a_name_and_a_folder(sets: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("--outside", *sets)
    assert "--outside" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of processes")
@pytest.mark.usefixtures("light")
@pytest.mark.parametrize("room", [100, 3_000, 40_000])
def test_a_full_disk_leaves_no_cut_file(
    tmp_path: Path, weights: Path, capsys: pytest.CaptureFixture[str], room: int
) -> None:
    data = celeba.write(tmp_path / "data", sizes={0: 4, 2: 24})
    few = ("--resamples", "20", "--robustness_images", "4")
    out, whole = tmp_path / "out", tmp_path / "whole"
    whole.mkdir()
    (whole / "training.png").touch()  # of an earlier evaluation
    assert run("--weights", weights, "--data_dir", data, "--out", whole, *few) == 0
    assert not (whole / "training.png").exists()
    with largest_file(room):
        status = run("--weights", weights, "--data_dir", data, "--out", out, *few)
    assert status == 1
    assert str(out) in capsys.readouterr().err
    for path in out.iterdir():
        assert path.name in {there.name for there in whole.iterdir()}
        assert path.suffix == ".png" or path.read_bytes() == (whole / path.name).read_bytes()
