import itertools
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from slimnet import CheckpointError, SlimNet
from tests.fakes import celeba
from training.data import counting
from training.data.cache import LabelledPictures, decoded
from training.data.celeba import read_celeba
from training.fit import distillation as teachers
from training.fit.config import TrainConfig
from training.fit.runtime.distributed import Process

ALONE = Process(0, 1, torch.device("cpu"))


@pytest.fixture
def train(tmp_path: Path) -> LabelledPictures:
    split = read_celeba(celeba.write(tmp_path / "data"))["train"]
    network = SlimNet((4, 8), (8, 7, 2), 3, attributes=celeba.ATTRIBUTES)
    return LabelledPictures(decoded(split, tmp_path / "cache", network.preprocessing, 1), split)


def sure_of(path: Path, *logits: float, attributes: tuple[str, ...] = celeba.ATTRIBUTES) -> str:
    """Weights that say the same about every picture."""
    network = SlimNet((4, 8), (8, 7, 2), len(logits), attributes=attributes)
    with torch.no_grad():
        network.fc.weight.zero_()
        network.fc.bias.copy_(torch.tensor(logits))
    network.save(path)
    return str(path)


def asked(tmp_path: Path, *paths: str, share: float = 0.5) -> TrainConfig:
    return TrainConfig(cache_dir=str(tmp_path / "cache"), teachers=paths, teacher_share=share)


def test_without_teachers_the_labels_are_the_targets(tmp_path: Path, train: LabelledPictures) -> None:
    assert np.array_equal(teachers.targets(asked(tmp_path), train, ALONE), train.split.labels)


def test_targets_are_labels_mixed_with_the_mean_logit_of_the_teachers(tmp_path: Path, train: LabelledPictures) -> None:
    paths = sure_of(tmp_path / "a.safetensors", 4, -2, 0), sure_of(tmp_path / "b.safetensors", 0, -2, 2)
    found = teachers.targets(asked(tmp_path, *paths, share=0.25), train, ALONE)
    opinion = 1 / (1 + np.exp(-np.array([2.0, -2.0, 1.0])))
    assert found.dtype == np.float32
    assert found == pytest.approx(0.75 * train.split.labels + 0.25 * opinion, abs=1e-5)


def test_a_crop_and_its_mirror_image_count_alike(tmp_path: Path, train: LabelledPictures) -> None:
    torch.manual_seed(0)
    network = SlimNet((4, 8), (8, 7, 2), 3, attributes=celeba.ATTRIBUTES)
    with torch.no_grad():
        network.fc.weight.mul_(1e3)  # otherwise it says nearly the same about all pictures
    path = str(tmp_path / "random.safetensors")
    network.save(path)
    found = teachers.targets(asked(tmp_path, path, share=1.0), train, ALONE)
    whole = train.pictures.take(np.arange(len(train.pictures)))
    x = network.preprocessing.normalise(torch.from_numpy(whole))
    with torch.no_grad():
        logits = network.eval()(torch.cat([x, x.flip(3)])).view(2, len(found), 3)
    assert not torch.allclose(logits[0], logits[1], atol=1e-4)
    assert found == pytest.approx(torch.sigmoid(logits.mean(0)).numpy(), abs=1e-4)


def test_processes_share_the_pictures_and_all_know_the_whole(tmp_path: Path, train: LabelledPictures) -> None:
    path = sure_of(tmp_path / "a.safetensors", 1, -1, 0)
    summed = []

    def total(values: torch.Tensor) -> torch.Tensor:
        """Sum as if the other process found the same for its half."""
        summed.append(values)
        return values + values.flip(0) if values.ndim else values * 2

    process: Any = SimpleNamespace(device="cpu", rank=0, local_rank=0, count=2, writes=True, total=total)
    found = teachers.targets(asked(tmp_path, path, share=1.0), train, process)
    assert summed[-1][0::2].any()
    assert not summed[-1][1::2].any()
    assert found == pytest.approx(np.tile(1 / (1 + np.exp([-1, 1, 0])), (len(train.split), 1)), abs=1e-5)


def test_teachers_are_asked_once_and_that_is_said(
    tmp_path: Path, train: LabelledPictures, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = sure_of(tmp_path / "a.safetensors", 1, -1, 0)
    first = teachers.targets(asked(tmp_path, path), train, ALONE)
    assert f"asking the teachers about {len(train.split)} pictures" in capsys.readouterr().err
    monkeypatch.setattr(teachers, "opinion_of", lambda *_: pytest.fail("asked again"))
    assert np.array_equal(teachers.targets(asked(tmp_path, path), train, ALONE), first)
    assert not capsys.readouterr().err


def test_a_log_tells_how_many_pictures_are_asked_about_and_the_time_left(
    tmp_path: Path, train: LabelledPictures, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(teachers, "_BATCH", 6)
    clock = itertools.count(0, 59)  # seconds, at each look
    monkeypatch.setattr(counting, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    teachers.opinion_of([sure_of(tmp_path / "a.safetensors", 1, -1, 0)], train, ALONE)
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("asking the teachers")]
    assert said == ["asking the teachers about 16 pictures", "asking the teachers: 12 of 16, 1 min left"]


def test_other_weights_at_the_same_place_are_asked_anew(tmp_path: Path, train: LabelledPictures) -> None:
    first = teachers.targets(asked(tmp_path, sure_of(tmp_path / "a.safetensors", 1, -1, 0)), train, ALONE)
    second = teachers.targets(asked(tmp_path, sure_of(tmp_path / "a.safetensors", 5, -1, 0)), train, ALONE)
    assert not np.allclose(first, second)


@pytest.mark.parametrize(
    ("teacher", "message"),
    [
        (lambda folder: str(folder / "missing.safetensors"), "missing.safetensors cannot be read"),
        (lambda folder: sure_of(folder / "a.safetensors", 1, 1, attributes=("Fourth", "Fifth")), "other attributes"),
    ],
)
def test_a_teacher_that_cannot_help_is_named(
    tmp_path: Path, train: LabelledPictures, teacher: Callable[[Path], str], message: str
) -> None:
    with pytest.raises(CheckpointError, match=message):
        teachers.targets(asked(tmp_path, teacher(tmp_path)), train, ALONE)


def test_teachers_stand_in_for_labels_that_are_not_known(tmp_path: Path, train: LabelledPictures) -> None:
    split = read_celeba(celeba.with_gaps(tmp_path / "data"))["train"]
    paths = sure_of(tmp_path / "a.safetensors", 4, -2, 0), sure_of(tmp_path / "b.safetensors", 0, -2, 2)
    config = asked(tmp_path, *paths, share=0.25)
    found = teachers.targets(config, LabelledPictures(train.pictures, split), ALONE)
    whole = teachers.targets(config, train, ALONE)
    assert not split.known.all()
    alone = teachers.opinion_of(config.teachers, train, ALONE)
    np.testing.assert_array_equal(found, np.where(split.known, whole, alone))


def test_teachers_are_joined_by_name_and_labels_stand_where_none_knows(tmp_path: Path, train: LabelledPictures) -> None:
    paths = (
        sure_of(tmp_path / "a.safetensors", -2, 9, 4, attributes=("Second", "Other", "First")),
        sure_of(tmp_path / "b.safetensors", 0, attributes=("First",)),
    )
    found = teachers.targets(asked(tmp_path, *paths, share=0.25), train, ALONE)
    opinion = 1 / (1 + np.exp(-np.array([2.0, -2.0])))
    assert found[:, :2] == pytest.approx(0.75 * train.split.labels[:, :2] + 0.25 * opinion, abs=1e-5)
    assert np.array_equal(found[:, 2], train.split.labels[:, 2])
    taught, lines = teachers.check_teachers(paths, train.split)
    assert taught == {"First", "Second"}
    assert lines == [
        f"the teacher {paths[0]} is asked for First, Second (2); it does not know Third (1)",
        f"the teacher {paths[1]} is asked for First (1); it does not know Second, Third (2)",
    ]


def test_what_no_teacher_and_no_label_knows_stays_unknown(tmp_path: Path, train: LabelledPictures) -> None:
    split = read_celeba(celeba.with_gaps(tmp_path / "data"))["train"]
    path = sure_of(tmp_path / "a.safetensors", 0, attributes=("First",))
    found = teachers.targets(asked(tmp_path, path), LabelledPictures(train.pictures, split), ALONE)
    assert not np.isnan(found[:, 0]).any()
    assert np.array_equal(np.isnan(found[:, 1:]), ~split.known[:, 1:])


def test_tables_and_weights_are_mixed_where_each_knows_the_picture(tmp_path: Path, train: LabelledPictures) -> None:
    """The mix is the mean logit of those that know the attribute of the picture."""
    weights = sure_of(tmp_path / "a.safetensors", 2, -2, 0)
    table = tmp_path / "b.csv"
    names = [path.name for path in train.split.paths[:2]]
    table.write_text(f"file,First,Third\n{names[0]},0.5,0.9\n{names[1]},,0.1\n")
    found = teachers.targets(asked(tmp_path, weights, str(table), share=1.0), train, ALONE)
    expected = np.tile([2.0, -2.0, 0.0], (len(found), 1))
    expected[0] = 1, -2, np.log(9) / 2
    expected[1] = 2, -2, -np.log(9) / 2
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-expected)), atol=1e-5)
    taught, lines = teachers.check_teachers([weights, str(table)], train.split)
    assert taught == set(celeba.ATTRIBUTES)
    (line,) = lines
    assert "asked for First, Third (2) and answers for 2 of 16 pictures; it does not know Second (1)" in line


def test_another_table_at_the_same_place_is_read(tmp_path: Path, train: LabelledPictures) -> None:
    table = tmp_path / "b.csv"
    name = train.split.paths[0].name
    found = []
    for value in (0.2, 0.7):
        table.write_text(f"file,First\n{name},{value}\n")
        found.append(teachers.targets(asked(tmp_path, str(table), share=1.0), train, ALONE)[0, 0])
    assert found == pytest.approx([0.2, 0.7])
