import json
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from gradio.data_classes import FileData
from gradio_client import Client, handle_file
from PIL import Image

from demo.endpoint import Uploads, analyse_endpoint
from demo.pipeline import Analysis, FaceResult


class OneFace:
    """In a pipeline's place: finds one face as large as the picture."""

    def analyse(self, frame: np.ndarray, *, thorough: bool) -> Analysis:
        assert thorough
        height, width = frame.shape[:2]
        crop = np.zeros((218, 178, 3), np.uint8)
        face = FaceResult(1, (0, 0, width, height), np.array([0.75, 0.25], np.float32), crop)
        return Analysis(("Smiling", "Bangs"), width, height, (face,))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gradio")


@pytest.fixture(scope="module")
def client(cache: Path) -> Iterator[Client]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(cache))
        with gr.Blocks(analytics_enabled=False) as page:
            analyse_endpoint(page, OneFace())
        _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, run_history=False)
        yield Client(url, verbose=False)
        page.close()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    Image.new("RGB", (60, 40)).save(path)
    return path


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_picture_gives_its_faces_and_the_upload_is_deleted(client: Client, picture: Path, cache: Path) -> None:
    answer = client.predict(picture=handle_file(picture), api_name="/analyse")
    assert answer == {
        "faces": [{"number": 1, "box": [0, 0, 60, 40], "probabilities": {"Smiling": 0.75, "Bangs": 0.25}}]
    }
    assert files(cache) == []


def test_the_same_picture_may_come_many_times_at_once(client: Client, picture: Path, cache: Path) -> None:
    start = threading.Barrier(6)

    def ask(_: int) -> int:
        start.wait()
        return len(client.predict(picture=handle_file(picture), api_name="/analyse")["faces"])

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(ask, range(6))) == [1] * 6
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
    # By hand, since gradio_client would upload the file.
    body = json.dumps({"data": [{"path": str(picture), "meta": {"_type": "gradio.FileData"}}]}).encode()
    call = f"{client.src}gradio_api/call/analyse"
    request = urllib.request.Request(call, body, {"Content-Type": "application/json"})
    event = json.load(urllib.request.urlopen(request))["event_id"]
    answer = urllib.request.urlopen(f"{call}/{event}").read().decode()
    assert "event: error" in answer
    assert "probabilities" not in answer
    assert picture.is_file()


def test_uploads_that_gradio_deletes_by_age_are_forgotten(picture: Path) -> None:
    uploads = Uploads()
    for _ in range(2):  # the call for the first one never came
        uploads.update([str(picture)])
    uploads -= {str(picture)}
    assert not uploads
    uploads.update([str(picture)])
    uploads.take(FileData(path=str(picture)))
    assert not picture.exists()
