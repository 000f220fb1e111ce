import math

import pytest
import torch

from training.fit.losses import cross_entropy


def loss_of(probability: float, target: int) -> float:
    logit = torch.tensor([[math.log(probability / (1 - probability))]])
    return cross_entropy(logit, torch.tensor([[float(target)]])).item()


@pytest.mark.parametrize("target", [0, 1])
def test_a_better_answer_costs_less(target: int) -> None:
    costs = [loss_of(p, target) for p in (0.1, 0.3, 0.5, 0.7, 0.9)]
    assert costs == sorted(costs, reverse=bool(target))
    assert costs[0] != pytest.approx(costs[-1])
    assert min(costs) >= 0


@pytest.mark.parametrize(("probability", "target", "cost"), [(0.8, 1, -math.log(0.8)), (0.8, 0, -math.log(0.2))])
def test_a_cost_is_the_negative_log_likelihood(probability: float, target: int, cost: float) -> None:
    assert loss_of(probability, target) == pytest.approx(cost, abs=1e-6)


def test_extreme_logits_cost_and_teach_something_finite() -> None:
    logits = torch.tensor([[-90.0, 90.0, -90.0, 90.0, 0.0]], requires_grad=True)
    loss = cross_entropy(logits, torch.tensor([[0.0, 0.0, 1.0, 1.0, 0.5]]))
    loss.backward()
    assert torch.isfinite(loss)
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_only_known_targets_cost_and_teach() -> None:
    logits = torch.tensor([[0.3, -2.0], [1.0, 0.5]], requires_grad=True)
    targets = torch.tensor([[1.0, math.nan], [math.nan, 0.0]])
    loss = cross_entropy(logits, targets)
    loss.backward()
    alone = torch.stack([cross_entropy(logits[n, n].view(1, 1), targets[n, n].view(1, 1)) for n in (0, 1)])
    assert loss.item() == pytest.approx(alone.mean().item())
    assert logits.grad is not None
    assert (logits.grad != 0).tolist() == [[True, False], [False, True]]


def test_a_batch_without_any_known_target_teaches_nothing() -> None:
    logits = torch.zeros((2, 2), requires_grad=True)
    loss = cross_entropy(logits, torch.full((2, 2), math.nan))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert not logits.grad.any()
