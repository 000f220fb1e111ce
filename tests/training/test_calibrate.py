import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import expit

from slimnet import SlimNet
from tests.fakes import celeba
from training import calibrate
from training.data.celeba import Split, read_celeba
from training.measure.predictions import identify


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return celeba.write(tmp_path_factory.mktemp("celeba") / "data", sizes={0: 20, 1: 40, 2: 2})


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "w.safetensors"
    model = SlimNet((4,), (4, 7, 2), 3, attributes=celeba.ATTRIBUTES)
    model.provenance = {"commit": "abc"}
    model.save(path)
    return path


def run(*arguments: object) -> int:
    return calibrate.main([str(argument) for argument in arguments])


def test_thresholds_go_into_the_bias_and_the_rest_into_the_metadata(
    tmp_path: Path, data: Path, weights: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = read_celeba(data)["valid"].labels
    # One answer is eight times too sure, one is decided 6 too high, and one says nothing.
    noise = np.random.default_rng(0).normal(0, 2, labels.shape)
    logits = (labels * 4.0 - 2 + noise) * (8, 1, 0.1) * (1, 1, 0) + (0, 6, 0.01)
    monkeypatch.setattr(calibrate, "probabilities", lambda *_: expit(logits))
    out = tmp_path / "out.safetensors"
    assert run("--weights", weights, "--data_dir", data, "--out", out, "--json", tmp_path / "new" / "c.json") == 0
    before, after = SlimNet.load_pretrained(weights), SlimNet.load_pretrained(out)
    moved = (before.fc.bias - after.fc.bias).tolist()
    assert moved == [0, pytest.approx(6, abs=1.5), 0]
    assert torch.equal(before.fc.weight, after.fc.weight)
    assert after.provenance
    assert after.provenance["from"] == {"commit": "abc"}  # this still says how they were trained
    assert after.provenance["files"] == {"weights": [identify(weights)]}
    splits = read_celeba(data)
    assert after.provenance["data"] == {name: splits[name].fingerprint() for name in ("train", "valid")}
    found = json.loads((tmp_path / "new" / "c.json").read_text())
    assert found["thresholds"]["low"] > 0
    assert found["temperatures"]["used"]
    assert found["temperatures"]["low"] > 0
    assert found["temperatures"]["values"] == found["temperatures"]["fitted"]
    assert found["temperatures"]["error_after"] < 0.8 * found["temperatures"]["error_before"]
    assert after.calibration
    assert after.calibration.temperatures[0] > 1.7 * after.calibration.temperatures[1]
    ticked = logits[:, 1] > moved[1]
    recalls = [(ticked[labels[:, 1] == kind] == kind).mean() for kind in (True, False)]
    assert after.calibration.reliability[1].balanced_accuracy == pytest.approx(np.mean(recalls))
    assert after.calibration.reliability[2].balanced_accuracy == 0.5
    printed = capsys.readouterr().out
    assert "folded into the last bias" in printed
    assert "operating points, on people they were not fitted on" in printed
    assert "sure answers, on people the bands were not fitted on" in printed
    assert set(after.calibration.operating_points) == {"accuracy", "balanced", "f1"}
    assert after.calibration.operating_points["accuracy"].thresholds == (0.5, 0.5, 0.5)
    assert after.calibration.unsure[2] == (0, 1)  # an answer that says nothing is never sure
    assert after.calibration.sure is not None
    assert after.calibration.sure.answered[2] == 0
    assert found["decisions"]["held_out"]["f1"]["f1"] > 0


def test_bands_hold_for_other_people_as_well(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = celeba.write(tmp_path / "data", sizes={0: 20, 1: 300, 2: 2})
    people = celeba.with_columns(celeba.write(tmp_path / "people", sizes={0: 2, 1: 400, 2: 2}), "", "Second", "")

    def answers(_predictor: object, split: Split, _batch_size: int) -> np.ndarray:
        logits = split.labels * 6.0 - 3 + np.random.default_rng(0).normal(0, 1, split.labels.shape)
        return expit(logits if len(split) < 400 else np.where(np.arange(400)[:, None] % 2, 2 * logits, 1))

    monkeypatch.setattr(calibrate, "probabilities", answers)
    out, found = tmp_path / "out.safetensors", tmp_path / "found.json"

    def bands(*more: object) -> tuple[tuple[float, float], ...]:
        assert run("--weights", weights, "--data_dir", data, "--out", out, "--json", found, *more) == 0
        calibration = SlimNet.load_pretrained(out).calibration
        assert calibration
        return calibration.unsure

    own, both = bands(), bands("--outside", people)
    printed = capsys.readouterr()
    assert "Second of 400 faces in people: " in printed.out
    assert f"{people}: no identity_CelebA.txt, so every picture counts as another person" in printed.err
    provenance = SlimNet.load_pretrained(out).provenance
    others = read_celeba(people)["valid"].with_attributes(celeba.ATTRIBUTES)
    assert provenance
    assert provenance["data"]["outside"] == [others.fingerprint()]
    [needed] = json.loads(found.read_text(encoding="utf-8"))["other_people"]
    assert (needed["folder"], needed["attribute"]) == ("people", "Second")
    low, high = needed["band"]
    assert high > own[1][1]
    assert both == (own[0], (min(low, own[1][0]), max(high, own[1][1])), own[2])


def test_calibrating_again_changes_no_answer(tmp_path: Path, data: Path, weights: Path) -> None:
    once, twice = tmp_path / "once.safetensors", tmp_path / "twice.safetensors"
    assert run("--weights", weights, "--data_dir", data, "--out", once) == 0
    assert run("--weights", once, "--data_dir", data, "--out", twice) == 0
    first, second = SlimNet.load_pretrained(once), SlimNet.load_pretrained(twice)
    assert torch.equal(first.fc.bias, second.fc.bias)
    assert first.calibration
    assert second.calibration
    np.testing.assert_allclose(first.calibration.temperatures, second.calibration.temperatures, rtol=1e-2)
    assert first.calibration.reliability == second.calibration.reliability


def test_temperatures_are_found() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, 20_000)
    labels = rng.random(20_000) < 1 / (1 + np.exp(-logits))
    alike = np.ones(20_000)
    assert calibrate.fit_temperature(logits * 3, labels, alike) == pytest.approx(3, rel=0.05)
    assert calibrate.fit_temperature(-logits, labels, alike) == pytest.approx(calibrate.MAX_TEMPERATURE, rel=0.01)


def test_a_rarer_attribute_does_not_bend_its_temperature() -> None:
    """Pictures with an attribute are half as frequent as in training, from which the network knows its frequency."""
    rng = np.random.default_rng(0)
    logits = rng.normal(-1, 2, 60_000)
    labels = rng.random(60_000) < expit(logits)
    kept = ~labels | (rng.random(60_000) < 0.5)
    usual, rarer = (
        Split((Path("a.jpg"),) * len(chosen), labels[chosen, None], ("A",), chosen)
        for chosen in (np.arange(60_000), np.flatnonzero(kept))
    )
    weights = calibrate.class_weights(rarer, usual)[:, 0]
    assert calibrate.fit_temperature(logits[kept], labels[kept], weights) == pytest.approx(1, abs=0.03)
    assert abs(calibrate.fit_temperature(logits[kept], labels[kept], np.ones(kept.sum())) - 1) > 0.05


def test_temperatures_that_help_only_where_they_were_fitted_are_left_at_1() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (60, 3))
    found = calibrate.judge_temperatures(
        logits, rng.random(logits.shape) < expit(logits), np.ones((60, 3), bool), np.ones((60, 3)), np.arange(60)
    )
    assert not found.used
    assert found.values == (1, 1, 1)
    assert 1 not in found.fitted
    assert found.low < 0


@pytest.mark.parametrize(
    ("sizes", "message"), [({0: 2, 1: 4}, "pictures of 4 people"), ({0: 12, 2: 6}, "pictures of 0 people")]
)  # fmt: skip
def test_too_few_pictures_are_named(
    tmp_path: Path, weights: Path, sizes: dict[int, int], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data = celeba.write(tmp_path / "data", sizes=sizes)
    assert run("--weights", weights, "--data_dir", data, "--out", tmp_path / "out.safetensors") == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out.safetensors").exists()


def test_an_attribute_that_is_always_on_cannot_be_measured(
    tmp_path: Path, data: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = data / "list_attr_celeba.csv"
    text = table.read_text()
    head, *rows = text.splitlines()
    (tmp_path / "img_align_celeba").symlink_to(data / "img_align_celeba")
    (tmp_path / "list_eval_partition.csv").write_text((data / "list_eval_partition.csv").read_text())
    (tmp_path / table.name).write_text("\n".join([head, *(f"{row.rsplit(',', 1)[0]},1" for row in rows)]) + "\n")
    assert run("--weights", weights, "--data_dir", tmp_path, "--out", tmp_path / "out.safetensors") == 1
    assert "shows Third always or never" in capsys.readouterr().err


def test_a_form_that_carries_no_calibration_is_refused(weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("--weights", weights, "--out", "w.pth")
    assert ".safetensors" in capsys.readouterr().err


def test_labels_that_are_not_known_move_nothing(
    tmp_path: Path, data: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers with unknown labels are as wrong as possible."""
    gaps = celeba.with_gaps(shutil.copytree(data, tmp_path / "gaps"))
    labels, known = read_celeba(data)["valid"].labels, read_celeba(gaps)["valid"].known
    noise = np.random.default_rng(0).normal(0, 2, labels.shape)
    right = labels * 4.0 - 2 + noise
    out, found = tmp_path / "out.safetensors", []
    for logits in (np.where(known, right, 0), np.where(known, right, np.where(labels, -30, 30))):
        monkeypatch.setattr(calibrate, "probabilities", lambda *_, logits=logits: expit(logits))
        assert run("--weights", weights, "--data_dir", gaps, "--out", out, "--json", tmp_path / "c.json") == 0
        found.append(json.loads((tmp_path / "c.json").read_text()))
    assert found[0] == found[1]


def test_an_attribute_without_any_known_label_is_named(
    tmp_path: Path, data: Path, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gaps = shutil.copytree(data, tmp_path / "gaps")
    table = gaps / "list_attr_celeba.csv"
    head, *rows = table.read_text().splitlines()
    table.write_text("\n".join([head, *(",".join([*row.split(",")[:2], "0", row.split(",")[3]]) for row in rows)]))
    assert run("--weights", weights, "--data_dir", gaps, "--out", tmp_path / "out.safetensors") == 1
    assert "no picture of the validation split has a known label of Second" in capsys.readouterr().err


def test_other_people_who_cannot_be_measured_are_named_before_the_work(
    tmp_path: Path, data: Path, weights: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(calibrate, "probabilities", lambda *_: pytest.fail("pictures were read before"))
    out = tmp_path / "out.safetensors"
    assert run("--weights", weights, "--data_dir", data, "--outside", tmp_path / "typo", "--out", out) == 1
    assert str(tmp_path / "typo") in capsys.readouterr().err


def test_what_training_never_shows_keeps_the_frequency_of_validation(data: Path) -> None:
    splits = read_celeba(data)
    train, valid = splits["train"], splits["valid"]
    train.labels[:, 0] = False
    weights = calibrate.class_weights(valid, train)
    assert (weights[:, 0] == 1).all()
    assert not (weights[:, 1] == 1).all()


def test_an_attribute_too_rare_for_the_resamples_is_named(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = celeba.write(tmp_path / "data", sizes={0: 20, 1: 40, 2: 2})
    table = data / "list_attr_celeba.csv"
    names = [path.name for path in read_celeba(data)["valid"].paths]
    header, *rows = (line.split(",") for line in table.read_text(encoding="utf-8").splitlines())
    for row in rows:
        row[2] = "1" if row[0] == names[0] or row[0] not in names else "-1"
    table.write_text("\n".join(",".join(row) for row in (header, *rows)), encoding="utf-8")
    monkeypatch.setattr(calibrate.bootstrap, "draw", lambda people, _count: np.arange(len(people))[None] > 0)
    options = ("--weights", weights, "--data_dir", data, "--out", tmp_path / "out.safetensors", "--resamples", "1")
    assert run(*options) == 1
    assert "no resample of the validation split shows Second (1) both present and absent" in capsys.readouterr().err
