"""Tables that people give to the commands: labels, teachers, and what a stopped run left."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.batch.journal import ResumeError
from demo.batch.outcome import Outcome
from demo.batch.partial_table import PartialTable
from demo.dataset.labels import LabelError, read_labels
from tests.fakes import celeba
from tests.fuzz.door import Door
from tests.fuzz.inputs import mutated
from training.data.celeba import DataError, Split, read_celeba
from training.data.groups import read_groups
from training.data.teacher_table import table_logits

_LABELS = (
    b"image_id,First,Second,identity,split\n000001.jpg,1,-1,Ada,train\n000002.jpg,0,yes,Eve,val\n000003.jpg,,no,,test\n",
    b"3\nFirst Second\n000001.jpg  1 -1\n000002.jpg -1  1\n000003.jpg  1  1\n",
    "image_id;First;Ünder\n000001.jpg;1;0\n000002.jpg;0;1\n".encode("utf-16"),
    b'sep=;\n"image_id";"First"\n"000001.jpg";"1.0"\n"000002.jpg";"0.0"\n',
)
_GROUPS = b"image_id,group,age\n000001.jpg,East Asian,20-29\n000002.jpg,,70+\n000003.jpg,White,34\n"
_TEACHER = (
    b"file,face,x,y,width,height,First,Second,warnings\n000001.jpg,1,0,0,40,50,0.25,0.75,\n000002.jpg,1,0,0,9,9,1.0,0.0,dark\n"
    b"000002.jpg,2,0,0,4,4,0.5,,\n'=000003.jpg,1,0,0,9,9,0.000001,0.5,\n"
)
_TABLES = (*_LABELS, _GROUPS, _TEACHER)
_CELLS = st.sampled_from(
    (
        "1",
        "-1",
        "0",
        "",
        "1.0",
        "nan",
        "inf",
        "1e999",
        "0.5",
        "yes",
        "000001.jpg",
        "=1+1",
        '"',
        "\0",
        "image_id",
        "First",
        "9" * 400,
    )
) | st.text(max_size=6)


def _written(rows: Sequence[Sequence[str]], separator: str, encoding: str) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(rows)
    return text.getvalue().encode(encoding, "surrogatepass")


TABLES = mutated(_TABLES) | st.builds(
    _written, st.lists(st.lists(_CELLS, max_size=5), max_size=6), st.sampled_from(",;\t "),
    st.sampled_from(("utf-8", "utf-8-sig", "utf-16")),
)  # fmt: skip


class Folder:
    """A data set whose tables can be replaced."""

    def __init__(self, path: Path) -> None:
        self.path = celeba.write(path, sizes={0: 3, 1: 1, 2: 1})
        self.names = ("000001.jpg", "000002.jpg", "000003.jpg")
        self._good = {name: (path / name).read_bytes() for name in ("list_attr_celeba.csv", "list_eval_partition.csv")}
        self.split = read_celeba(self.path)["train"]
        self._table = path / "given.csv"

    def read_labels(self, table: bytes) -> None:
        labels = read_labels(self._given(table))
        assert labels.values.shape == (len(labels.pictures), len(labels.attributes))
        assert set(np.unique(labels.values)) <= {-1, 0, 1}

    def read_teacher(self, table: bytes) -> None:
        named = Split(tuple(map(Path, self.names)), np.zeros((3, 2), bool), ("First", "Second"), np.arange(3))
        logits = table_logits(str(self._given(table)), named)
        assert logits.shape == (3, 2)
        assert not np.isinf(logits).any()

    def read_groups(self, table: bytes) -> None:
        (self.path / "list_groups.csv").write_bytes(table)
        assert len(read_groups(self.path, self.names).ages) == 3

    def read_celeba(self, name: str, table: bytes) -> None:
        """Read the data set with another table of that name in it."""
        path = self.path / name
        before = path.read_bytes() if path.exists() else None
        path.write_bytes(table)
        try:
            for split in read_celeba(self.path).values():
                assert split.labels.shape == split.known.shape == (len(split), len(split.attributes))
        finally:
            path.unlink() if before is None else path.write_bytes(before)

    def check_good_tables(self) -> None:
        assert read_celeba(self.path)["train"].fingerprint() == self.split.fingerprint()
        assert read_labels(self._given(_LABELS[0])).values.tolist() == [[1, -1], [0, 1], [0, -1]]

    def _given(self, table: bytes) -> Path:
        self._table.write_bytes(table)
        return self._table


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return Folder(tmp_path_factory.mktemp("tables") / "data")


@pytest.fixture(scope="module")
def door(folder: Folder) -> Door:
    return Door("tables", folder.check_good_tables)


@given(table=TABLES)
def test_labels_for_a_data_set_are_read_or_refused(door: Door, folder: Folder, table: bytes) -> None:
    with door.input(LabelError):
        folder.read_labels(table)


@given(table=TABLES)
def test_a_teachers_table_is_read_or_refused(door: Door, folder: Folder, table: bytes) -> None:
    with door.input(DataError):
        folder.read_teacher(table)


@given(table=TABLES, name=st.sampled_from(("list_attr_celeba.csv", "list_eval_partition.csv", "identity_CelebA.txt")))
def test_celebas_tables_are_read_or_refused(door: Door, folder: Folder, table: bytes, name: str) -> None:
    with door.input(DataError):
        folder.read_celeba(name, table)


@given(table=TABLES)
def test_a_table_of_groups_is_read_or_refused(door: Door, folder: Folder, table: bytes) -> None:
    with door.input(DataError):
        folder.read_groups(table)


class Stopped:
    """The table and journal that a stopped run of demo.annotate left."""

    def __init__(self, folder: Path) -> None:
        self.files = ["a.jpg", "b.jpg", "c.jpg"]
        self.out = folder / "results.csv"
        with self._table() as table:
            for file in self.files[:2]:
                table.add(self._outcome(file))
        self.left = {path.name: path.read_bytes() for path in folder.iterdir()}

    def resume(self, name: str, content: bytes) -> None:
        """Go on from what was left, after replacing the content of one file."""
        for path in self.out.parent.iterdir():
            path.unlink()
        for other, good in self.left.items():
            (self.out.parent / other).write_bytes(content if other == name else good)
        with self._table() as table:
            for file in self.files[len(table.done) :]:
                table.add(self._outcome(file))
            table.finish()

    def check_good_input(self) -> None:
        name = next(iter(self.left))
        self.resume(name, self.left[name])
        assert self.out.read_text(encoding="utf-8").splitlines() == ["file,face", "a.jpg,1", "b.jpg,1", "c.jpg,1"]

    def _table(self) -> PartialTable:
        return PartialTable(self.out, {"weights": "w"}, ("file", "face"), self.files, restart=False)

    def _outcome(self, file: str) -> Outcome:
        return Outcome(file, [[file, "1"]])


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Stopped:
    return Stopped(tmp_path_factory.mktemp("annotate"))


@pytest.fixture(scope="module")
def resumed(stopped: Stopped) -> Door:
    return Door("a stopped annotate", stopped.check_good_input)


@given(data=st.data())
def test_what_a_stopped_run_has_left_is_resumed_or_refused(
    resumed: Door, stopped: Stopped, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(stopped.left)))
    content = data.draw(mutated(list(stopped.left.values())))
    with resumed.input(ResumeError):
        stopped.resume(name, content)
