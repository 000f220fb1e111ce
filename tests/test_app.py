import os
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

import app
from demo.pipeline import WEIGHTS

ROOT = Path(__file__).parents[1]


def test_missing_weights_are_one_clear_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert app.main(["--weights", str(tmp_path / "none.safetensors")]) == 2
    message = capsys.readouterr().err
    assert message.startswith("app.py: ")
    assert "none.safetensors" in message
    assert message.count("\n") == 1


def test_damaged_weights_are_one_clear_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    weights = tmp_path / "cut.safetensors"
    weights.write_bytes(WEIGHTS.read_bytes()[:1000])
    assert app.main(["--weights", str(weights)]) == 2
    message = capsys.readouterr().err
    assert "cut.safetensors" in message
    assert message.count("\n") == 1


def test_a_port_in_use_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert app.main(["--port", str(port)]) == 2
    assert str(port) in capsys.readouterr().err


def test_a_page_that_does_not_come_up_is_one_clear_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradio.networking.url_ok", lambda _: False)
    assert app.main(["--device", "cpu"]) == 2
    message = capsys.readouterr().err
    assert message.startswith("app.py: the page did not come up")
    assert message.count("\n") == 1


def test_the_tool_for_language_models_needs_its_package(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(SystemExit) as end:
        app.main(["--mcp"])
    assert end.value.code == 2
    assert "pip install 'gradio[mcp]'" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["0", "-1", "65536"])
def test_a_port_that_cannot_be_is_said(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        app.main(["--port", port])
    assert end.value.code == 2
    assert f"--port {port}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--ssl_certfile", __file__],
        ["--ssl_keyfile", __file__],
        ["--ssl_certfile", "none", "--ssl_keyfile", "none"],
        ["--ssl_certfile", __file__, "--ssl_keyfile", __file__],
    ],
)
def test_a_certificate_needs_its_key_and_both_must_be_right(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        app.main(arguments)
    assert end.value.code == 2
    assert "error: " in capsys.readouterr().err


def test_it_serves_where_gradios_environment_says_and_ends_without_a_trace(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "GRADIO_SERVER_PORT": str(port), "GRADIO_TEMP_DIR": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "app.py")],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert f"http://127.0.0.1:{port}" in process.stdout.readline()
        # A page that stays open must not keep the server from ending in order.
        heartbeat = urllib.request.urlopen(f"http://127.0.0.1:{port}/gradio_api/heartbeat/anybody")
        assert "SlimNet Faces" in urllib.request.urlopen(f"http://127.0.0.1:{port}/").read().decode()
        body = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n1\r\n--b--\r\n'
        header = {"Content-Type": "multipart/form-data; boundary=b"}
        urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/gradio_api/upload", body, header))
        assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["a.jpg"]
    finally:
        process.terminate()
        _, errors = process.communicate()
    heartbeat.close()
    assert process.returncode == 0
    assert "Traceback" not in errors
    # Not even an upload stays that nobody asked about.
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == []
