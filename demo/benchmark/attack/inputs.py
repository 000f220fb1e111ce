"""Requests that are made to keep a server busy: those that once did, and the costliest that its bounds let through."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, repeat

import numpy as np
from PIL import Image

from demo.benchmark.load.visitors import Panel
from demo.limits import MAX_BODY_BYTES, MAX_FRAME_SIDE, MAX_PLAIN_BYTES, MAX_SCANNED_PIXELS, MAX_SCANS
from demo.paths import EXAMPLES
from demo.pictures.decode import open_picture
from demo.server.data_url import encode_jpeg, jpeg_url, to_base64
from demo.server.routes import PANELS_PATH, UPLOAD_PATH

_FORM = "multipart/form-data; boundary=b"
_MANY_CONNECTIONS = 1100  # more than the files that a program may have open by default
_UNFINISHED_BODIES = 16
_PAGE_SENDERS = 40  # as many as Gradio has threads for making pages
_NAME_CHARACTERS = 8 * 2**20
# The square around the example's face, in pixels: left, top and side. Of tighter frames the detector sees more faces.
_FACE_SIDE, _FACES_ACROSS, _PORTRAIT = 128, 20, (90, 40, 260)
_SMALL_FACE_SIDE, _SMALL_FACES_ACROSS = 28, 120  # as small as they are found, all over some 11 million pixels
_FRAME_FACES_ACROSS, _FRAME_PORTRAIT = 9, (95, 49, 150)
# In a body: the name by which a sender calls itself a visitor, the same with each request or another one.
_ANY_SENDER, _ANY_REQUEST = b"attacker 000", b"attacker 000 000000"
# Those who ask for turns, in all 100 times a second. The page has 8 places for photos and 128 for frames, and
# keeps a turn for seconds.
_TURN_ADDRESSES, _TURN_SENDERS, _TURN_PAUSE_SECONDS = (1, 250), 250, 2.5


@dataclass(frozen=True)
class Attack:
    """A request, which several senders send again and again.

    Attributes:
        name: for the table.
        path: where it goes; empty for connections that stay idle.
        body: its body, the same for all senders but for their names.
        content_type: of the body.
        method: of HTTP.
        missing_bytes: what the request promises beyond its body, and never sends.
        senders: how many send it at the same time.
        addresses: from how many addresses it comes, each a measurement of its own; empty for as many as are asked for.
        pause_seconds: before a sender's next request, so that not this program but the server is busy.
    """

    name: str
    path: str = ""
    body: bytes = b""
    content_type: str = "application/json"
    method: str = "POST"
    missing_bytes: int = 0
    senders: int = 8
    addresses: tuple[int, ...] = ()
    pause_seconds: float = 0.02

    def bodies(self, sender: int) -> Iterator[bytes]:
        """The bodies of a sender's requests, under a name of its own: the page works on one frame a visitor.

        Args:
            sender: its number.

        Yields:
            Bodies without end.
        """
        if _ANY_REQUEST in self.body:
            yield from (self.body.replace(_ANY_REQUEST, b"attacker %03d %06d" % (sender, time)) for time in count())
        else:
            yield from repeat(self.body.replace(_ANY_SENDER, b"attacker %03d" % sender))

    def head(self, address: str) -> bytes:
        """The request's lines before its body.

        Args:
            address: where the sender says to call from, as a proxy would.
        """
        if not self.path:
            return b""
        length = len(self.body) + self.missing_bytes
        return (
            f"{self.method} {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: {address}\r\n"
            f"Content-Type: {self.content_type}\r\nContent-Length: {length}\r\n\r\n"
        ).encode()


def make_attacks(live: Panel, photo: Panel) -> Iterator[Attack]:
    """Make all requests, one after the other, since some take a while.

    Args:
        live: the page's live panel.
        photo: its photo panel.
    """
    for name, file in _frames():
        message = {"visitor": _ANY_SENDER.decode(), "frame": jpeg_url(file)}
        yield Attack(f"live frame: {name}", PANELS_PATH, live.body(message))
    for name, file in _photos():
        yield Attack(f"photo: {name}", PANELS_PATH, photo.body({"picture": to_base64(file), "name": "a.jpg"}))
    turn = {"visitor": _ANY_REQUEST.decode(), "turn": True}
    for name, panel in (("photos", photo), ("live", live)):
        yield Attack(f"{name}: only asks for turns, each time by another name", PANELS_PATH, panel.body(turn),
                     senders=_TURN_SENDERS, addresses=_TURN_ADDRESSES, pause_seconds=_TURN_PAUSE_SECONDS)  # fmt: skip
    for name, path in (("page itself", "/"), ("page's configuration", "/config")):
        yield Attack(f"the {name}", path, method="GET", senders=_PAGE_SENDERS, pause_seconds=0.0)
    small = to_base64(_saved(Image.new("L", (64, 64)), "JPEG"))
    yield Attack("a name of 8 MB", PANELS_PATH, photo.body({"picture": small, "name": "a" * _NAME_CHARACTERS}))
    yield Attack("90 MB of form boundaries", UPLOAD_PATH, b"--b\r\n" * (90_000_000 // 5), _FORM)
    yield Attack("bodies of 90 MB that do not end", PANELS_PATH, b" " * 90_000_000,
                 missing_bytes=MAX_BODY_BYTES - 90_000_000, senders=_UNFINISHED_BODIES)  # fmt: skip
    # They send nothing, so no header can say that they are from different addresses.
    yield Attack(f"{_MANY_CONNECTIONS:,} idle connections", senders=_MANY_CONNECTIONS, addresses=(1,))
    yield Attack(f"{_MANY_CONNECTIONS:,} requests without most of their body", PANELS_PATH, b"{",
                 missing_bytes=1000, senders=_MANY_CONNECTIONS)  # fmt: skip


def _frames() -> Iterator[tuple[str, bytes]]:
    side = (MAX_FRAME_SIDE, MAX_FRAME_SIDE)
    yield "progressive, 4,000 scans", of_scans(4000, side)
    faces = _crowd(MAX_FRAME_SIDE // _FRAME_FACES_ACROSS, _FRAME_FACES_ACROSS, _FRAME_PORTRAIT)
    yield f"{_FRAME_FACES_ACROSS**2} faces in {MAX_FRAME_SIDE} x {MAX_FRAME_SIDE}", encode_jpeg(faces, 80)


def _photos() -> Iterator[tuple[str, bytes]]:
    """Names and files; the first four are refused by their headers, the others cost as much as is allowed."""
    baseline = _saved(Image.new("RGB", (64, 48)), "JPEG")
    yield "progressive, 4,000 scans", of_scans(4000, (1280, 1280))
    yield "JPEG of empty segments, 1 MB", baseline[:2] + b"\xff\xfe\0\2" * 250_000 + baseline[2:]
    yield "JPEG of fill bytes, 1 MB", baseline[:2] + b"\xff" * 1_000_000 + baseline[2:]
    yield "PPM in text, 40 MB", _text_ppm(40_000_000)
    yield "PPM in text, as long as is allowed", _text_ppm(MAX_PLAIN_BYTES)
    side = int((MAX_SCANNED_PIXELS / MAX_SCANS) ** 0.5)
    yield f"progressive, {MAX_SCANS - 10} scans of {side} x {side}", of_scans(MAX_SCANS - 10, (side, side))
    yield "AVIF, 8000 x 8000", _saved(Image.new("L", (8000, 8000)), "AVIF", speed=10)
    yield "slow decoder (JPEG 2000, 6000 x 6000)", _saved(Image.new("RGB", (6000, 6000)), "JPEG2000")
    yield "400 faces", encode_jpeg(_crowd(_FACE_SIDE, _FACES_ACROSS, _PORTRAIT), 80)
    small = _crowd(_SMALL_FACE_SIDE, _SMALL_FACES_ACROSS, _PORTRAIT)
    yield f"{_SMALL_FACES_ACROSS**2:,} faces of {_SMALL_FACE_SIDE} pixels", encode_jpeg(small, 80)


def of_scans(count: int, size: tuple[int, int]) -> bytes:
    """A progressive JPEG whose last scan comes again and again, each of them a few bytes.

    Args:
        count: how often it comes.
        size: width and height in pixels.
    """
    data = _saved(Image.new("L", size, 99), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + data[-2:]


def _text_ppm(size: int) -> bytes:
    """A picture whose pixels are written as text, of about this many bytes."""
    side = int((size / 6) ** 0.5)
    return f"P3\n{side} {side}\n255\n".encode() + b"9 " * (3 * side * side)


def _crowd(side: int, across: int, portrait: tuple[int, int, int]) -> np.ndarray:
    """A square of one face again and again, each `side` pixels wide, `across` of them in a row."""
    left, top, width = portrait
    face = open_picture(EXAMPLES / "eileen_collins.jpg")[top : top + width, left : left + width]
    small = np.asarray(Image.fromarray(face).resize((side, side)))
    return np.tile(small, (across, across, 1))


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()
