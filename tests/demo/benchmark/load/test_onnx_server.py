import subprocess
import sys
from pathlib import Path

import pytest

from demo.benchmark.__main__ import main
from demo.benchmark.load import onnx_server
from slimnet import SlimNet


def test_processes_that_know_only_onnx_runtime_read_crops(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["onnx", "--workers", "2", "--crops", "3", "--seconds", "1"]) == 0
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("3 crops at a time: ")]
    page, processes = line.removeprefix("3 crops at a time: ").split(", ")
    assert page.startswith("slimnet.Predictor ")
    assert processes.startswith("2 processes ")
    assert all(float(rates.split()[at]) > 0 for rates, at in ((page, 1), (processes, 2)))


# A stand-in for ONNX Runtime, whose batches take half a second.
SLOW = """
import time
class SessionOptions: pass
class InferenceSession:
    def __init__(self, *_, **__): pass
    def run(self, *_):
        time.sleep(0.5)
        import numpy
        return [numpy.zeros((1, 2))]
"""


def test_a_batch_that_ends_late_counts_with_its_time(tmp_path: Path) -> None:
    (tmp_path / "onnxruntime.py").write_text(SLOW, encoding="utf-8")
    server = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{onnx_server._SERVER}"
    command = [sys.executable, "-c", server, "slimnet.onnx", "1", "4", "4", "2", "0.6"]
    done = subprocess.run(command, input="\n", capture_output=True, encoding="utf-8", check=True)
    ready, rate = done.stdout.splitlines()
    assert ready == "ready"
    assert 0 < float(rate) <= 2  # and not 2 batches in 0.6 s


def test_weights_of_other_attributes_are_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = tmp_path / "two.safetensors"
    SlimNet(num_classes=2, attributes=("Smiling", "Hat")).save(weights)
    options = ["--workers", "1", "--crops", "2", "--seconds", "1", "--weights", str(weights)]
    assert main(["onnx", *options]) == 0
    assert "2 crops at a time: " in capsys.readouterr().out


def test_a_network_that_cannot_be_exported_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(onnx_server, "export", lambda _: 1)
    assert main(["onnx", "--seconds", "1"]) == 2
    assert "cannot be exported to ONNX" in capsys.readouterr().err


def test_a_process_that_is_never_ready_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(onnx_server, "export", lambda _: 0)  # there is no file
    assert main(["onnx", "--workers", "2", "--seconds", "1"]) == 2
    assert "a process of ONNX Runtime ended before it was ready" in capsys.readouterr().err
