"""The weights' operating points in words, the same for the page, its API and the commands."""

from typing import NamedTuple

from slimnet.calibration import ACCURACY, BALANCED, F1


class PointWords(NamedTuple):
    """An operating point in words.

    Attributes:
        title: its name on the page's switch.
        aim: what it is for, after its name: "accuracy for the fewest mistakes".
        meaning: what it does, in a sentence.
    """

    title: str
    aim: str
    meaning: str


# In the order of the switch: on the whole each finds more than the one before, though not of what most faces have. The
# first applies until the visitor changes it.
POINTS = {
    ACCURACY: PointWords(
        "Fewest mistakes",
        "for the fewest mistakes",
        "Answers only where it is hardly ever wrong; elsewhere it is not sure.",
    ),
    F1: PointWords(
        "Balanced", "for wrong and missed ticks in balance", "Counts a wrong tick and a missed one as equally bad."
    ),
    BALANCED: PointWords(
        "Find all",
        "to find most",
        "On the whole finds most of what is there, but also ticks more boxes wrongly.",
    ),
}

# For people who choose one by its name. It tells the page's titles, since "balanced" is not what the page calls
# "Balanced".
CHOICES = ", ".join(f"{point} {words.aim} (the page's '{words.title}')" for point, words in POINTS.items())
