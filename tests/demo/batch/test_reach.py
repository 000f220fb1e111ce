from pathlib import Path

import pytest

from demo.batch.journal import Entry
from demo.batch.outcome import Outcome
from demo.batch.reach import AllOutOfReachError, Reach


def test_a_run_stops_only_where_what_it_read_before_is_out_of_reach_too(tmp_path: Path) -> None:
    read, gone = tmp_path / "read.jpg", tmp_path / "gone.jpg"
    reach = Reach([])
    away = Outcome(str(gone), [], "gone.jpg: it does not exist", out_of_reach=True)
    reach.check(away)  # nothing has been read yet: this may be the only one
    read.touch()
    reach.check(Outcome(str(read), []))
    reach.check(away)
    reach.check(Outcome(str(tmp_path / "damaged.jpg"), [], "damaged.jpg: it is damaged"))
    reach.check(away)  # of the last picture that was read
    read.unlink()
    earlier = [Entry(str(read), 1, None, 9), Entry(str(gone), 0, "gone.jpg: it is damaged", 9)]
    for again in (reach, Reach(earlier)):
        with pytest.raises(AllOutOfReachError, match=r"gone\.jpg cannot be read, nor can .*read\.jpg any more, which"):
            again.check(away)
