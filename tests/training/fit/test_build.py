import torch

from slimnet import SlimNet
from training.fit.build import build_optimizer, restore_optimizer
from training.fit.config import parse_config


def test_an_optimisers_state_is_taken_from_a_gpu() -> None:
    """One kernel updated all parameters where the state was saved; here the new optimiser decides that."""
    config, network = parse_config(["--optimizer", "adamw"]), SlimNet((4,), (4, 7, 2), 2)
    saved = build_optimizer(config, network)
    network(torch.zeros(2, 3, 60, 50)).sum().backward()
    saved.step()
    state = saved.state_dict()
    for group in state["param_groups"]:
        group["fused"] = True
    restored = build_optimizer(config, network)
    restore_optimizer(restored, state)
    assert [group["fused"] for group in restored.param_groups] == [None, None]
    parameter = network.fc.weight
    assert restored.state[parameter]["exp_avg"].equal(saved.state[parameter]["exp_avg"])


def test_an_optimisers_state_takes_the_memory_format_of_its_parameters() -> None:
    """A run may go on with the other --channels_last, and fused optimisers need the state to be as the parameter is."""
    config, network = parse_config([]), SlimNet((4,), (4, 7, 2), 2)
    saved = build_optimizer(config, network)
    network(torch.zeros(2, 3, 60, 50)).sum().backward()
    saved.step()
    other = SlimNet((4,), (4, 7, 2), 2).to(memory_format=torch.channels_last)
    restored = build_optimizer(config, other)
    restore_optimizer(restored, saved.state_dict())
    before, after = (next(p for p in one.parameters() if p.ndim == 4) for one in (network, other))
    assert after.stride() != before.stride()
    assert restored.state[after]["exp_avg"].stride() == after.stride()
    assert restored.state[after]["exp_avg"].equal(saved.state[before]["exp_avg"])
