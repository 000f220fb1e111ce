"""How much live mode feels like a mirror: real Chromium with a fake camera, the real page and pipeline.

The page is served as by `python app.py`, and compared with the usual way to build such a page (`plain_page`). Both are
watched in turn, in the same run: our page by each number of visitors, the plain one by one visitor at a time, if one is
among these numbers. Each visitor has a browser context of its own. A frame's latency
is the time from its `captureTime` in the browser until a script has painted it. Our page reports it with each frame
(the event `live-frame`); on the plain page it is worked out from the number that the film shows. If asked, a third
contestant is the page's engine in the browser, with one visitor on a second visit, when most of its files are cached.
"""

import importlib.metadata
import json
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from demo.batch.workers import core_count
from demo.benchmark.browser import (
    FILM_RATE,
    NUMBER_BITS,
    NUMBER_HEIGHT,
    browser_before,
    numbered,
    portrait_frames,
    write_film,
)
from demo.benchmark.report import Departure, Frame, Report, summarise, summarise_departure
from demo.benchmark.server import PageServer
from demo.device_files import device_files
from demo.paths import EXAMPLES, WEIGHTS
from demo.pictures.decode import open_picture

_HERE = Path(__file__).parent
_PORTRAIT = EXAMPLES / "eileen_collins.jpg"
_FILM_FRAMES = 240  # at most 2 ** NUMBER_BITS, and a whole number of the portrait's swings
_ROUNDS = 2
_TIMEOUT_MS = 120_000
_WARM_UP_FRAMES = 10
_WARM_UP_MS = 2_000
_WARM = f"window.noted.length >= {_WARM_UP_FRAMES}"
# Only frames with the film's face count, since a frame without one is fast.
_NOTE_LIVE = """
    window.noted = [];
    document.addEventListener("click", ({target}) => {
      if (target.closest("#live-start")) window.started ??= performance.timeOrigin + performance.now();
    }, true);
    document.addEventListener("live-frame", ({target, detail: {latency, faces, stages}}) => {
      const [at, width] = [performance.timeOrigin + performance.now(), Number(target.dataset.sentWidth) || null];
      if (faces) window.noted.push({at, latency, width, stages});
      if (target.querySelector("input[data-attribute]:checked")) window.ticked ??= at;
    });
"""
_FILM = {"frames": _FILM_FRAMES, "rate": FILM_RATE, "bits": NUMBER_BITS, "strip": NUMBER_HEIGHT}
_NOTE_PLAIN = f"const FILM = {json.dumps(_FILM)};\n" + (_HERE / "plain_page.js").read_text(encoding="utf-8")


class BenchmarkError(RuntimeError):
    """A page did not show what we wanted to measure; the message says what was missing."""


@dataclass(frozen=True)
class _Contestant:
    """A page to measure.

    Attributes:
        name: its name in the report.
        arguments: Python's arguments to serve it.
        script: JavaScript that notes each frame shown, in `window.noted`.
        clicks: selectors to click to start its camera, in order.
        anchor: the end of its address.
    """

    name: str
    arguments: tuple[str, ...]
    script: str
    clicks: tuple[str, ...]
    anchor: str = ""


_OURS = _Contestant("this page", ("app.py",), _NOTE_LIVE, ("#live-start",))
_DEVICE = _Contestant("this device", _OURS.arguments, _NOTE_LIVE, _OURS.clicks, "#engine=device")
_PLAIN = _Contestant(
    "gr.Image",
    ("-m", "demo.benchmark.plain_page"),
    _NOTE_PLAIN,
    ("#camera [title='grant webcam access'] button", "#camera .button-wrap button >> nth=0"),
)


@dataclass(frozen=True)
class _Visit:
    """What a visitor was shown.

    Attributes:
        frames: in order.
        first: milliseconds from the click on Start to the first ticks; None on the plain page.
    """

    frames: list[Frame]
    first: float | None


def measure(seconds: int, crowds: list[int], *, device: bool = False) -> Report:
    """Measure the pages in turn.

    Args:
        seconds: how long each page is measured with each number of visitors.
        crowds: numbers of visitors at once; only the server's page is measured with more than one.
        device: whether to measure the engine in the browser as well.

    Returns:
        All figures.

    Raises:
        BenchmarkError: a page showed a visitor too few analysed frames.
        demo.benchmark.browser.BrowserError: there is no browser to measure with, or it failed.
        demo.benchmark.server.NotServedError: a page is not served.
        demo.device_files.DeviceFilesError: what the engine in the browser needs is not installed.
    """
    machine = _machine()
    if device:
        device_files(WEIGHTS)  # otherwise the page would use the server
    pages = (_OURS, _DEVICE, _PLAIN) if device else (_OURS, _PLAIN)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        film = folder / "film.y4m"
        turns = portrait_frames(open_picture(_PORTRAIT))
        write_film(film, (numbered(turns[number % len(turns)], number) for number in range(_FILM_FRAMES)))
        browser = stack.enter_context(browser_before(film))
        machine["Chromium"] = browser.version
        served = {
            arguments: stack.enter_context(PageServer(arguments, folder / str(number)))
            for number, arguments in enumerate({page.arguments: None for page in pages})
        }
        servers = {page: served[page.arguments] for page in pages}
        seen = _watch_in_turns(browser, servers, crowds, seconds / _ROUNDS)
        departure = _watch_departure(browser, servers[_OURS], max(crowds)) if max(crowds) > 1 else None
    figures = (
        summarise(
            page.name,
            [[visit.frames for visit in visits] for visits in rounds],
            seconds,
            [visit.first for visits in rounds for visit in visits if visit.first is not None],
        )
        for (_, page), rounds in seen.items()
    )
    return Report(machine, seconds, tuple(figures), departure)


def _watch_in_turns(
    browser: Any, servers: dict[_Contestant, PageServer], crowds: list[int], seconds: float
) -> dict[tuple[int, _Contestant], list[list[_Visit]]]:
    """Watch every round, for each number of visitors and each page.

    The pages take turns, so that other work on the machine affects all of them. The plain one gets one visitor at a
    time: with four, a browser on the same two cores came to a standstill and could not even be closed.
    """
    turns = [
        (n, page) for n in dict.fromkeys(crowds) for _ in range(_ROUNDS) for page in servers if page is _OURS or n == 1
    ]
    seen: dict[tuple[int, _Contestant], list[list[_Visit]]] = {turn: [] for turn in turns}
    for n, page in (progress := tqdm(turns, "browser", leave=False)):
        progress.set_description(f"{page.name}, {n} at once")
        seen[n, page].append(_watch(browser, page, servers[page], n, seconds))
    return seen


def _watch(browser: Any, page: _Contestant, server: PageServer, count: int, seconds: float) -> list[_Visit]:
    """Collect what each of `count` visitors is shown within `seconds`."""
    with _visitors(browser, page, server, count) as visitors:
        start = time.time()
        visitors[0].wait_for_timeout(1000 * seconds)
        return [
            _Visit(_frames(visitor, start, start + seconds), visitor.evaluate("window.ticked - window.started || null"))
            for visitor in visitors
        ]


def _watch_departure(browser: Any, server: PageServer, count: int) -> Departure:
    """Have one of `count` visitors close the page while the others go on watching."""
    with _visitors(browser, _OURS, server, count) as visitors:
        *stay, leave = visitors
        stay[0].wait_for_timeout(3000)
        left = time.time()
        leave.context.close()
        stay[0].wait_for_timeout(3000)
        return summarise_departure([_frames(visitor, left - 3, left + 3) for visitor in stay], left)


@contextmanager
def _visitors(browser: Any, page: _Contestant, server: PageServer, count: int) -> Iterator[list[Any]]:
    """Yield `count` visitors at once, with running cameras, who have seen their first frames."""
    from playwright.sync_api import Error

    with ExitStack() as stack:
        visitors = []
        try:
            for _ in range(count):
                context = stack.enter_context(browser.new_context(permissions=["camera"]))
                visitors.append(context.new_page())
                visitors[-1].set_default_timeout(_TIMEOUT_MS)
                visitors[-1].add_init_script(page.script)
                visitors[-1].goto(server.url + page.anchor)
                visitors[-1].wait_for_selector(page.clicks[0])
                if page is _DEVICE:
                    visitors[-1].click(*page.clicks)
                    visitors[-1].wait_for_function(_WARM)
                    visitors[-1].reload()
                    visitors[-1].wait_for_selector(page.clicks[0])
            for visitor in visitors:  # a page loads slowly while cameras are running
                for button in page.clicks:
                    visitor.click(button)
            for visitor in visitors:
                visitor.wait_for_function(_WARM)
            visitors[0].wait_for_timeout(_WARM_UP_MS)
        except Error as error:
            what = f"{page.name} did not show {_WARM_UP_FRAMES} analysed frames to each of {count} visitors"
            raise BenchmarkError(f"{what}: {error.message}\n{server.last_words()}") from error
        yield visitors


def _frames(visitor: Any, start: float, end: float) -> list[Frame]:
    """Read the frames that a visitor was shown between two times, in seconds since 1970."""
    noted = visitor.evaluate("window.noted")
    frames = (Frame(frame["at"] / 1000, frame["latency"], frame["width"], frame["stages"]) for frame in noted)
    return [frame for frame in frames if start <= frame.at < end]


def _machine() -> dict[str, str]:
    """Describe what the figures depend on, apart from this repository."""
    versions = {name: importlib.metadata.version(name) for name in ("gradio", "torch", "mediapipe")}
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    return {
        "date": time.strftime("%Y-%m-%d"),
        "processor": _processor(),
        "cores": str(core_count()),
        "load before": load,
        "Python": platform.python_version(),
        **versions,
    }


def _processor() -> str:
    """Model name of the processor."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text(encoding="utf-8").splitlines() if information.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()
