"""Read somebody's table of labels: one row for each picture, with attributes in the columns."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np

from demo.dataset.rules import ABSENT, UNKNOWN, ZERO, Rule, is_label, repaired
from demo.pictures.decode import SUFFIXES
from slimnet.attributes import label_names
from slimnet.files.text_table import TextTableError, is_unknown, read_cells

# Names of columns, in lower case. If none of them is there, the first column names the pictures.
_PICTURES = ("image_id", "file", "filename", "file_name", "image", "picture", "path")
_PEOPLE = ("identity", "person", "subject")
_PARTITIONS = ("partition", "split")
_PARTITION_NUMBERS = {
    "0": 0, "train": 0, "training": 0, "1": 1, "valid": 1, "val": 1, "validation": 1, "2": 2, "test": 2,
}  # fmt: skip
_MINUS_ONE = ("-1", "-1.0")
_MAX_SHOWN = 5  # names or values in a message


class LabelError(ValueError):
    """The table of labels can't be used; the message says why, and what to do."""


@dataclass(frozen=True)
class Labels:
    """The labels of pictures.

    Attributes:
        attributes: names of the attributes.
        pictures: (rows) names of the pictures, as in the table.
        values: int8 (rows, attributes): 1 present, -1 absent, 0 unknown.
        people: (rows) who is in the picture, empty if unknown; None without such a column.
        partitions: (rows) 0 train, 1 validation, 2 test; None without such a column.
        groups: column name -> (rows) what it says about the people, such as an age; empty if unknown.
    """

    attributes: tuple[str, ...]
    pictures: tuple[str, ...]
    values: np.ndarray
    people: tuple[str, ...] | None
    partitions: tuple[int, ...] | None
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)


def read_labels(path: Path, rules: Sequence[Rule] = (), groups: Sequence[str] = ()) -> Labels:
    """Read a table of labels.

    A label is 1, yes or true; -1, no or false; or empty if unknown. 0 means absent or, in a table that has -1 in any
    column of labels, whether or not a rule takes it, unknown.

    Args:
        path: the table as text, with the columns' names in its first line.
        rules: the attributes to make. Without any, all columns must hold labels, except those for the pictures' names,
            people (identity, person, subject), the data set's parts (partition, split) and groups.
        groups: names of the columns that describe the people, such as age and race.

    Raises:
        LabelError: the file can't be read, or the table can't be understood; the message lists every fault.
    """
    table = _Table(path)
    rules = rules or [Rule(name, name) for name in table.other_columns if name not in groups]
    table.check_columns([*(rule.column for rule in rules), *groups])
    if not rules:
        raise LabelError(f"{path} has no column of labels beside {', '.join(table.header)}")
    faults = [*table.repeated_pictures(), *_attribute_faults(rules)]
    values = np.full((len(table.pictures), len(rules)), UNKNOWN, np.int8)
    for number, rule in enumerate(rules):
        cells = table.column(rule.column)
        labels = {cell: rule.label(cell) for cell in dict.fromkeys(cells)}
        faults += _column_faults(rule, labels)
        values[:, number] = [labels[cell] or UNKNOWN for cell in cells]
    values[values == ZERO] = UNKNOWN if _has_minus_one(table, rules, groups) else ABSENT
    people, parts = table.only_column(_PEOPLE), table.only_column(_PARTITIONS)
    wrong = {part for part in parts or () if part.lower() not in _PARTITION_NUMBERS}
    if wrong:
        faults.append(f"partitions are 0, 1 and 2, or train, valid and test, but the column holds {_shown(wrong)}")
    if faults:
        raise LabelError(f"{path} cannot be used as it is:" + "".join(f"\n  {fault}" for fault in faults))
    return Labels(
        tuple(rule.attribute for rule in rules), tuple(table.pictures), values,
        people and tuple("" if is_unknown(person) else person for person in people),
        tuple(_PARTITION_NUMBERS[part.lower()] for part in parts) if parts else None,
        {name: tuple("" if is_unknown(cell) else repaired(cell) for cell in table.column(name)) for name in groups},
    )  # fmt: skip


class _Table:
    """The cells of a table, by the names of its columns.

    Raises:
        LabelError: it has no rows, its first line does not name the columns, or rows differ in length.
    """

    def __init__(self, path: Path) -> None:
        try:
            cells = read_cells(path)
        except OSError as error:
            raise LabelError(f"{path} cannot be read: {error.strerror}") from error
        except TextTableError as error:
            raise LabelError(str(error)) from error
        if len(cells) < 2:
            raise LabelError(
                f"{path} holds no labels: it needs a first line with the columns' names, and rows below it"
            )
        self._path, self.header, self._body = path, cells[0], cells[1:]
        self._check()
        named = [place for name in _PICTURES for place, column in enumerate(self.header) if column.lower() == name]
        self.pictures = tuple(row[named[0] if named else 0] for row in self._body)
        special = (*_PEOPLE, *_PARTITIONS)
        self.other_columns = [
            name for place, name in enumerate(self.header)
            if place != (named[0] if named else 0) and name.lower() not in special
            and name and not name.lower().startswith("unnamed:")  # pandas' row numbers
        ]  # fmt: skip

    def column(self, name: str) -> tuple[str, ...]:
        """The cells of a column."""
        place = self.header.index(name)
        return tuple(row[place] for row in self._body)

    def only_column(self, names: Sequence[str]) -> tuple[str, ...] | None:
        """The cells of the column with one of these names in lower case; None if there is none."""
        named = [name for name in self.header if name.lower() in names]
        if len(named) > 1:
            raise LabelError(f"{self._path} has more than one of the columns {', '.join(named)}: rename or remove one")
        return self.column(named[0]) if named else None

    def check_columns(self, names: Sequence[str]) -> None:
        """Raise LabelError if a column is missing."""
        missing = [name for name in dict.fromkeys(names) if name not in self.header]
        if missing:
            raise LabelError(f"{self._path} has no column {_shown(missing)}; it has {', '.join(self.header)}")

    def repeated_pictures(self) -> list[str]:
        """A fault if pictures are named more than once, unless all their cells are the same."""
        different = Counter(
            name for name, *_ in {(name, *row) for name, row in zip(self.pictures, self._body, strict=True)}
        )
        repeated = [name for name, count in different.items() if count > 1]
        return [f"{len(repeated)} pictures have more than one row: {_shown(repeated)}"] if repeated else []

    def _check(self) -> None:
        if any(PurePosixPath(cell.lower()).suffix in SUFFIXES for cell in self.header):
            raise LabelError(f"{self._path} does not name its columns: its first line should be such as file,Smiling")
        repeated = [name for name, count in Counter(self.header).items() if name and count > 1]
        if repeated:
            raise LabelError(f"{self._path} has more than one column {_shown(repeated)}")
        width = len(self.header)
        self._body = [row[:width] if not any(row[width:]) else row for row in self._body]
        torn = [row[0] for row in self._body if len(row) != width]
        if torn:
            raise LabelError(f"{self._path} has {len(torn)} rows with another number of cells than its first line: "
                             f"{_shown(torn)}")  # fmt: skip


def _has_minus_one(table: _Table, rules: Sequence[Rule], groups: Sequence[str]) -> bool:
    """Whether any column of labels has -1: not a group, nor a column that rules read by its values alone."""
    labels = {rule.column for rule in rules if not rule.present}
    foreign = {*groups, *(rule.column for rule in rules)} - labels
    columns = (set(table.column(name)) for name in {*table.other_columns, *labels} - foreign)
    return any(not cells.isdisjoint(_MINUS_ONE) and all(map(is_label, cells)) for cells in columns)


def _attribute_faults(rules: Sequence[Rule]) -> list[str]:
    try:
        label_names(len(rules), [rule.attribute for rule in rules])
    except ValueError as error:
        return [str(error)]
    return []


def _column_faults(rule: Rule, labels: dict[str, int | None]) -> list[str]:
    """What is wrong with a rule and the labels that it makes from its column's distinct cells."""
    unused = rule.unused(labels)
    if unused:
        return [f"the column {rule.column} does not hold {_shown(unused)}; it holds {_shown(labels)}"]
    foreign = [cell for cell, label in labels.items() if label is None]
    if not foreign:
        return []
    return [
        f"the column {rule.column} holds {_shown(foreign)}, and labels are 1, -1 and 0, yes and no, or true and false. "
        f'Say for which values an attribute is present, --attribute "NAME={rule.column}:{foreign[0]}", or name '
        "the columns to use, each by --attribute NAME"
    ]


def _shown(texts: Iterable[str]) -> str:
    """The first few texts, and how many more there are."""
    texts = list(texts)
    more = f" and {len(texts) - _MAX_SHOWN} more" if len(texts) > _MAX_SHOWN else ""
    return ", ".join(text or "an empty cell" for text in texts[:_MAX_SHOWN]) + more
