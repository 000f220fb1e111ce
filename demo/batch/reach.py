"""Tells a picture that cannot be read from a disk or a network that is gone, at which a run has to stop."""

from collections.abc import Sequence
from pathlib import Path

from demo.batch.journal import Entry
from demo.batch.outcome import Outcome


class AllOutOfReachError(RuntimeError):
    """Pictures that could be read can be read no more; the message says which and why."""


class Reach:
    """Notices when pictures that were read are out of reach.

    Otherwise a network share that is away for a minute would cost all pictures that a run comes to in that minute.

    Args:
        done: the pictures of an earlier run that goes on.
    """

    def __init__(self, done: Sequence[Entry]) -> None:
        self._read = next((entry.file for entry in reversed(done) if entry.failure is None), "")

    def check(self, outcome: Outcome) -> None:
        """Note how the next picture has fared.

        Args:
            outcome: its result.

        Raises:
            AllOutOfReachError: neither can that of the last picture that was read.
        """
        if outcome.failure is None:
            self._read = outcome.file
        elif outcome.out_of_reach and self._read:
            try:
                with Path(self._read).open("rb") as picture:
                    picture.read(1)
            except OSError as error:
                reason = error.strerror or error
                raise AllOutOfReachError(
                    f"{outcome.file} cannot be read, nor can {self._read} any more, which was read before: {reason}"
                ) from error
