"""What a run of ``python -m demo.annotate`` did, in figures and sentences."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TextIO

from demo.batch.journal import Entry
from demo.terminal import printable


@dataclass
class Summary:
    """What a run did.

    Attributes:
        pictures: how many were read.
        faces: how many were found in them.
        without_face: how many of the pictures have no face.
        failed: for each file or folder that could not be read, a sentence that says why.
        not_tried: sentences about files that were found but not tried.
    """

    pictures: int = 0
    faces: int = 0
    without_face: int = 0
    failed: list[str] = field(default_factory=list)
    not_tried: Sequence[str] = ()

    def add(self, entry: Entry) -> None:
        """Count a picture.

        Args:
            entry: the picture's journal entry.
        """
        if entry.failure:
            self.failed.append(entry.failure)
            return
        self.pictures += 1
        self.faces += entry.faces
        self.without_face += not entry.faces

    def report(self, file: TextIO) -> None:
        """Print the summary.

        Args:
            file: stream to print to.
        """
        text = f"Faces: {self.faces}. Pictures: {self.pictures}, of these without a face: {self.without_face}."
        print(text + (f" Could not be read: {len(self.failed)}." if self.failed else ""), file=file)
        for line in (*(f"  {reason}" for reason in self.failed), *self.not_tried):
            print(printable(line), file=file)
