"""Fitting single outputs again, on frozen features."""

from pathlib import Path

import numpy as np
import pytest
import torch

from slimnet import SlimNet
from tests.fakes import celeba
from training.data.celeba import DataError, Split, read_celeba
from training.measure.predictions import identify
from training.refit import Faces, balanced_weights, fit_output, gather, groups_by_labels, main


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return celeba.write(tmp_path_factory.mktemp("data"), sizes={0: 60, 1: 30, 2: 2})


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("weights") / "before.safetensors"
    SlimNet((8,), (16, 7, 2), len(celeba.ATTRIBUTES), attributes=celeba.ATTRIBUTES).save(file)
    return file


def test_the_command_fits_the_named_output_and_no_other(
    data: Path, weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "after.safetensors"
    command = ["--weights", str(weights), "--attributes", "Second", "--data_dir", str(data), "--device", "cpu"]
    assert main([*command, "--out", str(out)]) == 0
    line = capsys.readouterr().out
    before, after = SlimNet.load_pretrained(weights), SlimNet.load_pretrained(out)
    changed = [name for name, value in after.state_dict().items() if not torch.equal(value, before.state_dict()[name])]
    assert changed == ["fc.weight", "fc.bias"]
    assert [bool((after.fc.weight[n] == before.fc.weight[n]).all()) for n in range(3)] == [True, False, True]
    assert after.calibration is None
    splits = {name: split.with_attributes(["Second"]) for name, split in read_celeba(data).items()}
    assert after.provenance
    assert len(after.provenance.pop("commit", "0" * 40)) == 40
    after.provenance.pop("modified", None)
    assert after.provenance == {
        "refitted": ["Second"],
        "balanced": [],
        "data": {name: splits[name].fingerprint() for name in ("train", "valid")},
        "files": {"weights": [identify(weights)]},
        "from": None,
    }
    assert line.startswith("Second: log loss on 30 validation faces ")
    assert line.split(", fitted to ")[1].startswith("60 with C = ")
    old, new = (float(number) for number in line.split(" faces ")[1].split(",")[0].split(" -> "))
    assert new < 0.7 * old


def test_what_it_prints_is_the_loss_of_what_it_writes() -> None:
    rng = np.random.default_rng(0)
    labels = rng.random(400) < 0.5
    features = rng.normal(size=(400, 6)).astype(np.float32) * 3 + 5
    features[:, 2] += 2 * labels
    train, valid = (Faces(features[part], labels[part], np.ones(200)) for part in (slice(200), slice(200, None)))
    output = fit_output(train, valid, np.zeros(6), 0.0)
    assert output.loss_before == pytest.approx(np.log(2))
    chances = 1 / (1 + np.exp(-(valid.features @ output.weight + output.bias)))
    assert output.loss == pytest.approx(-np.log(np.where(valid.labels, chances, 1 - chances)).mean())
    assert output.loss < output.loss_before


def test_features_that_hold_on_the_training_faces_alone_are_bound() -> None:
    # The second feature equals the label on the faces used for fitting, and is noise on those used for judging.
    rng = np.random.default_rng(0)
    labels = rng.random(2000) < 0.5
    honest = rng.normal(size=2000) + labels
    learnt = np.where(np.arange(2000) < 1000, labels, rng.random(2000) < 0.5)
    features = np.stack([honest, learnt], axis=1).astype(np.float32)
    train, valid = (Faces(features[part], labels[part], np.ones(1000)) for part in (slice(1000), slice(1000, None)))
    bound = fit_output(train, valid, np.zeros(2), 0.0)
    trusting = fit_output(train, train, np.zeros(2), 0.0)
    assert bound.strength < trusting.strength


def test_how_sure_an_output_is_is_chosen_on_other_faces() -> None:
    rng = np.random.default_rng(0)
    labels = rng.random(3000) < 0.5
    features = rng.normal(size=(3000, 150)).astype(np.float32)
    features[:, 0] += 4 * labels
    train, valid = (
        Faces(features[part], labels[part], np.ones(len(labels[part]))) for part in (slice(200), slice(200, None))
    )
    output = fit_output(train, valid, np.zeros(150), 0.0)
    assert output.scale != pytest.approx(1, abs=0.1)  # with 200 faces it is too sure
    logits = valid.features @ output.weight + output.bias
    for factor in (0.9, 1.1):
        chances = 1 / (1 + np.exp(-factor * logits))
        assert -np.log(np.where(valid.labels, chances, 1 - chances)).mean() > output.loss


def test_every_group_weighs_the_same_with_either_label() -> None:
    labels = np.array([True, True, True, False, True, False, False, False])
    origins = np.array(["a", "a", "a", "a", "b", "b", "b", "b"])
    weights = balanced_weights(labels, origins)
    assert weights.mean() == pytest.approx(1)
    cells = [weights[(origins == origin) & (labels == label)].sum() for origin in "ab" for label in (False, True)]
    assert cells == pytest.approx([2, 2, 2, 2])


def test_faces_of_unknown_origin_weigh_as_much_as_one_with_their_label_does() -> None:
    labels = np.array([True, True, True, False, True, False, True, True, True, False])
    origins = np.array(["a", "a", "a", "a", "b", "b", "", "", "", ""])
    known = origins != ""
    weights = balanced_weights(labels, origins)
    assert weights.mean() == pytest.approx(1)
    alone = balanced_weights(labels[known], origins[known])
    assert weights[known] / weights[0] == pytest.approx(alone / alone[0])
    for label in (False, True):
        alike = labels == label
        assert weights[alike & ~known] == pytest.approx(weights[alike & known].mean())
    assert balanced_weights(labels, np.full(10, "")).tolist() == [1] * 10
    none_alike = balanced_weights(np.array([True, True, False]), np.array(["a", "b", ""]))
    assert none_alike == pytest.approx([1, 1, 1])


def test_folders_count_by_their_draws_and_groups_where_they_are_told(data: Path, tmp_path: Path) -> None:
    other = celeba.write(tmp_path / "other", sizes={0: 8, 1: 8, 2: 1})
    names = sorted(path.name for path in (other / "img_align_celeba").iterdir())
    rows = [f"{name},{'rare' if number < 6 else 'common'}," for number, name in enumerate(names)]
    (other / "list_groups.csv").write_text("\n".join(["image_id,group,age", *rows]), encoding="utf-8")

    def compute(split: Split, title: str) -> np.ndarray:
        return np.full((len(split), 1), len(title), np.float32)

    faces = gather([str(data), f"{other}=0.5"], ["First"], [], compute)["First"]
    train, valid = faces["train"], faces["valid"]
    assert (len(train.labels), len(valid.labels)) == (68, 38)
    assert train.weights[:60] == pytest.approx(1)
    assert train.weights[60:].sum() == pytest.approx(4)
    assert len(set(train.weights[60:].round(6))) > 1
    assert [valid.weights[:30].sum(), valid.weights[30:].sum()] == pytest.approx(
        [60, 4]
    )  # choosing weighs faces like fitting


def test_a_folder_with_validation_faces_alone_weighs_as_much_as_it_has(data: Path, tmp_path: Path) -> None:
    other = celeba.write(tmp_path / "other", sizes={1: 8})
    faces = gather(
        [str(data), f"{other}=0.5"], ["First"], [], lambda split, _title: np.zeros((len(split), 1), np.float32)
    )
    assert faces["First"]["valid"].weights[30:].sum() == pytest.approx(4)


def test_who_has_another_label_and_who_has_not_weigh_the_same(data: Path) -> None:
    split = read_celeba(data)["train"].with_attributes(["First", "Second"])
    faces = gather([str(data)], ["First"], ["Second"], lambda split, _title: np.zeros((len(split), 1), np.float32))
    first, second = split.labels.T
    weights = faces["First"]["train"].weights
    assert weights.mean() == pytest.approx(1)
    cells = [weights[(first == one) & (second == other)].sum() for one in (False, True) for other in (False, True)]
    assert cells == pytest.approx([15, 15, 15, 15])


def test_a_group_of_few_does_not_outweigh_the_others() -> None:
    labels = np.arange(1000) < 500
    others = np.stack([labels & (np.arange(1000) % 250 == 0), ~labels & (np.arange(1000) % 2 == 0)], axis=1)
    groups = groups_by_labels(labels, others)
    assert set(groups[labels]) == {"00"}  # two of 500 are "10"
    assert set(groups[~labels]) == {"00", "01"}
    assert (groups[~labels] == "01").sum() == 250


@pytest.mark.parametrize(
    ("folders", "balance", "why"),
    [(1, ["Nowhere"], "without list_groups.csv labels Nowhere"), (2, [], "twice")],
)
def test_what_would_be_ignored_or_counted_twice_is_said(data: Path, folders: int, balance: list[str], why: str) -> None:
    with pytest.raises(DataError, match=why):
        gather([str(data)] * folders, ["First"], balance, lambda split, _: np.zeros((len(split), 2), np.float32))


@pytest.mark.parametrize(
    ("attributes", "partition", "why"),
    [
        ("First First", None, "--attributes names First (1) more than once"),
        ("Third Fourth", None, "has no Fourth (1), but First, Second, Third (3)"),
        ("Third --balance Fourth", None, "--balance: "),
        ("First", "0", "faces with and without First in the valid split are needed, but 0 are labelled alike"),
    ],
)
def test_what_cannot_be_fitted_is_said(
    attributes: str,
    partition: str | None,
    why: str,
    weights: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = celeba.write(tmp_path / "data", sizes={0: 8, 1: 2, 2: 1})
    if partition:
        table = folder / "list_eval_partition.csv"
        names = [line.split(",")[0] for line in table.read_text(encoding="utf-8").splitlines()[1:]]
        rows = [f"{name},{partition}" for name in names]
        table.write_text("\n".join(["image_id,partition", *rows]), encoding="utf-8")
    out = tmp_path / "after.safetensors"
    command = ["--weights", str(weights), "--data_dir", str(folder), "--device", "cpu", "--out", str(out)]
    assert main([*command, "--attributes", *attributes.split()]) == 1
    assert why in capsys.readouterr().err
    assert not out.exists()


def test_a_suffix_that_cannot_be_written_is_said_before_the_work(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--weights", "none.safetensors", "--attributes", "First", "--out", "refit.bin"])
    assert "refit.bin" in capsys.readouterr().err


def test_a_folder_without_labels_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="list_attr_celeba"):
        gather([str(tmp_path)], ["First"], [], lambda split, _title: np.zeros((len(split), 1), np.float32))
