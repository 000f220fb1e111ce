"""What a run of ``python -m demo.dataset`` did, in figures."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from demo.dataset.labels import Labels
from demo.dataset.plan import TRAIN, VALID, Picture
from demo.dataset.report import CROP, CROP_OF_SEVERAL, read_report
from demo.dataset.tables import crop_labels, crops


@dataclass(frozen=True)
class Summary:
    """What a run did.

    Attributes:
        outcomes: number of rows in the report by outcome.
        parts: number of crops by part of the data set: 0 train, 1 validation, 2 test.
        labels: (attributes, 3) number of crops in which each attribute is present, absent and unknown.
        attributes: their names.
    """

    outcomes: Counter[str]
    parts: Counter[int]
    labels: np.ndarray
    attributes: tuple[str, ...]

    @property
    def crops(self) -> int:
        """How many crops there are."""
        return self.parts.total()

    def lines(self, report: Path) -> Iterator[str]:
        """Put the summary into sentences.

        Args:
            report: path of the report.

        Yields:
            Lines for people.
        """
        parts = ", ".join(f"{name} {self.parts[part]:,}" for part, name in enumerate(("train", "valid", "test")))
        yield f"Crops: {self.crops:,} ({parts})."
        others = {name: count for name, count in self.outcomes.items() if name not in (CROP, CROP_OF_SEVERAL)}
        if others:
            listed = ", ".join(f"{name} {count:,}" for name, count in sorted(others.items()))
            yield f"Not cropped: {listed}. {report} names each."
        if self.outcomes[CROP_OF_SEVERAL]:
            yield f"Crops from pictures of several faces, without labels: {self.outcomes[CROP_OF_SEVERAL]:,}."
        for name, (present, absent, unknown) in zip(self.attributes, self.labels.tolist(), strict=True):
            yield f"{name}: {present:,} present, {absent:,} absent, {unknown:,} not known."
        for part, name in ((TRAIN, "training"), (VALID, "validation")):
            if self.crops and not self.parts[part]:
                yield f"There is no crop for {name}: training needs some. See --valid_share."


def summarise(report: Path, pictures: Sequence[Picture], labels: Labels | None) -> Summary:
    """Count the contents of a report.

    Args:
        report: the report, complete.
        pictures: its pictures.
        labels: their labels, if there are any.
    """
    attributes = labels.attributes if labels else ()
    counts = np.zeros((len(attributes), 3), int)
    parts: Counter[int] = Counter()
    for entry, picture in crops(report, pictures):
        parts[int(entry.partition)] += 1
        if labels:
            values = crop_labels(entry, picture, labels)
            counts += np.stack([values == 1, values == -1, values == 0], axis=1)
    return Summary(Counter(entry.outcome for entry in read_report(report)), parts, counts, attributes)
