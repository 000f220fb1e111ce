"""Colour profiles in the headers of AVIF and JPEG 2000 files, which Pillow does not pass on."""

from typing import IO

from demo.limits import MAX_COLOUR_BOX_BYTES
from slimnet.colour.icc_profile import coded_profile


def boxed_profile(file: IO[bytes]) -> bytes:
    """The ICC profile in the first `colr` box, or made from the codes in it.

    Args:
        file: an AVIF or JPEG 2000 file, read from its beginning.

    Returns:
        The profile; empty for sRGB, and if there is no such box.
    """
    file.seek(0)
    head = file.read(MAX_COLOUR_BOX_BYTES)
    start = head.find(b"colr") + 4
    if start < 8:
        return b""
    box = head[start : start - 8 + int.from_bytes(head[start - 8 : start - 4], "big")]
    if box.startswith(b"nclx") and len(box) >= 8:
        return coded_profile(int.from_bytes(box[4:6], "big"), int.from_bytes(box[6:8], "big")) or b""
    is_profile = box[:1] in (b"\2", b"\3") and box[3 + 36 : 3 + 40] == b"acsp"  # JPEG 2000: after three bytes
    return box[3:] if is_profile else b""
