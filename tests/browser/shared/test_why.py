"""What the page makes of a map: regions, a sentence, and the picture beneath it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.bare import bare_page

ROWS, COLUMNS = [0, 40, 100, 160, 218], [0, 60, 120, 178]
MODULES = ("shared/why/map.js", "shared/why/sentence.js", "shared/why/painter.js")


@pytest.fixture(scope="module")
def page(browser: Any) -> Iterator[Any]:
    with bare_page(browser, *MODULES, body='<canvas width="400" height="300"></canvas>') as page:
        yield page


def a_map(*rows: list[float], bias: float = 0.0) -> dict[str, Any]:
    """A map of four rows and three columns; the crop lies at (100, 20) of the picture, at its own size."""
    return {"cells": rows, "bias": bias, "rows": ROWS, "columns": COLUMNS, "placement": [1, 0, 100, 0, 1, 20]}


EYES = a_map([0.2, 0, 0], [0, 2.4, 0], [0, 0.5, 0], [0, 0.3, 0])


def test_a_cell_in_two_regions_is_divided_by_its_area(page: Any) -> None:
    found = page.evaluate("map => byRegion(map)", a_map([1, 0, 0], [0, 4, 0], [0, 0, 6], [0, -2, 0]))
    # The second row reaches from 40 to 100, and the eyes from 85 to 126; the third row from 100 to 160.
    assert found == pytest.approx({"hair": 1 + 3, "eyes": 1 + 6 * 26 / 60, "mouth": 6 * 34 / 60 - 2})


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (EYES, "Mostly the hair and forehead: +2.0 of +3.4."),
        (a_map([1, 0, 0], [0, 0, 0], [0, 2, 0], [0, 0, 0]), "No place alone decides: +3.0 in all."),
        (a_map([0, 0, 0], [0, 0, 0], [0, 0, 0], [-3, -1, 0], bias=-0.5),
         "Mostly the mouth and what is below it: −4.0 of −4.5."),
        (a_map([5, 0, 0], [0, 0, 0], [0, 0, 0], [0, -2, 0]),
         "Mostly the hair and forehead: +5.0; what points the other way leaves +3.0."),
        (a_map([0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0], bias=-2),
         "Mostly the starting point, which is the same for every face: −2.0 of −2.0."),
        (a_map([0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]), "No place alone decides: 0.0 in all."),
    ],
)  # fmt: skip
def test_a_sentence_says_where(page: Any, given: dict[str, Any], sentence: str) -> None:
    assert page.evaluate("map => String(whereSentence(map))", given) == sentence


def test_what_is_written_adds_up_as_it_is_written(page: Any) -> None:
    thirds = a_map([1 / 3, 0, 0], [0, 0, 0], [0, 1 / 3, 1 / 3], [1 / 3, 0, 0], bias=0.04)
    for given in (EYES, thirds, a_map([-0.26, 0, 0], [0, 0.77, 0], [0, -1.15, 0], [0.05, 0, 0], bias=-0.16)):
        *parts, total = page.evaluate("map => summands(map).map(({value}) => String(value))", given)
        values = [float(part.replace("−", "-")) for part in parts]
        written, _, percent = total.replace("−", "-").partition(", which is ")
        assert sum(values) == pytest.approx(float(written), abs=1e-9)
        odds = page.evaluate("map => logOdds(map)", given)
        assert float(written) == pytest.approx(odds, abs=0.0501)
        assert percent == page.evaluate("odds => `${Math.round(100 / (1 + Math.exp(-odds)))}%`", odds)


PAINT = """([map, mirror]) => {
    const context = document.querySelector("canvas").getContext("2d", {willReadFrequently: true});
    context.resetTransform();
    context.fillStyle = "#808080";
    context.fillRect(0, 0, 400, 300);
    window.written = [];
    const fillText = context.fillText;
    context.fillText = (text, x, y) => window.written.push({text, x, y});
    paintMap(context, map, {across: 1, down: 1}, mirror, 0.5);
    context.fillText = fillText;
    return context.getImageData(0, 0, 400, 300).data.join(); // as one text: playwright is slow with many numbers
}"""


def painted(page: Any, given: dict[str, Any], mirror: bool = False) -> Any:
    """Red, green and blue at (x, y), and how many colours there are in the 30 pixels across it."""
    data = [int(value) for value in page.evaluate(PAINT, [given, mirror]).split(",")]

    def at(x: int, y: int) -> tuple[list[int], int]:
        starts = [4 * (400 * y + left) for left in range(x - 15, x + 15)]
        pixels = [tuple(data[start : start + 3]) for start in starts]
        return list(pixels[15]), len(set(pixels))

    return at


def test_for_and_against_differ_in_colour_and_in_pattern_where_the_crop_lies(page: Any) -> None:
    grey = [128, 128, 128]
    at = painted(page, a_map([3, 0, 0], [0, 0, 0], [0, 0, -3], [0, 0.001, 0]))
    (red, _, blue), colours = at(100 + 12, 20 + 8)  # for: plain beside its plus sign
    assert blue > 170 > 100 > red
    assert colours <= 2
    _, stripes = at(100 + 150, 20 + 130)
    assert stripes > 5  # against: striped
    orange = [at(100 + x, 20 + 130)[0] for x in range(130, 170)]
    assert any(red > 170 and blue < 90 for red, _, blue in orange)
    assert at(100 + 90, 20 + 190)[0] == grey  # next to nothing
    assert at(50, 150)[0] == grey
    assert [part["text"] for part in page.evaluate("window.written")] == ["+3.0", "−3.0"]


def test_a_mirrored_picture_has_its_map_mirrored_and_its_numbers_legible(page: Any) -> None:
    at = painted(page, a_map([3, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]), mirror=True)
    red, _, blue = at(400 - 112, 28)[0]
    assert blue > 170 > 100 > red
    assert at(112, 28)[0] == [128, 128, 128]
    (written,) = page.evaluate("window.written")
    assert written["x"] >= 400 - 100  # right of the cell, as visitors see it


def test_a_map_moves_with_its_face(page: Any) -> None:
    placed = EYES | {"placement": [0.5, -0.1, 110, 0.1, 0.5, 70]}
    found = page.evaluate("([map, from, to]) => moved(map, from, to)", [placed, [100, 50, 40, 60], [200, 80, 80, 120]])
    assert found == placed | {"placement": [1, -0.2, 220, 0.2, 1, 120], "cells": list(EYES["cells"])}


def test_a_face_without_a_map_of_an_attribute_has_none(page: Any) -> None:
    maps = {"attributes": ["Smiling"], "cells": [EYES["cells"]], "bias": [0.5], "rows": ROWS, "columns": COLUMNS}
    asked = "([maps, name]) => mapOf(maps, name)"
    assert page.evaluate(asked, [maps | {"placement": [0] * 6}, "Smiling"])["bias"] == 0.5
    assert page.evaluate(asked, [maps, "Bald"]) is None
    assert page.evaluate("mapOf(undefined, 'Smiling')") is None
