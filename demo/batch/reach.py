"""Tells a picture that cannot be read from a disk or a network that is gone, at which a run has to stop."""

from pathlib import Path


class AllOutOfReachError(RuntimeError):
    """Pictures that could be read can be read no more; the message says which and why."""


class Reach:
    """Notices when pictures that were read are out of reach.

    Otherwise a network share that is away for a minute would cost all pictures that a run comes to in that minute.

    Args:
        read: name of a picture that an earlier run has read; empty if there is none.
    """

    def __init__(self, read: str = "") -> None:
        self._read = read

    def check(self, file: str, *, failed: bool, out_of_reach: bool) -> None:
        """Note how the next picture has fared.

        Args:
            file: its name.
            failed: whether it could not be read, for any reason.
            out_of_reach: whether its file is not there or cannot be read.

        Raises:
            AllOutOfReachError: neither can that of the last picture that was read.
        """
        if not failed:
            self._read = file
        elif out_of_reach and self._read:
            try:
                with Path(self._read).open("rb") as picture:
                    picture.read(1)
            except OSError as error:
                reason = error.strerror or error
                raise AllOutOfReachError(
                    f"{file} cannot be read, nor can {self._read} any more, which was read before: {reason}"
                ) from error
