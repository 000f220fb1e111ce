"""Docstrings of the functions for programs and language models, in the form that Gradio reads."""

from collections.abc import Mapping

FORMATS = "JPEG, PNG, WebP, GIF, TIFF, BMP"
ANSWER = (
    '{"faces": [{"number", "box": [x, y, width, height] in pixels, "probabilities": {attribute: 0 to 1}, "ticks": '
    '{attribute: true, false, or null where it is not sure}, "warnings": [why not to trust it]}], "operating_point", '
    '"width", "height", "weights"}'
)


def docstring(summary: str, arguments: Mapping[str, str], returns: str = "") -> str:
    """Write a docstring.

    Args:
        summary: what the function does.
        arguments: name -> what it is, on a single line: Gradio drops all further ones.
        returns: what the function answers; empty if the summary says so.
    """
    lines = [summary, "", "Args:", *(f"    {name}: {text}" for name, text in arguments.items())]
    if returns:
        lines += ["", "Returns:", f"    {returns}"]
    return "\n".join(lines)
