import errno
import json
import os
import re
from pathlib import Path

import pytest

from demo.device_files import SIZES
from demo.paths import BROWSER
from demo.pipeline.mediapipe.face_models import FaceModelError
from demo.publish import static
from demo.publish.static import POLICY, main, page_files

DEVICE_FILES = {"vision_bundle.mjs": b"export {};", "slimnet.onnx": b"onnx", SIZES: b"{}"}


@pytest.fixture(autouse=True)
def without_npm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(static, "device_files", lambda _: DEVICE_FILES)


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(static, "device_files", lambda _: DEVICE_FILES)
        return page_files(static.WEIGHTS, "Museum")


def test_it_is_the_whole_page(files: dict[str, bytes]) -> None:
    page = files["index.html"].decode()
    assert page.count('data-attribute="') == 2 * 40
    assert "Museum" in page
    assert {f"engine/{name}" for name in DEVICE_FILES} <= set(files)
    scripts = {f"scripts/{path.relative_to(BROWSER).as_posix()}" for path in BROWSER.rglob("*.js")}
    assert scripts - set(files) == {"scripts/static/service_worker.js"}  # it is beside the page
    for language in ("de", "es"):
        assert f"scripts/languages/{language}.json" in files
    assert {"licences/slimnet-faces.txt", "licences/mediapipe.md", "licences/onnxruntime-web.txt"} <= set(files)


def test_nothing_says_that_pictures_go_to_a_server(files: dict[str, bytes]) -> None:
    assert not re.search(r"go to this server|this server's memory", files["index.html"].decode())


def test_all_addresses_are_relative_and_no_other_host_is_allowed(files: dict[str, bytes]) -> None:
    page = files["index.html"].decode()
    assert not re.findall(r'(?:src|href)="(?:/|\w+:)(?!image/)', page)
    assert f'content="{POLICY}"'.replace("'", "&#39;") in page
    sources = {source for rule in POLICY.split("; ") for source in rule.split()[1:]}
    assert sources == {"'self'", "'none'", "'unsafe-inline'", "'wasm-unsafe-eval'", "data:", "blob:"}
    assert "'unsafe-inline'" not in POLICY.split("script-src")[1].split(";")[0]


def test_the_service_worker_keeps_files_that_are_there_and_changes_with_them(
    files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def site(of: dict[str, bytes]) -> dict[str, str]:
        return json.loads(of["service_worker.js"].split(b"\n")[0].removeprefix(b"self.site = ").rstrip(b";"))

    assert set(site(files)["files"]) < set(files)
    assert site(files)["policy"] == POLICY
    monkeypatch.setattr(static, "device_files", lambda _: DEVICE_FILES | {"slimnet.onnx": b"other"})
    assert site(page_files(static.WEIGHTS))["version"] != site(files)["version"]


def test_the_readme_makes_it_a_static_space(files: dict[str, bytes]) -> None:
    front = files["README.md"].decode().split("---\n")[1]
    assert "sdk: static" in front
    assert "cross-origin-embedder-policy: require-corp" in front
    assert "cross-origin-opener-policy: same-origin" in front


def test_a_folder_is_written_again_but_nothing_else_is_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "site"
    assert main([str(folder)]) == 0
    (folder / "scripts" / "old.js").write_text("")
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("ref: refs/heads/main")
    (folder / "CNAME").write_text("faces.example")
    assert main([str(folder), "--operator", "Museum"]) == 0
    assert not (folder / "scripts" / "old.js").exists()
    assert "Museum" in (folder / "index.html").read_text(encoding="utf-8")
    assert (folder / ".git" / "HEAD").read_text() == "ref: refs/heads/main"
    assert (folder / "CNAME").read_text() == "faces.example"
    (tmp_path / "mine.txt").write_text("mine")
    capsys.readouterr()
    assert main([str(tmp_path)]) == 1
    assert "holds something else" in capsys.readouterr().err
    assert (tmp_path / "mine.txt").exists()


def test_an_operator_without_a_name_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([str(tmp_path / "page"), "--operator", " "])
    assert end.value.code == 2
    assert "--operator needs a name" in capsys.readouterr().err
    assert not (tmp_path / "page").exists()


def test_a_face_model_that_cannot_be_used_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(*_: object) -> None:
        raise FaceModelError("the face model is missing")

    monkeypatch.setattr(static.Pipeline, "load", missing)
    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().err == "demo.publish.static: the face model is missing\n"


def test_where_the_disk_is_full_the_page_from_before_stays_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path), "--operator", "Museum"]) == 0
    before = contents(tmp_path)
    room = 5  # files
    write = Path.write_bytes

    def write_while_there_is_room(path: Path, content: bytes) -> int:
        nonlocal room
        room -= 1
        if room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return write(path, content)

    with monkeypatch.context() as full:
        full.setattr(Path, "write_bytes", write_while_there_is_room)
        assert main([str(tmp_path), "--operator", "School"]) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert contents(tmp_path) == before
    assert main([str(tmp_path), "--operator", "School"]) == 0
    assert b"School" in contents(tmp_path)["index.html"]


def test_what_a_killed_run_has_left_is_no_part_of_the_page(tmp_path: Path) -> None:
    left = tmp_path / static._UNFINISHED / "left.txt"
    left.parent.mkdir()
    left.write_text("half", encoding="utf-8")
    assert main([str(tmp_path)]) == 0
    assert contents(tmp_path) == page_files(static.WEIGHTS)


def test_a_run_that_was_killed_while_it_replaced_a_page_can_be_repeated(tmp_path: Path) -> None:
    left = tmp_path / static._UNFINISHED / "service_worker.js"
    left.parent.mkdir()
    left.write_text("new", encoding="utf-8")
    (tmp_path / "scripts").mkdir()  # the other old files are gone
    (tmp_path / "CNAME").write_text("faces.example")
    assert main([str(tmp_path)]) == 0
    assert contents(tmp_path) == page_files(static.WEIGHTS) | {"CNAME": b"faces.example"}


def test_a_link_in_the_place_of_a_folder_is_replaced_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    page, elsewhere = tmp_path / "page", tmp_path / "elsewhere"
    assert main([str(page)]) == 0
    (page / "engine").rename(elsewhere)
    (page / "engine").symlink_to(elsewhere)
    assert main([str(page)]) == 0
    assert not (page / "engine").is_symlink()
    assert contents(page) == page_files(static.WEIGHTS)
    assert any(elsewhere.iterdir())


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
