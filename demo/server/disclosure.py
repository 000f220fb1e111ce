"""What visitors are told before the camera starts: who runs the page, and what it does to their pictures."""

from collections.abc import Sequence

from demo.server.attributes import display_name
from demo.server.markup import escaped

_NAMED = 3


def disclosure(operator: str | None, attributes: Sequence[str]) -> str:
    """The sentence as HTML; empty without an operator.

    Args:
        operator: who runs the page.
        attributes: what the network reads.
    """
    if operator is None:
        return ""
    if {"Male", "Young"} <= set(attributes):
        examples = "hair, glasses and impressions of age and sex"
    else:
        examples = ", ".join(display_name(name) for name in attributes[:_NAMED])
    return (
        f"<strong><bdi>{escaped(operator)}</bdi> runs this page.</strong> A computer program reads attributes from your"
        f" face, such as {escaped(examples)}; pictures are not stored."
    )
