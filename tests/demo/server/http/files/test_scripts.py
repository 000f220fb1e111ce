import gzip
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from demo.paths import BROWSER
from demo.server.http.files.scripts import SCRIPTS, Scripts

MAIN = 'import {answer} from "../shared/answer.js";\n'
ANSWER = "export const answer = 42;\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {"live/main.js": MAIN, "shared/answer.js": ANSWER, "live/page.html": "<p>"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def client(scripts: Scripts) -> TestClient:
    return TestClient(Starlette(routes=[scripts.route]))


def test_a_script_is_served_as_it_stands_and_may_be_kept_for_good(folder: Path) -> None:
    scripts = Scripts(folder)
    answer = client(scripts).get(scripts.address("live/main.js"))
    assert answer.text == MAIN
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert "immutable" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("accepted", ["gzip", "identity"])
def test_it_comes_compressed_to_those_who_take_that(folder: Path, accepted: str) -> None:
    scripts = Scripts(folder)
    asked = {"Accept-Encoding": accepted}
    with client(scripts).stream("GET", scripts.address("live/main.js"), headers=asked) as answer:
        whole = b"".join(answer.iter_raw())
    assert (gzip.decompress(whole) if accepted == "gzip" else whole).decode() == MAIN
    assert answer.headers["Vary"] == "Accept-Encoding"


def test_an_import_leads_below_the_same_version(folder: Path) -> None:
    scripts = Scripts(folder)
    address = scripts.address("live/main.js").removesuffix("live/main.js") + "shared/answer.js"
    assert client(scripts).get(address).text == ANSWER


def test_any_change_changes_every_address_and_leaves_the_served_ones_as_they_were(folder: Path) -> None:
    before = Scripts(folder)
    (folder / "shared" / "answer.js").write_text("export const answer = 43;\n", encoding="utf-8")
    after = Scripts(folder)
    assert before.address("live/main.js") != after.address("live/main.js")
    assert client(before).get(before.address("shared/answer.js")).text == ANSWER


def test_another_version_is_not_answered_and_nobody_remembers_that(folder: Path) -> None:
    answer = client(Scripts(folder)).get("gradio_api/page/0123456789abcdef/live/main.js")
    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", ["live/page.html", "live/../live/main.js", "../secret.js", "live", ""])
def test_nothing_but_scripts_is_served(folder: Path, name: str) -> None:
    (folder.parent / "secret.js").write_text("secret")
    scripts = Scripts(folder)
    version = scripts.address("live/main.js").removesuffix("live/main.js")
    path = f"{version}{name}".replace("..", "%2e%2e")
    assert client(scripts).get(path).status_code == 404


def test_the_page_has_a_script_for_each_panel() -> None:
    for panel in ("live", "photo"):
        text = client(SCRIPTS).get(SCRIPTS.address(f"{panel}/main.js")).text
        assert text == (BROWSER / panel / "main.js").read_text(encoding="utf-8")
