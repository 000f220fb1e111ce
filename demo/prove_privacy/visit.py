"""Visitors of a served page: they have photos analysed in every way, use the camera, and break off an upload."""

import base64
import socket
from typing import Any

import httpx
from gradio_client import Client, handle_file

from demo.paths import EXAMPLES
from demo.server.routes import PANELS_PATH, UPLOAD_PATH

_PORTRAIT = EXAMPLES / "eileen_collins.jpg"
_TIMEOUT_SECONDS = 120
_FRAMES = 10
_HALF_AN_UPLOAD = (
    b"POST /gradio_api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    b"Content-Length: 2000000\r\n\r\n"
    b'--b\r\nContent-Disposition: form-data; name="files"; filename="half.jpg"\r\n\r\n'
) + bytes(1_000_000)


class VisitError(RuntimeError):
    """The page did not answer as it should; the message says where."""


def visit(url: str) -> None:
    """Visit the page as a browser and as a program do, with photos, camera frames and uploads.

    Args:
        url: address of the page.

    Raises:
        VisitError: a face was not found.
        httpx.HTTPError: there was no answer.
    """
    picture = base64.b64encode(_PORTRAIT.read_bytes()).decode()
    with httpx.Client(base_url=url, timeout=_TIMEOUT_SECONDS, trust_env=False) as browser:
        browser.get("/").raise_for_status()
        _check("the photo panel", _call_panel(browser, "analyse_photo", {"picture": picture, "name": "photo.jpg"}))
        for _ in range(_FRAMES):
            frame = {"frame": f"data:image/jpeg;base64,{picture}", "visitor": "visitor", "crop": 1}
            _check("the live panel", _call_panel(browser, "analyse_frame", frame))
        # An upload without a request to analyse it.
        browser.post(UPLOAD_PATH, files={"files": _PORTRAIT.read_bytes()}).raise_for_status()
        answer = browser.post("/gradio_api/run/analyse_base64", json={"data": [picture]}).raise_for_status().json()
        _check("/analyse_base64", answer["data"][0])
    program = Client(url, verbose=False)
    _check("/analyse", program.predict(handle_file(_PORTRAIT), api_name="/analyse"))
    program.close()
    begin_an_upload(url).close()


def _call_panel(browser: httpx.Client, function: str, message: dict[str, Any]) -> Any:
    """Call a panel's function as the page's script does."""
    panels = browser.get("/config").raise_for_status().json()["components"]
    panel = next((part["id"] for part in panels if function in part["props"].get("server_fns", ())), None)
    call = {"data": message, "component_id": panel, "fn_name": function, "session_hash": "visitor"}
    return browser.post(PANELS_PATH, json=call).raise_for_status().json()


def _check(place: str, answer: Any) -> None:
    """Raise VisitError unless the answer has one face."""
    if not isinstance(answer, dict) or len(answer.get("faces", ())) != 1:
        raise VisitError(f"{place} did not find the face of the example: {str(answer)[:200]}")


def begin_an_upload(url: str) -> socket.socket:
    """Send half of an upload.

    Args:
        url: address of the page.

    Returns:
        The open connection; closing it breaks off the upload.
    """
    address = httpx.URL(url)
    connection = socket.create_connection((address.host, address.port), _TIMEOUT_SECONDS)
    connection.sendall(_HALF_AN_UPLOAD)
    return connection
