"""The page in other languages: every text has a translation, and no table has an unused one."""

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from demo.paths import CONDITIONS, OUTSIDE, WEIGHTS
from demo.pipeline.analyse import Pipeline
from demo.server.content.about import about
from demo.server.content.attributes import attribute_list
from demo.server.content.conditions import conditions
from demo.server.content.disclosure import disclosure
from demo.server.content.languages import LANGUAGES, page_languages
from demo.server.content.outside import notes, people
from demo.server.markup import render
from demo.server.page import build, masthead
from slimnet import ATTRIBUTES, Reliability
from tests.browser.bare import bare_page
from tests.browser.conftest import Server, frames, start_live, wait_for_live_status, wait_for_more
from tests.browser.page.test_accessibility import TWO
from tests.browser.photo.test_photo import upload, wait_for_faces, wait_for_status
from tests.demo.server.content.test_outside import BABIES, BLACK, OLD
from tests.demo.server.content.test_outside import figures as outside
from tests.demo.server.content.test_outside import part as some_people
from tests.fakes.decided import decided
from tests.paths import PORTRAIT
from tests.texts import placeholders, script_texts, server_texts

TABLES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in LANGUAGES.glob("*.json")}
SCRIPTS = ("shared/language.js", "shared/written.js")
PHONE = {"width": 390, "height": 844}
VALUE = re.compile(r"\{\w+\}")


def made_up(table: dict[str, Any], code: str = "") -> str:
    """A language whose texts are the English ones, marked with the language's code and their place in the table."""
    marked: dict[str, dict[str, str]] = {"names": {}, "texts": {}}
    for part, texts in marked.items():
        for place, key in enumerate(table[part]):
            texts[key] = f"⟦{code}{part}{place}:" + VALUE.sub(r"⟨\g<0>⟩", key) + "⟧"
    return json.dumps({"language": "Made up", "search": {}, **marked})


def all_pages() -> str:
    """The HTML of all that the page may show, with the shipped weights and with others about which less is known."""
    page = build(Pipeline.load(WEIGHTS, "cpu"), operator="Museum")
    values = [component["props"] for component in page.config["components"] if component["type"] == "html"]
    html = [value["html_template"].replace("${value}", value.get("value") or "") for value in values]
    for attributes, shares in (
        (ATTRIBUTES, ()),
        (("Smoking", "Smoking_2"), (0.9, 0.8)),
        (ATTRIBUTES[:9], (0.9,) * 9),
        (("Bald",), ()),
    ):
        measured = tuple(Reliability(share, 0, 1) for share in shares) or None
        for points in (None, decided(len(attributes))):
            weights: Any = SimpleNamespace(
                path=PORTRAIT, sha256="5" * 64, calibration=points, attributes=attributes, parameters=1234
            )
            html.append(masthead(weights))
            html.append(attribute_list(attributes, "live", measured, decided=points is not None, live=True))
            pipeline: Any = SimpleNamespace(predictor=weights, attributes=attributes, reliability=measured)
            html += [about(pipeline), about(pipeline, on_device=True), about(pipeline, at_server=False)]
    html.append(render("photo/photo.html", at_server=False, disclosure="", examples=[], attributes=""))
    html += [disclosure("Museum", names) for names in (ATTRIBUTES, ("Smoking", "Bald"))]
    return "".join(f"<div>{part}</div>" for part in html)


def spoken() -> list[str]:
    """Sentences that come from the server with values filled in."""
    figures = json.loads(OUTSIDE.read_text(encoding="utf-8"))
    parts = [part for other in figures["sets"] for row in other["attributes"] for part in row["groups"] + row["ages"]]
    found = json.loads(CONDITIONS.read_text(encoding="utf-8"))
    ages = [BABIES, OLD, some_people(0.61, gender="male", age="60-69")]
    behind = [
        notes(outside(("A", "Male", groups, ages[:count]), unlabelled=unlabelled))["Male"]
        for groups, count in (([BLACK], 0), ([BLACK], 2), ([BLACK], 3), ([], 1))
        for unlabelled in ((), ("30-39",))
    ]
    classes = [one for condition in conditions(found, ATTRIBUTES) for one in condition["classes"]]
    wrong = [re.sub(r"^\{\}", "'a.jpg'", text).replace("{}", "7") for text in server_texts()]
    return [*wrong, *map(people, parts), "adults", *behind, *(one["like"] for one in classes), "The picture is empty."]


# Returns each text of the page, including those in attributes, and the texts of the scripts and the server.
READ = """([scripts, server]) => {
    const made = (name) => document.body.appendChild(document.createElement(name));
    new Timeline(made("div"), made("button"), [], [], "");
    translate(document.body);
    for (const part of document.querySelectorAll("script, style, [translate=no]")) part.remove();
    const texts = [document.body.textContent];
    for (const part of document.querySelectorAll("*")) {
        for (const name of ["aria-label", "aria-description", "title", "placeholder", "alt"]) {
            if (part.hasAttribute(name)) texts.push(part.getAttribute(name));
        }
    }
    const values = new Proxy({}, {get: () => 7});
    const phrases = [...scripts.map((text) => t(text, values)), ...server.map(translated)];
    return [...texts, ...phrases.map(String)];
}"""
# Names that are the same in each language.
NAMES = re.compile(
    r"SlimNet Faces|Eileen Collins|Grace Hopper|JSON|CSV|Smoking|FairFace|test|training\.calibrate"
    r"|'?[\w ]+\.(?:jpg|png)'?|\bms\b|\b[A-Z]\b"
)


def untranslated(text: str) -> list[str]:
    """The parts of a text that are outside all marks, or inside a value that has no marks of its own."""
    open_marks: list[str] = []
    found = [""]
    for character in text:
        if character in "⟦⟨":
            open_marks.append(character)
        elif character in "⟧⟩":
            open_marks.pop()
        elif not open_marks or open_marks[-1] == "⟨":
            found[-1] += character
            continue
        found.append("")
    return [part.strip() for part in found if re.search(r"[^\W\d_]", NAMES.sub("", part))]


def test_every_text_is_in_the_table_and_every_one_in_the_table_is_read(browser: Any) -> None:
    table = TABLES["de"]
    scripts = list(script_texts())
    files = {"languages/qq.json": made_up(table)}
    modules = (*SCRIPTS, "live/timeline/timeline.js")
    with bare_page(browser, *modules, body=all_pages(), language="qq", files=files) as page:
        texts = page.evaluate(READ, [scripts, spoken()])
    left = {part for text in texts for part in untranslated(text)}
    assert not left, "\n".join(sorted(left))
    read = {(part, int(place)) for text in texts for part, place in re.findall(r"⟦(names|texts)(\d+):", text)}
    stale = [key for part in ("names", "texts") for place, key in enumerate(table[part]) if (part, place) not in read]
    assert not stale, "\n".join(stale)


@pytest.mark.parametrize(("language", "written"), [("en", "93%"), ("de", "93\u2009%"), ("es", "93\u2009%")])
def test_percentages_are_written_as_the_language_does(browser: Any, language: str, written: str) -> None:
    with bare_page(
        browser, *SCRIPTS, "shared/attributes/percentage.js", body="<dd>91.3\u2009%</dd>", language=language
    ) as page:
        page.evaluate("ready")
        assert page.evaluate("String(percentage(0.931))") == written
        page.evaluate("translate(document.body)")
        assert page.inner_text("dd") == ("91.3\u2009%" if language == "en" else "91,3\u2009%")


@pytest.mark.parametrize("language", sorted(set(TABLES) - {"en"}))
def test_each_language_has_the_same_texts_with_the_same_values_and_marks(language: str) -> None:
    table = TABLES[language]
    assert set(table) == {"language", "names", "search", "texts"}
    for part in ("names", "search", "texts"):
        assert table[part].keys() == TABLES["de"][part].keys()
    assert table["search"].keys() == TABLES["en"]["search"].keys() == set(ATTRIBUTES)
    for key, text in (table["names"] | table["texts"]).items():
        for form in text.values() if isinstance(text, dict) else (text,):
            assert placeholders(form) == placeholders(key), key
            assert form.strip() == form
            assert form


@pytest.mark.parametrize(("locale", "start"), [("de-DE", "Kamera starten"), ("es-MX", "Encender la cámara")])
def test_the_page_comes_in_the_browsers_language(
    server: Server, open_page: Any, tmp_path: Path, locale: str, start: str
) -> None:
    page = open_page(server, locale=locale, viewport=PHONE)
    language = locale[:2]
    table = TABLES[language]
    assert page.get_attribute("html", "lang") == language
    assert page.locator("[lang=en]:not(option)").count() == 0
    assert page.inner_text("#live-start") == start
    assert page.inner_text("#live .status") == table["texts"]["The camera is off."]
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    broken = tmp_path / "notes.jpg"
    broken.write_text("no picture")
    upload(page, broken)
    wrong = table["texts"]["{file} is not a picture of a known format. Use JPEG, PNG, WebP, GIF or TIFF."]
    wait_for_status(page, wrong.format(file=table["texts"]["“{name}”"].format(name="notes.jpg")))
    upload(page, PORTRAIT)
    wait_for_faces(page, 1)
    smiling = f"#photo .attribute:has(:text-is('{table['names']['Smiling']}'))"
    assert page.is_checked(f"{smiling} [data-attribute]")
    assert page.inner_text(f"{smiling} .percent") == "100\u2009%"  # the longest one, on one line
    heights = page.eval_on_selector_all("#photo .percent", "all => all.map(({clientHeight}) => clientHeight)")
    assert len(set(heights)) == 1
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    with page.expect_download() as download:
        page.click("#photo [data-download=csv]")
    assert "Mouth_Slightly_Open" in Path(download.value.path()).read_text(encoding="utf-8")


def test_another_language_is_chosen_on_the_page_and_kept(server: Server, open_page: Any) -> None:
    page = open_page(server, locale="fr-FR")
    tables = "performance.getEntriesByType('resource').filter(({name}) => name.endsWith('.json')).length"
    assert page.get_attribute("html", "lang") == "en"
    assert page.evaluate(tables) == 0
    assert page.locator(".language option").all_inner_texts() == ["Deutsch", "English", "Español"]
    page.select_option(".language select", "es")
    page.locator("#live-start", has_text="Encender la cámara").wait_for()
    assert page.get_attribute("html", "lang") == "es"
    page.reload()
    page.locator("#live-start", has_text="Encender la cámara").wait_for()
    assert page.evaluate(tables) == 1
    assert page.input_value(".language select") == "es"
    page.goto(f"{server.url}?lang=de")
    page.locator("#live-start", has_text="Kamera starten").wait_for()
    page.select_option(".language select", "en")
    page.locator("#live-start", has_text="Start camera").wait_for()
    page.wait_for_function("!location.search.includes('lang')")
    page.route("**/es.json", lambda route: route.abort())
    page.select_option(".language select", "es")
    page.locator(".language-problem", has_text="The texts did not arrive.").wait_for()
    assert page.input_value(".language select") == page.get_attribute("html", "lang") == "en"


# All texts in each part of the page that is ours, including those in attributes.
SHOWN = """() => [".masthead", "#live", "#photo", "#about"].flatMap((part) => {
    const copy = document.querySelector(part).cloneNode(true);
    copy.querySelectorAll("[translate=no], .language, .picker select, .which").forEach((fixed) => fixed.remove());
    const said = ["aria-label", "aria-description", "aria-valuetext", "title", "placeholder", "alt"];
    const parts = [copy, ...copy.querySelectorAll("*")];
    return [copy.textContent, ...parts.flatMap((element) => said.flatMap((name) => element.getAttribute(name) ?? []))];
})"""
TICKED = "all => all.filter(({checked}) => checked).map(({id}) => id)"


def test_another_language_takes_the_place_of_each_text_and_nothing_is_lost(
    server: Server, open_page: Any, two_faces: Path, tmp_path: Path
) -> None:
    page = open_page(server, TWO)
    page.route("**/de.json", lambda route: route.fulfill(body=made_up(TABLES["de"], "de")))
    page.route("**/es.json", lambda route: route.fulfill(body=made_up(TABLES["es"], "es")))
    upload(page, two_faces)
    wait_for_faces(page, 2)
    broken = tmp_path / "notes.jpg"
    broken.write_text("no picture")
    upload(page, broken)
    wait_for_status(page, "is not a picture")
    start_live(page)
    wait_for_live_status(page, "2 faces")
    page.click("#live [data-do=record]")
    page.click("#live [data-toggle=adjust]")
    page.click("#live li:has(#live-Smiling) [data-do=why]")
    page.wait_for_selector("#live .why:not(.waiting)")
    page.wait_for_selector("#live .plot:visible")
    page.focus(".language select")
    ticked = page.eval_on_selector_all("[data-attribute]", TICKED)
    painted = frames(page)
    for code in ("de", "es", "en"):
        page.select_option(".language select", code)
        page.wait_for_selector(f"html[lang={code}]")
        texts = page.evaluate(SHOWN)
        marks = {found for text in texts for found in re.findall(r"⟦(de|es)", text)}
        assert marks == ({code} if code != "en" else set())
        if code != "en":
            assert {part for text in texts for part in untranslated(text)} == set()
        wait_for_more(page)
        assert page.evaluate("document.activeElement.closest('.language') !== null")
        assert page.eval_on_selector_all("[data-attribute]", TICKED) == ticked
    recorded = 2 * (frames(page) - painted)  # rows: one for each face of each frame
    assert page.get_attribute("#live [data-do=record]", "aria-pressed") == "true"
    page.click("#live [data-do=record]")
    with page.expect_download() as download:
        page.click("#live [data-save=csv]")
    rows = Path(download.value.path()).read_text(encoding="utf-8").splitlines()[1:]
    assert len(rows) >= recorded
    page.click("#photo-tab")
    assert page.get_attribute("#photo", "data-faces") == "2"
    assert "You still see the result of two faces.png." in page.inner_text("#photo .kept")


SEARCHES = {
    "en": {
        "gender": "Male", "woman": "Male", "age": "Young", "fringe": "Bangs", "moustache": "Mustache",
        "spectacles": "Eyeglasses", "GREY hair": "Gray_Hair", "make-up lips": "Wearing_Lipstick",
    },
    "de": {"geschlecht": "Male", "alter": "Young", "Schnäuzer": "Mustache", "madchen": "Male", "fringe": "Bangs"},
    "es": {"GENERO": "Male", "edad": "Young", "anteojos": "Eyeglasses", "fleco": "Bangs", "canas": "Gray_Hair"},
}  # fmt: skip


@pytest.mark.parametrize("language", list(SEARCHES))
def test_attributes_are_found_by_everyday_words(browser: Any, language: str) -> None:
    body = f"<section class=panel><div class=attributes>{attribute_list(ATTRIBUTES, 'live')}</div></section>"
    seen = "all => all.filter(box => box.checkVisibility()).map(box => box.dataset.attribute)"
    with bare_page(browser, *SCRIPTS, "shared/attributes/attributes.js", body=body, language=language) as page:
        page.evaluate("translate(document.body)")
        page.evaluate("void new AttributePanel(document.querySelector('.attributes'), {decisions: null})")
        for word, attribute in SEARCHES[language].items():
            page.fill("input[type=search]", word)
            assert page.eval_on_selector_all("[data-attribute]", seen) == [attribute], word


def test_a_table_that_does_not_come_leaves_the_page_in_english(browser: Any) -> None:
    with bare_page(
        browser, *SCRIPTS, body="<p lang=en>Live</p>", language="xx", files={"languages/xx.json": ""}
    ) as page:
        page.evaluate("translate(document.body)")
        assert page.inner_text("p") == "Live"
        assert page.get_attribute("html", "lang") == "en"


def test_a_table_that_a_newer_server_has_not_leaves_the_language_as_it_was(browser: Any) -> None:
    with bare_page(browser, *SCRIPTS, body="<p>Photo</p>", language="es") as page:
        page.evaluate("translate(document.body)")
        page.route("**/de.json", lambda route: route.fulfill(status=404, json={"detail": "There is nothing here."}))
        assert page.evaluate("changeLanguage('de').catch(() => 'did not come')") == "did not come"
        assert page.inner_text("p") == TABLES["es"]["texts"]["Photo"]
        assert page.get_attribute("html", "lang") == "es"


# Counts the files that the page has asked for and has read, or has not got.
COUNT_READ = """() => {
    window.read = 0;
    const count = () => setTimeout(() => window.read++); // after what the page does with it
    const {json} = Response.prototype;
    Response.prototype.json = function () { const read = json.call(this); read.then(count); return read; };
    const {fetch} = window;
    window.fetch = (...request) => { const answer = fetch(...request); answer.catch(count); return answer; };
}"""


def test_a_language_that_was_chosen_before_another_one_is_not_kept(browser: Any) -> None:
    scripts = (*SCRIPTS, "shared/language_choice.js")
    with bare_page(browser, *scripts, body="<p>Photo</p><select></select><i></i>") as page:
        names = {code: {"page_language": code} for code in ("en", *TABLES)}
        page.evaluate("(names) => { window.gradio_config = {i18n_translations: names}; }", names)
        page.evaluate("translate(document.body)")
        page.evaluate("offerLanguages(document.querySelector('select'), document.querySelector('i'))")
        page.evaluate(COUNT_READ)
        held: list[Any] = []
        page.route("**/de.json", lambda route: held.append(route))
        with page.expect_request("**/de.json"):
            page.select_option("select", "de")
        page.select_option("select", "es")
        page.wait_for_selector(f"p:has-text('{TABLES['es']['texts']['Photo']}')")
        held[0].fulfill(json=TABLES["de"])
        page.wait_for_function("window.read === 2")
        assert page.evaluate("JSON.parse(localStorage['slimnet-faces']).language") == "es"
        with page.expect_request("**/de.json"):
            page.select_option("select", "de")
        page.select_option("select", "en")
        page.wait_for_selector("p:has-text('Photo')")
        held[-1].abort()
        page.wait_for_function("window.read === 3")
        assert (page.input_value("select"), page.inner_text("i")) == ("en", "")


def test_one_file_is_all_that_a_language_needs(browser: Any, tmp_path: Path) -> None:
    texts = {
        "{count} faces": {"one": "{count} visage", "other": "{count} visages"},
        "Press <1>Start</1> or <2/>.": "<2/> ou <1>Démarrer</1>, {x}",
        "Hello {name}, {count} photos": "{count} photos, bonjour {name}",
    }
    table = {"language": "Français", "names": {"Hat": "Chapeau"}, "search": {}, "texts": texts}
    (tmp_path / "fr.json").write_text(json.dumps(table), encoding="utf-8")
    assert page_languages(tmp_path).translations == {"fr": {"page_language": "Français"}}
    body = "<p>Press <b id=b title=Hat>Start</b> or <button><img alt=''></button>.</p><i translate=no>Hat</i>"
    files = {"languages/fr.json": json.dumps(table)}
    with bare_page(browser, *SCRIPTS, body=body, language="fr", files=files) as page:
        page.evaluate("translate(document.body)")
        assert page.inner_html("p") == '<button><img alt=""></button> ou <b id="b" title="Chapeau">Démarrer</b>, {x}'
        assert page.inner_text("i") == "Hat"
        assert page.evaluate("[1, 5].map((count) => String(t('{count} faces', {count})))") == ["1 visage", "5 visages"]
        assert page.evaluate("String(translated('Hello Hat, 1,234 photos'))") == "1\u202f234 photos, bonjour Chapeau"
        assert page.evaluate("String(translated('Anything else'))") == "Anything else"


def test_the_language_that_was_chosen_last_stays_even_where_its_table_comes_first(browser: Any) -> None:
    with bare_page(browser, *SCRIPTS, body="<p>Photo</p>") as page:
        held: list[Any] = []
        page.route("**/es.json", lambda route: held.append(route))
        page.evaluate("translate(document.body); window.first = changeLanguage('es'); 0")
        page.evaluate("changeLanguage('de')")
        held[0].fulfill(json=TABLES["es"])
        page.evaluate("window.first")
        assert page.inner_text("p") == TABLES["de"]["texts"]["Photo"]
        assert page.get_attribute("html", "lang") == "de"
