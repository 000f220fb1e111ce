import pytest

from training.fit.config import TrainConfig
from training.fit.schedule import Schedule


def rates(schedule: str, *fractions: float) -> list[float]:
    config = TrainConfig(schedule=schedule, warmup=0.1, learning_rate=1.0, decay_lr_every=0)
    found = Schedule(config, 100, 218, 178)
    return [found.learning_rate(fraction, epoch=0) for fraction in fractions]


def test_the_rate_rises_through_the_warm_up_and_then_falls_to_0_by_a_cosine() -> None:
    assert rates("cosine", 0, 0.05, 0.1, 0.55, 1) == pytest.approx([0.0099, 0.505, 1, 0.5, 0], abs=1e-3)


def test_a_schedule_of_steps_has_the_same_warm_up_and_then_keeps_its_rate() -> None:
    assert rates("step", 0, 0.05, 0.1, 0.55, 1) == pytest.approx([0.01, 0.51, 1, 1, 1])
