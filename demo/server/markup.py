"""Text from elsewhere in the page's HTML."""

import html

# Gradio runs the HTML of a component first as a Handlebars template, then as a JavaScript template literal.
_TEMPLATE_SIGNS = str.maketrans({sign: f"&#{ord(sign)};" for sign in "`$\\{}"})


def escaped(text: str) -> str:
    """The text as part of a template of `gr.HTML`, between tags or in an attribute in double quotes."""
    return html.escape(text).translate(_TEMPLATE_SIGNS)
