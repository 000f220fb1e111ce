import json
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from slimnet import SlimNet
from tests.fakes import celeba
from tests.training.train.runs import flags, interrupted, metrics, steps_take
from training import train
from training.data.celeba import read_celeba


def test_images_are_counted_as_they_are_seen(tmp_path: Path, data: Path) -> None:
    assert train.main([*flags(data, tmp_path / "run"), "--num_epochs", "2", "--batch_size", "64"]) == 0
    assert [row["images"] for row in metrics(tmp_path / "run")] == [16, 32]


def test_the_loss_of_a_network_that_has_hardly_learnt_is_that_of_tossing_a_coin(one_epoch: Path) -> None:
    (found,) = metrics(one_epoch)
    assert found["train/loss"] == pytest.approx(np.log(2), rel=0.1)


def test_figures_are_reported_for_every_attribute(one_epoch: Path) -> None:
    (found,) = metrics(one_epoch)
    by_attribute = found["valid/attributes"]
    assert list(by_attribute) == list(celeba.ATTRIBUTES)
    for figure in ("accuracy", "balanced_accuracy", "f1", "average_precision"):
        known = [row[figure] for row in by_attribute.values() if row[figure] is not None]
        assert found[f"valid/{figure}"] == pytest.approx(np.mean(known), abs=1e-6)
    events = EventAccumulator(str(one_epoch / "tensorboard")).Reload()
    tags = events.Tags()["scalars"]
    assert {"valid/f1", "valid/balanced_accuracy", "valid/average_precision"} <= set(tags)
    assert events.Scalars("valid attributes/First/accuracy")[0].value == pytest.approx(
        by_attribute["First"]["accuracy"]
    )


def test_without_a_terminal_a_run_says_in_lines_how_far_it_is(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    steps_take(monkeypatch, 25)
    assert train.main(flags(data, tmp_path / "run", "--num_epochs", "2")) == 0
    _no_identities, first, *others = capsys.readouterr().err.splitlines()
    assert first == "training on cpu in float32: 16 pictures, batch size 4, 4 steps an epoch, 2 epochs"
    assert [line.partition(": loss ")[0] for line in others] == ["epoch 1, step 3 of 4", "epoch 2, step 2 of 4"]
    assert others[0].endswith("0 images/s, 2 min left")
    assert others[1].endswith("0 images/s, 1 min left")


def test_a_run_says_beside_its_weights_and_in_them_how_they_were_made(tmp_path: Path, data: Path) -> None:
    first = SlimNet((4, 8), (8, 7, 2), 3, attributes=celeba.ATTRIBUTES)
    first.save(tmp_path / "first.safetensors")
    save = tmp_path / "run"
    options = ["--num_epochs", "1", "--seed", "4", "--init_from", str(tmp_path / "first.safetensors")]
    assert train.main(flags(data, save, *options)) == 0
    written = json.loads((save / "config.json").read_text())
    assert written["settings"]["data_dir"] == [str(data)]
    assert written["settings"]["seed"] == 4
    assert written["data"]["fingerprint"] == read_celeba(data)["train"].fingerprint()
    assert (written["data"]["pictures"], written["data"]["validation_pictures"]) == (16, {"data": 6})
    for name in ("best", "last"):
        found = SlimNet.load_pretrained(save / f"{name}.safetensors").provenance
        assert found is not None
        assert found["settings"] == {
            "num_epochs": 1, "seed": 4, "init_from": "first.safetensors", "batch_size": 4, "num_classes": 3,
            "filter_counts": [4, 8], "conv_filters": 8,
        }  # fmt: skip
        assert found["data"] == written["data"]["fingerprint"]
        assert found.get("commit") == written.get("commit")
        assert str(tmp_path) not in json.dumps(found)


def test_a_torn_line_of_metrics_is_written_again(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save = tmp_path / "run"
    interrupted(monkeypatch, "step", at_step=6)
    assert train.main(flags(data, save, "--num_epochs", "2")) == 130
    with (save / "metrics.jsonl").open("a") as file:
        file.write('{"epoch": 2, "tra')
    assert train.main(flags(data, save, "--num_epochs", "2", "--resume")) == 0
    assert [row["epoch"] for row in metrics(save)] == [1, 2]
