"""JPEG files without segments that make Pillow fail if they are damaged: JFIF, Photoshop and comments."""

_END_OF_HEADER = 0xDA
_JFIF, _PROFILE, _PHOTOSHOP, _COMMENT = 0xE0, 0xE2, 0xED, 0xFE


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
        if kind == _END_OF_HEADER:
            break
        end = position + 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        body = data[position + 4 : end]
        is_short_profile = kind == _PROFILE and len(body) < 14
        if kind not in (_JFIF, _PHOTOSHOP, _COMMENT) and not is_short_profile:
            parts.append(data[position:end])
        position = end
    return b"".join(parts) + data[position:]
