from pathlib import Path
from typing import Any

import pytest
import torch

from slimnet import ATTRIBUTES, CheckpointError, Preprocessing, SlimNet
from training.fit.build import build_network
from training.fit.config import TrainConfig
from training.fit.transfer import Beginning

SHAPE = ((4, 8), (8, 7, 2))


def weights(path: Path, names: tuple[str, ...] | None, count: int | None = None, **more: Any) -> SlimNet:
    torch.manual_seed(7)
    network = SlimNet(*SHAPE, count or len(names or ()), attributes=names, **more)
    network.save(path)
    return network


def begun(path: Path, attributes: tuple[str, ...]) -> tuple[SlimNet, SlimNet]:
    """The network at a run's first step, and the one without --init_from."""
    config = TrainConfig(filter_counts=(4, 8), conv_filters=8, num_classes=len(attributes), init_from=str(path), seed=3)
    plain = TrainConfig(filter_counts=(4, 8), conv_filters=8, num_classes=len(attributes), seed=3)
    first, other = build_network(config, attributes), build_network(plain, attributes)
    assert isinstance(first, SlimNet)
    assert isinstance(other, SlimNet)
    return first, other


def same_features(network: SlimNet, other: SlimNet) -> bool:
    mine, theirs = network.state_dict(), other.state_dict()
    return all(mine[name].equal(theirs[name]) for name in mine if not name.startswith("fc."))


def test_outputs_are_joined_by_name_and_new_ones_are_random(tmp_path: Path) -> None:
    path = tmp_path / "first.safetensors"
    first = weights(path, ("Bald", "Smiling", "Male"))
    found, random = begun(path, ("Male", "Freckles", "Bald", "Scar"))
    assert same_features(found, first)
    for layer in ("weight", "bias"):
        mine, old, new = (getattr(network.fc, layer) for network in (found, first, random))
        assert mine[0].equal(old[2])
        assert mine[2].equal(old[0])
        assert mine[[1, 3]].equal(new[[1, 3]])
    line = Beginning.load(str(path), ()).describe(("Male", "Freckles", "Bald", "Scar"))
    assert line == f"{path}: outputs joined by name: Male, Bald (2); new: Freckles, Scar (2)"


def test_without_a_common_name_all_outputs_are_new(tmp_path: Path) -> None:
    first = weights(tmp_path / "first.safetensors", ("Bald", "Male"))
    found, random = begun(tmp_path / "first.safetensors", ("Scar", "Freckles"))
    assert same_features(found, first)
    assert found.fc.weight.equal(random.fc.weight)
    assert "joined by name: none; new: Scar, Freckles (2)" in Beginning.load(
        str(tmp_path / "first.safetensors"), ()
    ).describe(("Scar", "Freckles"))


def test_the_original_form_has_celebas_names_where_it_has_40_outputs(tmp_path: Path) -> None:
    first = weights(tmp_path / "first.pth", None, 40)
    names = (*reversed(ATTRIBUTES[:5]), "Scar")
    found, random = begun(tmp_path / "first.pth", names)
    assert found.fc.weight[:5].equal(first.fc.weight[:5].flip(0))
    assert found.fc.weight[5].equal(random.fc.weight[5])


def test_the_original_form_with_another_number_of_outputs_gives_features_alone(tmp_path: Path) -> None:
    first = weights(tmp_path / "first.pth", ("A", "B", "C"))
    found, random = begun(tmp_path / "first.pth", ("A", "B"))
    assert same_features(found, first)
    assert found.fc.weight.equal(random.fc.weight)
    assert "names no attributes and has 3 outputs for 2: its features are kept, and all outputs are new" in (
        Beginning.load(str(tmp_path / "first.pth"), ("A", "B")).describe(("A", "B"))
    )


def test_the_original_form_with_as_many_outputs_is_taken_in_order_and_says_so(tmp_path: Path) -> None:
    first = weights(tmp_path / "first.pth", ("A", "B", "C"))
    found, _ = begun(tmp_path / "first.pth", ("A", "B", "C"))
    assert found.fc.weight.equal(first.fc.weight)
    line = Beginning.load(str(tmp_path / "first.pth"), ("A", "B", "C")).describe(("A", "B", "C"))
    assert "joined in the data's order, for the file names none: A, B, C (3); new: none" in line


def test_weights_that_see_crops_in_another_way_are_refused(tmp_path: Path) -> None:
    weights(tmp_path / "first.safetensors", ("A", "B"), preprocessing=Preprocessing(std=(0.25, 0.25, 0.25)))
    with pytest.raises(CheckpointError, match="reads crops as"):
        begun(tmp_path / "first.safetensors", ("A", "B"))
