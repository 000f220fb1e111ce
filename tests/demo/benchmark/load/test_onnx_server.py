import pytest

from demo.benchmark.__main__ import main


def test_processes_that_know_only_onnx_runtime_read_crops(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["onnx", "--workers", "2", "--crops", "3", "--seconds", "1"]) == 0
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("3 crops at a time: ")]
    page, processes = line.removeprefix("3 crops at a time: ").split(", ")
    assert page.startswith("slimnet.Predictor ")
    assert processes.startswith("2 processes ")
    assert all(float(rates.split()[at]) > 0 for rates, at in ((page, 1), (processes, 2)))
