"""Turns a cell of somebody's table into a label: present, absent or unknown."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from slimnet.files.text_table import is_unknown

PRESENT, ABSENT, UNKNOWN = 1, -1, 0
# The meaning of 0 depends on the rest of the table, as in training: absent, or unknown if the table has -1.
ZERO = 9

_LABELS = {
    **dict.fromkeys(("1", "1.0", "yes", "true"), PRESENT),
    **dict.fromkeys(("-1", "-1.0", "no", "false"), ABSENT),
    **dict.fromkeys(("0", "0.0", "-0.0"), ZERO),
}
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
# Excel takes 3-9 for the third of September and 10-19 for October 2019, and saves them in this form.
_EXCEL_DAY = re.compile(rf"0?(\d+)-({'|'.join(_MONTHS)})")
_EXCEL_YEAR = re.compile(rf"({'|'.join(_MONTHS)})-(\d\d)")
_RANGE = re.compile(r"(\d+)-(\d+)")
_NUMBER = re.compile(r"\d+(\.\d+)?")


@dataclass(frozen=True)
class Rule:
    """How to make an attribute from a column.

    Attributes:
        attribute: its name.
        column: name of the column; the attribute's own name if the column holds labels as they are.
        present: values for which the attribute is present; empty if the column holds labels.
        absent: values for which it is absent; empty for all others.
    """

    attribute: str
    column: str
    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    def label(self, cell: str) -> int | None:
        """Read a cell.

        Args:
            cell: text from the column.

        Returns:
            PRESENT, ABSENT, UNKNOWN or, in a column of labels, ZERO; None if the column should hold labels but the cell
            is not one.
        """
        if is_unknown(cell):
            return UNKNOWN
        if not self.present:
            return _LABELS.get(cell.lower())
        if any(covers(value, cell) for value in self.present):
            return PRESENT
        return ABSENT if not self.absent or any(covers(value, cell) for value in self.absent) else UNKNOWN

    def unused(self, cells: Iterable[str]) -> list[str]:
        """List the rule's values that are nowhere in the column, such as misspelt ones.

        Args:
            cells: the column's distinct cells.
        """
        cells = tuple(cells)
        return [value for value in self.present + self.absent if not any(covers(value, cell) for cell in cells)]


def parse_rule(text: str) -> Rule:
    """Parse a rule of the command line.

    Args:
        text: "Smiling", a column that holds labels; "Male=gender:Male", present if the column gender holds Male, else
            absent; or "Young=age:0-19,20-29/50-59", present for the values before the slash, absent for those after
            it, else unknown.

    Raises:
        ValueError: the text has none of these forms; the message lists them.
    """
    attribute, has_rule, rest = (part.strip() for part in text.partition("="))
    column, _, values = (part.strip() for part in rest.partition(":"))
    present, slash, absent = values.partition("/")
    rule = Rule(attribute, column, _listed(present), _listed(absent)) if has_rule else Rule(attribute, attribute)
    if not attribute or (has_rule and not (column and rule.present)) or (slash and not rule.absent):
        raise ValueError(
            f"'{text}' is no rule. Write a column's name, or ATTRIBUTE=COLUMN:VALUE,… such as Male=gender:Male, or "
            "ATTRIBUTE=COLUMN:VALUE,…/VALUE,… with the values for present, a slash, and those for absent"
        )
    return rule


def is_label(cell: str) -> bool:
    """Whether a cell can be read as a label without a rule's values; an unknown one can.

    Args:
        cell: text from a table.
    """
    return cell.lower() in _LABELS or is_unknown(cell)


def repaired(cell: str) -> str:
    """Turn a date that Excel made from a range of numbers back into the range: 03-Sep into 3-9.

    Args:
        cell: text from a table.

    Returns:
        The range, or else the unchanged text, without blanks around it.
    """
    cell = cell.strip()
    if day := _EXCEL_DAY.fullmatch(cell.lower()):
        return f"{day[1]}-{_MONTHS.index(day[2]) + 1}"
    if year := _EXCEL_YEAR.fullmatch(cell.lower()):
        return f"{_MONTHS.index(year[1]) + 1}-{year[2]}"
    return cell


def covers(value: str, cell: str) -> bool:
    """Whether a rule's value matches a cell.

    Args:
        value: from a rule: a text, or a range of whole numbers such as 20-29.
        cell: from a table: the same text in any case, or as Excel damages it, or a number in the range.
    """
    value, cell = repaired(value).lower(), repaired(cell).lower()
    limits = _RANGE.fullmatch(value)
    if limits and _NUMBER.fullmatch(cell):
        return int(limits[1]) <= float(cell) <= int(limits[2])
    return value == cell


def _listed(values: str) -> tuple[str, ...]:
    return tuple(value.strip() for value in values.split(",") if value.strip())
