"""JPEG files without segments that make Pillow fail if they are damaged: JFIF, Photoshop and comments."""

from demo.pictures.jpeg_marks import COMMENT, JFIF, PHOTOSHOP, PROFILE, START_OF_SCAN


def without_damage(data: bytes) -> bytes:
    """Leave out segments that say nothing about the pixels, and ICC segments that are too short.

    Args:
        data: a JPEG file.

    Returns:
        The file without the JFIF, Photoshop and comment segments, and without ICC segments that are too short.
    """
    parts, position = [data[:2]], 2
    while data[position : position + 1] == b"\xff" and position + 4 <= len(data):
        kind = data[position + 1]
        if kind == START_OF_SCAN:
            break
        end = position + 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        body = data[position + 4 : end]
        is_short_profile = kind == PROFILE and len(body) < 14
        if kind not in (JFIF, PHOTOSHOP, COMMENT) and not is_short_profile:
            parts.append(data[position:end])
        position = end
    return b"".join(parts) + data[position:]
