"""The exceptions of an analysis that runs out of memory or loses its device, and how to put them into words."""

import cv2

# torch, MediaPipe, numpy and slimnet raise the first two; OpenCV's error is neither.
FAILURES = (MemoryError, RuntimeError, cv2.error)


class TooManyFacesError(ValueError):
    """A picture shows more faces than allowed."""


def reason(failure: Exception) -> str:
    """Say why an analysis failed, for people to read.

    Args:
        failure: one of `FAILURES`, or an error whose message is meant for people.

    Returns:
        The error's own message, or "not enough memory" if it has none or OpenCV ran out of memory.
    """
    out_of_memory = isinstance(failure, cv2.error) and failure.code == cv2.Error.StsNoMem
    return "not enough memory" if out_of_memory else str(failure) or "not enough memory"
