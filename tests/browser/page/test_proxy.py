"""The page behind nginx, configured as in demo/README.md: https, under a path."""

import json
import shutil
import ssl
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest

from demo.benchmark.load.nginx import NGINX
from demo.benchmark.server import PageServer, free_port
from tests.browser.conftest import assert_ticks_agree, missing, start_live
from tests.fakes.nginx import Proxy, before, open_anyway
from tests.paths import PORTRAIT


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[PageServer]:  # noqa: ARG001 (skip first)
    if not NGINX or not shutil.which("openssl"):
        missing("nginx and openssl")
    arguments = ("app.py", "--device", "cpu", "--root_path", "/faces/")
    with PageServer(arguments, tmp_path_factory.mktemp("page")) as server:
        yield server


@pytest.fixture(scope="module")
def proxy(server: PageServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with before(server.port, tmp_path_factory.mktemp("nginx")) as proxy:
        yield proxy


def test_photos_and_frames_are_analysed_behind_it(proxy: Proxy, open_page: Any) -> None:
    page = open_page(proxy)
    page.set_input_files("#photo input[type=file]", PORTRAIT)
    page.wait_for_selector("#photo[data-faces='1']:not([data-busy])")
    assert_ticks_agree(page, "photo")
    start_live(page)
    assert_ticks_agree(page, "live")


def test_a_picture_may_be_larger_than_nginx_allows_by_itself(proxy: Proxy) -> None:
    body = json.dumps({"data": ["0" * 3_000_001]}).encode()
    call = urllib.request.Request(
        f"{proxy.url}gradio_api/run/analyse_base64", body, {"Content-Type": "application/json"}
    )
    status, answer = open_anyway(proxy.url, call)
    assert status == 400
    assert b"base64" in answer


def test_an_upload_that_is_too_large_is_refused_and_the_page_goes_on(proxy: Proxy) -> None:
    call = urllib.request.Request(f"{proxy.url}gradio_api/upload", b"1" * (97 * 2**20), {"Content-Type": "text/plain"})
    try:
        status, _ = open_anyway(proxy.url, call)
    except OSError as error:  # it closes the connection while the rest is still being sent
        reason = error.reason if isinstance(error, URLError) else error
        assert isinstance(reason, (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError))
    else:
        assert status == 413
    status, _ = open_anyway(proxy.url)
    assert status == 200


@pytest.mark.usefixtures("proxy")  # skip first
def test_where_the_page_is_not_there_the_proxy_says_so(tmp_path: Path) -> None:
    with before(free_port(), tmp_path) as proxy:
        status, _ = open_anyway(proxy.url)
    assert status == 502
