import io

from PIL import Image

from demo.benchmark.attack.inputs import Attack, of_scans


def test_a_progressive_picture_has_as_many_scans_as_are_asked_for() -> None:
    few, many = of_scans(1, (64, 48)), of_scans(50, (64, 48))
    assert many.count(b"\xff\xda") == few.count(b"\xff\xda") + 49
    assert Image.open(io.BytesIO(many)).size == (64, 48)


def test_a_request_can_promise_more_than_it_sends_or_be_none() -> None:
    unfinished = Attack("unfinished", "/path", b"12345", missing_bytes=7).head("203.0.113.1")
    assert b"\r\nContent-Length: 12\r\n" in unfinished
    assert b"\r\nX-Forwarded-For: 203.0.113.1\r\n" in unfinished
    assert Attack("idle").head("203.0.113.1") == b""
