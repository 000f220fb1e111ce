"""One picture for each face, of the places that spoke for and against an attribute, with numbers that add up."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from demo.batch.inputs import path_hash
from demo.pipeline.analyse import ExplainingPredictor
from demo.pipeline.result import Analysis
from slimnet.explain import Explanation
from slimnet.files.atomic import replacement

_SCALE = 4  # pixels of the picture per pixel of the crop
_FOR, _AGAINST = (40, 132, 255), (255, 122, 24)
_MOST_OPAQUE = 0.6
_NUMBERED_CELLS = 4
_CAPTION_PIXELS = 84
_MAX_NAME_BYTES = 180  # of the part taken from the file's name


@dataclass(frozen=True)
class WhyPictures:
    """Writes the pictures for one attribute.

    Attributes:
        folder: An existing folder to write them to.
        attribute: Name of the attribute.
        predictor: the one that predicts it.
    """

    folder: Path
    attribute: str
    predictor: ExplainingPredictor

    def write(self, file: str, analysis: Analysis) -> None:
        """Write a picture for each face of a file.

        Args:
            file: path of the file, which the pictures are named after.
            analysis: its faces, with features.

        Raises:
            OSError: A picture cannot be written.
        """
        place = analysis.attributes.index(self.attribute)
        for face in analysis.faces:
            assert face.features is not None, "the faces were analysed without their features"
            explanation = self.predictor.explain_features(face.features, [place])
            with replacement(self.folder / f"{_flat(file)}-face-{face.number}.png") as part:
                draw_why(face.crop, explanation, self.attribute).save(part, format="png")


def draw_why(crop: np.ndarray, explanation: Explanation, attribute: str) -> Image.Image:
    """Draw one map over a face.

    Args:
        crop: (218, 178, 3) uint8 RGB.
        explanation: of this crop, for this attribute only.
        attribute: its name, for the caption.

    Returns:
        The enlarged crop: blue cells with a plus sign spoke for the attribute, orange ones with a stripe against it.
        The strongest show their log-odds, and the caption adds them up.
    """
    height, width = crop.shape[:2]
    drawn = Image.new("RGB", (_SCALE * width, _SCALE * height + _CAPTION_PIXELS), "white")
    drawn.paste(Image.fromarray(crop).resize((_SCALE * width, _SCALE * height), Image.Resampling.BICUBIC))
    cells = explanation.maps[0, 0]
    sizes = np.sort(np.abs(cells).ravel())
    most, numbered = max(float(sizes[-1]), 1e-9), sizes[-_NUMBERED_CELLS]
    pen = ImageDraw.Draw(drawn, "RGBA")
    for (row, column), value in np.ndenumerate(cells):
        left, right = (round(_SCALE * edge) for edge in explanation.cells.columns[column : column + 2])
        top, bottom = (round(_SCALE * edge) for edge in explanation.cells.rows[row : row + 2])
        _draw_cell(pen, (left, top, right - 1, bottom - 1), float(value), abs(value) / most, abs(value) >= numbered)
    text = ImageFont.load_default(22)
    for line, words in enumerate(_caption(explanation, attribute)):
        pen.text((12, _SCALE * height + 10 + 34 * line), words, fill="black", font=text)
    return drawn


def _draw_cell(
    pen: ImageDraw.ImageDraw, box: tuple[int, int, int, int], value: float, share: float, numbered: bool
) -> None:
    """Colour one cell by its share of the strongest, with a sign that is clear without colour."""
    opacity = round(255 * _MOST_OPAQUE * share)
    pen.rectangle(box, fill=(*(_FOR if value > 0 else _AGAINST), opacity))
    left, top, right, bottom = box
    x, y, arm = (left + right) / 2, (top + bottom) / 2, 8
    sign = (255, 255, 255, min(255, 2 * opacity))
    if numbered:
        label = f"{value:+.2f}"
        pen.text((x, y), label, fill="white", font=ImageFont.load_default(18), anchor="mm", stroke_width=2,
                 stroke_fill="black")  # fmt: skip
    else:
        pen.line((x - arm, y, x + arm, y), fill=sign, width=2)
        if value > 0:
            pen.line((x, y - arm, x, y + arm), fill=sign, width=2)


def _caption(explanation: Explanation, attribute: str) -> tuple[str, str]:
    """The probability, and the numbers that add up to it."""
    cells, bias = explanation.maps[0, 0], float(explanation.bias[0])
    speaks_for, against = float(cells[cells > 0].sum()), float(cells[cells < 0].sum())
    total = bias + speaks_for + against
    return (
        f"{attribute}: {100 * explanation.probabilities[0, 0]:.1f} %, log-odds {total:+.2f}",
        f"for {speaks_for:+.2f}, against {against:+.2f}, without a face {bias:+.2f}",
    )


def _flat(file: str) -> str:
    """A file's path as a single name, cut at the start if it is too long; the hash tells a/b from a_b."""
    name = re.sub(r"[/\\:]", "_", os.path.normpath(file)).lstrip("._") or "picture"  # a colon ends Windows' drives
    while len(os.fsencode(name)) > _MAX_NAME_BYTES:  # by whole characters
        name = name[1:]
    return f"{name}-{path_hash(file)}"
