import gzip
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from demo.server.gradio_internals import frontend_folder
from demo.server.http.files.gradio_files import GradioFiles

SCRIPT = b"export const one = 1;" * 10_000  # longer than one piece of an answer
NAMES = {
    "index-CsUOoOcz.js": "text/javascript",
    "style-B0dUx1_4.css": "text/css",
    "logo-Akn07EZk2.svg": "image/svg+xml",
}


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    folder = tmp_path / "assets"
    folder.mkdir()
    for name in (*NAMES, "font-Dw2QElZn.woff2", "unnamed.js"):
        (folder / name).write_bytes(SCRIPT)
    (tmp_path / "secret-Dw2QElZn.js").write_text("secret")
    return TestClient(Starlette(routes=[GradioFiles(folder).route]))


@pytest.mark.parametrize(("name", "media_type"), NAMES.items())
def test_a_file_comes_compressed_and_may_be_kept_for_good(client: TestClient, name: str, media_type: str) -> None:
    with client.stream("GET", f"/assets/{name}", headers={"Accept-Encoding": "gzip, br"}) as answer:
        assert gzip.decompress(b"".join(answer.iter_raw())) == SCRIPT
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.headers["Content-Type"].startswith(media_type)
    assert "immutable" in answer.headers["Cache-Control"]


def test_those_who_take_no_compression_get_the_file_as_it_is(client: TestClient) -> None:
    with client.stream("GET", "/assets/index-CsUOoOcz.js", headers={"Accept-Encoding": "identity"}) as answer:
        assert b"".join(answer.iter_raw()) == SCRIPT
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert "immutable" in answer.headers["Cache-Control"]


def test_a_font_is_compressed_already(client: TestClient) -> None:
    answer = client.get("/assets/font-Dw2QElZn.woff2")
    assert answer.content == SCRIPT
    assert "Content-Encoding" not in answer.headers
    assert "immutable" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("name", ["unnamed.js", "", "..%2fsecret-Dw2QElZn.js", "..%2Fassets%2Findex-CsUOoOcz.js"])
def test_nothing_else_is_served_and_nobody_remembers_that(client: TestClient, name: str) -> None:
    answer = client.get(f"/assets/{name}")
    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == "no-store"


def test_all_of_gradios_files_are_served() -> None:
    client = TestClient(Starlette(routes=[GradioFiles(frontend_folder()).route]))
    names = [path.name for path in frontend_folder().iterdir()]
    assert any(name.endswith(".js") for name in names)
    assert {client.head(f"/assets/{name}", headers={"Accept-Encoding": "identity"}).status_code for name in names} == {
        200
    }
