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
