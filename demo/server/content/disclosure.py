"""What visitors are told before the camera starts: who runs the page, and what it does to their pictures."""

from collections.abc import Sequence

from markupsafe import Markup

from demo.server.content.attributes import display_name
from demo.server.markup import render

_MAX_EXAMPLES = 3


def disclosure(operator: str | None, attributes: Sequence[str]) -> Markup:
    """Render the disclosure; empty without an operator.

    Args:
        operator: name of the person or organisation that runs the page, or None.
        attributes: names of the attributes that the network predicts.

    Returns:
        The sentence as HTML.
    """
    if operator is None:
        return Markup()
    if {"Male", "Young"} <= set(attributes):
        examples = "hair, glasses and impressions of age and sex"
    else:
        examples = ", ".join(display_name(name) for name in attributes[:_MAX_EXAMPLES])
    return render("shared/disclosure.html", operator=operator, examples=examples)
