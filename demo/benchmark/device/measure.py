"""How similar to the server's engine the browser's is, and how fast.

Headless Chromium without a GPU and the pipeline in this process read the same picture files, then follow the same
film, one after the other. A frame's processor time is meaningful even on a busy machine.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
import torch
from tqdm import tqdm

from demo.benchmark.browser import browser_before, portrait_frames
from demo.benchmark.device.page import load_engine, served
from demo.benchmark.validation import validation_files, validation_picture
from demo.device_files import device_files
from demo.paths import EXAMPLES
from demo.pictures.decode import open_picture
from demo.pipeline.analyse import CropPredictor, Pipeline

_PORTRAIT = EXAMPLES / "eileen_collins.jpg"
_FRAME_SIZE = (480, 360)  # pixels, as the page sends them
_WARM_UP_FRAMES = 60  # while the browser is still compiling
_TIMEOUT_MS = 300_000
# Must agree exactly: a different warning would be as wrong as a different box.
_EXACT = ("box", "warnings")
_READ = "async ([file, photo]) => engine.analyse(await (await fetch(file)).blob(), {photo})"
# For every second frame it asks why, if there is an attribute to ask about.
_RUN = """async ([frames, seconds, least, attribute]) => {
    const read = async (frame) => createImageBitmap(await (await fetch(frame)).blob());
    const stills = (window.stills ??= await Promise.all(frames.map(read))); // once, before anything is measured
    const canvas = Object.assign(document.createElement("canvas"), {width: stills[0].width, height: stills[0].height});
    const answers = [];
    const began = performance.now();
    for (let number = 0; performance.now() < began + 1000 * seconds || number < least; number++) {
      canvas.getContext("2d").drawImage(stills[number % stills.length], 0, 0);
      const why = attribute && number % 2 ? {face: 1, attribute} : null;
      const {faces, ms} = await engine.analyse(canvas, {visitor: "film", why});
      answers.push({faces: faces.length, explained: faces.some((face) => face.why), ms});
    }
    return {answers, seconds: (performance.now() - began) / 1000};
}"""


@dataclass(frozen=True)
class Equality:
    """How far apart the two engines' answers are.

    Attributes:
        pictures: how many both read.
        differing: pictures with a different number of faces, box or warning.
        largest: largest difference of a probability, 0 to 1.
        mean: mean difference of all probabilities.
    """

    pictures: int
    differing: int
    largest: float
    mean: float


@dataclass(frozen=True)
class Run:
    """How an engine followed a film.

    Attributes:
        seconds: how long it took.
        processor_seconds: its processor time in that time, on all cores.
        answers: for each frame the number of faces, whether one is explained, and `ms`: stage -> milliseconds.
    """

    seconds: float
    processor_seconds: float
    answers: list[dict[str, Any]]


def report_device(data_dir: Path, images: int, seconds: int, weights: Path) -> None:
    """Print how similar both engines are on CelebA's validation pictures, and how fast on a film.

    Args:
        data_dir: CelebA in Kaggle's CSV layout.
        images: how many validation pictures, at most.
        seconds: how long each engine follows the film.
        weights: SlimNet's weights.

    Raises:
        demo.benchmark.browser.BrowserError: there is no browser to measure with, or it failed.
        demo.device_files.DeviceFilesError: what the browser needs is not installed.
    """
    print(f"load before: {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "load before: unknown")
    torch.set_num_threads(1)  # as demo.server.command does
    pipeline = Pipeline.load(weights, "cpu")
    files = device_files(weights)
    pictures = validation_files(data_dir, images)
    with _engine(files) as page:
        for way, as_photos in (("as photos", True), ("as camera frames", False)):
            found = measure_equality(page, files, pipeline, pictures, as_photos=as_photos)
            print(
                f"{found.pictures} validation pictures {way}: largest difference {found.largest:.5f}, "
                f"mean {found.mean:.6f}; other faces, boxes or warnings in {found.differing}"
            )
        frames = [
            cv2.resize(frame, _FRAME_SIZE, interpolation=cv2.INTER_AREA)
            for frame in portrait_frames(open_picture(_PORTRAIT))
        ]
        print_pace("this device", run_in_browser(page, files, frames, seconds))
        print_pace("this process", run_here(pipeline, frames, seconds))
        print_reasons(run_in_browser(page, files, frames, seconds, pipeline.attributes[0]))


def measure_equality(
    page: Any, files: dict[str, bytes], pipeline: Pipeline[CropPredictor], pictures: list[Path], *, as_photos: bool
) -> Equality:
    """Have both engines read picture files.

    Args:
        page: of playwright, with the engine loaded.
        files: served to the page; the pictures are added.
        pipeline: of the server.
        pictures: their files.
        as_photos: read them as photos, not as camera frames.

    Returns:
        How far apart they are, over the faces that both found.
    """
    analyse = pipeline.analyse_photo if as_photos else pipeline.analyse_camera_frame
    differences: list[np.ndarray] = []
    differing = 0
    for path in tqdm(pictures, leave=False):
        files[path.name] = path.read_bytes()
        answer = page.evaluate(_READ, [f"/engine/{path.name}", as_photos])
        here = analyse(validation_picture(path)).faces
        there = answer.get("faces", [])
        expected = [[list(face.box), list(face.warnings)] for face in here]
        if [[face[part] for part in _EXACT] for face in there] != expected:
            differing += 1
        if len(there) == len(here):
            differences += [
                np.abs(np.array(one["probabilities"]) - other.probabilities)
                for one, other in zip(there, here, strict=True)
            ]
    all_differences = np.concatenate([np.zeros(1), *differences])
    return Equality(len(pictures), differing, float(all_differences.max()), float(all_differences.mean()))


def run_in_browser(
    page: Any, files: dict[str, bytes], frames: list[np.ndarray], seconds: float, attribute: str | None = None
) -> Run:
    """Have the browser follow a film, over and over.

    Args:
        page: of playwright, with the engine loaded.
        files: served to the page; the frames are added.
        frames: each (height, width, 3) uint8 RGB.
        seconds: for how long, after the first frames, while the browser is still compiling.
        attribute: asked to be explained for every second frame; None: for none.

    Returns:
        The measurements.
    """
    for number, frame in enumerate(frames):
        files[f"frame{number}"] = cv2.imencode(".png", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))[1].tobytes()
    addresses = [f"/engine/frame{number}" for number in range(len(frames))]
    page.evaluate(_RUN, [addresses, 0, _WARM_UP_FRAMES, attribute])
    before = _browser_seconds(page)
    found = page.evaluate(_RUN, [addresses, seconds, 2, attribute])
    return Run(found["seconds"], _browser_seconds(page) - before, found["answers"])


def run_here(pipeline: Pipeline[CropPredictor], frames: list[np.ndarray], seconds: float) -> Run:
    """Follow a film in this process, over and over.

    Args:
        pipeline: of the server.
        frames: each (height, width, 3) uint8 RGB.
        seconds: for how long.

    Returns:
        The measurements.
    """
    stream = pipeline.stream()
    answers: list[dict[str, Any]] = []
    begin, before = time.perf_counter(), time.process_time()
    while (now := time.perf_counter()) < begin + seconds or not answers:
        analysis = stream.analyse(frames[len(answers) % len(frames)], now)
        answers.append({"faces": len(analysis.faces), "explained": False, "ms": vars(analysis.timings)})
    return Run(time.perf_counter() - begin, time.process_time() - before, answers)


def print_pace(engine: str, run: Run) -> None:
    """Print frames a second, processor time and the stages of a run.

    Args:
        engine: its name.
        run: its measurements.
    """
    count = len(run.answers)
    stages = {stage: median(answer["ms"][stage] for answer in run.answers) for stage in run.answers[0]["ms"]}
    parts = ", ".join(f"{stage} {milliseconds:.1f}" for stage, milliseconds in stages.items())
    with_face = sum(answer["faces"] == 1 for answer in run.answers)
    print(
        f"{engine}: {count / run.seconds:.1f} frames/s, {with_face} of {count} with the face; "
        f"{1000 * run.processor_seconds / count:.1f} ms of processor time a frame; median ms: {parts}"
    )


def print_reasons(run: Run) -> None:
    """Print how much longer the network takes for frames that it explains than for the others of the same run.

    Args:
        run: the browser's measurements, with an attribute.
    """
    asked, plain = (
        median(answer["ms"]["infer"] for answer in run.answers if answer["explained"] is explained)
        for explained in (True, False)
    )
    print(f"asked why: {asked - plain:.1f} ms more a frame (median infer {asked:.1f} against {plain:.1f})")


def _browser_seconds(page: Any) -> float:
    """Processor time of all the browser's processes so far."""
    session = page.context.browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    return sum(process["cpuTime"] for process in processes)


@contextmanager
def _engine(files: dict[str, bytes]) -> Iterator[Any]:
    """Yield a browser page with the engine loaded."""
    with browser_before(0) as browser, served(files) as address:
        page = browser.new_page()
        page.set_default_timeout(_TIMEOUT_MS)
        page.goto(address)
        began = time.perf_counter()
        load_engine(page)
        print(f"engine loaded in {time.perf_counter() - began:.1f} s")
        yield page
