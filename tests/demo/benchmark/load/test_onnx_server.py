import pytest

from demo.benchmark.__main__ import main


def test_processes_that_know_only_onnx_runtime_read_crops(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["onnx", "--workers", "2", "--seconds", "1"]) == 0
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("2 processes: ")]
    assert float(line.split()[2]) > 0
