import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from demo.pipeline.table import FORMULA_STARTS
from demo.server.live import RECORDING_COLUMNS, recording_header
from slimnet import ATTRIBUTES
from tests.browser.bare import bare_page
from tests.browser.conftest import Server, wait_for_frames
from tests.browser.films import answered, face

# Smiling swings and Eyeglasses turn up; all others stay the same.
FRAMES = """
    window.addFace = (time, number, probabilities) => {
      const face = {number, probabilities, box: [10, 20, 30, 40], warnings: number === 2 ? ["small", "dark"] : []};
      if (number === 2) face.why = WHY;
      timeline.add(time, {faces: [face], width: 480, height: 360}, time - 30);
    };
    const WHY = {attributes: ["Smiling"], cells: [[[1.5, -0.25], [0, 2], [4, -1.125]]], bias: [0.5],
                 rows: [0, 85, 126, 218], columns: [0, 89, 178], placement: [1, 0, 0, 0, 1, 0]};
    window.add = (time, probability) => addFace(time, 1, Array(40).fill(probability));
    window.record = (from, to) => {
      for (let time = from; time <= to; time += 5000) add(time, 0.5);
    };
    window.feed = (from, to, number = 1) => {
      for (let time = from; time < to; time += 40) {
        const probabilities = timeline.attributes.map(() => 0.3);
        probabilities[timeline.attributes.indexOf("Smiling")] = 0.5 + 0.4 * Math.sin(time / 500);
        probabilities[timeline.attributes.indexOf("Eyeglasses")] = time < 2000 ? 0.01 : 0.99;
        addFace(time, number, probabilities);
      }
    };
"""


def facts(names: tuple[str, ...]) -> dict[str, Any]:
    """What Python tells the scripts about a recording."""
    return {"recording_header": recording_header(names), "formula_starts": FORMULA_STARTS, "weights": "a" * 64}


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    parts = '<button class="record"></button><div class="timeline"></div>'
    body = f'<section class="panel" style="display: block; width: 600px">{parts}</section>'
    with bare_page(
        browser, "live/timeline/timeline.js", "live/timeline/recording.js", body=body, accept_downloads=True
    ) as page:
        page.evaluate(
            """([names, facts]) => {
                const shown = names.map((name) => name.replaceAll("_", " "));
                const [root, record] = [".timeline", ".record"].map((part) => document.querySelector(part));
                window.timeline = new Timeline(root, record, names, shown, facts);
                record.addEventListener("click", () => window.timeline.toggle());
            }""",
            [list(ATTRIBUTES), facts(ATTRIBUTES)],
        )
        page.evaluate(FRAMES)
        yield page


def download(page: Any, kind: str) -> tuple[str, str]:
    with page.expect_download() as expected:
        page.click(f"[data-save='{kind}']")
    return expected.value.suggested_filename, Path(expected.value.path()).read_text()


def chips(page: Any) -> list[str]:
    return page.locator(".chips button").all_text_contents()


def painted(page: Any) -> str:
    return page.evaluate(
        """() => { const {width, height} = timeline.picture.canvas;
                   return timeline.picture.canvas.getContext("2d").getImageData(0, 0, width, height).data.join(); }"""
    )


def test_nothing_is_recorded_before_it_is_asked_for(page: Any) -> None:
    page.evaluate("feed(0, 1000)")
    assert page.evaluate("timeline.data.rows.length") == 0
    assert page.is_hidden(".plot")
    assert page.is_hidden("[data-save]")


def test_a_recording_is_downloaded_as_csv(page: Any) -> None:
    page.evaluate("{ const now = Date.now; Date.now = () => now() + 3600e3; }")  # as after an hour asleep
    page.click(".record")
    page.evaluate("feed(5000, 6000); feed(6000, 6040, 2)")
    page.click(".record")
    page.evaluate("feed(6040, 9000)")
    name, text = download(page, "csv")
    assert name.startswith("faces-")
    assert name.endswith(".csv")
    header, *rows = csv.reader(io.StringIO(text))
    assert header == [*RECORDING_COLUMNS[:2], *ATTRIBUTES, *RECORDING_COLUMNS[2:]]
    assert [row[:2] for row in rows[:2]] == [["0", "1"], ["40", "1"]]
    assert rows[-1][:2] == ["1000", "2"]
    assert len(rows) == 26
    assert rows[0][2 + ATTRIBUTES.index("Eyeglasses")] == "0.990000"
    assert all(len(row) == 54 and all(0 <= float(value) <= 1 for value in row[2:42]) for row in rows)
    assert rows[0][43:] == ["10", "20", "30", "40", "480", "360", "", "", "", "", ""]
    assert rows[-1][49:] == ["small dark", "Smiling", "1.25", "2", "2.875"]  # by the regions: hair, eyes, mouth
    captured = [datetime.fromisoformat(row[42]).timestamp() for row in rows]
    opened = page.evaluate("Date.now() - performance.now()") / 1000
    assert captured[0] == pytest.approx(opened + 4.97, abs=0.003)
    assert captured[1] - captured[0] == pytest.approx(0.04, abs=0.003)


def test_names_of_foreign_weights_are_no_formulas_in_a_table(page: Any) -> None:
    names = ["=1+1", "+a", "-a", "@a", "\ta", "\ra", "＝a", 'a "b",\n', "a=b"]
    text = page.evaluate("table => new Recording(...table).csv()", [names, facts(tuple(names))])
    (header,) = csv.reader(io.StringIO(text, newline=""))
    assert header[2:-12] == [*(f"'{name}" for name in names[:7]), *names[7:]]


def test_json_holds_the_same_numbers(page: Any) -> None:
    page.click(".record")
    page.evaluate("feed(0, 400)")
    page.click(".record")
    recording = json.loads(download(page, "json")[1])
    assert recording["attributes"] == list(ATTRIBUTES)
    assert recording["started"].endswith("Z")
    assert [row["milliseconds"] for row in recording["rows"]] == list(range(0, 400, 40))
    rows = list(csv.reader(io.StringIO(download(page, "csv")[1])))[1:]
    assert [[float(value) for value in row[2:42]] for row in rows] == [
        row["probabilities"] for row in recording["rows"]
    ]
    assert [row[42] for row in rows] == [row["captured"] for row in recording["rows"]]
    assert recording["weights"] == "a" * 64
    first = recording["rows"][0]
    assert (first["box"], first["frame"], first["warnings"]) == ([10, 20, 30, 40], [480, 360], [])
    assert first["why"] is None
    page.click(".record")
    page.evaluate("feed(400, 440, 2)")
    page.click(".record")
    last = json.loads(download(page, "json")[1])["rows"][-1]
    assert last["why"] == {"attribute": "Smiling", "hair": 1.25, "eyes": 2, "mouth": 2.875}


def test_the_plot_shows_what_varies_most_until_others_are_chosen(page: Any) -> None:
    page.click(".record")
    page.evaluate("feed(0, 4000)")
    page.click(".record")
    assert chips(page)[:2] == ["Eyeglasses", "Smiling"]
    assert "Eyeglasses, Smiling" in page.get_attribute("canvas", "aria-label")
    before = painted(page)
    page.click(".chips button:has-text('Smiling')")
    assert "Smiling" not in chips(page)
    assert painted(page) != before
    page.select_option(".adder", label="Wearing Hat")
    assert chips(page)[-1] == "Wearing Hat"
    page.click(".automatic")
    assert chips(page)[:2] == ["Eyeglasses", "Smiling"]
    assert painted(page) == before


def test_what_is_on_the_plot_keeps_its_place_and_colour_while_recording(page: Any) -> None:
    page.click(".record")
    page.evaluate("feed(0, 1500)")
    place = chips(page).index("Smiling")
    page.focus(".chips button:has-text('Smiling')")
    page.evaluate("window.smiling = document.activeElement; 0")
    page.evaluate("feed(1500, 4000)")  # Eyeglasses have varied more by now
    assert chips(page).index("Smiling") == place
    assert "Eyeglasses" in chips(page)
    assert page.evaluate("document.activeElement === window.smiling")
    page.click(".record")
    assert chips(page)[:2] == ["Eyeglasses", "Smiling"]


def test_frames_far_apart_are_dots(page: Any) -> None:
    page.click(".record")
    page.evaluate("for (const time of [0, 5000, 10000]) add(time, 0.75)")
    before = painted(page)
    page.evaluate("timeline.choose([])")
    assert painted(page) != before


def test_one_of_several_faces_is_drawn(page: Any) -> None:
    page.click(".record")
    page.evaluate("feed(0, 1000)")
    assert page.is_hidden(".whose")
    page.evaluate("feed(1000, 3000, 7)")
    page.click(".record")
    before = painted(page)
    page.select_option(".whose", label="Face 7")
    assert painted(page) != before
    assert page.get_attribute("canvas", "aria-label").startswith("Face 7")


def test_faces_are_listed_by_number(page: Any) -> None:
    page.click(".record")
    page.evaluate("[10, 2, 1].forEach((number, place) => addFace(40 * place, number, Array(40).fill(0.5)))")
    page.click(".record")
    assert page.locator(".whose option").all_inner_texts() == ["Face 1", "Face 2", "Face 10"]


def test_what_is_switched_off_is_not_drawn_but_is_in_the_files(page: Any) -> None:
    page.evaluate("timeline.shows = (index) => timeline.attributes[index] !== 'Smiling'")
    page.click(".record")
    page.evaluate("feed(0, 4000)")
    page.click(".record")
    assert "Smiling" not in chips(page)
    assert "Smiling" not in page.locator(".adder option").all_text_contents()
    assert "Smiling" in download(page, "csv")[1].splitlines()[0]


def test_impressions_that_are_switched_off_leave_the_plot_at_once(server: Server, open_page: Any) -> None:
    page = open_page(server, answered(face(1, 200)))
    page.click("#live-start")
    page.click("#live [data-do=record]")
    wait_for_frames(page, 3)
    page.click("#live [data-do=record]")
    page.locator("#live .timeline .chips button", has_text="Attractive").wait_for()
    page.click("#live [data-toggle=impressions]")
    page.locator("#live .timeline .chips button", has_text="Attractive").wait_for(state="detached")
    assert "Attractive" not in page.get_attribute("#live .plot canvas", "aria-label")
    assert "Attractive" not in page.locator("#live .adder option").all_text_contents()
    page.click("#live [data-toggle=impressions]")
    assert "Attractive" in page.text_content("#live .timeline .chips")


def test_a_recording_goes_on_where_it_ended_until_it_is_discarded(page: Any) -> None:
    page.click(".record")
    page.evaluate("feed(0, 1000)")
    page.click(".record")
    page.click(".record[title='Go on recording']")
    page.evaluate("feed(2000, 3000)")
    page.click(".record")
    assert page.evaluate("timeline.data.rows.length") == 50
    page.click(".discard")
    assert page.evaluate("timeline.data.rows.length") == 0
    assert page.is_hidden(".plot")
    assert page.get_attribute(".record", "title") == "Record the numbers, no picture"


def test_faces_that_are_numbered_anew_are_others_in_the_recording(page: Any) -> None:
    page.click(".record")
    page.evaluate("feed(0, 400); feed(400, 800, 2)")
    for _ in range(2):
        page.evaluate("timeline.forgetFaces()")
    page.evaluate("feed(1000, 1400)")
    page.click(".record")
    rows = csv.DictReader(io.StringIO(download(page, "csv")[1]))
    assert [row["face"] for row in rows] == [*["1"] * 10, *["2"] * 10, *["3"] * 10]


def test_a_recording_ends_by_itself_and_says_so(page: Any) -> None:
    page.click(".record")
    page.evaluate("feed(0, 400); record(5000, 30 * 60 * 1000)")
    assert "30:00 minutes" in page.inner_text(".told")
    assert page.is_disabled(".record")
    assert page.get_attribute(".record", "title") == "The recording is full. Discard it to begin another."
    page.evaluate("feed(1800040, 1900000)")
    assert page.evaluate("timeline.data.rows.length") == 10 + 360
    assert len(download(page, "csv")[1].splitlines()) == 10 + 360 + 1
    page.click(".discard")
    assert page.inner_text(".told") == "Discarded."
    assert page.is_enabled(".record")


def test_a_pause_is_not_counted_as_recorded(page: Any) -> None:
    page.click(".record")
    page.evaluate("feed(0, 400)")
    page.click(".record")
    page.click(".record[title='Go on recording']")
    page.evaluate("feed(4000000, 4000400)")
    assert page.get_attribute(".record", "aria-pressed") == "true"
    assert page.evaluate("timeline.data.rows.length") == 20
    page.evaluate("record(4005000, 4000000 + 30 * 60 * 1000)")
    assert "Stopped after 30:00 minutes" in page.inner_text(".told")
    assert page.is_disabled(".record")


def test_while_no_frame_comes_nothing_is_recorded(page: Any) -> None:
    page.click(".record")
    page.evaluate("feed(0, 400); feed(4000000, 4000400)")  # the picture was frozen, or the tab hidden, for an hour
    assert page.get_attribute(".record", "aria-pressed") == "true"
    page.evaluate("record(4005000, 4000000 + 30 * 60 * 1000)")
    assert "Stopped after 30:00 minutes" in page.inner_text(".told")


def test_stopping_before_any_frame_says_that_nothing_was_recorded(page: Any) -> None:
    page.click(".record")
    page.click(".record")
    assert page.inner_text(".told") == "Stopped. Nothing was recorded."


def test_names_that_would_break_a_csv_are_quoted(page: Any) -> None:
    names = ["a,b", 'say "x"']
    text = page.evaluate("table => new Recording(...table).csv()", [names, facts(tuple(names))])
    assert next(csv.reader(io.StringIO(text)))[2:-12] == names


def test_what_was_recorded_can_be_saved_after_the_camera_was_stopped(server: Server, open_page: Any) -> None:
    page = open_page(server)
    page.click("#live-start")
    wait_for_frames(page, 2)
    page.click("#live [data-do=record]")
    wait_for_frames(page, int(page.get_attribute("#live", "data-frame")) + 3)
    page.click("#live-stop")
    encoded = page.evaluate("window.watched.encodings")
    header, *rows = csv.reader(io.StringIO(download(page, "csv")[1]))
    assert header == [*RECORDING_COLUMNS[:2], *ATTRIBUTES, *RECORDING_COLUMNS[2:]]
    assert len(rows) >= 3
    times = [int(row[0]) for row in rows]
    assert times == sorted(times)
    assert page.evaluate("window.watched.encodings") == encoded  # only frames that were sent
    page.click("#live-start")  # perhaps somebody else sits there now
    page.click("#live [data-do=record]")
    page.wait_for_selector("#live .timeline .whose option[value='2']", state="attached")


def test_the_browser_asks_before_a_recording_is_lost(page: Any) -> None:
    asked: list[str] = []

    def stay(dialog: Any) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.click(".record")
    page.evaluate("feed(0, 400)")
    page.click(".record")
    with page.expect_event("dialog"):
        page.evaluate("location.reload()")
    page.wait_for_function("timeline.data.rows.length === 10")
    assert asked == ["beforeunload"]
    download(page, "csv")
    page.reload()
    assert asked == ["beforeunload"]  # what has been saved to a file is not lost
