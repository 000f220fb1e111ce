"""The exceptions of an analysis that runs out of memory or loses its device, and how to put them into words."""

import cv2

# torch, MediaPipe, numpy and slimnet raise the first two; OpenCV's error is neither.
FAILURES = (MemoryError, RuntimeError, cv2.error)
# What torch says, on Linux, on Windows and on a GPU; then C++ and Python. None has an exception of its own for it.
_SHORTAGES = ("can't allocate memory", "not enough memory", "out of memory", "bad_alloc", "can't start new thread")


def is_shortage(failure: Exception) -> bool:
    """Whether an analysis failed since this machine lacks memory or threads, of which it may have more later.

    Args:
        failure: one of `FAILURES`.
    """
    said = str(failure).lower()
    return isinstance(failure, MemoryError) or _is_opencvs(failure) or any(sign in said for sign in _SHORTAGES)


def reason(failure: Exception) -> str:
    """Say why an analysis failed, for people to read.

    Args:
        failure: one of `FAILURES`, or an error whose message is meant for people.

    Returns:
        The error's own message, or "not enough memory" if it has none or OpenCV ran out of memory.
    """
    return "not enough memory" if _is_opencvs(failure) else str(failure) or "not enough memory"


def _is_opencvs(failure: Exception) -> bool:
    """Whether OpenCV ran out of memory."""
    return isinstance(failure, cv2.error) and failure.code == cv2.Error.StsNoMem
