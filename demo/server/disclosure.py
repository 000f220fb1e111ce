"""What visitors are told before the camera starts: who runs the page, and what it does to their pictures."""

from collections.abc import Sequence

from markupsafe import Markup

from demo.server.attributes import display_name
from demo.server.markup import render

_MAX_EXAMPLES = 3


def disclosure(operator: str | None, attributes: Sequence[str]) -> Markup:
    """The sentence as HTML; empty without an operator.

    Args:
        operator: who runs the page.
        attributes: what the network reads.
    """
    if operator is None:
        return Markup()
    if {"Male", "Young"} <= set(attributes):
        examples = "hair, glasses and impressions of age and sex"
    else:
        examples = ", ".join(display_name(name) for name in attributes[:_MAX_EXAMPLES])
    return render("shared/disclosure.html", operator=operator, examples=examples)
