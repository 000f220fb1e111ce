import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import torch

from slimnet import ATTRIBUTES, Calibration, Preprocessing, Reliability, SlimNet
from tests.fakes import original as reference
from training.benchmark import __main__ as command
from training.benchmark import inference, throughput
from training.benchmark.bottleneck import Bottleneck, bottlenecks, setting
from training.benchmark.facts import network_facts
from training.benchmark.original import OriginalNetwork
from training.benchmark.throughput import Throughput

CPU = torch.device("cpu")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Weights of a small calibrated network, so that its probabilities use its own temperatures."""
    torch.manual_seed(0)
    model = SlimNet((4, 6), (8, 7, 2), 3, preprocessing=Preprocessing(60, 50))
    model.calibration = Calibration((0.5, 1.0, 2.0), (Reliability(0.8, 0.7, 0.9),) * 3)
    model.save(tmp_path / "small.safetensors")
    return tmp_path / "small.safetensors"


def test_the_baseline_computes_what_the_original_does() -> None:
    state = reference.state_dict()
    network = OriginalNetwork().eval()
    network.load_state_dict(state)
    x = torch.randn(2, 3, 218, 178, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(network(x), reference.logits(state, x), atol=1e-4, rtol=1e-4)


def test_the_networks_size_and_work_are_counted(tmp_path: Path) -> None:
    SlimNet().save(tmp_path / "w.safetensors")
    facts = network_facts(tmp_path / "w.safetensors")
    assert facts.parameters == 571_304
    assert facts.file_bytes == (tmp_path / "w.safetensors").stat().st_size
    assert facts.multiply_adds == pytest.approx(244e6, rel=0.01)


def test_every_way_gives_the_same_probabilities_and_is_timed(small: Path) -> None:
    before = torch.get_num_threads()
    rows = inference.measure_latency(small, CPU, before + 1, 2, runs=2)
    assert torch.get_num_threads() == before
    assert rows[0].contender == inference.ORIGINAL
    assert rows[0].times_faster == 1
    assert rows[0].milliseconds
    for row in rows:
        assert (row.threads, row.batch) == (before + 1, 2)
        if row.milliseconds is not None:
            assert row.milliseconds > 0
            assert row.difference is not None
            assert row.times_faster == pytest.approx(rows[0].milliseconds / row.milliseconds)
            assert row.difference < (0.05 if "bfloat16" in row.contender else 1e-3)
    assert {row.contender for row in rows if row.milliseconds} >= {"this repository (ONNX Runtime)", "ONNX Runtime"}


def test_engines_that_are_missing_are_told(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("onnxruntime", "openvino"):
        monkeypatch.setitem(sys.modules, name, None)  # importing it fails
    monkeypatch.delitem(sys.modules, "slimnet.onnx.engine", raising=False)
    rows = {row.contender: row for row in inference.measure_latency(small, CPU, 1, 1, runs=1)}
    assert rows["this repository (torch)"].milliseconds
    assert all(rows[name].milliseconds is None for name in ("ONNX Runtime", "OpenVINO, float32", "OpenVINO, bfloat16"))


def test_every_way_of_training_takes_steps(tmp_path: Path) -> None:
    split = throughput.generated(tmp_path, 4)
    assert split.labels.shape == (4, len(ATTRIBUTES))
    assert throughput.original(split, CPU, 1) > 0
    assert throughput.best(split, CPU, 1, str(tmp_path), early=True) > 0


def test_loader_and_network_are_timed_alone_and_together() -> None:
    settings = [setting("device", 2), setting("host", 2, channels_last=False)]
    for row, where in zip(bottlenecks(None, settings, CPU, 1, pictures=4), ("device", "host"), strict=True):
        assert (row.pictures_on, row.batch_size, row.channels_last) == (where, 2, where == "device")
        assert min(row.loader, row.step, row.both) > 0
        assert row.bound_by == ("loader" if row.loader < row.step else "network")


def test_a_run_prints_and_writes_all_figures(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "THREADS", (1,))
    monkeypatch.setattr(command, "BATCHES", (1, 3))
    monkeypatch.setattr(command, "measure_throughput", lambda *_: Throughput(20.0, 90.0, 40.0, 66.7, 3.33))
    monkeypatch.setattr(command, "bottlenecks", lambda *_: [Bottleneck("host", 128, True, 2, 90.0, 40.0, 39.0)])
    found = tmp_path / "found.json"
    assert command.main(["--weights", str(small), "--device", "cpu", "--loops", "3", "--json", str(found)]) == 0
    printed = capsys.readouterr().out
    assert "6.25 images a second on CPU" in printed
    assert f"torch: {version('torch')}" in printed
    assert "recipe best, over a whole run        66.7     3.33 times" in printed
    assert " ".join(printed.splitlines()[-1].split()) == "host 128 channels last 90.0 40.0 39.0 network"
    figures = json.loads(found.read_text())
    assert figures["bottlenecks"][0]["bound_by"] == "network"
    assert {row["batch"] for row in figures["latency"]} == {1, 3}
    assert figures["throughput"]["times_faster"] == 3.33
    assert np.isclose(figures["network"]["multiply_adds"], network_facts(small).multiply_adds)


def test_wrong_weights_are_said_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--weights", str(tmp_path / "none.pth"), "--device", "cpu"]) == 1
    assert "training.benchmark: there are no weights at" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        command.main(["--loops", "0"])
    assert "--loops must be at least 1, got 0" in capsys.readouterr().err
