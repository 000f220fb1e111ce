"""The engine as a whole: it loads, and reads faces as the server does."""

import base64
import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from demo.benchmark.device.page import load_engine, served
from demo.device_files import FINE_MAPS, SIZES, DeviceFilesError, device_files, network_files
from demo.paths import WEIGHTS
from demo.pictures.decode import open_picture
from demo.pipeline.analyse import Pipeline
from demo.server.live import describe
from demo.server.why import explain
from slimnet import Predictor, SlimNet
from tests.browser.conftest import missing
from tests.browser.device.recorded import as_png
from tests.paths import EXAMPLES, PORTRAIT

STAGES = ["wait", "decode", "detect", "align", "infer"]
MOST_BYTES = 14e6  # compressed, all that a visitor has to load


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
    """A page with the engine loaded; fails at the end if it has met an error or asked another host for anything."""
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


def test_the_compressed_files_are_small_enough_to_load_soon(files: dict[str, bytes]) -> None:
    parts = (content for name, content in files.items() if not name.endswith(".jpg"))
    assert sum(len(gzip.compress(content, 6)) for content in parts) < MOST_BYTES  # as the server compresses it


@pytest.mark.parametrize("photo", [False, True])
def test_it_reads_a_picture_as_the_server_does(page: Any, photo: bool) -> None:
    pipeline = Pipeline.load(WEIGHTS, "cpu")
    analyse = pipeline.analyse_photo if photo else pipeline.analyse_camera_frame
    analysis = analyse(open_picture(EXAMPLES / "two_portraits.jpg"))
    expected = describe(analysis, {"wait": 0, "decode": 0}, crop=2)
    found = read(page, "two_portraits.jpg", photo=photo, crop=2)
    assert list(found) == list(expected)
    assert list(found["ms"]) == list(expected["ms"]) == STAGES
    assert [found["width"], found["height"], len(found["faces"])] == [expected["width"], expected["height"], 2]
    for one, other in zip(found["faces"], expected["faces"], strict=True):
        assert list(one) == list(other)
        assert [one["number"], one["box"], one["warnings"]] == [other["number"], other["box"], other["warnings"]]
        np.testing.assert_allclose(one["probabilities"], other["probabilities"], atol=0.01)
        assert one["conditions"] == pytest.approx(other["conditions"], rel=0.01, abs=0.01)


def test_only_in_a_photo_are_turned_faces_looked_for(page: Any, files: dict[str, bytes]) -> None:
    upside_down = np.ascontiguousarray(open_picture(PORTRAIT)[86:161, 138:202][::-1, ::-1])
    files["upside_down.png"] = base64.b64decode(as_png(upside_down))
    assert len(read(page, "upside_down.png", photo=True)["faces"]) == 1
    assert read(page, "upside_down.png")["faces"] == []


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


# Reads one crop with the parts of the engine. Explains all attributes, then one, then one that does not exist.
EXPLAIN = """async (crop) => {
    const names = ["files", "models", "explainer"];
    const [{loadFiles}, {Network}, {Explainer}] = await Promise.all(names.map((name) => import(`/device/${name}.js`)));
    const {files, modules} = await loadFiles("/engine/", () => {});
    const network = await Network.load(files, modules);
    const explainer = new Explainer(files, modules);
    const pixels = Uint8ClampedArray.from(atob(crop), (character) => character.charCodeAt(0));
    const [, {probabilities, features}] = await network.predict([pixels.map((value) => 255 - value), pixels], true);
    const explanations = [];
    for (const name of [null, "Smiling", "Smoking"]) explanations.push(await explainer.explain(features, name));
    return {probabilities: [...probabilities], explanations};
}"""


def test_it_explains_a_crop_as_python_does(page: Any) -> None:
    predictor = Predictor(WEIGHTS, "cpu")
    (face,) = Pipeline.load(WEIGHTS, "cpu").analyse_camera_frame(open_picture(PORTRAIT)).faces
    found = page.evaluate(EXPLAIN, base64.b64encode(face.crop.tobytes()).decode())
    every, one, none = found["explanations"]
    _, features = predictor.with_features(face.crop[None])
    expected = predictor.explain_features(features, range(40))
    np.testing.assert_allclose(every["maps"], expected.maps[0], atol=1e-4)
    np.testing.assert_allclose(every["bias"], expected.bias, atol=1e-6)
    assert every["rows"] == list(expected.cells.rows)
    assert every["columns"] == list(expected.cells.columns)
    log_odds = np.sum(every["maps"], axis=(1, 2)) + every["bias"]
    np.testing.assert_allclose(1 / (1 + np.exp(-log_odds)), found["probabilities"], atol=1e-5)
    place = every["attributes"].index("Smiling")
    assert one["attributes"] == ["Smiling"]
    np.testing.assert_allclose(one["maps"][0], every["maps"][place], atol=1e-5)
    assert none is None


def test_it_answers_why_as_the_server_does(page: Any) -> None:
    pipeline = Pipeline.load(WEIGHTS, "cpu")
    analysis = pipeline.analyse_photo(open_picture(EXAMPLES / "two_portraits.jpg"), explained=True)
    expected = explain(analysis, 2, analysis.attributes, pipeline.predictor)
    assert expected
    first, second = read(page, "two_portraits.jpg", photo=True, why={"face": 2})["faces"]
    assert "why" not in first
    found = second["why"]
    assert list(found) == list(expected)
    assert all(found[name] == expected[name] for name in ("attributes", "rows", "columns", "bias"))
    # The face's points are almost the same. Single pixels of the crop differ, so another cell may win a pooling.
    np.testing.assert_allclose(found["placement"], expected["placement"], atol=0.01)
    assert np.abs(np.subtract(found["cells"], expected["cells"])).mean() < 0.005
    log_odds = np.sum(found["cells"], axis=(1, 2)) + found["bias"]
    np.testing.assert_allclose(log_odds, np.sum(expected["cells"], axis=(1, 2)) + expected["bias"], atol=0.02)
    np.testing.assert_allclose(1 / (1 + np.exp(-log_odds)), second["probabilities"], atol=2e-4)

    asked = {"visitor": "why", "why": {"face": 1, "attribute": "Smiling"}}
    (face,) = read(page, PORTRAIT.name, **asked)["faces"]
    assert face["why"]["attributes"] == ["Smiling"]
    for other in ({"face": 7, "attribute": "Smiling"}, {"face": 1, "attribute": "Smoking"}, None):
        (face,) = read(page, PORTRAIT.name, **asked | {"why": other})["faces"]
        assert "why" not in face


@contextmanager
def page_with(page: Any, files: dict[str, bytes]) -> Iterator[Any]:
    """Another page, whose engine loaded other files."""
    sizes = {name: len(content) for name, content in files.items()}
    with served(files | {SIZES: json.dumps(sizes).encode()}) as address:
        other = page.context.browser.new_page()
        other.set_default_timeout(120_000)
        other.goto(address)
        load_engine(other)
        yield other
        other.close()


def test_weights_of_other_attributes_are_explained(page: Any, files: dict[str, bytes]) -> None:
    other_weights = network_files(SlimNet(num_classes=2, attributes=("Smoking", "Glasses")))
    with page_with(page, files | other_weights) as other:
        (face,) = read(other, PORTRAIT.name, why={"face": 1, "attribute": "Glasses"})["faces"]
    why = face["why"]
    assert why["attributes"] == ["Glasses"]
    log_odds = np.sum(why["cells"]) + why["bias"][0]
    assert 1 / (1 + np.exp(-log_odds)) == pytest.approx(face["probabilities"][1], abs=1e-4)


def test_a_face_is_read_even_if_it_cannot_be_explained(page: Any, files: dict[str, bytes]) -> None:
    with page_with(page, files | {FINE_MAPS: bytes(len(files[FINE_MAPS]))}) as other:
        (face,) = read(other, PORTRAIT.name, why={"face": 1})["faces"]
    assert "probabilities" in face
    assert "why" not in face


# Draws a picture on a blank wall at each of these distances from the left, and has the engine follow it for a visitor.
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
    # It moves by 140 pixels. Which frames get landmarks and which only the detector's points depends on the clock.
    assert max(places) - min(places) <= 8


def test_a_file_that_is_no_picture_is_told_and_the_next_one_is_read(page: Any) -> None:
    told = page.evaluate(
        "async () => String((await engine.analyse(await (await fetch('/engine/slimnet.onnx')).blob(), {})).error)"
    )
    assert "cannot open the picture" in told
    told = page.evaluate("async () => String((await engine.analyse(new OffscreenCanvas(0, 0), {})).error)")
    assert "too little free memory for this picture" in told
    assert len(read(page, PORTRAIT.name)["faces"]) == 1


def test_an_engine_whose_worker_has_died_answers_and_tells_so(page: Any, address: str) -> None:
    other = page.context.new_page()
    other.goto(address)
    load_engine(other)
    pending, after, lost = other.evaluate(
        """async (name) => {
            const picture = await (await fetch(`/engine/${name}`)).blob();
            let lost = false;
            engine.whenLost(() => { lost = true; });
            const pending = engine.analyse(picture, {});
            engine.worker.dispatchEvent(new ErrorEvent("error"));
            const answers = await Promise.all([pending, engine.analyse(picture, {})]);
            return [...answers.map(({error}) => String(error)), lost];
        }""",
        PORTRAIT.name,
    )
    assert pending == after == "Reading on this device has ended."
    assert lost
    other.close()


MISSING = "A file that reading on this device needs did not arrive: {}."
NO_MEMORY = b"""
    export const env = {wasm: {}};
    export class InferenceSession { static create() { throw new RangeError("could not allocate memory"); } }
"""
NO_MEMORY_EITHER = b"""
    const fail = () => { throw new Error("Aborted(). Build with -sASSERTIONS for more info."); };
    export const FaceDetector = {createFromOptions: fail};
"""
# Like MediaPipe, it goes on only once it has an instance.
NO_MEMORY_TO_BEGIN = b"""
    const wait = () => {
      WebAssembly.instantiate = () => Promise.reject(new RangeError("WebAssembly.instantiate(): Out of memory"));
      return new Promise((made) => globalThis.Module.instantiateWasm({}, made));
    };
    export const FaceDetector = {createFromOptions: wait};
"""
TOO_LITTLE_MEMORY = "This device has too little free memory to read faces itself."


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("face_landmarker.task", None, MISSING.format("face_landmarker.task")),
        ("slimnet.onnx", b"cut off", MISSING.format("slimnet.onnx")),
        ("vision_bundle.mjs", None, MISSING.format("vision_bundle.mjs")),
        ("ort.wasm.bundle.min.mjs", NO_MEMORY, TOO_LITTLE_MEMORY),
        ("vision_bundle.mjs", NO_MEMORY_EITHER, TOO_LITTLE_MEMORY),
        ("vision_bundle.mjs", NO_MEMORY_TO_BEGIN, TOO_LITTLE_MEMORY),
        ("worker's own script", None, MISSING.format("worker.js")),
    ],
)
def test_why_the_engine_does_not_load_is_told(
    page: Any, files: dict[str, bytes], name: str, content: bytes | None, why: str
) -> None:
    others = {each: part for each, part in files.items() if each != name}
    with served(others | ({name: content} if content else {})) as address:
        other = page.context.browser.new_page()
        if name == "worker's own script":
            other.route("**/pipeline/track.js", lambda route: route.abort())
        other.goto(address)
        told = other.evaluate(
            """async () => {
                const {createDeviceEngine, DeviceError} = await import("/device/engine.js");
                const wanted = {base: "/engine/", onProgress: () => {}};
                return createDeviceEngine(wanted).catch((error) => [error instanceof DeviceError, error.message]);
            }"""
        )
        assert told == [True, why]
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
