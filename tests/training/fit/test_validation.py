from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn import metrics as sklearn_metrics

from slimnet import SlimNet
from training.data import counting
from training.data.cache import LabelledPictures, Pictures
from training.data.celeba import Split
from training.fit.runtime.distributed import Process
from training.fit.validation import VALIDATED_FIGURES, judge, validate

NAMES = ("A", "B", "C")
Case = tuple[np.ndarray, Split]


@pytest.fixture
def case() -> Case:
    """Logits and labels of 40 pictures: every other label of B unknown, and all of C."""
    rng = np.random.default_rng(0)
    labels = rng.random((40, 3)) < 0.4
    known = np.ones((40, 3), bool)
    known[::2, 1] = known[:, 2] = False
    split = Split(tuple(Path(f"{n}.jpg") for n in range(40)), labels & known, NAMES, np.arange(40), known)
    return rng.normal(0, 2, (40, 3)) + labels, split


def test_figures_are_scikit_learns_over_the_known_labels(case: Case) -> None:
    logits, split = case
    found = judge(logits, split)
    for n, there in ((0, split.known[:, 0]), (1, split.known[:, 1])):
        truth, ticked = split.labels[there, n], logits[there, n] > 0
        assert {name: found.figures[name][n] for name in VALIDATED_FIGURES} == pytest.approx(
            {
                "accuracy": sklearn_metrics.accuracy_score(truth, ticked),
                "balanced_accuracy": sklearn_metrics.balanced_accuracy_score(truth, ticked),
                "f1": sklearn_metrics.f1_score(truth, ticked),
                "average_precision": sklearn_metrics.average_precision_score(truth, logits[there, n]),
            }
        )
        loss = sklearn_metrics.log_loss(truth, 1 / (1 + np.exp(-logits[there, n])))
        assert found.loss[n] == pytest.approx(loss)
    assert found.mean("f1") == pytest.approx(found.figures["f1"][:2].mean())


def test_an_attribute_that_is_never_ticked_has_an_f1_of_0(case: Case) -> None:
    logits, split = case
    assert judge(logits - 100, split).figures["f1"][:2].tolist() == [0, 0]


def test_what_is_undefined_is_none_in_the_metrics(case: Case) -> None:
    found = judge(*case).as_metrics("valid/more")
    assert found["valid/more/attributes"]["C"] == dict.fromkeys(VALIDATED_FIGURES)
    assert found["valid/more/accuracy"] == pytest.approx(
        np.mean([found["valid/more/attributes"][name]["accuracy"] for name in "AB"]), abs=1e-6
    )
    logits, split = case
    nothing = Split(split.paths, split.labels & False, NAMES, split.identities, split.known)
    assert judge(logits, nothing).as_metrics("valid")["valid/balanced_accuracy"] is None


@pytest.mark.parametrize(("rank", "lines"), [(0, ["validating: 54 of 160, 2 min left"]), (1, [])])
def test_a_long_validation_reports_as_it_goes(
    rank: int, lines: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seconds = [500.0]
    monkeypatch.setattr(counting, "time", SimpleNamespace(monotonic=lambda: seconds[0]))

    class Slow(Pictures):
        """Blank pictures; the first batch takes a minute."""

        def take(self, indices: np.ndarray) -> np.ndarray:
            seconds[0] = 560.0
            return np.zeros((len(indices), 218, 178, 3), np.uint8)

    count = 160 * 2
    split = Split((Path("a.jpg"),) * count, np.zeros((count, 3), bool), NAMES, np.arange(count))
    network = SlimNet((4,), (4, 7, 8), 3, attributes=NAMES)
    monkeypatch.setattr(Process, "total", lambda _self, values: values)
    process = Process(rank, 2, torch.device("cpu"))
    validate(network, LabelledPictures(Slow(Path("none"), (count, 218, 178, 3)), split), process)
    assert capsys.readouterr().err.splitlines() == lines
