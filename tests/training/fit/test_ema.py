import torch

from slimnet import SlimNet
from training.fit.ema import ExponentialMovingAverage


def fill(network: SlimNet, value: float) -> None:
    with torch.no_grad():
        for tensor in network.state_dict().values():
            tensor.fill_(value)


def test_the_first_step_is_mostly_taken_in() -> None:
    network = SlimNet((4,), (4, 7, 2), 2)
    fill(network, 0.0)
    average = ExponentialMovingAverage(network, 0.999)
    fill(network, 10.0)
    average.update(1)
    assert torch.allclose(average.network.fc.weight, torch.full_like(network.fc.weight, 9.0))


def test_late_steps_move_by_the_decay() -> None:
    network = SlimNet((4,), (4, 7, 2), 2)
    fill(network, 0.0)
    average = ExponentialMovingAverage(network, 0.9)
    fill(network, 10.0)
    average.update(100_000)
    assert torch.allclose(average.network.fc.weight, torch.full_like(network.fc.weight, 1.0))
    # Batch norm's statistics belong to the weights: they are averaged too, and their counter is copied.
    assert average.network.state_dict()["conv1.1.running_mean"].allclose(torch.full((4,), 1.0))
    assert average.network.state_dict()["conv1.1.num_batches_tracked"] == 10
    assert network.fc.weight[0, 0] == 10
