"""The engine as a whole: it loads, and reads faces as the server does."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from demo.benchmark.device.page import load_engine, served
from demo.device_files import DeviceFilesError, device_files
from demo.paths import WEIGHTS
from demo.pictures.decode import open_picture
from demo.pipeline.analyse import Pipeline
from demo.server.live import describe
from tests.browser.conftest import missing
from tests.paths import EXAMPLES, PORTRAIT

STAGES = ["wait", "decode", "detect", "align", "infer"]


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    try:
        return device_files(WEIGHTS) | {path.name: path.read_bytes() for path in EXAMPLES.glob("*.jpg")}
    except DeviceFilesError as error:
        return missing(str(error))


@pytest.fixture(scope="module")
def address(files: dict[str, bytes]) -> Iterator[str]:
    with served(files) as address:
        yield address


@pytest.fixture(scope="module")
def page(browser: Any, address: str) -> Iterator[Any]:
    """With the engine loaded; afterwards it must have met no error and asked no other host for anything."""
    context, troubles = browser.new_context(), []

    def note_request(url: str) -> None:
        if not url.startswith((address, "data:", "blob:")):
            troubles.append(f"request to another host: {url}")

    page = context.new_page()
    page.set_default_timeout(120_000)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text) if "Content Security" in message.text else None)
    page.on("request", lambda request: note_request(request.url))
    page.goto(address)
    load_engine(page)
    yield page
    context.close()
    assert not troubles


def read(page: Any, name: str, **options: Any) -> Any:
    script = "async ([name, options]) => engine.analyse(await (await fetch(`/engine/${name}`)).blob(), options)"
    return page.evaluate(script, [name, options])


def test_its_progress_is_told_to_the_end(page: Any, files: dict[str, bytes]) -> None:
    progress = page.evaluate("window.progress")
    loaded = [part["loaded"] for part in progress]
    assert loaded == sorted(loaded)
    assert loaded[-1] == progress[-1]["total"] > sum(map(len, files.values())) * 0.9


@pytest.mark.parametrize("thorough", [False, True])
def test_it_reads_a_picture_as_the_server_does(page: Any, thorough: bool) -> None:
    pipeline = Pipeline.load(WEIGHTS, "cpu")
    analysis = pipeline.analyse(open_picture(EXAMPLES / "two_portraits.jpg"), thorough=thorough)
    expected = describe(analysis, {"wait": 0, "decode": 0}, crop=2)
    found = read(page, "two_portraits.jpg", thorough=thorough, crop=2)
    assert list(found) == list(expected)
    assert list(found["ms"]) == list(expected["ms"]) == STAGES
    assert [found["width"], found["height"], len(found["faces"])] == [expected["width"], expected["height"], 2]
    for one, other in zip(found["faces"], expected["faces"], strict=True):
        assert list(one) == list(other)
        assert [one["number"], one["box"], one["doubts"]] == [other["number"], other["box"], other["doubts"]]
        np.testing.assert_allclose(one["probabilities"], other["probabilities"], atol=0.01)
        assert one["conditions"] == pytest.approx(other["conditions"], rel=0.01, abs=0.01)


def test_a_crop_is_what_the_network_saw(page: Any) -> None:
    (face,) = read(page, PORTRAIT.name, crop="all")["faces"]
    assert face["crop"].startswith("data:image/jpeg;base64,")
    size = page.evaluate(
        """async (crop) => {
            const {width, height} = await createImageBitmap(await (await fetch(crop)).blob());
            return [width, height];
        }""",
        face["crop"],
    )
    assert size == [178, 218]
    assert "crop" not in read(page, PORTRAIT.name)["faces"][0]


# Draws a picture beside a blank wall, at the left or at the right, and has the engine follow it for a visitor.
FOLLOW = """async ([name, visitors]) => {
    const still = await createImageBitmap(await (await fetch(`/engine/${name}`)).blob());
    const canvas = Object.assign(document.createElement("canvas"), {width: 800, height: 440});
    const context = canvas.getContext("2d");
    const answers = [];
    for (const [visitor, left] of visitors) {
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.drawImage(still, left, 10);
      answers.push((await engine.analyse(canvas, {visitor})).faces.map(({number, box}) => [number, box[0] - left]));
    }
    return answers;
}"""


def test_a_visitors_faces_are_followed(page: Any) -> None:
    visitors = [("a", 20 * step) for step in range(8)] + [("b", 400)]
    answers = page.evaluate(FOLLOW, [PORTRAIT.name, visitors])
    assert [[number for number, _ in faces] for faces in answers] == [[1]] * 9
    places = [left for ((_, left),) in answers]
    assert max(places) - min(places) <= 3


def test_a_file_that_is_no_picture_is_told_and_the_next_one_is_read(page: Any) -> None:
    assert "cannot open the picture" in read(page, "slimnet.onnx")["error"]
    assert len(read(page, PORTRAIT.name)["faces"]) == 1


def test_a_closed_engine_answers_that_it_is(page: Any, address: str) -> None:
    other = page.context.new_page()
    other.goto(address)
    load_engine(other)
    pending, after = other.evaluate(
        """async (name) => {
            const picture = await (await fetch(`/engine/${name}`)).blob();
            const pending = engine.analyse(picture, {});
            engine.close();
            return Promise.all([pending, engine.analyse(picture, {})]);
        }""",
        PORTRAIT.name,
    )
    assert pending == after == {"error": "Reading on this device has ended."}
    other.close()


@pytest.mark.parametrize(
    ("name", "content"), [("face_landmarker.task", None), ("slimnet.onnx", b"cut off"), ("vision_bundle.mjs", None)]
)
def test_a_file_that_does_not_arrive_is_named(
    page: Any, files: dict[str, bytes], name: str, content: bytes | None
) -> None:
    others = {each: part for each, part in files.items() if each != name}
    with served(others | ({name: content} if content else {})) as address:
        other = page.context.browser.new_page()
        other.goto(address)
        told = other.evaluate(
            """async () => {
                const {createDeviceEngine, DeviceError} = await import("/device/engine.js");
                const wanted = {base: "/engine/", onProgress: () => {}};
                return createDeviceEngine(wanted).catch((error) => [error instanceof DeviceError, error.message]);
            }"""
        )
        assert told == [True, f"A file that reading on this device needs did not arrive: {name}."]
        other.close()


def test_a_browser_without_what_it_takes_is_told_so(page: Any, address: str) -> None:
    other = page.context.new_page()
    other.goto(address)
    told = other.evaluate(
        """async () => {
            const {createDeviceEngine} = await import("/device/engine.js");
            const wanted = {base: "/engine/", onProgress: () => {}};
            const why = () => createDeviceEngine(wanted).catch(({message}) => message);
            WebAssembly.validate = () => false;
            const told = [await why()];
            WebAssembly.validate = () => true;
            OffscreenCanvas.prototype.getContext = () => null;
            return [...told, await why()];
        }"""
    )
    assert ["SIMD" in told[0], "WebGL 2" in told[1]] == [True, True]
    other.close()
