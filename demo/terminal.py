"""Text that a terminal can show safely."""

from unicodedata import category


def printable(text: str) -> str:
    """Escape text so that it fits on one line and can't harm a terminal.

    Args:
        text: may contain file names with line feeds, control characters, or bytes that are not UTF-8.
    """
    return "".join(c if c.isprintable() or category(c) == "Zs" else ascii(c)[1:-1] for c in text)  # Zs: spaces
