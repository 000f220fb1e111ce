"""The languages of the page: a file of names and texts for each in `demo/browser/languages`, chosen in the browser."""

import json
from pathlib import Path

import gradio as gr

from demo.paths import BROWSER

LANGUAGES = BROWSER / "languages"


def page_languages(folder: Path = LANGUAGES) -> gr.I18n:
    """The languages' own names, which Gradio passes on to the page's scripts; it translates its own texts itself.

    Args:
        folder: holds one JSON file for each language, such as `de.json`, in the form of `Table` in `language.js`.

    Returns:
        Language tag -> {"page_language": its name}.
    """
    tables = {path.stem: _read(path) for path in sorted(folder.glob("*.json"))}
    return gr.I18n(**{tag: {"page_language": table["language"]} for tag, table in tables.items()})


def choice_of(languages: gr.I18n) -> str:
    """HTML for the page's head that chooses one of the languages before anything is painted.

    Args:
        languages: as `page_languages` returns them.
    """
    script = (BROWSER / "choose_language.js").read_text(encoding="utf-8")
    return f'<script data-languages="{" ".join(languages.translations)}">\n{script}</script>'


def search_words() -> dict[str, str]:
    """Other English words that people may search for to find an attribute.

    Returns:
        Name in the weights -> the words, with spaces between them.
    """
    return _read(LANGUAGES / "en.json")["search"]


def _read(path: Path) -> dict[str, dict[str, str]]:
    return json.loads(path.read_text(encoding="utf-8"))
