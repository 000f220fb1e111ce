import argparse
import importlib
import math

import pytest

from training.fit.arguments import Range, check_numbers


def test_ends_are_in_a_range_unless_left_out() -> None:
    whole, inner = Range(0, 1), Range(0, 1, over=True, under=True)
    assert [value in whole for value in (-0.1, 0, 0.5, 1, 1.1)] == [False, True, True, True, False]
    assert [value in inner for value in (-0.1, 0, 0.5, 1, 1.1)] == [False, False, True, False, False]
    assert not any(value in whole for value in (math.nan, math.inf, -math.inf))


def test_a_fault_names_the_flag_and_what_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    with pytest.raises(SystemExit) as ended:
        check_numbers(parser, argparse.Namespace(images=7), images=Range(0, 5))
    assert ended.value.code == 2
    assert "--images takes a number from 0 to 5, got 7" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        "evaluate --resamples 99999999", "evaluate --robustness_images -1", "evaluate --out=", "evaluate --json=",
        "evaluate --weights=", "evaluate --data_dir=", "compare --batch_size 99999999 --weights a",
        "compare --weights=", "calibrate --batch_size -5 --out x.safetensors", "calibrate --out=",
        "soup --images 9 --weights a --out b.pth", "soup --out= --weights a", "benchmark --steps 99999999999",
        "benchmark --json=", "model_card --evaluation=",
    ],
)  # fmt: skip
def test_every_command_refuses_what_no_value_of_a_flag_is(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    name, flag, *more = command.split()
    module = importlib.import_module(f"training.{name}" + ".__main__" * (name == "benchmark"))
    with pytest.raises(SystemExit) as ended:
        module.main([flag, *more])
    assert ended.value.code == 2
    assert flag.strip("=") in capsys.readouterr().err.partition("error:")[2]
