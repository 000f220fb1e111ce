import gzip

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from demo.server.http.files.device_parts import DeviceParts

FILES = {"runtime.wasm": b"\0asm" * 1000, "vision.mjs": b"export {};", "files.json": b"{}", "slimnet.onnx": b"onnx"}
TYPES = ["application/wasm", "text/javascript", "application/json", "application/octet-stream"]


@pytest.fixture
def parts() -> DeviceParts:
    return DeviceParts()


@pytest.fixture
def client(parts: DeviceParts) -> TestClient:
    return TestClient(Starlette(routes=[parts.route]))


@pytest.mark.parametrize(("name", "media_type"), list(zip(FILES, TYPES, strict=True)))
def test_a_part_has_its_type_and_may_be_kept_for_good(
    parts: DeviceParts, client: TestClient, name: str, media_type: str
) -> None:
    answer = client.get(parts.offer(FILES) + name)
    assert answer.content == FILES[name]
    assert answer.headers["Content-Type"].startswith(media_type)
    assert "immutable" in answer.headers["Cache-Control"]


def test_it_is_compressed_for_those_who_take_that(parts: DeviceParts, client: TestClient) -> None:
    address = parts.offer(FILES) + "runtime.wasm"
    with client.stream("GET", address, headers={"Accept-Encoding": "gzip"}) as answer:
        assert gzip.decompress(b"".join(answer.iter_raw())) == FILES["runtime.wasm"]
    with client.stream("GET", address, headers={"Accept-Encoding": "identity"}) as answer:
        assert b"".join(answer.iter_raw()) == FILES["runtime.wasm"]


def test_other_weights_are_at_another_address_and_both_are_served(parts: DeviceParts, client: TestClient) -> None:
    first, second = parts.offer(FILES), parts.offer(FILES | {"slimnet.onnx": b"other"})
    assert first != second
    assert parts.offer(dict(FILES)) == first
    assert client.get(first + "slimnet.onnx").content == b"onnx"
    assert client.get(second + "slimnet.onnx").content == b"other"


@pytest.mark.parametrize("name", ["secret.txt", "", "..%2ffiles.json"])
def test_nothing_else_is_served_and_nobody_remembers_that(parts: DeviceParts, client: TestClient, name: str) -> None:
    answer = client.get(parts.offer(FILES) + name)
    assert answer.status_code == 404
    answer = client.get("gradio_api/device/0123456789abcdef/files.json")
    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == "no-store"
