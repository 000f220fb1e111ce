import pytest

from demo.dataset.rules import ABSENT, PRESENT, UNKNOWN, parse_rule


@pytest.mark.parametrize(
    ("rule", "labels"),
    [
        ("Smiling", {"1": 1, "yes": 1, "TRUE": 1, "1.0": 1, "-1": -1, "No": -1, "false": -1, "-1.0": -1, "": 0}),
        ("Male=gender:Male", {"Male": PRESENT, "male": PRESENT, "Female": ABSENT, "": UNKNOWN, "unknown": UNKNOWN}),
        (
            "Young=age:0-2, 3-9,10-19/60-69,more than 70",
            {
                "0-2": PRESENT,
                "3-9": PRESENT,
                "03-Sep": PRESENT,  # 3-9 and 10-19, as Excel damages them
                "Oct-19": PRESENT,
                "30-39": UNKNOWN,
                "60-69": ABSENT,
                "more than 70": ABSENT,
                "": UNKNOWN,
            },
        ),
        ("Young=age:0-35/50-116", {"0": 1, "35": 1, "35.5": 0, "36": 0, "50": -1, "116": -1, "117": 0}),
        ("Child=age:03-Sep", {"3-9": PRESENT, "10-19": ABSENT}),
    ],
)  # fmt: skip
def test_a_cell_becomes_a_label(rule: str, labels: dict[str, int]) -> None:
    parsed = parse_rule(rule)
    assert {cell: parsed.label(cell) for cell in labels} == labels


def test_a_cell_that_is_no_label_is_none() -> None:
    assert parse_rule("Smiling").label("Male") is None


def test_values_that_stand_nowhere_are_listed() -> None:
    assert parse_rule("Young=age:0-2,3-8/60-69").unused(["0-2", "03-Sep", "60-69"]) == ["3-8"]


@pytest.mark.parametrize("text", ["", "Male=", "Male=gender", "Male=gender:", "=gender:Male", "A=b:c/", "A=b:/c"])
def test_what_is_no_rule_is_refused_with_the_forms_that_are(text: str) -> None:
    with pytest.raises(ValueError, match="such as Male=gender:Male"):
        parse_rule(text)
