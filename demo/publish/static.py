"""Writes the whole page into a folder that needs no server: `python -m demo.publish.static FOLDER`.

Faces are read in the visitor's own browser. Any host of static files will do, even a static Space on Hugging Face; the
folder's README says how.
"""

import argparse
import json
import shutil
import sys
from pathlib import Path

from markupsafe import Markup

from demo.device_files import DeviceFilesError, device_files
from demo.paths import ASSETS, BROWSER, EXAMPLES, ROOT, WEIGHTS
from demo.pipeline.analyse import Pipeline
from demo.pipeline.mediapipe.face_models import FaceModelError
from demo.server.command import operator_name
from demo.server.content.about import about
from demo.server.content.disclosure import disclosure
from demo.server.content.languages import page_languages
from demo.server.content.measured import measured_of
from demo.server.content.panel import panel_content
from demo.server.http.files.versions import version_of
from demo.server.http.link_preview import SENTENCE, TITLE
from demo.server.live import live_facts
from demo.server.markup import render
from demo.server.page import STYLES, masthead
from demo.server.photo import photo_facts, thumbnails
from slimnet import CheckpointError, Predictor

_PAGE = BROWSER / "static"
_ENGINE = "engine/"  # folder of the engine's files
_EXAMPLES = "examples/"
_SCRIPTS = ("*.js", "languages/*.json")
# The page gets it from a meta element; workers, which don't inherit a page's policy, from the service worker.
_POLICY = {
    "default-src": "'self'",
    "script-src": "'self' 'wasm-unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "media-src": "'self' data: blob:",
    "connect-src": "'self' data: blob:",
    "worker-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}
POLICY = "; ".join(f"{name} {rule}" for name, rule in _POLICY.items())

_UNFINISHED = ".unfinished"  # where a page is written before it replaces an older one


class StaticPageError(Exception):
    """The folder can't be written; the message says why and what to do."""


def main(arguments: list[str] | None = None) -> int:
    """Write the folder.

    Args:
        arguments: without the program's name; None for the program's own.

    Returns:
        The exit status: 1 if the folder can't be written.
    """
    parser = argparse.ArgumentParser(prog="python -m demo.publish.static", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="new or empty, or written by this command before")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, metavar="PATH", help="default: those in assets")
    parser.add_argument("--operator", metavar="NAME", help="who publishes the page: visitors are told first")
    chosen = parser.parse_args(arguments)
    chosen.operator = operator_name(parser, chosen.operator)
    try:
        written = write_folder(chosen.folder, chosen.weights, chosen.operator)
    except (StaticPageError, DeviceFilesError, CheckpointError, FaceModelError, OSError) as error:
        print(f"demo.publish.static: {error}", file=sys.stderr)
        return 1
    print(f"{chosen.folder}: {len(written)} files, {sum(map(len, written.values())) / 1e6:.0f} MB")
    return 0


def write_folder(folder: Path, weights: Path, operator: str | None = None) -> dict[str, bytes]:
    """Write the page, replacing one that this function wrote before; what else lies beside that page stays.

    Args:
        folder: created if it does not exist.
        weights: SlimNet's weights, of any attributes.
        operator: who publishes the page, for the disclosure; None for a page without one.

    Returns:
        The files: name, with `/` between its parts -> content.

    Raises:
        StaticPageError: the folder holds something else.
        DeviceFilesError: npm's packages are not installed.
        CheckpointError: the weights cannot be read.
        FaceModelError: a face model is missing or damaged.
        OSError: a file cannot be read or written.
    """
    unfinished = folder / _UNFINISHED
    is_new = not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))
    if not (is_new or unfinished.exists() or _is_whole(folder)):
        raise StaticPageError(f"{folder} holds something else. Name a new or an empty folder.")
    files = page_files(weights, operator)
    shutil.rmtree(unfinished, ignore_errors=True)  # left by a run that was killed
    try:
        for name, content in files.items():
            path = unfinished / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except BaseException:  # the earlier page stays intact
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    for new in unfinished.iterdir():  # beside the page there may be .git, CNAME or other pages
        old = folder / new.name
        if old.is_symlink():
            old.unlink()  # what it leads to stays
        elif old.is_dir():
            shutil.rmtree(old)
        new.replace(old)
    unfinished.rmdir()
    return files


def _is_whole(folder: Path) -> bool:
    return (folder / "service_worker.js").is_file() and (folder / _ENGINE).is_dir()


def page_files(weights: Path, operator: str | None = None) -> dict[str, bytes]:
    """All files of the page.

    Args:
        weights: as for `write_folder`.
        operator: as for `write_folder`.

    Returns:
        Name, with `/` between its parts -> content.
    """
    pipeline = Pipeline.load(weights, "cpu")
    shell = {
        "index.html": _index(pipeline, operator).encode(),
        "page.css": b"\n".join((BROWSER / name).read_bytes() for name in ("static/static.css", *STYLES)),
        "icon.svg": (_PAGE / "icon.svg").read_bytes(),
        **{f"scripts/{name}": content for name, content in _scripts().items()},
        **{f"{_EXAMPLES}{path.name}": path.read_bytes() for path in sorted(EXAMPLES.glob("*.jpg"))},
    }
    engine = {f"{_ENGINE}{name}": content for name, content in device_files(weights).items()}
    about_it = {"README.md": (_PAGE / "README.md").read_bytes(), **_licences()}
    return {**shell, **engine, **about_it, "service_worker.js": _service_worker(shell, engine)}


def _index(pipeline: Pipeline[Predictor], operator: str | None) -> str:
    measured = measured_of(pipeline.predictor)
    told = disclosure(operator, pipeline.attributes)
    device = {"base": _ENGINE, "examples": _EXAMPLES}
    live, live_known = panel_content(
        "live", pipeline, live_facts(pipeline, device), measured, at_server=False, disclosure=told
    )
    known = photo_facts(pipeline, device)
    photo, photo_known = panel_content(
        "photo", pipeline, known, measured, at_server=False, disclosure=told, examples=thumbnails()
    )
    languages = page_languages().translations
    facts = json.dumps({"live": live_known, "photo": photo_known, "languages": languages})
    page = render(
        "static/index.html",
        policy=POLICY,
        title=TITLE,
        sentence=SENTENCE,
        tags=" ".join(languages),
        facts=Markup(facts.replace("<", "\\u003c")),  # so that no text in them ends the script element
        head=masthead(pipeline.predictor),
        live=live,
        photo=photo,
        about=about(pipeline, on_device=True, at_server=False),
    )
    return str(page)


def _scripts() -> dict[str, bytes]:
    """All of the page's scripts and tables, except the service worker, which has to be beside the page."""
    paths = {path for pattern in _SCRIPTS for path in BROWSER.rglob(pattern)} - {_PAGE / "service_worker.js"}
    return {path.relative_to(BROWSER).as_posix(): path.read_bytes() for path in sorted(paths)}


def _service_worker(shell: dict[str, bytes], engine: dict[str, bytes]) -> bytes:
    """The service worker with its data: it keeps the shell at once, and the engine once that is loaded."""
    site = {"version": version_of(shell | engine), "files": sorted(shell), "policy": POLICY}
    return f"self.site = {json.dumps(site)};\n".encode() + (_PAGE / "service_worker.js").read_bytes()


def _licences() -> dict[str, bytes]:
    """Licences of the folder's parts. The npm packages contain no licence files of their own."""
    own = (ROOT / "LICENSE").read_text(encoding="utf-8")
    notice = next(line for line in own.splitlines() if line.startswith("Copyright"))
    runtime = own.replace(notice, "Copyright (c) Microsoft Corporation")
    texts = {
        "slimnet-faces.txt": own,
        "weights.md": (ASSETS / "README.md").read_text(encoding="utf-8"),
        "mediapipe.md": (ASSETS / "MEDIAPIPE.md").read_text(encoding="utf-8"),  # tasks-vision has the same licence
        "onnxruntime-web.txt": runtime,
    }
    return {f"licences/{name}": text.encode() for name, text in texts.items()}


if __name__ == "__main__":
    sys.exit(main())
