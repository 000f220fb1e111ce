import math

import pytest
import torch

from training.fit.losses import LOSSES


def loss_of(name, probability, target):
    logit = torch.tensor([[math.log(probability / (1 - probability))]])
    return LOSSES[name](logit, torch.tensor([[float(target)]])).item()


@pytest.mark.parametrize("name", sorted(LOSSES))
@pytest.mark.parametrize("target", [0, 1])
def test_a_better_answer_costs_less(name, target):
    costs = [loss_of(name, p, target) for p in (0.1, 0.3, 0.5, 0.7, 0.9)]
    assert costs == sorted(costs, reverse=bool(target))
    assert costs[0] != pytest.approx(costs[-1])
    assert min(costs) >= 0


@pytest.mark.parametrize(
    ("name", "probability", "target", "cost"),
    [
        ("cross_entropy", 0.8, 1, -math.log(0.8)),
        ("focal", 0.8, 1, 0.2**2 * -math.log(0.8)),
        ("focal", 0.8, 0, 0.8**2 * -math.log(0.2)),
        ("asymmetric", 0.8, 1, -math.log(0.8)),
        ("asymmetric", 0.8, 0, 0.75**2 * -math.log(0.25)),
        ("asymmetric", 0.04, 0, 0.0),
        ("generalised", 0.8, 1, (1 - 0.8**0.7) / 0.7),
        ("generalised", 0.8, 0, (1 - 0.2**0.7) / 0.7),
    ],
)
def test_costs_are_those_of_the_papers(name, probability, target, cost):
    assert loss_of(name, probability, target) == pytest.approx(cost, abs=1e-6)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_extreme_logits_cost_and_teach_something_finite(name):
    logits = torch.tensor([[-90.0, 90.0, -90.0, 90.0, 0.0]], requires_grad=True)
    loss = LOSSES[name](logits, torch.tensor([[0.0, 0.0, 1.0, 1.0, 0.5]]))
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_only_known_targets_cost_and_teach(name):
    logits = torch.tensor([[0.3, -2.0], [1.0, 0.5]], requires_grad=True)
    targets = torch.tensor([[1.0, math.nan], [math.nan, 0.0]])
    loss = LOSSES[name](logits, targets)
    loss.backward()
    alone = torch.stack([LOSSES[name](logits[n, n].view(1, 1), targets[n, n].view(1, 1)) for n in (0, 1)])
    assert loss.item() == pytest.approx(alone.mean().item())
    assert (logits.grad != 0).tolist() == [[True, False], [False, True]]


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_a_batch_without_any_known_target_teaches_nothing(name):
    logits = torch.zeros((2, 2), requires_grad=True)
    loss = LOSSES[name](logits, torch.full((2, 2), math.nan))
    loss.backward()
    assert loss.item() == 0
    assert not logits.grad.any()
