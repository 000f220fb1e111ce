"""Weights are averaged, and batch norm's statistics are measured again."""

from pathlib import Path

import pytest
import torch
from torch import nn

from slimnet import SlimNet
from slimnet.preprocessing import Preprocessing
from tests.fakes import celeba
from training.data.celeba import read_celeba, read_pictures
from training.measure.predictions import identify
from training.soup import average, main, settle_batch_norm


def small(seed: int, filters: int = 4) -> SlimNet:
    torch.manual_seed(seed)
    return SlimNet((filters,), (8, 7, 2), len(celeba.ATTRIBUTES), attributes=celeba.ATTRIBUTES)


def test_the_average_lies_between_and_counts_stay_whole() -> None:
    one, two = small(1), small(2)
    one.provenance = {"commit": "abc"}
    mean = average([one, two])
    for name, value in mean.state_dict().items():
        a, b = one.state_dict()[name], two.state_dict()[name]
        assert torch.allclose(value.double(), (a.double() + b.double()) / 2), name
    assert mean.calibration is None
    assert mean.provenance == {"average_of": [{"commit": "abc"}, None]}
    assert one.provenance == {"commit": "abc"}
    assert average([two]).provenance is None
    assert not torch.equal(mean.fc.weight, one.fc.weight)


@pytest.mark.parametrize("other", [small(2, filters=5), SlimNet((4,), (8, 7, 2), 3, attributes=("A", "B", "C"))])
def test_networks_that_do_not_fit_together_are_refused(other: SlimNet) -> None:
    with pytest.raises(ValueError, match="same shape"):
        average([small(1), other])


def test_batch_norm_gets_the_statistics_of_the_crops_as_they_are(tmp_path: Path) -> None:
    split = read_celeba(celeba.write(tmp_path, sizes={0: 120, 1: 2, 2: 2}))["train"]
    network = small(1)
    settle_batch_norm(network, split, 120)
    seen: list[torch.Tensor] = []
    network.conv1[0].register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    with torch.no_grad():
        for crops in read_pictures(split, Preprocessing()):
            network(network.preprocessing.normalise(torch.from_numpy(crops)))
    norm = network.conv1[1]
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    # One batch of 100 from 120 crops: the other 20 would weigh as much as a whole batch.
    assert norm.num_batches_tracked == 1
    assert torch.allclose(norm.running_mean, torch.cat(seen).mean(dim=(0, 2, 3)), atol=0.02)
    assert not network.training


def test_the_command_writes_weights_that_load(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = celeba.write(tmp_path / "data", sizes={0: 12, 1: 2, 2: 2})
    files = [str(tmp_path / name) for name in ("a.safetensors", "b.safetensors")]
    for seed, file in enumerate(files):
        small(seed).save(file)
    out = tmp_path / "soup.safetensors"
    assert main(["--weights", *files, "--data_dir", str(data), "--out", str(out), "--device", "cpu"]) == 0
    soup = SlimNet.load_pretrained(out)
    assert soup.attributes == celeba.ATTRIBUTES
    assert soup.provenance
    assert soup.provenance["files"] == {"weights": [identify(Path(file)) for file in files]}
    assert soup.provenance["averaged"] == {"images": 4000}
    assert soup.provenance["data"] == {"train": read_celeba(data)["train"].fingerprint()}
    assert ("commit" in soup.provenance) == ("modified" in soup.provenance)
    assert main(["--weights", *files, "--images", "0", "--out", str(out)]) == 0  # this needs no pictures
    assert "data" not in (SlimNet.load_pretrained(out).provenance or {})
    plain = average([SlimNet.load_pretrained(file) for file in files]).state_dict()
    assert all(torch.equal(value, plain[name]) for name, value in SlimNet.load_pretrained(out).state_dict().items())
    assert main(["--weights", str(tmp_path / "none.safetensors"), "--data_dir", str(data), "--out", str(out)]) == 1
    assert "none.safetensors" in capsys.readouterr().err


def test_a_suffix_that_cannot_be_written_is_said_before_the_work(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--weights", "none.safetensors", "--out", "soup.bin"])
    assert "soup.bin" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("images", "why"),
    [
        ("99", "--images must be at least 100, or 0 for the mean of the statistics, got 99"),
        ("-1", "--images must be at least 0, got -1"),
    ],
)
def test_fewer_images_than_batch_norm_needs_are_refused(
    images: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["--weights", "none.safetensors", "--images", images, "--out", "soup.safetensors"])
    assert why in capsys.readouterr().err


def test_a_folder_without_training_pictures_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small(1).save(tmp_path / "one.safetensors")
    data, out = celeba.write(tmp_path / "data", sizes={1: 3}), tmp_path / "soup.safetensors"
    assert main(["--weights", str(tmp_path / "one.safetensors"), "--data_dir", str(data), "--out", str(out)]) == 1
    assert "train split has no pictures" in capsys.readouterr().err
    assert not out.exists()
