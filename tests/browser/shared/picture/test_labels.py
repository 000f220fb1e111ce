"""Which ticks are written on the picture, and where: the page's rules, without a server."""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest

from tests.browser.bare import bare_page

NAMES = ["Eyeglasses", "Smiling", "No Beard", "Lipstick", "Bangs", "Big Nose", "Blurry"]
TELLING = [3.5, 2.7, 0.2, 1.1, 2.3, 0.8, 0]
PICTURE = {"width": 640, "height": 480}
SCRIPT = """() => {
    const cut = {lower: 0.5, upper: 0.5, inclusive: false, threshold: 0.5};
    window.rule = {cuts: Array(7).fill(cut), exclusive: []};
    window.chosenLabels = (names, telling, frames, side) => {
      const labels = new PictureLabels(telling, names);
      return frames.map(({faces, chosen}) => {
        const decided = faces.map(({probabilities, warnings = [], height = 100, number}) => ({
          number, warnings, probabilities, box: [0, 0, height, height], ticks: probabilities.map((p) => p > 0.5),
        }));
        return Object.fromEntries(labels.choose(decided, side, chosen, rule));
      });
    };
    // As wide as ten units for each letter.
    window.placedFaces = (frames, picture, unit, chosen) => {
      const layout = new PictureLayout();
      return frames.map((faces) => layout.place(
        faces.map(({number, box: [x, y, width, height], labels}) => ({number, box: {x, y, width, height}, labels})),
        picture, unit, (text) => 10 * text.length, chosen));
    };
}"""


@pytest.fixture(scope="module")
def page(browser: Any) -> Iterator[Any]:
    with bare_page(browser, "shared/picture/labels.js", "shared/picture/layout.js") as page:
        page.evaluate(SCRIPT)
        yield page


def face(number: int, *probabilities: float, **more: Any) -> dict[str, Any]:
    return {"number": number, "probabilities": [*probabilities, *[0.1] * (7 - len(probabilities))], **more}


def chosen_labels(page: Any, *frames: list[dict[str, Any]], chosen: int | None = 1) -> list[dict[str, list[str]]]:
    """After each frame, the number of a face -> what is written beside it."""
    return page.evaluate(
        "([names, telling, frames]) => chosenLabels(names, telling, frames, 640)",
        [NAMES, TELLING, [{"faces": faces, "chosen": chosen} for faces in frames]],
    )


def test_the_most_telling_ticks_are_written_first_and_what_most_faces_have_only_for_want_of_others(page: Any) -> None:
    sure = face(1, 0.99, 0.99, 0.99, 0.99, 0.99, 0.99, 0.99)
    assert chosen_labels(page, [sure]) == [{"1": ["Eyeglasses", "Smiling", "Bangs", "Lipstick", "Big Nose"]}]
    assert chosen_labels(page, [face(1, 0.1, 0.99, 0.99)]) == [{"1": ["Smiling", "No Beard"]}]
    assert chosen_labels(page, [face(1, 0.99, 0.99, 0.99, 0.99)]) == [{"1": ["Eyeglasses", "Smiling", "Lipstick"]}]


def test_what_says_nothing_of_a_face_is_not_written(page: Any) -> None:
    assert chosen_labels(page, [face(1, 0.1, 0.99, 0.1, 0.1, 0.1, 0.1, 0.99)]) == [{"1": ["Smiling"]}]


def test_a_surer_tick_comes_before_a_hesitant_one(page: Any) -> None:
    crowd = [face(number, 0.51, 0.99, 0.1, 0.99, 0.99) for number in range(1, 7)]
    (labels,) = chosen_labels(page, crowd, chosen=None)
    assert labels["1"] == ["Smiling", "Bangs", "Lipstick"]  # with glasses there would be four


def test_labels_do_not_change_places_while_their_strengths_hover(page: Any) -> None:
    frames = []
    for step in range(12):
        hovering = 0.85 + 0.02 * (-1) ** step
        frames.append([face(number, 0.7, 0.99, 0.1, hovering, 0.99) for number in range(1, 7)])
    shown = chosen_labels(page, *frames, chosen=None)
    assert all(labels == shown[0] for labels in shown)
    strong = [face(number, 0.99, 0.99, 0.1, 0.6, 0.99) for number in range(1, 7)]
    assert chosen_labels(page, frames[0], strong, chosen=None)[1]["1"] == ["Eyeglasses", "Smiling", "Bangs"]


@pytest.mark.parametrize(
    ("count", "more", "chosen_count", "other_count"),
    [(2, {}, 4, 4), (6, {}, 4, 3), (9, {}, 4, 0), (2, {"height": 40}, 4, 0), (2, {"warnings": ["dark"]}, 4, 0)],
)
def test_of_many_or_small_faces_or_those_with_warnings_only_the_chosen_one_has_labels(
    page: Any, count: int, more: dict[str, Any], chosen_count: int, other_count: int
) -> None:
    faces = [face(number, 0.99, 0.99, 0.1, 0.99, 0.99, **more) for number in range(1, count + 1)]
    (labels,) = chosen_labels(page, faces)
    assert [len(labels[str(number)]) for number in (1, 2)] == [chosen_count, other_count]


def placed(
    page: Any, *frames: list[tuple[int, list[Any], list[str]]], chosen: int = 1, picture: Any = PICTURE
) -> list[Any]:
    """After each frame, the faces (number, box, labels) with the areas of their badges and labels."""
    given = [[{"number": number, "box": box, "labels": labels} for number, box, labels in faces] for faces in frames]
    return page.evaluate(
        "([frames, picture, chosen]) => placedFaces(frames, picture, 1, chosen)", [given, picture, chosen]
    )


def overlap(one: dict[str, float], other: dict[str, float]) -> bool:
    across = one["x"] < other["x"] + other["width"] and other["x"] < one["x"] + one["width"]
    return across and one["y"] < other["y"] + other["height"] and other["y"] < one["y"] + one["height"]


def middle(box: dict[str, float]) -> dict[str, float]:
    width, height = 0.6 * box["width"], 0.6 * box["height"]
    return {"x": box["x"] + width / 3, "y": box["y"] + height / 3, "width": width, "height": height}


def assert_clear(faces: list[Any], picture: dict[str, int], spared: Any = lambda box: box) -> None:
    """Nothing is outside the picture, on a face, or on other writing."""
    written = [area for face in faces for area in (face["badge"], *face["labels"])]
    for area in written:
        assert area["x"] >= 0
        assert area["y"] >= 0
        assert area["x"] + area["width"] <= picture["width"]
        assert area["y"] + area["height"] <= picture["height"]
        assert not any(overlap(area, spared(face["box"])) for face in faces)
    assert not any(overlap(*pair) for pair in combinations(written, 2))


TEXTS = ["Eyeglasses", "Smiling", "Bangs", "Lipstick", "Big Nose"]


@pytest.mark.parametrize(
    "box",
    [[250, 150, 140, 180], [480, 150, 140, 180], [0, 150, 140, 180], [220, 0, 200, 200], [220, 280, 200, 200]],
    ids=["middle", "right edge", "left edge", "top", "bottom"],
)
def test_labels_stand_beside_their_face_wherever_it_is(page: Any, box: list[float]) -> None:
    ((face,),) = placed(page, [(1, box, TEXTS)])
    assert [label["text"] for label in face["labels"]] == TEXTS
    assert_clear([face], PICTURE)


def test_a_face_that_fills_the_picture_has_no_label_rather_than_one_on_it(page: Any) -> None:
    ((face,),) = placed(page, [(1, [5, 10, 630, 460], TEXTS)])
    assert face["labels"] == []


def test_two_faces_share_the_room(page: Any) -> None:
    (faces,) = placed(page, [(1, [60, 150, 120, 150], TEXTS), (2, [330, 150, 120, 150], TEXTS)])
    assert all(len(face["labels"]) == 5 for face in faces)
    assert_clear(faces, PICTURE)


def crowd(across: int, down: int, width: float, height: float) -> list[tuple[int, list[float], list[str]]]:
    """Faces in rows; each fills a part of its cell."""
    cell = 640 / across, 480 / down
    return [
        (
            row * across + column + 1,
            [
                (column + (1 - width) / 2) * cell[0],
                (row + (1 - height) / 2) * cell[1],
                width * cell[0],
                height * cell[1],
            ],
            [],
        )
        for row in range(down)
        for column in range(across)
    ]


@pytest.mark.parametrize(("across", "down"), [(6, 5), (8, 5)])
def test_thirty_and_more_numbers_stand_clear_of_each_other_and_of_faces_middles(
    page: Any, across: int, down: int
) -> None:
    faces = crowd(across, down, 0.5, 0.55)
    number, box, _ = faces[across + 2]
    faces[across + 2] = (number, box, TEXTS)
    (shown,) = placed(page, faces, chosen=number)
    assert_clear(shown, PICTURE, middle)
    assert shown[across + 2]["labels"]


def test_numbers_do_not_cover_each_other_where_faces_touch(page: Any) -> None:
    (shown,) = placed(page, crowd(6, 5, 1, 1))
    assert not any(overlap(one["badge"], other["badge"]) for one, other in combinations(shown, 2))
    assert not any(overlap(one["badge"], middle(other["box"])) for one in shown for other in shown)


def test_labels_keep_their_side_and_their_number_while_a_face_trembles(page: Any) -> None:
    # To the right there is room for five labels in one frame, and for four in the next.
    frames = [[(1, [60, 366 + 2 * (-1) ** step, 100, 110], TEXTS)] for step in range(12)]
    shown = [face for (face,) in placed(page, *frames, picture={"width": 400, "height": 480})]
    sides = {round(face["labels"][0]["x"] - face["box"]["x"]) for face in shown}
    assert len(sides) == 1
    assert len({len(face["labels"]) for face in shown[1:]}) == 1


def test_a_label_that_had_no_room_comes_back_once_there_is_room_for_a_while(page: Any) -> None:
    blocked = [(1, [0, 100, 300, 200], TEXTS), (2, [310, 0, 330, 480], [])]
    free = [(1, [0, 100, 300, 200], TEXTS)]
    shown = [len(faces[0]["labels"]) for faces in placed(page, blocked, *[free] * 12)]
    assert shown[-1] == 5
    assert shown == sorted(shown)
