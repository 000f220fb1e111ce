import math
import select
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from demo.benchmark.load.visitors import Panel, PanelError, Visitor, make_films, make_large_photo, make_photos
from demo.benchmark.server import free_port
from demo.limits import SMALL_BODY_BYTES
from demo.pictures.decode import open_picture
from demo.pipeline.detect import FaceFinder
from demo.server.data_url import decode
from demo.server.live import read_frame
from tests.fakes.panel_page import PanelPage, faces
from tests.fakes.running import running


def test_somebody_is_alone_in_each_film_where_that_is_asked_for() -> None:
    finder = FaceFinder()
    for film in make_films(6, one_face=True):
        assert len(finder.find_in_camera_frame(read_frame({"frame": film[0]}))) == 1


def test_films_show_one_to_three_faces_that_are_found_at_the_first_look() -> None:
    finder = FaceFinder()
    for film, count in zip(make_films(6), (1, 1, 2, 1, 1, 3), strict=True):
        for frame in film[::10]:
            assert len(finder.find_in_camera_frame(read_frame({"frame": frame}))) == count


def test_a_large_photo_shows_the_same_and_is_no_small_request() -> None:
    large = make_large_photo()
    assert len(large) > SMALL_BODY_BYTES
    assert (open_picture(decode(large)) == open_picture(decode(make_photos()[0]))).all()


class OtherSite(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        pass


def test_what_is_no_page_of_this_program_is_told() -> None:
    with running(ThreadingHTTPServer(("127.0.0.1", 0), OtherSite)) as server:
        url = f"http://127.0.0.1:{server.server_port}/"
        with pytest.raises(PanelError, match=f"^{url} is not a page of this program"):
            Panel(url, "analyse_frame")


def test_a_page_that_does_not_answer_is_told() -> None:
    url = f"http://127.0.0.1:{free_port()}/"
    with pytest.raises(PanelError, match=rf"^{url} does not answer: .* Start the page, or correct --url\.$"):
        Panel(url, "analyse_frame")


def test_a_page_without_the_function_is_told() -> None:
    with running(PanelPage(lambda *_: {})) as page, pytest.raises(PanelError, match="has no function analyse_film"):
        Panel(page.url, "analyse_film")


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "http://127.0.0.1/faces/", "127.0.0.1:7860", "http://127.0.0.1:port/", "http://[::1"]
)
def test_an_address_that_calls_cannot_reach_is_told(url: str) -> None:
    with pytest.raises(PanelError, match=r"http://127\.0\.0\.1:7860/"):
        Panel(url, "analyse_frame")


def test_a_connection_that_was_closed_while_idle_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0

    def answer(*_: object) -> dict[str, Any]:
        nonlocal asked
        asked += 1
        return faces()

    with running(PanelPage(answer)) as page:
        monkeypatch.setattr(page.RequestHandlerClass, "timeout", 0.05)
        panel = Panel(page.url, "analyse_photo")
        connection = panel.connect()
        assert panel.ask(connection, {}) == faces()
        assert select.select([connection.sock], (), (), 60)[0]  # the page's end of it
        assert panel.ask(connection, {}) == faces()
        connection.close()
    assert asked == 2


def test_a_page_that_has_gone_gives_no_answer() -> None:
    with running(PanelPage(lambda *_: faces())) as page:
        panel = Panel(page.url, "analyse_photo")
    assert panel.ask(panel.connect(), {}) == {"error": "no answer (ConnectionRefusedError)"}


@pytest.mark.parametrize("fault", [None, "a face at another place"])
def test_an_answer_after_the_end_is_checked_but_not_counted(fault: str | None) -> None:
    asked = 0

    def until_it_is_late(*_: object) -> dict[str, Any]:
        nonlocal asked
        asked += 1
        if asked == 2:
            visitor.until = -math.inf
        return faces()

    with running(PanelPage(until_it_is_late)) as page:
        panel, messages = Panel(page.url, "analyse_frame"), [{"visitor": "a", "frame": ""}]
        visitor = Visitor("a", panel, messages, is_live=True, until=math.inf, rate=None, check=lambda *_: fault)
        visitor.run()
    assert (len(visitor.delays), visitor.late) == ((1, 1) if fault is None else (0, 0))
    assert visitor.failures == ([] if fault is None else [fault] * 2)
