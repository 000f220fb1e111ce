import json

import numpy as np
import pytest

from slimnet import SlimNet
from tests import celeba
from training import evaluate


def test_figures_of_a_case_worked_out_by_hand():
    labels = np.array([[1, 1], [1, 1], [1, 1], [0, 1]], bool)
    ticked = np.array([[1, 1], [1, 0], [0, 1], [0, 1]], bool)
    found = evaluate.score("test", labels, ticked, np.array([False, True]), ("a", "b"))
    first, second = found.attributes
    assert first.accuracy == pytest.approx(0.75)
    assert first.balanced_accuracy == pytest.approx((2 / 3 + 1) / 2)
    assert first.majority_accuracy == pytest.approx(0.25)  # the training split's majority, not this split's
    assert first.positive_share == pytest.approx(0.75)
    assert (second.accuracy, second.balanced_accuracy, second.majority_accuracy) == (0.75, 0.75, 1.0)
    assert (found.accuracy, found.balanced_accuracy) == (0.75, pytest.approx((5 / 6 + 0.75) / 2))
    assert "mean" in evaluate.table(found)


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "w.safetensors"
    SlimNet((4,), (4, 7, 2), 3, attributes=celeba.ATTRIBUTES).save(path)
    return path


def run(*arguments):
    return evaluate.main([str(argument) for argument in arguments])


def test_the_command_prints_a_table_and_writes_json(tmp_path, weights, capsys):
    data = celeba.write(tmp_path / "data")
    status = run("--weights", weights, "--data_dir", data, "--split", "valid", "--json", tmp_path / "e.json")
    assert status == 0
    written = json.loads((tmp_path / "e.json").read_text())
    assert written["images"] == 6
    assert [row["attribute"] for row in written["attributes"]] == list(celeba.ATTRIBUTES)
    assert written["accuracy"] == pytest.approx(np.mean([row["accuracy"] for row in written["attributes"]]))
    assert f"{100 * written['accuracy']:.2f}" in capsys.readouterr().out.splitlines()[-1]


def test_an_impossible_batch_size_is_named(capsys):
    with pytest.raises(SystemExit):
        run("--batch_size", "0")
    assert "--batch_size must be at least 1" in capsys.readouterr().err


def test_labels_of_another_kind_are_refused(tmp_path, capsys):
    SlimNet((4,), (4, 7, 2), 3).save(tmp_path / "other.safetensors")
    assert run("--weights", tmp_path / "other.safetensors", "--data_dir", celeba.write(tmp_path / "data")) == 1
    assert "labels other attributes" in capsys.readouterr().err


def test_missing_weights_and_data_are_named(tmp_path, weights, capsys):
    assert run("--weights", tmp_path / "none.safetensors", "--data_dir", tmp_path) == 1
    assert "none.safetensors" in capsys.readouterr().err
    assert run("--weights", weights, "--data_dir", tmp_path) == 1
    assert "list_attr_celeba" in capsys.readouterr().err
