import pytest

from demo.batch.stops import explain_stop


def test_an_error_without_a_number_is_told_in_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert explain_stop(OSError("the disk is gone"), "results.csv.part") == 1
    assert capsys.readouterr().err.startswith("results.csv.part cannot be written: the disk is gone. ")
