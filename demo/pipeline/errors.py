"""What an analysis fails with where memory or a device gives out, whichever library it happens in."""

import cv2

# OpenCV's error is neither; torch, MediaPipe, numpy and slimnet raise one of the others.
FAILURES = (MemoryError, RuntimeError, cv2.error)


def reason(failure: Exception) -> str:
    """Why it failed, for people."""
    out_of_memory = isinstance(failure, cv2.error) and failure.code == cv2.Error.StsNoMem
    return "not enough memory" if out_of_memory else str(failure) or "not enough memory"
