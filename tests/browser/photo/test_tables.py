import csv
import io
import json
from typing import Any

from tests.browser.bare import bare_page

FACE = {"number": 1, "box": [1, 2, 3, 4], "probabilities": [0.75], "warnings": []}
ANSWER = {"name": "a.jpg", "width": 5, "height": 6, "faces": [FACE]}
CUTS = {"lower": 0.5, "upper": 0.5, "inclusive": False, "threshold": 0.5}
DECIDED = {"attributes": ["Smiling"], "rule": {"cuts": [CUTS], "exclusive": []}}
FACTS = {"columns": ["file", "face", "x", "y", "width", "height"], "formula_starts": ["="], "weights": "a" * 64}


def test_a_name_that_ends_a_cell_in_another_language_begins_no_formula(browser: Any) -> None:
    facts = FACTS | {"reliability": []}
    answers = [ANSWER | {"name": name} for name in ("a;=1+1.jpg", "a\t=1.jpg")]
    with bare_page(browser, "photo/tables.js") as page:
        table = page.evaluate("([answers, ...given]) => asCsv(answers, ...given)", [answers, DECIDED, facts])
    assert [line.split(".jpg")[0] for line in table.splitlines()[1:]] == ['"a;=1+1', '"a\t=1']


def test_weights_without_operating_points_have_none_in_the_files(browser: Any) -> None:
    given = [ANSWER, DECIDED, FACTS | {"reliability": []}]
    with bare_page(browser, "photo/tables.js") as page:
        table = page.evaluate("([answer, decided, facts]) => asCsv([answer], decided, facts)", given)
        document = json.loads(page.evaluate("([answer, decided, facts]) => asJson(answer, decided, facts)", given))
    [row] = csv.DictReader(io.StringIO(table))
    assert (row["file"], row["Smiling"], row["Smiling_tick"], row["operating_point"]) == ("a.jpg", "0.750000", "1", "")
    assert document["operating_point"] is None
    assert document["faces"][0]["ticks"] == {"Smiling": True}
