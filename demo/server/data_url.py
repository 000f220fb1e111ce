"""Pictures as text: base64, bare or in a `data:` address (RFC 2397)."""

import base64

import cv2
import numpy as np

_JPEG = "data:image/jpeg;base64,"
_WHITESPACE = b" \t\r\n\f\v"


def is_jpeg(text: str) -> bool:
    """Whether a text is the `data:` address of a JPEG, by its media type alone.

    Args:
        text: anything.
    """
    return text.startswith(_JPEG)


def encode_jpeg(pixels: np.ndarray, quality: int) -> bytes:
    """Encode a picture as JPEG.

    Args:
        pixels: (height, width, 3) uint8, RGB.
        quality: JPEG quality, 0 to 100.

    Returns:
        The bytes of the file.

    Raises:
        cv2.error: there is not enough memory for it.
    """
    parameters = (cv2.IMWRITE_JPEG_QUALITY, quality)
    _, file = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), parameters)
    return file.tobytes()


def jpeg_url(file: bytes) -> str:
    """The `data:` address of a JPEG file.

    Args:
        file: the bytes of the file.
    """
    return _JPEG + to_base64(file)


def to_base64(file: bytes) -> str:
    """Encode a file in base64.

    Args:
        file: the bytes of the file.
    """
    return base64.b64encode(file).decode()


def decode(text: str) -> bytes:
    """Decode a file from a `data:` address, or from bare base64.

    Args:
        text: the address or the base64, which may be broken into lines.

    Returns:
        The bytes of the file.

    Raises:
        ValueError: the text is not base64.
    """
    encoded = text.partition(",")[2] if text.startswith("data:") else text
    # Not `split`, which would make millions of strings from a picture with a space after every few characters.
    return base64.b64decode(encoded.encode().translate(None, _WHITESPACE), validate=True)
