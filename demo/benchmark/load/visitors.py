"""Visitors of the page without a browser: they call its panels as its scripts do, with films and photos."""

import http.client
import json
import math
import threading
import time
from collections.abc import Callable
from contextlib import closing
from copy import copy
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import cv2
import numpy as np
import orjson

from demo.benchmark.browser import FILM_RATE
from demo.benchmark.load.replicas import COPY_COOKIE
from demo.limits import SMALL_BODY_BYTES
from demo.paths import EXAMPLES
from demo.pictures.decode import open_picture
from demo.server.data_url import decode, encode_jpeg, jpeg_url, to_base64
from demo.server.routes import PANELS_PATH

ANSWER_SECONDS = 120.0
# The portraits in each film, side by side: most visitors are alone before their camera. Each face is large enough to be
# found at the first look: beside others, a portrait is cut to a square around its face, left, top and side in pixels.
_FACE_CUTS = {"eileen_collins.jpg": (95, 49, 150), "grace_hopper.jpg": (112, 83, 300)}
_COLLINS, _HOPPER = _FACE_CUTS
_SCENES = ((_COLLINS,), (_HOPPER,), (_COLLINS, _HOPPER), (_COLLINS,), (_HOPPER,), (_HOPPER, _COLLINS, _HOPPER))
# As the page's scripts send them: demo/browser/engines/frame_size.js.
_FRAME_SIZE = (480, 360)  # pixels
_FRAME_QUALITY = 80
_CUT_SIZE = (200, 200)  # pixels
_CROP_SECONDS = 0.1  # the page asks for a face's aligned picture no more often: demo/browser/live/picture.js
_ASK_AGAIN_SECONDS = 0.5  # a photo's turn, for each place in line: demo/browser/engines/server_photos.js
_FILM_FRAMES = 30  # one swing
_PHOTO_SIDE = 640  # pixels


def make_films(count: int, *, one_face: bool = False) -> list[list[str]]:
    """Make films in which one to three portraits sway, and come nearer and go away, each film in its own way.

    Args:
        count: how many films.
        one_face: never more than one portrait.

    Returns:
        For each film its frames, one swing of a second, as `data:` addresses of JPEG files.
    """
    scenes = [_scene(names) for names in _SCENES if not one_face or len(names) == 1]
    random = np.random.default_rng(0)
    return [_film(scenes[number % len(scenes)], random) for number in range(count)]


def _scene(names: tuple[str, ...]) -> np.ndarray:
    """A portrait, or the faces of several side by side."""
    portraits = [open_picture(EXAMPLES / name) for name in names]
    if len(portraits) == 1:
        return portraits[0]
    cuts = []
    for name, portrait in zip(names, portraits, strict=True):
        left, top, side = _FACE_CUTS[name]
        cuts.append(cv2.resize(portrait[top : top + side, left : left + side], _CUT_SIZE, interpolation=cv2.INTER_AREA))
    return np.hstack(cuts)


def _film(portrait: np.ndarray, random: np.random.Generator) -> list[str]:
    width, height = _FRAME_SIZE
    # Around it is the portrait again, blurred, so that the rest of the frame is neither empty nor a second face.
    backdrop = cv2.GaussianBlur(cv2.resize(portrait, _FRAME_SIZE), (0, 0), 45)
    across, down, growth = random.uniform((10, 4, 0.02), (30, 12, 0.08))
    scale = random.uniform(0.8, 1.0) * min(width / portrait.shape[1], height / portrait.shape[0])
    frames = []
    for angle in np.linspace(0, 2 * np.pi, _FILM_FRAMES, endpoint=False):
        size = scale * (1 + growth * np.sin(angle))
        x = width / 2 + across * np.sin(angle) - size * portrait.shape[1] / 2
        y = height / 2 + down * np.cos(angle) - size * portrait.shape[0] / 2
        matrix = np.array([[size, 0, x], [0, size, y]])
        frame = backdrop.copy()
        cv2.warpAffine(portrait, matrix, _FRAME_SIZE, frame, cv2.INTER_LINEAR, cv2.BORDER_TRANSPARENT)
        frames.append(jpeg_url(encode_jpeg(frame, _FRAME_QUALITY)))
    return frames


def make_photos() -> list[str]:
    """The example pictures as small photos: base64 of JPEG files, the longer side 640 pixels at most."""
    photos = []
    for path in sorted(EXAMPLES.glob("*.jpg")):
        picture = open_picture(path)
        scale = min(1.0, _PHOTO_SIDE / max(picture.shape))
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        photos.append(to_base64(encode_jpeg(small, _FRAME_QUALITY)))
    return photos


def make_large_photo() -> str:
    """One of `make_photos` with metadata, as of a camera, so that its call shares the room for large bodies."""
    file = decode(make_photos()[0])
    comment = b"\xff\xfe\xff\xff" + bytes(2**16 - 3)  # of the largest size
    return to_base64(file[:2] + comment * (SMALL_BODY_BYTES // len(comment)) + file[2:])


class PanelError(ValueError):
    """There is no page to measure at an address; the message says why."""


class Panel:
    """A panel's function, as the page's scripts call it.

    Args:
        url: address of the page: http, without a path.
        function: "analyse_frame" or "analyse_photo".
        address: where calls say to come from, as a proxy would; None for not saying it.

    Raises:
        PanelError: the page does not answer, or there is no page with such a function at this address.
    """

    def __init__(self, url: str, function: str, address: str | None = None) -> None:
        try:
            parts = urlsplit(url)
            self._host, self._port = parts.hostname or "", parts.port  # raises ValueError for a port that is no number
            is_address = parts.scheme == "http" and not parts.path.strip("/")
        except ValueError:
            is_address = False
        if not is_address:
            raise PanelError(f"{url} cannot be measured: it has to be an address such as http://127.0.0.1:7860/")
        self._headers = {"Content-Type": "application/json", **({"X-Forwarded-For": address} if address else {})}
        try:
            with closing(self.connect()) as connection:
                connection.request("GET", "/config")
                components = json.load(connection.getresponse())["components"]
            found = [part["id"] for part in components if function in part["props"].get("server_fns", ())]
        except OSError as error:
            raise PanelError(f"{url} does not answer: {error}. Start the page, or correct --url.") from error
        except (http.client.HTTPException, ValueError, KeyError, TypeError) as error:
            raise PanelError(f"{url} is not a page of this program") from error
        if not found:
            raise PanelError(f"the page at {url} has no function {function}")
        call = {"component_id": found[0], "fn_name": function, "session_hash": "visitor"}
        self._call = orjson.dumps(call).removesuffix(b"}") + b',"data":'

    def called_from(self, address: str) -> "Panel":
        """The same function for another visitor.

        Args:
            address: where its calls say to come from, as a proxy would.
        """
        panel = copy(self)
        panel._headers = self._headers | {"X-Forwarded-For": address}
        return panel

    def connect(self) -> http.client.HTTPConnection:
        """Open a connection, as each visitor has one."""
        return http.client.HTTPConnection(self._host, self._port, timeout=ANSWER_SECONDS)

    def body(self, message: dict[str, Any]) -> bytes:
        """The body of a call.

        Args:
            message: what the script sends.
        """
        return self._call + orjson.dumps(message) + b"}"

    def ask(
        self, connection: http.client.HTTPConnection, message: dict[str, Any], browser: str = "alone"
    ) -> dict[str, Any]:
        """Call the function.

        Args:
            connection: as `connect` opens it.
            message: what the script sends.
            browser: by which the proxy of several copies of the page tells visitors apart.

        Returns:
            The answer; {"error": its status} where that is not 200, or {"error": why} where there is none.
        """
        was_open = connection.sock is not None
        try:
            headers = self._headers | {"Cookie": f"{COPY_COOKIE}={browser}"}
            connection.request("POST", PANELS_PATH, self.body(message), headers)
            response = connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()  # the next call opens it again
            if was_open and isinstance(error, ConnectionError):  # closed while it was idle: browsers open another one
                return self.ask(connection, message, browser)
            return {"error": f"no answer ({type(error).__name__})"}
        return orjson.loads(answer) if response.status == 200 else {"error": f"status {response.status}"}


def ask_until_answered(
    ask: Callable[[dict[str, Any]], dict[str, Any]],
    message: dict[str, Any],
    question: dict[str, Any],
    until: float = math.inf,
) -> tuple[dict[str, Any], int]:
    """Wait and ask again where the server is busy, as the page's scripts do.

    Args:
        ask: calls a panel's function.
        message: a frame or a photo.
        question: what is sent after "busy": the frame again, or whether it is the photo's turn.
        until: when to leave, by `time.monotonic`.

    Returns:
        The answer, which is "busy" only once it is time to leave; and how many answers were "busy".
    """
    sent, times_busy = message, 0
    while True:
        answer = ask(sent)
        if answer.get("busy"):
            times_busy += 1
            time.sleep(min(answer["seconds"], _ASK_AGAIN_SECONDS * answer.get("place", math.inf)))
            if time.monotonic() >= until:
                return answer, times_busy
            sent = question
        elif answer.get("turn"):
            sent = message
        else:
            return answer, times_busy


def answer_of_lone_visitor(
    ask: Callable[[dict[str, Any]], dict[str, Any]], message: dict[str, Any], question: dict[str, Any]
) -> dict[str, Any]:
    """The answer with which others are compared.

    Args:
        ask: as for `ask_until_answered`.
        message: as for `ask_until_answered`.
        question: as for `ask_until_answered`.

    Raises:
        PanelError: there are no faces in it.
    """
    answer, _ = ask_until_answered(ask, message, question)
    if not answer.get("faces"):
        raise PanelError(f"the page gave a lone visitor no faces: {answer}")
    return answer


@dataclass(eq=False)
class Visitor(threading.Thread):
    """Sends one picture after another until a time, each when the one before has been answered.

    Where the server is busy it does as the page: it sends the camera's next frame, or asks for a photo's turn.

    Attributes:
        browser: tells visitors apart, in one word.
        panel: the function that it calls.
        messages: what it sends, by the time that passes, again and again.
        is_live: whether these are frames of a camera, or photos.
        until: end, by `time.monotonic`.
        rate: how many it sends a second at most; None for as many as are answered.
        check: tells by the number of a message and its answer what is wrong with it, or None.
        delays: milliseconds to each answer with faces before the end; a photo's from the first time that it was sent.
        late: how many answers with faces came after the end, at most one.
        turned_away: how many answers were "busy".
        failures: what was wrong with the others.
    """

    browser: str
    panel: Panel
    messages: list[dict[str, Any]]
    is_live: bool
    until: float
    rate: float | None
    check: Callable[[int, dict[str, Any]], str | None]
    delays: list[float] = field(default_factory=list)
    late: int = 0
    turned_away: int = 0
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def run(self) -> None:
        """Visit."""
        connection = self.panel.connect()
        crop_asked = -math.inf
        while (began := time.monotonic()) < self.until:
            number = int(began * FILM_RATE) % len(self.messages)
            message = self.messages[number]
            if self.is_live and began - crop_asked >= _CROP_SECONDS:
                message, crop_asked = message | {"crop": 1}, began
            answer, times_busy = ask_until_answered(
                lambda sent: self.panel.ask(connection, sent, self.browser),
                message,
                {"visitor": message["visitor"], "turn": True},
                began if self.is_live else self.until,
            )
            self.turned_away += times_busy
            answered = time.monotonic()
            if answer.get("busy"):
                continue
            wrong = self.check(number, answer)
            if wrong:
                self.failures.append(wrong)
            elif answered > self.until:
                self.late += 1
            else:
                self.delays.append(1000 * (answered - began))
            if self.rate:
                time.sleep(max(0.0, began + 1 / self.rate - answered))
        connection.close()
