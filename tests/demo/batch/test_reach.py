from pathlib import Path

import pytest

from demo.batch.reach import AllOutOfReachError, Reach


def test_a_run_stops_only_where_what_it_read_before_is_out_of_reach_too(tmp_path: Path) -> None:
    read, gone = tmp_path / "read.jpg", tmp_path / "gone.jpg"
    reach = Reach()
    reach.check(str(gone), True)  # nothing has been read yet: this may be the only one
    read.touch()
    reach.check(str(read), False)
    reach.check(str(gone), True)
    read.unlink()
    for again in (reach, Reach(str(read))):
        with pytest.raises(AllOutOfReachError, match=r"gone\.jpg cannot be read, nor can .*read\.jpg any more, which"):
            again.check(str(gone), True)
