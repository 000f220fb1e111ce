import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from demo.benchmark.attack.measure import Attacked
from demo.benchmark.load.attack_table import attack_table
from demo.benchmark.load.capacity import Capacity
from demo.benchmark.load.measure import Load, ServerState
from demo.benchmark.load.reliability import DOCUMENT, load_table, write_reliability
from demo.benchmark.report import Spread

BEFORE, AFTER = ServerState(800.0, 14, 20, 5.0), ServerState(812.5, 14, 21, 20.0)
CROWD = Load(
    2, 10.0, None, 1.36, (100, 100, 60), (30, 60), Spread(30, 60), Spread(100, 200), 3, {"status 500": 2},
    BEFORE, AFTER, addresses=5,
)  # fmt: skip
PHOTOS = Load(2, 10.0, None, 0.0, (), (90,), None, Spread(100, 200), 0, {}, None, None)


def row(table: str, number: int) -> list[str]:
    return [cell.strip() for cell in table.splitlines()[number].strip("|").split("|")]


def test_each_crowd_has_a_row_with_what_was_measured() -> None:
    table = load_table([asdict(CROWD), asdict(PHOTOS)])
    names = row(table, 0)
    crowd, photos = (dict(zip(names, row(table, number), strict=True)) for number in (2, 3))
    assert crowd["live visitors"] == "3"
    assert crowd["faces each"] == "1.36"
    assert crowd["frames/s in all"] == "26.0"
    assert crowd["fewest, of the median"] == "0.60"
    assert crowd["frame p50 / p95, ms"] == "30 / 60"
    assert crowd["photos/s"] == "9.0"
    assert crowd["fewest photos, of the median"] == "0.67"
    assert crowd["turned away"] == "3"
    assert crowd["addresses"] == "5"
    assert crowd["wrong answers"] == "2"
    assert crowd["cores busy"] == "75 % of 2"
    assert crowd["memory, MB"] == "800 → 812.5"
    assert photos["live visitors"] == "0"
    assert photos["memory, MB"] == photos["fewest, of the median"] == ""


def test_a_record_of_before_has_an_empty_cell_for_what_it_does_not_hold() -> None:
    record = asdict(CROWD)
    for key in ("late", "lasted", "addresses", "turned_away"):
        del record[key]
    table = load_table([record])
    cells = dict(zip(row(table, 0), row(table, 2), strict=True))
    assert cells["addresses"] == cells["turned away"] == ""
    assert cells["fewest photos, of the median"] == "0.67"


def test_how_busy_the_cores_were_counts_the_time_of_the_answers_that_came_late() -> None:
    late = load_table([asdict(replace(CROWD, late=5, lasted=12.0))])
    assert dict(zip(row(late, 0), row(late, 2), strict=True))["cores busy"] == "62 % of 2"


def test_a_capacity_is_a_sentence_before_the_crowds_that_were_tried(tmp_path: Path) -> None:
    document = tmp_path / "document.md"
    document.write_text("<!-- capacity: a.json -->\n<!-- /capacity -->\n", encoding="utf-8")
    found = Capacity(2, 10.0, 11, 18.25, (CROWD, PHOTOS))
    (tmp_path / "a.json").write_text(json.dumps(asdict(found)), encoding="utf-8")
    write_reliability(document, tmp_path)
    _, _, line, _, *table = document.read_text(encoding="utf-8").splitlines()
    assert line == f"{found.line}."
    assert "11 live visitors at 9.5 of 10 frames/s each or more" in line
    assert table[:4] == load_table([asdict(CROWD), asdict(PHOTOS)]).splitlines()


def test_only_what_stands_between_the_marks_is_written(tmp_path: Path) -> None:
    document = tmp_path / "document.md"
    document.write_text("Before.\n\n<!-- load: a.json -->\nold\n<!-- /load -->\n\nAfter.\n", encoding="utf-8")
    write_reliability(document, tmp_path)
    assert "Not recorded yet." in document.read_text(encoding="utf-8")
    (tmp_path / "a.json").write_text(json.dumps([asdict(CROWD)]), encoding="utf-8")
    write_reliability(document, tmp_path)
    text = document.read_text(encoding="utf-8")
    assert text.startswith("Before.\n\n<!-- load: a.json -->\n\n| live visitors |")
    assert text.endswith("\n\n<!-- /load -->\n\nAfter.\n")
    assert "old" not in text


def test_the_document_holds_what_was_recorded(tmp_path: Path) -> None:
    written = tmp_path / "document.md"
    written.write_text(DOCUMENT.read_text(encoding="utf-8"), encoding="utf-8")
    write_reliability(written)
    assert written.read_text(encoding="utf-8") == DOCUMENT.read_text(encoding="utf-8")


def test_an_attack_has_a_row_with_the_longest_waits(tmp_path: Path) -> None:
    answers = {"200": 5, "400": 1}
    attacked = Attacked("harm", 1_234, 8, answers, 60, 0.254, 9, 2.5, ["other probabilities"], 999.6, 0, 3.0, True)
    document = tmp_path / "document.md"
    document.write_text("<!-- attack: a.json -->\n<!-- /attack -->\n", encoding="utf-8")
    (tmp_path / "a.json").write_text(json.dumps([asdict(attacked)]), encoding="utf-8")
    write_reliability(document, tmp_path)
    [cells] = [line for line in document.read_text(encoding="utf-8").splitlines() if line.startswith("| harm |")]
    expected = ["harm", "1,234", "8", "60", "0.25", "9", "2.50", "1", "200: 5, 400: 1", "1000", "0"]
    assert [cell.strip() for cell in cells.strip("|").split("|")] == expected


@pytest.mark.parametrize(
    ("record", "said"), [({}, "none yet"), ({"ends": True}, "none yet"), ({"ends": False}, "none, as none ends")]
)
def test_a_row_without_answers_says_whether_there_could_be_any(record: dict[str, bool], said: str) -> None:
    row = asdict(Attacked("harm", 1_234, 8, {}, 60, 0.254, 9, 2.5, [], 999.6, 0, 3.0, True))
    del row["seconds"], row["ends"]  # as in older records
    assert f" | {said} | 1000 | " in attack_table([row | record])
