"""Annotate one picture: from a file name to the rows of the table."""

from functools import partial

from demo.annotate.why import WhyPictures
from demo.batch.outcome import Outcome
from demo.pictures.decode import OutOfReachError, PictureError, open_picture
from demo.pipeline.analyse import CropPredictor, Pipeline
from demo.pipeline.errors import FAILURES, reason
from demo.pipeline.table import decision_cells, face_rows, probability_cells


def annotate_picture(
    pipeline: Pipeline[CropPredictor], file: str, decisions: str | None = None, why: WhyPictures | None = None
) -> Outcome:
    """Open a picture and find its faces and their attributes.

    Args:
        pipeline: finds the faces and predicts.
        file: path of the picture.
        decisions: the operating point to decide the attributes at; None for probabilities.
        why: writes a picture for each face; None for none.

    Returns:
        The rows of its faces, or the reason why it could not be read or analysed.

    Raises:
        OSError: the picture for a face cannot be written.
    """
    cells = probability_cells
    if decisions:
        cells = partial(decision_cells, names=pipeline.attributes, calibration=pipeline.calibration, point=decisions)
    try:
        analysis = pipeline.analyse_photo(open_picture(file), explained=why is not None)
    except (PictureError, *FAILURES) as error:
        return Outcome(file, [], f"{file}: {reason(error)}", isinstance(error, OutOfReachError))
    if why:
        why.write(file, analysis)
    return Outcome(file, face_rows(analysis, file, cells))
