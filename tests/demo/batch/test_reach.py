from pathlib import Path

import pytest

from demo.batch.reach import AllOutOfReachError, Reach


def test_a_run_stops_only_where_what_it_read_before_is_out_of_reach_too(tmp_path: Path) -> None:
    read, gone = tmp_path / "read.jpg", tmp_path / "gone.jpg"
    reach = Reach()
    away = {"failed": True, "out_of_reach": True}
    reach.check(str(gone), **away)  # nothing has been read yet: this may be the only one
    read.touch()
    reach.check(str(read), failed=False, out_of_reach=False)
    reach.check(str(gone), **away)
    reach.check(str(tmp_path / "damaged.jpg"), failed=True, out_of_reach=False)
    reach.check(str(gone), **away)  # of the last picture that was read
    read.unlink()
    for again in (reach, Reach(str(read))):
        with pytest.raises(AllOutOfReachError, match=r"gone\.jpg cannot be read, nor can .*read\.jpg any more, which"):
            again.check(str(gone), **away)
