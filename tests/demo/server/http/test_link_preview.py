import io
import urllib.request
from collections.abc import Iterator
from html.parser import HTMLParser

import gradio as gr
import pytest
from PIL import Image

from demo.paths import PREVIEW
from demo.server.http.link_preview import PREVIEW_SIZE, SENTENCE, TITLE
from demo.server.page import launch_options


class Tags(HTMLParser):
    """The og: and twitter: tags of a page: name -> its contents, in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, list[str]] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        name = values.get("property") or values.get("name") or ""
        if tag == "meta" and name.startswith(("og:", "twitter:")):
            self.found.setdefault(name, []).append(values["content"] or "")


@pytest.fixture(scope="module", params=["", "/faces", "https://example.org/faces"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The address of a page, and the path or the address at which a proxy serves it."""
    folder = tmp_path_factory.mktemp("gradio")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder))
        with gr.Blocks(title="of Gradio", analytics_enabled=False) as page:
            gr.Markdown("The page.")
        _, url, _ = page.launch(prevent_thread_lock=True, root_path=request.param, **launch_options(folder))
        yield url, request.param
        page.close()


def get(url: str, **headers: str) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
        return answer.read()


def tags(url: str, **headers: str) -> dict[str, list[str]]:
    return Tags(get(url, **headers).decode()).found


def test_the_only_tags_are_ours(served: tuple[str, str]) -> None:
    found = tags(served[0])
    assert {name: len(values) for name, values in found.items() if len(values) > 1} == {}
    for kind in ("og", "twitter"):
        assert found[f"{kind}:title"] == [TITLE]
        assert found[f"{kind}:description"] == [SENTENCE]
    assert found["og:image"] == found["twitter:image"]
    assert found["twitter:card"] == ["summary_large_image"]


def test_the_picture_is_at_the_address_that_the_visitor_knows(served: tuple[str, str]) -> None:
    url, root = served
    own = root if "://" in root else url.rstrip("/") + root
    behind = root if "://" in root else "https://faces.example" + root
    forwarded = {"X-Forwarded-Host": "faces.example", "X-Forwarded-Proto": "https"}
    for found, address in ((tags(url), own), (tags(url, **forwarded), behind)):
        assert found["og:url"] == [f"{address}/"]
        assert found["og:image"] == [f"{address}/gradio_api/page/preview.png"]


def test_a_space_names_its_own_host(served: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_HOST", "user-faces.hf.space")
    assert tags(served[0])["og:image"] == ["https://user-faces.hf.space/gradio_api/page/preview.png"]


def test_the_picture_is_there_in_the_size_that_is_told(served: tuple[str, str]) -> None:
    picture = get(f"{served[0]}gradio_api/page/preview.png")
    assert Image.open(io.BytesIO(picture)).size == PREVIEW_SIZE
    found = tags(served[0])
    assert (*map(int, found["og:image:width"] + found["og:image:height"]),) == PREVIEW_SIZE
    assert picture == PREVIEW.read_bytes()
    assert len(picture) < 2**20  # some programs refuse a larger one


def test_a_host_that_holds_markup_stays_text(served: tuple[str, str]) -> None:
    page = get(served[0], **{"X-Forwarded-Host": 'a.example/"><script>alert(1)</script>'}).decode()
    assert "<script>alert" not in page


def test_the_page_is_still_whole(served: tuple[str, str]) -> None:
    page = get(served[0]).decode()
    assert page.startswith("<!doctype html>")
    assert page.rstrip().endswith("</html>")
    assert "window.gradio_config" in page
