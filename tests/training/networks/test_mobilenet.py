from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import SafetensorError

from slimnet import CheckpointError, Preprocessing, SlimNet
from slimnet.files import checkpoint
from training.networks.mobilenet import MobileNet, MobileNetArchitecture, holds_mobilenet
from training.networks.network import load_network

NAMES = ("Male", "Young")


@pytest.fixture
def network() -> MobileNet:
    torch.manual_seed(0)
    shape = MobileNetArchitecture(4, ((6, 1), (8, 2)), len(NAMES))
    network = MobileNet(shape, NAMES, Preprocessing(std=(0.25, 0.25, 0.25)))
    network.provenance = {"commit": "abc"}
    return network


def test_saving_and_loading_keeps_the_network(tmp_path: Path, network: MobileNet) -> None:
    path = tmp_path / "teacher.safetensors"
    network.save(path)
    found = load_network(path)
    assert isinstance(found, MobileNet)
    assert (found.architecture, found.attributes) == (network.architecture, NAMES)
    assert (found.preprocessing, found.provenance) == (network.preprocessing, {"commit": "abc"})
    x = torch.rand(2, 3, 33, 20)
    assert found.eval()(x).equal(network.eval()(x))


def test_files_tell_which_network_they_hold(tmp_path: Path, network: MobileNet) -> None:
    network.save(tmp_path / "mobilenet.safetensors")
    SlimNet((4,), (4, 7, 2), 2).save(tmp_path / "slimnet.safetensors")
    assert holds_mobilenet(tmp_path / "mobilenet.safetensors")
    assert not holds_mobilenet(tmp_path / "slimnet.safetensors")
    assert not holds_mobilenet(tmp_path / "missing.safetensors")
    assert isinstance(load_network(tmp_path / "slimnet.safetensors"), SlimNet)


def test_a_file_of_other_weights_is_refused(tmp_path: Path, network: MobileNet) -> None:
    path = tmp_path / "teacher.safetensors"
    network.blocks[0] = torch.nn.Identity()  # now weights are missing that the file says it has
    network.save(path)
    with pytest.raises(CheckpointError, match=r"teacher\.safetensors cannot be read as MobileNet's weights"):
        MobileNet.load(path)


def test_a_changed_weight_is_noticed(tmp_path: Path, network: MobileNet) -> None:
    path = tmp_path / "teacher.safetensors"
    network.save(path)
    with path.open("r+b") as file:
        file.seek(-8, 2)
        file.write(bytes(byte ^ 1 for byte in path.read_bytes()[-8:]))
    with pytest.raises(CheckpointError, match="do not match their checksum"):
        MobileNet.load(path)


def test_weights_that_are_not_finite_are_refused(tmp_path: Path, network: MobileNet) -> None:
    path = tmp_path / "teacher.safetensors"
    with torch.no_grad():
        network.fc.bias[0] = torch.nan
    network.save(path)
    with pytest.raises(CheckpointError, match="not finite"):
        MobileNet.load(path)


@pytest.mark.parametrize(("height", "width"), [(10, 7), (9, 12)])
def test_convolutions_are_padded_as_tensorflow_does_it(network: MobileNet, height: int, width: int) -> None:
    """As TensorFlow documents it: the first window begins half the padding, rounded down, before the picture."""
    x = torch.rand(1, 3, height, width)
    missing = [(-(-side // 2) - 1) * 2 + 3 - side for side in (height, width)]
    padded = np.pad(x[0].numpy(), ((0, 0), *((total // 2, total - total // 2) for total in missing)))
    kernel = next(network.parameters()).detach().numpy()
    expected = [
        [(padded[:, row : row + 3, column : column + 3] * kernel).sum((1, 2, 3)) for column in range(0, width, 2)]
        for row in range(0, height, 2)
    ]
    with torch.no_grad():
        found = network.stem[:2](x)[0].permute(1, 2, 0)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-4, atol=1e-5)


def test_a_disk_that_fills_up_while_weights_are_written_is_an_error_of_the_disk(
    tmp_path: Path, network: MobileNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise SafetensorError("I/O error: No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", refuse)
    with pytest.raises(OSError, match="No space left on device"):
        network.save(tmp_path / "teacher.safetensors")
    assert not list(tmp_path.iterdir())
