"""Make the screenshots of the README: `python -m demo.screenshots`.

Serves the page, opens it in headless Chromium before a camera that films the example portrait, and writes
assets/screenshots/wide-light.png, wide-dark.png and phone.png.
"""

import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

from demo.chromium import launch, portrait_frames, write_film
from demo.page import build, launch_options
from demo.pictures import open_picture
from demo.pipeline import Pipeline

_ASSETS = Path(__file__).parent.parent / "assets"
_VIEWS = {  # file name -> width, height, colour scheme, whether all of the page is shown
    "wide-light": (1400, 1000, "light", True),
    "wide-dark": (1400, 1000, "dark", True),
    "phone": (390, 844, "light", False),
}


def main() -> None:
    portrait = open_picture(_ASSETS / "examples" / "eileen_collins.jpg")
    page = build(Pipeline())
    _, address, _ = page.launch(prevent_thread_lock=True, **launch_options())
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        film, group = Path(folder, "film.y4m"), Path(folder, "group.png")
        write_film(film, portrait_frames(portrait))
        Image.fromarray(montage(portrait)).save(group)
        browser = launch(playwright, film)
        for name in _VIEWS:
            photograph(browser, address, group, name)
        browser.close()
    page.close()


def montage(portrait: np.ndarray) -> np.ndarray:
    """A picture with three faces, made of a portrait (H, W, 3), its mirror image and a brighter copy."""
    brighter = cv2.convertScaleAbs(portrait, alpha=1.1, beta=12)
    return np.hstack((portrait, portrait[:, ::-1], brighter))[: portrait.shape[0] * 3 // 4]


def photograph(browser: Any, address: str, group: Path, name: str) -> None:
    """Write one screenshot with the camera running and a photo analysed."""
    width, height, scheme, whole = _VIEWS[name]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        permissions=["camera"],
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(address)
    page.click("#live-start")
    page.set_input_files("#photo input[type=file]", group)
    page.wait_for_selector("#photo[data-faces='3']")
    page.click("#photo [data-face='2']")
    page.wait_for_function("Number(document.querySelector('#live').dataset.frame) > 60")
    page.evaluate("window.scrollTo(0, 0)")
    target = _ASSETS / "screenshots" / f"{name}.png"
    target.parent.mkdir(exist_ok=True)
    page.screenshot(path=target, full_page=whole)
    context.close()
    print(target)


if __name__ == "__main__":
    main()
