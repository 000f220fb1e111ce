import pytest

from demo.batch.reach import AllOutOfReachError
from demo.batch.stops import explain_stop


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError("the disk is gone"), "results.csv.part cannot be written: the disk is gone. {} goes on from"),
        (AllOutOfReachError("a.jpg cannot be read"), "Stopped: a.jpg cannot be read. Once they are back, {} goes on."),
        (KeyboardInterrupt(), "Interrupted; the results up to here are in results.csv.part. {} goes on."),
    ],
)
def test_what_goes_on_is_the_same_command_but_never_one_that_starts_over(
    error: BaseException, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for restarted, command in ((False, "the same command"), (True, "the same command without --restart")):
        explain_stop(error, "results.csv.part", restarted)
        start = said.format(command)
        assert capsys.readouterr().err.lower().startswith(start.lower())
