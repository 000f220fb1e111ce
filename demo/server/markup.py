"""The page's HTML, made from the Jinja2 templates in `demo/browser`."""

from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from demo.paths import BROWSER

# Gradio runs the HTML of a component first as a Handlebars template, then as a JavaScript template literal.
_TEMPLATE_SIGNS = str.maketrans({sign: f"&#{ord(sign)};" for sign in "`$\\{}"})


def escaped(value: Any) -> Markup:
    """Escape a value for a template of `gr.HTML`, between tags or in an attribute in double quotes.

    Args:
        value: text, or anything that `str` accepts. `Markup` stays as it is.

    Returns:
        The text, with every character escaped that a browser or either of Gradio's templates would act on.
    """
    return escape(value) if hasattr(value, "__html__") else Markup(escape(value).translate(_TEMPLATE_SIGNS))


_TEMPLATES = Environment(
    loader=FileSystemLoader(BROWSER),
    autoescape=True,
    finalize=escaped,  # before autoescape, which knows nothing of Gradio's templates
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(template: str, **values: Any) -> Markup:
    """Render a template with its values, each escaped unless it is `Markup`.

    Args:
        template: path of the file below `demo/browser`, with `/` between its parts.
        values: name -> value, for all variables of the template.

    Returns:
        The HTML.

    Raises:
        jinja2.UndefinedError: the template names a value that is not given.
    """
    return Markup(_TEMPLATES.get_template(template).render(values))
