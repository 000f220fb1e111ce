"""Where in CelebA's aligned crops an attribute can be seen: boxes around the mean places of eyes, nose and mouth.

Alignment puts the eyes at (69, 111) and (108, 111) and the middle of the mouth at (88, 152) of 178x218 pixels, so a box
fits every face that looks ahead. They were drawn before anything was measured, except the hair's, which was narrowed
later to leave out the background.
"""

import numpy as np

from slimnet.explain import Cells

HEIGHT, WIDTH = 218, 178

Box = tuple[int, int, int, int]  # left, top, right, bottom, in pixels of the crop
Region = tuple[Box, ...]  # boxes that do not overlap

_BROWS = ((46, 86, 131, 112),)
_CHEEKS = ((46, 116, 131, 150),)
_HAIR = ((26, 26, 50, 180), (127, 26, 152, 180), (50, 26, 127, 76))
_LOWER_FACE = ((50, 134, 127, 190),)
_MOUTH = ((62, 136, 115, 172),)
_NOSE = ((70, 104, 107, 146),)

# Attractive, Blurry, Male, Oval_Face and Young have no place of their own.
REGIONS: dict[str, Region] = {
    "5_o_Clock_Shadow": _LOWER_FACE,
    "Arched_Eyebrows": _BROWS,
    "Bags_Under_Eyes": ((50, 108, 127, 136),),
    "Bald": ((36, 24, 141, 90),),
    "Bangs": ((44, 50, 133, 104),),
    "Big_Lips": _MOUTH,
    "Big_Nose": _NOSE,
    "Black_Hair": _HAIR,
    "Blond_Hair": _HAIR,
    "Brown_Hair": _HAIR,
    "Bushy_Eyebrows": _BROWS,
    "Chubby": ((40, 116, 137, 200),),
    "Double_Chin": ((52, 162, 125, 206),),
    "Eyeglasses": ((46, 92, 131, 134),),
    "Goatee": ((62, 150, 115, 190),),
    "Gray_Hair": _HAIR,
    "Heavy_Makeup": ((46, 90, 131, 172),),
    "High_Cheekbones": _CHEEKS,
    "Mouth_Slightly_Open": _MOUTH,
    "Mustache": ((66, 134, 111, 154),),
    "Narrow_Eyes": ((52, 98, 125, 124),),
    "No_Beard": _LOWER_FACE,
    "Pale_Skin": ((46, 90, 131, 180),),
    "Pointy_Nose": _NOSE,
    "Receding_Hairline": ((44, 36, 133, 90),),
    "Rosy_Cheeks": _CHEEKS,
    "Sideburns": ((38, 100, 58, 160), (119, 100, 139, 160)),
    "Smiling": ((52, 128, 125, 172),),
    "Straight_Hair": _HAIR,
    "Wavy_Hair": _HAIR,
    "Wearing_Earrings": ((26, 120, 50, 175), (127, 120, 151, 175)),
    "Wearing_Hat": ((24, 10, 154, 88),),
    "Wearing_Lipstick": _MOUTH,
    "Wearing_Necklace": ((40, 185, 138, 218),),
    "Wearing_Necktie": ((50, 180, 128, 218),),
}


def area(region: Region) -> float:
    """Compute a region's share of the crop.

    Args:
        region: Boxes that do not overlap.
    """
    return sum((right - left) * (bottom - top) for left, top, right, bottom in region) / (HEIGHT * WIDTH)


def inside(region: Region, cells: Cells) -> np.ndarray:
    """Compute how much of each cell lies in a region.

    Args:
        region: Boxes that do not overlap.
        cells: Of a map, in a crop of HEIGHT and WIDTH.

    Returns:
        float64 (h, w), shares of the cells' areas.
    """
    rows, columns = np.array(cells.rows), np.array(cells.columns)
    return sum(
        (
            np.outer(_overlaps(rows, top, bottom), _overlaps(columns, left, right))
            for left, top, right, bottom in region
        ),
        np.zeros((len(rows) - 1, len(columns) - 1)),
    )


def _overlaps(edges: np.ndarray, low: int, high: int) -> np.ndarray:
    """How much of each interval between neighbouring edges lies between low and high."""
    return np.maximum(0, np.minimum(edges[1:], high) - np.maximum(edges[:-1], low)) / np.diff(edges)
