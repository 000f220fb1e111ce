from pathlib import Path

import numpy as np
import pytest
import torch

from slimnet import SlimNet, transform
from tests.fakes import celeba
from tests.training.train.runs import flags, metrics
from training import train
from training.data.cache import decoded
from training.data.celeba import read_celeba


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--num_classes", "40"], "--num_classes is 40, and"),
        (["--data_dir", "nowhere"], "list_attr_celeba"),
        (["--init_from", "none.pth"], "none.pth"),
        (["--teachers", "none.pth"], "none.pth"),
        ("--filter_counts 4 4 4 4 4".split(), "needs 259 on each side: shorten --filter_counts"),
        ("--early_share 0.5 --early_height 40".split(), "40 high and 33 wide"),
    ],
)
def test_faults_are_said_before_the_first_step(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    cache = tmp_path / "cache"
    assert train.main([*flags(data, tmp_path / "run", *options), "--cache_dir", str(cache)]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run" / "last.pt").exists()
    if "none.pth" in options:
        assert not cache.exists()  # also before minutes of decoding


def test_damaged_pictures_of_both_splits_are_named_at_once(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    splits = read_celeba(data)
    bad = [splits["train"].paths[2], splits["valid"].paths[1]]
    for path in bad:
        path.write_bytes(b"no picture")
    assert train.main(flags(data, tmp_path / "run")) == 1
    message = capsys.readouterr().err
    assert all(path.name in message for path in bad)


def test_damage_inside_one_picture_is_named_before_the_first_step(
    tmp_path: Path, data: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = read_celeba(data)["train"].paths[4]
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2] + bytes(200) + raw[len(raw) // 2 + 200 :])
    assert train.main(flags(data, tmp_path / "run")) == 1
    said = capfd.readouterr().err
    assert f"1 pictures that are damaged or not 178 wide and 218 high: {path.name}" in said
    assert "Corrupt JPEG data" not in said
    assert not (tmp_path / "run" / "last.pt").exists()


def test_what_is_not_known_is_neither_learnt_nor_judged(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two runs that differ only in unknown labels are the same."""
    celeba.with_gaps(data)
    assert train.main(flags(data, tmp_path / "run", "--num_epochs", "1")) == 0
    assert "unknown labels (empty, or 0 in a table with -1)" in capsys.readouterr().err
    splits = read_celeba(data)
    weights = SlimNet.load_pretrained(tmp_path / "run" / "last.safetensors").eval()
    pictures = decoded(splits["valid"], tmp_path / "cache", transform, 1)
    with torch.no_grad():
        logits = weights(weights.preprocessing.normalise(torch.from_numpy(np.array(pictures.array)))).numpy()
    right, known = (logits > 0) == splits["valid"].labels, splits["valid"].known
    (found,) = metrics(tmp_path / "run")
    assert found["valid/accuracy"] == pytest.approx(np.mean([right[known[:, n], n].mean() for n in range(3)]))
    costs = np.logaddexp(0, np.where(splits["valid"].labels, -logits, logits))
    assert found["valid/loss"] == pytest.approx(np.mean([costs[known[:, n], n].mean() for n in range(3)]), abs=1e-5)
    assert np.isfinite(found["train/loss"])


def test_an_attribute_that_neither_labels_nor_teachers_know_is_refused(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = data / "list_attr_celeba.csv"
    head, *rows = table.read_text().splitlines()
    table.write_text("\n".join([head, *(",".join([*row.split(",")[:2], "0", row.split(",")[3]]) for row in rows)]))
    assert train.main(flags(data, tmp_path / "run")) == 1
    assert "no picture of the train split has a known label of Second" in capsys.readouterr().err
    taught = tmp_path / "answers.csv"
    taught.write_text("file,Second\n" + "".join(f"{path.name},0.9\n" for path in read_celeba(data)["train"].paths))
    assert train.main(flags(data, tmp_path / "run", "--num_epochs", "1", "--teachers", str(taught))) == 0


def test_some_of_the_columns_are_learnt(tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [word for word in flags(data, tmp_path / "run") if word not in ("--num_classes", "3")]
    assert train.main([*arguments, "--num_epochs", "1", "--attributes", "Third", "First"]) == 0
    assert SlimNet.load_pretrained(tmp_path / "run" / "best.safetensors").attributes == ("Third", "First")
    assert train.main([*arguments, "--save_dir", str(tmp_path / "other"), "--attributes", "Fourth"]) == 1
    assert "labelled are First, Second, Third (3)" in capsys.readouterr().err


@pytest.mark.parametrize(("keep", "why"), [("balanced", "with and without one"), ("f1", "with one")])
def test_a_figure_that_no_validation_picture_defines_is_not_chosen_by(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], keep: str, why: str
) -> None:
    data = celeba.write(tmp_path / "data")
    valid = {path.name for path in read_celeba(data)["valid"].paths}
    table = data / "list_attr_celeba.csv"
    head, *rows = [row.split(",") for row in table.read_text().splitlines()]
    rows = [[row[0], *(["-1"] * 3 if row[0] in valid else row[1:])] for row in rows]
    table.write_text("\n".join(map(",".join, [head, *rows])))
    assert train.main(flags(data, tmp_path / "run", "--keep_best", keep)) == 1
    assert f"--keep_best {keep} needs validation pictures {why} of the attributes" in capsys.readouterr().err
