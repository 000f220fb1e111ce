"""The order in which faces are numbered, as one reads a page: row by row, left to right."""

from collections.abc import Sequence
from statistics import mean

from demo.pipeline.face import Face

# A share of a face's height: a face whose middle is further than this below the middle of a row begins the next row.
# People who stand side by side differ by less, even a child and a tall man close together.
_ROW_HEIGHT = 0.75


def in_reading_order(faces: Sequence[Face]) -> tuple[Face, ...]:
    """Sort faces as one would count them: the rows of a group from the top, each from left to right.

    Args:
        faces: of one picture, in any order.

    Returns:
        The same faces.
    """
    rows: list[list[Face]] = []
    for face in sorted(faces, key=_middle_y):
        if rows and _belongs(face, rows[-1]):
            rows[-1].append(face)
        else:
            rows.append([face])
    return tuple(face for row in rows for face in sorted(row, key=lambda face: face.box[0] + face.box[2] / 2))


def _belongs(face: Face, row: list[Face]) -> bool:
    """Whether a face lower than all faces of a row still belongs to it."""
    height = max(face.box[3], mean(other.box[3] for other in row))
    return _middle_y(face) - mean(map(_middle_y, row)) < _ROW_HEIGHT * height


def _middle_y(face: Face) -> float:
    return face.box[1] + face.box[3] / 2
