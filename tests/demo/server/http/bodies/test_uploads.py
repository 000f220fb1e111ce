import asyncio
import errno
import json
import os
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from starlette.middleware import Middleware

from demo.limits import LEFTOVER_SECONDS, UNASKED_SECONDS
from demo.server.api.endpoints import add_endpoints
from demo.server.http.bodies import uploads as uploads_module
from demo.server.http.bodies.uploads import NothingLeft, Uploads
from demo.server.http.refusals import BUSY
from demo.server.routes import PANELS_PATH
from demo.server.turns.photo_queue import PhotoQueue
from tests.processes import eventually

_NOT_USED: Any = None  # in place of ASGI's functions to receive and send
FILES = 'name="files"; filename="a.jpg"'
FORM = "multipart/form-data; boundary=b"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("own")


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder))
        patch.setattr("tempfile.tempdir", str(folder))
        patch.setattr("gradio.routes.DEFAULT_TEMP_DIR", str(folder))  # read when gradio was imported
        with gr.Blocks(analytics_enabled=False) as page:
            add_endpoints(page, _NOT_USED, PhotoQueue())
        middleware = [Middleware(NothingLeft, folder=folder)]
        _, address, _ = page.launch(
            prevent_thread_lock=True, quiet=True, run_history=False, app_kwargs={"middleware": middleware}
        )
        yield address
        page.close()


def field(disposition: str, content: str = "photo") -> str:
    return f"--b\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n"


def post(url: str, body: str, content_type: str = FORM, **headers: str) -> tuple[int, bytes]:
    request = urllib.request.Request(url, body.encode(), {"Content-Type": content_type, **headers})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def ask_about(upload: Path, url: str) -> None:
    data = json.dumps({"data": [{"path": str(upload), "meta": {"_type": "gradio.FileData"}}]})
    _, asked = post(f"{url}gradio_api/call/analyse", data, "application/json")
    urllib.request.urlopen(f"{url}gradio_api/call/analyse/{json.loads(asked)['event_id']}").read()


def files_in(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("path", "body", "content_type"),
    [
        ("upload", field('name="files"; filename=".."') + "--b--\r\n", FORM),
        ("upload", field(FILES), FORM),
        ("upload", field(FILES)[:-4], FORM),
        ("upload", field('name="file"; filename="a.jpg"') + "--b--\r\n", "multipart/form-data ;boundary=b"),
        ("upload", field('name="file"; FileName="a.jpg"') + "--b--\r\n", FORM),
        ("upload", field("filename*=utf-8''a.jpg; name=file") + "--b--\r\n", FORM),
        ("upload", field(FILES) + field('name="files"', "text") + "--b--\r\n", FORM),
        ("upload", field(FILES) + field('filename="nameless.jpg"') + "--b--\r\n", FORM),
        ("process_recording", field('name="video"; filename="a.mp4"') + "--b--\r\n", FORM),
        ("process_recording", field('name="photo"; filename="a.jpg"') + "--b--\r\n", FORM),
        ("component_server/", field(FILES) + "--b--\r\n", FORM),
    ],
)
def test_nothing_stays_of_a_form_that_gradio_does_not_take(
    path: str, body: str, content_type: str, url: str, folder: Path
) -> None:
    post(f"{url}gradio_api/{path}", body, content_type)
    eventually(lambda: list(folder.iterdir()) == [])


def test_an_upload_stays_to_be_asked_about(url: str, folder: Path) -> None:
    status, answer = post(f"{url}gradio_api/upload", field(FILES) + "--b--\r\n")
    upload = Path(json.loads(answer)[0])
    assert (status, upload.read_text()) == (200, "photo")
    # Even a later request does not remove it.
    post(f"{url}gradio_api/upload", field('name="files"; filename=".."') + "--b--\r\n")
    eventually(lambda: files_in(folder) == {upload})
    ask_about(upload, url)
    assert not upload.exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_said_and_uploads_go_on_when_there_is_room(
    number: int, url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(folder.iterdir())

    async def fail(*_: object) -> None:
        assert set(folder.iterdir()) > before
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as full:
        full.setattr("gradio.route_utils.GradioUploadFile.write", fail)
        request = urllib.request.Request(
            f"{url}gradio_api/upload", (field(FILES) + "--b--\r\n").encode(), {"Content-Type": FORM}
        )
        with pytest.raises(urllib.error.HTTPError, match="507") as refused:
            urllib.request.urlopen(request)
        assert b"no room" in refused.value.read()
        assert int(refused.value.headers["Retry-After"]) > 0
        assert set(folder.iterdir()) == before  # already, for clients that try again at once
    assert post(f"{url}gradio_api/upload", field(FILES) + "--b--\r\n")[0] == 200


@pytest.mark.parametrize("address", ["203.0.113.{}", "2001:db8:0:{}00::1"])
@pytest.mark.parametrize(
    ("name", "most"), [("MAX_WAITING_UPLOADS_OF_ADDRESS", 2), ("MAX_WAITING_UPLOAD_BYTES_OF_ADDRESS", 10)]
)
def test_one_address_leaves_room_for_the_uploads_of_others(
    name: str, most: int, address: str, url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads_module, name, most)
    uploads: list[Path] = []

    def send(*photos: str, network: int = 1) -> int:
        body = "".join(field(FILES, photo) for photo in photos) + "--b--\r\n"
        headers = {"X-Forwarded-For": address.format(network)}
        status, answer = post(f"{url}gradio_api/upload", body, **headers)
        uploads.extend(map(Path, json.loads(answer) if status == 200 else ()))
        return status

    before = files_in(folder)
    assert send("one..", "two..", "three") == 503  # which only shows when all of them are here
    eventually(lambda: files_in(folder) == before)
    assert [send(photo) for photo in ("one..", "two..", "three")] == [200, 200, 503]
    assert send("three", network=2) == 200
    ask_about(uploads.pop(0), url)
    assert [send(photo) for photo in ("four.", "five.")] == [200, 503]
    for upload in uploads:
        ask_about(upload, url)


def test_the_addresses_of_a_network_share_its_room_for_uploads(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads_module, "MAX_WAITING_UPLOADS_OF_ADDRESS", 1)
    body = field(FILES, "one") + "--b--\r\n"
    status, answer = post(f"{url}gradio_api/upload", body, **{"X-Forwarded-For": "2001:db8::1"})
    headers = {"Content-Type": FORM, "X-Forwarded-For": "2001:db8::2"}
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(f"{url}gradio_api/upload", body.encode(), headers))
    ask_about(Path(json.loads(answer)[0]), url)
    assert (status, refused.value.code, refused.value.headers["Retry-After"]) == (200, 503, "10")


class Writes:
    """A stand-in for Gradio: each request writes a file at its path, and goes on until it is told to end."""

    def __init__(self, folder: Path) -> None:
        self.uploads = Uploads()
        self._folder = folder
        self._middleware = NothingLeft(self._write, folder)
        self._ends: dict[str, asyncio.Event] = {}

    def get_blocks(self) -> Any:
        return SimpleNamespace(upload_file_set=self.uploads)

    async def _write(self, scope: Any, _receive: Any, _send: Any) -> None:
        (self._folder / Path(scope["path"]).name).write_text("photo")
        await self._ends[scope["path"]].wait()

    async def begin(self, path: str, method: str = "POST", headers: Any = ()) -> Callable[[], Any]:
        """Begin a request; returns a function that ends it."""
        self._ends[path] = asyncio.Event()
        scope = {"type": "http", "method": method, "path": path, "headers": headers, "app": self}
        request = asyncio.create_task(self._middleware(scope, _NOT_USED, _NOT_USED))
        await asyncio.sleep(0)

        async def end() -> None:
            self._ends[path].set()
            await request

        return end

    async def ask(self, path: str, headers: Any = ()) -> None:
        await (await self.begin(path, headers=headers))()


def age(path: Path, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this many seconds pass for the program, while the file stays as it is."""
    now = path.stat().st_mtime + seconds
    monkeypatch.setattr(uploads_module, "time", SimpleNamespace(time=lambda: now))


def test_a_file_stays_while_its_request_goes_on(tmp_path: Path) -> None:
    async def requests() -> None:
        app = Writes(tmp_path)
        end = await app.begin("long")
        await app.ask("short")
        assert (tmp_path / "long").exists()
        await end()

    asyncio.run(requests())
    assert list(tmp_path.iterdir()) == []


def test_a_request_without_end_keeps_no_file_for_longer_than_the_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def requests() -> None:
        app = Writes(tmp_path)
        end = await app.begin("long")
        age(tmp_path / "long", LEFTOVER_SECONDS + 5, monkeypatch)
        await app.ask("short")
        assert not (tmp_path / "long").exists()
        await end()

    asyncio.run(requests())


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="Windows has no such sockets")
def test_the_socket_through_which_decoders_are_started_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path may only have some 100 characters
    Path("pymp").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("pymp/listener")
        age(tmp_path / "pymp" / "listener", LEFTOVER_SECONDS + 5, monkeypatch)
        asyncio.run(Writes(tmp_path).ask("short"))
    assert not (tmp_path / "short").exists()
    assert (tmp_path / "pymp" / "listener").exists()


def test_a_stream_that_is_read_holds_up_nothing(tmp_path: Path) -> None:
    async def requests() -> None:
        app = Writes(tmp_path)
        end = await app.begin("stream", "GET")
        await app.ask("short")
        assert not (tmp_path / "short").exists()
        await end()

    asyncio.run(requests())


@pytest.mark.parametrize(("content_type", "looks"), [(b"application/json", False), (FORM.encode(), True)])
def test_the_folder_is_not_searched_after_each_camera_frame(content_type: bytes, looks: bool, tmp_path: Path) -> None:
    (tmp_path / "old").touch()
    asyncio.run(Writes(tmp_path).ask(PANELS_PATH, [(b"content-type", content_type)]))
    assert (tmp_path / "old").exists() != looks


def test_an_upload_that_nobody_asks_about_goes_by_age(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = tmp_path / "hash" / "a.jpg"
    upload.parent.mkdir()
    upload.write_text("photo")
    app = Writes(tmp_path)
    app.uploads.update([str(upload)])
    age(upload, UNASKED_SECONDS - 1, monkeypatch)
    asyncio.run(app.ask("other"))
    assert upload.exists()
    age(upload, UNASKED_SECONDS + 1, monkeypatch)
    asyncio.run(app.ask("other"))
    assert list(tmp_path.iterdir()) == []
    assert not app.uploads


def test_room_is_promised_for_when_the_oldest_upload_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wait_to(seconds: float) -> None:
        monkeypatch.setattr(uploads_module, "time", SimpleNamespace(time=lambda: seconds))

    uploads = Uploads()
    wait_to(1000)
    assert uploads.seconds_to_room() == LEFTOVER_SECONDS + 10  # when broken requests' files go
    uploads.update([str(tmp_path / "old.jpg")])
    wait_to(1100)
    uploads.update([str(tmp_path / "new.jpg")])
    assert uploads.seconds_to_room() == UNASKED_SECONDS - 100 + 10
    wait_to(2000)  # there has been no round for a long time
    assert uploads.seconds_to_room() == 10
    uploads.forget(str(tmp_path / "old.jpg"))
    wait_to(1100)
    assert uploads.seconds_to_room() == UNASKED_SECONDS + 10


def test_an_app_within_gradios_may_put_itself_in_its_place(tmp_path: Path) -> None:
    async def answer(scope: Any, _receive: Any, _send: Any) -> None:
        scope["app"] = object()  # as Starlette does, on which MCP's server is built
        (tmp_path / "call").touch()

    scope = {"type": "http", "method": "POST", "path": "/gradio_api/mcp/", "app": Writes(tmp_path)}
    asyncio.run(NothingLeft(answer, tmp_path)(scope, _NOT_USED, _NOT_USED))
    assert list(tmp_path.iterdir()) == []


def test_rounds_are_made_without_any_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_a_round(Writes(tmp_path), tmp_path, monkeypatch)
    assert list(tmp_path.iterdir()) == []


def test_where_many_uploads_wait_the_rounds_delete_what_else_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Writes(tmp_path)
    app.uploads.update(str(tmp_path / f"{number}.jpg") for number in range(20))
    asyncio.run(app.ask("short"))
    assert (tmp_path / "short").exists()  # no single request has to look through all of them
    make_a_round(app, tmp_path, monkeypatch)
    assert list(tmp_path.iterdir()) == []


def make_a_round(app: Writes, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads_module, "ROUND_SECONDS", 0)
    (folder / "old").touch()

    async def serve(_scope: Any, _receive: Any, _send: Any) -> None:
        while list(folder.iterdir()):
            await asyncio.sleep(0)

    asyncio.run(
        asyncio.wait_for(NothingLeft(serve, folder)({"type": "lifespan", "app": app}, _NOT_USED, _NOT_USED), 60)
    )


def test_room_is_given_back_though_a_file_is_still_open(tmp_path: Path) -> None:
    async def requests() -> int:
        app = Writes(tmp_path)
        end = await app.begin("held")
        with (tmp_path / "held").open() as held:
            await end()
            return os.fstat(held.fileno()).st_size

    assert asyncio.run(requests()) == 0
    assert list(tmp_path.iterdir()) == []


def test_an_upload_that_is_deleted_by_age_is_forgotten(tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    picture.touch()
    uploads = Uploads()
    for _ in range(2):  # the call for the first one never came
        uploads.update([str(picture)])
    uploads.forget(str(picture))
    assert not uploads
    uploads.update([str(picture)])
    with uploads.until_answered(str(picture)):
        pass
    assert not picture.exists()


def ends(uploads: Uploads, picture: Path, *, busy: bool = False) -> bool:
    """End a call about an upload; returns whether the upload stays."""
    with suppress(gr.Error), uploads.until_answered(str(picture)):
        if busy:
            raise gr.Error("Come again.", title=BUSY)
    return picture.exists()


def test_an_upload_stays_until_the_call_that_was_told_to_come_again_is_answered(tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    picture.touch()
    uploads = Uploads()
    uploads.update([str(picture)])
    assert [ends(uploads, picture, busy=busy) for busy in (True, True, False)] == [True, True, False]
    assert not uploads


def test_an_upload_that_is_sent_again_after_a_busy_call_does_not_stay_after_the_answer(tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    picture.touch()
    uploads = Uploads()
    for busy in (True, True, False):
        uploads.update([str(picture)])
        assert ends(uploads, picture, busy=busy) == busy


def test_of_two_with_the_same_picture_the_busy_one_finds_it_after_the_other_was_answered(tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    picture.touch()
    uploads = Uploads()
    for _ in range(2):
        uploads.update([str(picture)])
    assert [ends(uploads, picture, busy=busy) for busy in (True, False, False)] == [True, True, False]


@pytest.mark.parametrize("error", [gr.Error("no picture"), asyncio.CancelledError()])
def test_a_call_that_fails_or_is_cancelled_deletes_its_upload(error: BaseException, tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    picture.touch()
    uploads = Uploads()
    uploads.update([str(picture)])
    with pytest.raises(type(error)), uploads.until_answered(str(picture)):
        raise error
    assert not picture.exists()


def test_a_busy_call_whose_upload_went_by_age_brings_nothing_back(tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    uploads = Uploads()
    uploads.update([str(picture)])
    with suppress(gr.Error), uploads.until_answered(str(picture)):
        uploads.forget(str(picture))
        raise gr.Error("Come again.", title=BUSY)
    assert not uploads
    picture.touch()
    uploads.update([str(picture)])
    assert not ends(uploads, picture)


@pytest.mark.parametrize(("name", "most"), [("MAX_WAITING_UPLOADS", 2), ("MAX_WAITING_UPLOAD_BYTES", 10)])
def test_no_more_uploads_are_taken_than_may_wait_to_be_read(
    name: str, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads_module, name, most)
    monkeypatch.setattr(uploads_module, f"{name}_OF_ADDRESS", 0)  # if the address is known, and here it is not
    uploads = Uploads()
    app = SimpleNamespace(get_blocks=lambda: SimpleNamespace(upload_file_set=uploads))
    statuses: list[int] = []

    async def store(_scope: Any, _receive: Any, send: Any) -> None:
        upload = tmp_path / f"{len(statuses)}.jpg"
        upload.write_text("photo")
        uploads.update([str(upload), str(upload)])  # sent twice, and stored once
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def note(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    def send() -> None:
        scope = {"type": "http", "method": "POST", "path": "/faces/gradio_api/upload", "headers": [], "app": app}
        asyncio.run(NothingLeft(store, tmp_path)(scope, _NOT_USED, note))

    for _ in range(3):
        send()
    for _ in range(2):
        with uploads.until_answered(str(tmp_path / "1.jpg")):
            pass
    send()
    uploads.forget(str(tmp_path / "0.jpg"))
    send()
    send()
    assert statuses == [200, 200, 503, 200, 200, 503]
