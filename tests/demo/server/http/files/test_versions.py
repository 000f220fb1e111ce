import pytest

from demo.server.http.files.versions import kept_answer, missing_file, version_of


def test_a_version_changes_with_names_and_content_but_not_with_their_order() -> None:
    files = {"a.js": b"one", "b.js": b"two"}
    others = [
        {"a.js": b"one"},
        {"a.js": b"one", "c.js": b"two"},
        {"a.js": b"two", "b.js": b"one"},
        {"a.js": b"onet", "b.js": b"wo"},
    ]
    assert version_of(dict(reversed(files.items()))) == version_of(files)
    assert len({version_of(files), *map(version_of, others)}) == 5


@pytest.mark.parametrize(
    ("name", "media_type"), [("a/b.mjs", "text/javascript"), ("face.task", "application/octet-stream")]
)
def test_a_file_is_kept_for_a_year(name: str, media_type: str) -> None:
    answer = kept_answer(name, b"content", {"Vary": "Accept-Encoding"})
    assert answer.headers["Content-Type"].startswith(media_type)
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Vary"] == "Accept-Encoding"


def test_nobody_remembers_what_is_missing() -> None:
    error = missing_file()
    assert (error.status_code, error.headers) == (404, {"Cache-Control": "no-store"})
