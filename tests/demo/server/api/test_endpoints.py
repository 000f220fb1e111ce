import asyncio
import base64
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import gradio as gr
import numpy as np
import pytest
from gradio_client import Client, handle_file
from PIL import Image

from demo.interruption import InterruptedWorkError, interruptible
from demo.limits import MAX_FACES
from demo.pipeline.result import Analysis, FaceResult
from demo.server.api.endpoints import SCHEMA, add_endpoints, answer
from demo.server.gradio_internals import refuse_web_addresses
from demo.server.http.refusals import BUSY
from demo.server.turns.line import Line
from demo.server.turns.photo_queue import PhotoQueue
from slimnet import Calibration, OperatingPoint, Reliability, Sure
from slimnet.explain import Cells, Explanation
from tests.fakes.host import serving
from tests.fakes.quality import CLEAR

POINT = OperatingPoint((0.5, 0.5), (1.0, 1.0), (1.0, 1.0))
FINDS_ALL = OperatingPoint((0.2, 0.2), (1.0, 1.0), (1.0, 1.0))
CALIBRATION = Calibration(
    (1.0, 1.0), (Reliability(1.0, 1.0, 1.0),) * 2, {"accuracy": POINT, "balanced": FINDS_ALL, "f1": POINT},
    ((0.1, 0.7), (0.1, 0.9)), Sure((1.0, 1.0), (1.0, 1.0), (1.0, 1.0), (1.0, 1.0)),
)  # fmt: skip


class Explaining:
    """A stand-in for a predictor: the upper half speaks for each attribute."""

    attributes = ("Smiling", "Bangs")

    def explain_features(self, features: np.ndarray, attributes: list[int]) -> Explanation:
        assert features.shape == (1, 3, 2, 2)
        maps = np.zeros((1, len(attributes), 2, 1), np.float32)
        maps[0, :, 0, 0] = [10 + number for number in attributes]
        return Explanation(maps, np.full(len(attributes), -0.5, np.float32), Cells((0, 100, 218), (0, 178)))


class OneFace:
    """A stand-in for a pipeline: finds one face as large as the picture."""

    calibration: Calibration | None = CALIBRATION
    weights = "5" * 64
    attributes = Explaining.attributes
    predictor = Explaining()

    def analyse_photo(self, frame: np.ndarray, *, most_faces: int, explained: bool) -> Analysis:
        assert most_faces == MAX_FACES
        height, width = frame.shape[:2]
        crop = np.zeros((218, 178, 3), np.uint8)
        features = np.zeros((1, 3, 2, 2), np.float32) if explained else None
        at = np.array([[2.0, 0, 5], [0, 2, 7]])
        box, found = (0, 0, width, height), np.array([0.75, 0.25], np.float32)
        face = FaceResult(1, box, found, crop, CLEAR, ("dark",), at, features)
        return Analysis(self.attributes, width, height, (face,))


@pytest.fixture(scope="module")
def client(cache: Path) -> Iterator[Client]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(cache))
        with gr.Blocks(analytics_enabled=False) as page:
            pipeline: Any = OneFace()
            add_endpoints(page, pipeline, PhotoQueue())
        refuse_web_addresses(page)
        _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, run_history=False)
        yield Client(url, verbose=False)
        page.close()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    Image.new("RGB", (60, 40)).save(path)
    return path


FOUND: dict[str, Any] = {
    "faces": [
        {
            "number": 1,
            "box": [0, 0, 60, 40],
            "probabilities": {"Smiling": 0.75, "Bangs": 0.25},
            "ticks": {"Smiling": True, "Bangs": None},
            "warnings": ["dark"],
        }
    ],
    "operating_point": "accuracy",
    "width": 60,
    "height": 40,
    "weights": "5" * 64,
}
FOUND_ALL: dict[str, Any] = {
    **FOUND,
    "faces": [{**FOUND["faces"][0], "ticks": {"Smiling": True, "Bangs": True}}],
    "operating_point": "balanced",
}


WHY: dict[str, Any] = {
    "attribute": "Bangs",
    "cells": [[11.0], [0.0]],
    "bias": -0.5,
    "rows": [0, 100, 218],
    "columns": [0, 178],
    # One pixel of the crop covers two of the picture; its first pixel's corner is half a pixel before its centre.
    "placement": [2.0, 0.0, 4.5, 0.0, 2.0, 6.5],
}


def post(url: str, body: object) -> tuple[int, Any]:
    """The status and JSON that answer a request with a JSON body."""
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def upload(url: str, picture: Path) -> str:
    """Send a file as curl does; returns where it lies."""
    boundary = "x"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="p.png"\r\n\r\n'.encode()
    body = head + picture.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    [path] = json.load(urllib.request.urlopen(urllib.request.Request(f"{url}gradio_api/upload", body, headers)))
    return str(path)


def ask_about(url: str, path: str) -> str:
    """Call `/analyse` about an upload in the steps of Gradio's queue; returns the events that answer it."""
    call = f"{url}gradio_api/call/analyse"
    _, asked = post(call, {"data": [{"path": path, "meta": {"_type": "gradio.FileData"}}]})
    return urllib.request.urlopen(f"{call}/{asked['event_id']}").read().decode()


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_picture_gives_its_faces_and_the_upload_is_deleted(client: Client, picture: Path, cache: Path) -> None:
    answer = client.predict(picture=handle_file(picture), api_name="/analyse")
    assert answer == FOUND
    assert files(cache) == []


def test_attributes_are_decided_at_the_operating_point(client: Client, picture: Path) -> None:
    text = base64.b64encode(picture.read_bytes()).decode()
    call = f"{client.src}gradio_api/run/analyse_base64"
    file = handle_file(picture)
    assert client.predict(picture=file, operating_point="balanced", api_name="/analyse") == FOUND_ALL
    assert post(call, {"data": [text, "balanced"]})[1]["data"] == [FOUND_ALL]
    assert post(call, {"data": [text, "accuracy"]})[1]["data"] == [FOUND]


def test_a_call_for_a_file_may_leave_the_operating_point_out(client: Client, picture: Path) -> None:
    answer = ask_about(client.src, upload(client.src, picture))  # by hand, since gradio_client would fill it in
    assert "event: complete" in answer
    assert '"operating_point": "accuracy"' in answer


@pytest.mark.parametrize("point", ["best", "", 5, None, ["f1"], {"point": "f1"}])
def test_an_unknown_operating_point_is_a_clear_error(client: Client, picture: Path, point: object) -> None:
    text = base64.b64encode(picture.read_bytes()).decode()
    status, answer = post(f"{client.src}gradio_api/run/analyse_base64", {"data": [text, point]})
    assert status != 200
    assert "there is no operating point" in answer["error"]
    assert "choose accuracy, balanced, f1" in answer["error"]


def test_a_call_that_names_an_attribute_gets_its_map(client: Client, picture: Path) -> None:
    text = base64.b64encode(picture.read_bytes()).decode()
    explained = {**FOUND, "faces": [{**FOUND["faces"][0], "why": WHY}]}
    file = handle_file(picture)
    assert client.predict(picture=file, attribute="Bangs", api_name="/analyse") == explained
    status, answer = post(f"{client.src}gradio_api/run/analyse_base64", {"data": [text, "accuracy", "Bangs"]})
    assert (status, answer["data"]) == (200, [explained])


def test_maps_are_drawn_for_no_more_faces_once_nobody_waits_for_them(picture: Path) -> None:
    drawn: list[int] = []

    class Counting(Explaining):
        def explain_features(self, features: np.ndarray, attributes: list[int]) -> Explanation:
            drawn.append(len(drawn))
            return super().explain_features(features, attributes)

    class Crowd(OneFace):
        predictor = Counting()

        def analyse_photo(self, frame: np.ndarray, *, most_faces: int, explained: bool) -> Analysis:
            one = super().analyse_photo(frame, most_faces=most_faces, explained=explained)
            return replace(one, faces=5 * one.faces)

    class HangsUp:
        async def run(self, _guest: None, _size: int, function: Callable[..., Any], *arguments: Any) -> Any:
            return interruptible(lambda: len(drawn) < 2, function, *arguments)

    pipeline: Any = Crowd()
    queue: Any = HangsUp()
    with pytest.raises(InterruptedWorkError):
        asyncio.run(answer(picture.read_bytes(), pipeline, queue, attribute="Bangs"))
    assert drawn == [0, 1]


@pytest.mark.parametrize("attribute", ["bangs", 5, ["Bangs"]])
def test_an_unknown_attribute_is_a_clear_error(client: Client, picture: Path, attribute: object) -> None:
    text = base64.b64encode(picture.read_bytes()).decode()
    call = f"{client.src}gradio_api/run/analyse_base64"
    status, answer = post(call, {"data": [text, "accuracy", attribute]})
    assert status != 200
    assert "Choose one of Smiling, Bangs." in answer["error"]


def test_weights_without_operating_points_tick_what_is_more_likely(
    client: Client, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OneFace, "calibration", None)
    [face] = client.predict(picture=handle_file(picture), api_name="/analyse")["faces"]
    assert face["ticks"] == {"Smiling": True, "Bangs": False}
    with pytest.raises(Exception, match="no operating point 'f1', only accuracy"):
        client.predict(picture=handle_file(picture), operating_point="f1", api_name="/analyse")


def test_the_same_picture_may_come_many_times_at_once(client: Client, picture: Path, cache: Path) -> None:
    start = threading.Barrier(6)
    clients = [Client(client.src, verbose=False) for _ in range(6)]  # one alone mixes up its threads' answers at times

    def ask(one: Client) -> int:
        start.wait()
        return len(one.predict(picture=handle_file(picture), api_name="/analyse")["faces"])

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(ask, clients)) == [1] * 6
    assert files(cache) == []


def test_a_file_that_is_no_picture_is_a_clear_error_and_is_deleted(client: Client, tmp_path: Path, cache: Path) -> None:
    text = tmp_path / "text.jpg"
    text.write_text("no picture")
    with pytest.raises(Exception, match="picture"):
        client.predict(picture=handle_file(text), api_name="/analyse")
    assert files(cache) == []


def test_no_picture_is_a_clear_error(client: Client) -> None:
    with pytest.raises(Exception, match="No picture was given"):
        client.predict(picture=None, api_name="/analyse")


def test_another_file_of_the_server_is_neither_read_nor_deleted(client: Client, picture: Path) -> None:
    answer = ask_about(client.src, str(picture))  # by hand, since gradio_client would upload the file
    assert "event: error" in answer
    assert "probabilities" not in answer
    assert picture.is_file()


def test_a_path_that_is_no_upload_is_a_clear_error(client: Client, picture: Path, cache: Path) -> None:
    uploaded = upload(client.src, picture)
    for path in (str(cache), f"{uploaded}/x"):
        assert "The upload is gone" in ask_about(client.src, path)
    assert "event: complete" in ask_about(client.src, uploaded)


@pytest.mark.parametrize("endpoint", ["analyse", "analyse_base64"])
def test_a_web_address_is_refused_before_anything_is_fetched(
    endpoint: str, client: Client, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safehttpx.is_public_ip", lambda _: True)
    with serving() as host:
        with pytest.raises(Exception, match="Web addresses are not fetched"):
            client.predict(picture=handle_file(host.at("/file")), api_name=f"/{endpoint}")
        assert host.asked == []
    assert files(cache) == []


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,"])
def test_one_request_is_enough_for_a_picture_as_text(prefix: str, client: Client, picture: Path, cache: Path) -> None:
    text = prefix + base64.encodebytes(picture.read_bytes()).decode()
    status, answer = post(f"{client.src}gradio_api/run/analyse_base64", {"data": [text]})
    assert (status, answer["data"]) == (200, [FOUND])
    assert files(cache) == []


def test_text_that_is_no_picture_is_a_clear_error(client: Client) -> None:
    call = f"{client.src}gradio_api/run/analyse_base64"
    assert "not base64" in post(call, {"data": ["picture.jpg"]})[1]["error"]
    assert "picture" in post(call, {"data": [base64.b64encode(b"no picture").decode()]})[1]["error"]


@pytest.mark.parametrize("nothing", [None, 5, {"picture": "x"}, []])
def test_what_is_no_text_at_all_is_a_clear_error(client: Client, nothing: object) -> None:
    status, answer = post(f"{client.src}gradio_api/run/analyse_base64", {"data": [nothing]})
    assert status != 200
    assert "not base64" in answer["error"]


@pytest.mark.parametrize("failure", [RuntimeError("device lost"), cv2.error("wrong size")])
def test_an_analysis_that_fails_is_a_clear_error(
    failure: Exception, client: Client, picture: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> Analysis:
        raise failure

    monkeypatch.setattr(OneFace, "analyse_photo", fail)
    with pytest.raises(Exception, match="could not analyse this picture"):
        client.predict(picture=handle_file(picture), api_name="/analyse")
    assert files(cache) == []


def test_where_memory_is_short_a_call_is_told_after_how_many_seconds_to_come_again(picture: Path) -> None:
    class Short(OneFace):
        def analyse_photo(self, frame: np.ndarray, *, most_faces: int, explained: bool) -> Analysis:  # noqa: ARG002
            raise MemoryError

    pipeline: Any = Short()
    with pytest.raises(gr.Error) as told:
        asyncio.run(answer(picture.read_bytes(), pipeline, PhotoQueue()))
    assert (told.value.title, told.value.duration) == (BUSY, 10)
    assert told.value.message == "The server lacks memory at the moment. Try again in 10 seconds."


def test_a_call_that_finds_no_place_is_told_after_how_many_seconds_to_come_again(picture: Path) -> None:
    pipeline: Any = OneFace()

    async def crowd() -> list[Any]:
        queue = PhotoQueue()
        calls = (answer(picture.read_bytes(), pipeline, queue) for _ in range(30))
        return await asyncio.gather(*calls, return_exceptions=True)

    turned_away = [told for told in asyncio.run(crowd()) if isinstance(told, gr.Error)]
    assert 0 < len(turned_away) < 30
    for told in turned_away:
        assert told.title == BUSY
        assert isinstance(told.duration, int)
        assert f"in {told.duration} seconds" in told.message


def interrupt(*_: object, **__: object) -> Analysis:
    raise InterruptedWorkError


def find_no_place(line: Line, address: str, guest: str | None = None) -> None:
    raise line.send_away(address, guest)


@pytest.mark.parametrize(
    ("owner", "name", "busy"), [(Line, "enter", find_no_place), (OneFace, "analyse_photo", interrupt)]
)
def test_a_call_that_is_told_to_come_again_may_be_repeated_about_the_same_upload(
    owner: type, name: str, busy: Callable[..., Any], client: Client, picture: Path, cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    path = upload(client.src, picture)
    with monkeypatch.context() as crowd:
        crowd.setattr(owner, name, busy)
        for _ in range(2):
            assert "Try again in 1 seconds" in ask_about(client.src, path)
    assert files(cache) == [Path(path)]
    assert "event: complete" in ask_about(client.src, path)
    assert files(cache) == []


def test_an_upload_is_not_read_before_its_call_has_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Line, "enter", find_no_place)
    pipeline: Any = OneFace()
    with pytest.raises(gr.Error, match="Try again"):
        asyncio.run(answer(tmp_path, pipeline, PhotoQueue()))  # reading a folder would fail


def test_the_schema_tells_what_an_answer_holds(client: Client) -> None:
    assert post(f"{client.src}gradio_api/run/schema", {"data": []})[1]["data"] == [SCHEMA]
    face = SCHEMA["properties"]["faces"]["items"]
    assert set(face["required"]) == set(FOUND["faces"][0])
    assert set(face["properties"]) == {*face["required"], "why"}
    assert set(face["properties"]["why"]["properties"]) == set(face["properties"]["why"]["required"]) == set(WHY)
    named = SCHEMA["properties"]["operating_point"]["description"]
    assert "accuracy is called 'Fewest mistakes', f1 is called 'Balanced', balanced is called 'Find all'" in named
    assert set(SCHEMA["properties"]) == set(SCHEMA["required"]) == set(FOUND)
