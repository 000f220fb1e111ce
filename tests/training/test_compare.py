from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score, log_loss

from slimnet import Predictor, SlimNet, transform
from tests.fakes import celeba
from training import compare
from training.data.celeba import read_celeba, read_pictures
from training.measure import bootstrap


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return celeba.write(tmp_path_factory.mktemp("celeba") / "data", sizes={0: 2, 1: 30, 2: 4})


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory, data: Path) -> tuple[Path, Path]:
    """Two random networks that say yes to half the pictures."""
    crops = next(read_pictures(read_celeba(data)["valid"], transform))
    folder = tmp_path_factory.mktemp("weights")
    for name, seed in (("one", 0), ("other", 1)):
        torch.manual_seed(seed)
        network = SlimNet((4, 8), (8, 7, 2), 3, attributes=celeba.ATTRIBUTES)
        with torch.no_grad():
            network.fc.weight.mul_(300)
            network.fc.bias.sub_(network.eval()(transform.normalise(torch.from_numpy(crops))).median(dim=0).values)
        network.save(folder / f"{name}.safetensors")
    return folder / "one.safetensors", folder / "other.safetensors"


def run(*arguments: object) -> int:
    return compare.main([str(argument) for argument in arguments])


def test_a_mean_that_is_not_defined_is_a_dash() -> None:
    figures = compare.Means(np.full(3, 0.5), np.full(3, np.nan), np.full(3, 0.7))
    row = compare.table(["one"], [figures]).splitlines()[-1]
    assert [cell.strip() for cell in row.split("|")[1:-1]] == ["one", "50.00", "–", "–", "–", "0.7000", "–"]


def test_weights_do_not_differ_from_themselves_even_if_a_resample_is_not_defined() -> None:
    same = compare.Means(*(np.array([0.9, np.nan, 0.8]) for _ in range(3)))
    assert compare.table(["one", "same"], [same, same]).count("–") == 6


def test_means_are_those_of_scikit_learn_and_differences_those_of_the_means(
    data: Path, weights: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--weights", *weights, "--data_dir", data, "--resamples", 50) == 0
    split = read_celeba(data)["valid"]
    expected = []
    for path in weights:
        predictor = Predictor(path, "cpu")
        found = np.concatenate([predictor(crops) for crops in read_pictures(split, predictor.preprocessing)])
        columns = list(zip(split.labels.T, found.T, strict=True))
        expected.append(
            (
                100 * ((found > 0.5) == split.labels).mean(),
                100 * np.mean([balanced_accuracy_score(truth, p > 0.5) for truth, p in columns]),
                np.mean([log_loss(truth, p.astype(float), labels=[False, True]) for truth, p in columns]),
            )
        )
    shown = capsys.readouterr()
    assert shown.err.count("no identity_CelebA.txt") == 1  # not once for each of the weights
    _, _, first, other = [[cell.strip() for cell in line.split("|")[1:-1]] for line in shown.out.splitlines()]
    assert first[0].endswith("one.safetensors")
    assert other[0].endswith("other.safetensors")
    for row, values in ((first, expected[0]), (other, expected[1])):
        assert [float(cell) for cell in row[1::2]] == pytest.approx(values, rel=1e-3)
    assert first[2::2] == ["–"] * 3
    gaps = [float(cell.split()[0]) for cell in other[2::2]]
    assert gaps == pytest.approx(np.subtract(expected[1], expected[0]), abs=0.006)


def test_the_interval_of_a_difference_is_that_of_the_same_pictures(data: Path, weights: tuple[Path, Path]) -> None:
    split = read_celeba(data)["valid"]
    draws = bootstrap.draw(split.identities, 200)
    one, other = (compare.means(Predictor(path, "cpu"), split, 64, draws) for path in weights)
    assert len(one.accuracy) == 201
    gap = other.accuracy - one.accuracy
    low, high = bootstrap.interval(100 * gap[1:])
    assert f"({low:+.2f} to {high:+.2f})" in compare.table(["one", "other"], [one, other])
    assert low <= 100 * gap[0] <= high


def test_weights_may_have_their_attributes_in_another_order(
    tmp_path: Path, data: Path, weights: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    network = SlimNet.load_pretrained(weights[0])
    order = [2, 0, 1]
    turned = SlimNet((4, 8), (8, 7, 2), 3, attributes=tuple(celeba.ATTRIBUTES[n] for n in order))
    state = network.state_dict()
    turned.load_state_dict({**state, "fc.weight": state["fc.weight"][order], "fc.bias": state["fc.bias"][order]})
    turned.save(tmp_path / "turned.safetensors")
    assert run("--weights", weights[0], tmp_path / "turned.safetensors", "--data_dir", data, "--resamples", 20) == 0
    first, other = [line.split("|")[2:-1] for line in capsys.readouterr().out.splitlines()[2:]]
    assert first[::2] == other[::2]


def test_what_cannot_be_compared_is_named(
    tmp_path: Path, data: Path, weights: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--weights", weights[0], tmp_path / "none.safetensors", "--data_dir", data) == 1
    assert "none.safetensors" in capsys.readouterr().err
    empty = celeba.write(tmp_path / "empty", sizes={0: 4})
    assert run("--weights", *weights, "--data_dir", empty) == 1
    assert "no pictures in its valid split" in capsys.readouterr().err
    unknown = celeba.write(tmp_path / "unknown")
    table = unknown / "list_attr_celeba.csv"
    head, *rows = table.read_text().splitlines()
    table.write_text("\n".join([head, *(f"{row[:10]},,," for row in rows)]))
    assert run("--weights", *weights, "--data_dir", unknown) == 1
    assert "no label of the valid split is known" in capsys.readouterr().err
    SlimNet((4,), (4, 7, 2), 1, attributes=("First",)).save(tmp_path / "fewer.safetensors")
    assert run("--weights", weights[0], tmp_path / "fewer.safetensors", "--data_dir", data) == 1
    assert "fewer.safetensors has other attributes than" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        run("--weights", *weights, "--resamples", 0)
    assert "--resamples" in capsys.readouterr().err
