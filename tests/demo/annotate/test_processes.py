from pathlib import Path

import numpy as np
import pytest

from demo.annotate.picture import annotate_picture
from demo.annotate.processes import annotate_in_processes
from demo.pipeline.analyse import Pipeline
from slimnet import Predictor


def test_every_process_decides_by_the_weights(folder: Path, decided_weights: str) -> None:
    files = [str(folder / "a.jpg")]
    [outcome] = annotate_in_processes(files, Path(decided_weights), Predictor(decided_weights, "cpu"), 1, "balanced")
    [alone] = (annotate_picture(Pipeline.load(decided_weights, "cpu"), file, "balanced") for file in files)
    assert outcome == alone
    assert outcome.rows[0][6] == "1"


def test_one_network_reads_the_crops_of_all_processes_in_batches(
    folder: Path, weights: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a GPU; here a CPU pretends to be one."""

    class Gpu:
        type = "cuda"

    monkeypatch.setattr(Predictor, "device", Gpu())
    batches = []
    call = Predictor.__call__

    def noted(self: Predictor, crops: np.ndarray) -> np.ndarray:
        batches.append(len(crops))
        return call(self, crops)

    monkeypatch.setattr(Predictor, "__call__", noted)
    files = [str(folder / name) for name in ("a.jpg", "broken.jpg", "deep/er/PAIR.PNG", "none.webp")]
    found = list(annotate_in_processes(files, Path(weights), Predictor(weights, "cpu"), 2))
    assert sum(batches) == 3
    monkeypatch.undo()
    for outcome, alone in zip(
        found, (annotate_picture(Pipeline.load(weights, "cpu"), file) for file in files), strict=True
    ):
        assert (outcome.file, outcome.failure) == (alone.file, alone.failure)
        assert [row[:6] for row in outcome.rows] == [row[:6] for row in alone.rows]
        ours, theirs = ([list(map(float, row[6:])) for row in one.rows] for one in (outcome, alone))
        assert np.allclose(ours, theirs, atol=1e-5)
