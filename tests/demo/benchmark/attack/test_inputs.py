import io
import json
from itertools import islice
from typing import Any

from PIL import Image

from demo.benchmark.attack.inputs import Attack, make_attacks, of_scans
from demo.pipeline.detect import FaceFinder
from demo.server.live import read_frame


def test_a_progressive_picture_has_as_many_scans_as_are_asked_for() -> None:
    few, many = of_scans(1, (64, 48)), of_scans(50, (64, 48))
    assert many.count(b"\xff\xda") == few.count(b"\xff\xda") + 49
    assert Image.open(io.BytesIO(many)).size == (64, 48)


def test_a_request_can_promise_more_than_it_sends_or_be_none() -> None:
    unfinished = Attack("unfinished", "/path", b"12345", missing_bytes=7).head("203.0.113.1")
    assert b"\r\nContent-Length: 12\r\n" in unfinished
    assert b"\r\nX-Forwarded-For: 203.0.113.1\r\n" in unfinished
    assert Attack("idle").head("203.0.113.1") == b""
    panel: Any = Panel()
    assert [attack.addresses for attack in make_attacks(panel, panel) if not attack.path] == [(1,)]  # it names none
    assert Attack("the page", "/", method="GET").head("203.0.113.1").startswith(b"GET / HTTP/1.1\r\n")


class Panel:
    """Replaces a panel: the body of a call is just its message."""

    def body(self, message: dict[str, Any]) -> bytes:
        return json.dumps(message).encode()


def test_a_frame_is_full_of_faces_that_are_found_and_each_sender_has_a_name_of_its_own() -> None:
    panel: Any = Panel()
    attack = next(attack for attack in make_attacks(panel, panel) if "faces" in attack.name)
    first, second = (json.loads(next(attack.bodies(number))) for number in (0, 11))
    assert (first["visitor"], second["visitor"]) == ("attacker 000", "attacker 011")
    assert len(next(attack.bodies(0))) == len(attack.body)
    assert first["frame"] == second["frame"]
    assert json.loads(list(islice(attack.bodies(0), 3))[2]) == first
    assert len(FaceFinder().find_in_camera_frame(read_frame(first))) > 50


def test_who_asks_for_turns_has_another_name_with_each_request_and_sends_nothing_else() -> None:
    panel: Any = Panel()
    photos, live = (attack for attack in make_attacks(panel, panel) if "turns" in attack.name)
    assert photos.body == live.body
    bodies = [body for sender in (0, 249) for body in islice(photos.bodies(sender), 20)]
    assert {len(body) for body in bodies} == {len(photos.body)}  # as the request's headers promise
    messages = [json.loads(body) for body in bodies]
    assert {message.pop("visitor") for message in messages} >= {"attacker 000 000000", "attacker 249 000019"}
    assert messages == [{"turn": True}] * 40
    assert max(photos.addresses) <= photos.senders
