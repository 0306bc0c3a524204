"""The pages as they leave the server: whole, in the reader's language, without anything from elsewhere."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web.error_words import ROOT
from web import pages

ADDRESSES = ("/", "/model_training", "/video_generation", "/chat_system", "/evaluation", "/face_swap", "/verify")
STATIC = ROOT / "static"
OWN = [file for pattern in ("static/js/*.js", "static/css/*.css", "templates/*.html")
       for file in sorted(ROOT.glob(pattern))]


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    """The pages alone, without the rest of the product."""
    app = Flask("pages", template_folder=str(ROOT / "templates"), static_folder=str(STATIC))
    app.register_blueprint(pages.bp)
    return app.test_client()


class Document(HTMLParser):
    """Ids, labels and links of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.labelled: set[str] = set()
        self.links: list[str] = []
        self.inputs: list[dict[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids += [given["id"]] if given.get("id") else []
        self.labelled |= {str(given["for"])} if tag == "label" else set()
        self.links += [str(given[name]) for name in ("href", "src") if given.get(name)]
        self.inputs += [given] if tag in {"input", "select", "textarea"} else []


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(("asked", "lang"), [("zh-CN,zh;q=0.9", "zh-CN"), ("en-US", "en"), ("fr", "en")])
def test_a_page_comes_in_the_language_of_the_browser(client: FlaskClient, address: str, asked: str, lang: str) -> None:
    html = client.get(address, headers={"Accept-Language": asked}).get_data(as_text=True)
    assert f'<html lang="{lang}"' in html
    assert not re.search(r'data-i18n="[\w.]+"[^>]*></', html), "every word is filled in"
    assert json.loads(re.search(r'id="words">(.*?)</script>', html, re.DOTALL)[1])["errors"]


def test_the_cookie_wins_over_the_browser(client: FlaskClient) -> None:
    client.set_cookie("lang", "zh")
    assert 'lang="zh-CN"' in client.get("/", headers={"Accept-Language": "en"}).get_data(as_text=True)
    client.delete_cookie("lang")


@pytest.mark.parametrize("theme", ["dark", "light", 'x" onload="'])
def test_the_theme_is_there_before_the_first_paint(client: FlaskClient, theme: str) -> None:
    client.set_cookie("theme", theme)
    html = client.get("/").get_data(as_text=True)
    assert (f'data-theme="{theme}"' in html) == (theme in pages.THEMES)
    client.delete_cookie("theme")


@pytest.mark.parametrize("address", ADDRESSES)
def test_everything_a_page_names_is_on_this_machine(client: FlaskClient, address: str) -> None:
    document = Document(client.get(address).get_data(as_text=True))
    for link in document.links:
        assert link.startswith(("/", "#")), f"{link} is somewhere else"
        if link.startswith("/static/"):
            with client.get(link.split("#")[0]) as answer:
                assert answer.status_code == 200, link
    assert len(document.ids) == len(set(document.ids)), "ids are unique"
    for given in document.inputs:
        assert given.get("id") in document.labelled, f"{given} has no label"


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_bar_marks_where_we_are(client: FlaskClient, address: str) -> None:
    html = client.get(address).get_data(as_text=True)
    assert html.count('aria-current="page"') == (address != "/")
    for other in ADDRESSES:
        assert f'href="{other}"' in html


@pytest.mark.parametrize("file", OWN, ids=lambda file: file.name)
def test_files_are_small_and_ask_nobody_else(file) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count("\n") <= 300
    assert not re.search(r"(?:https?:)?//(?!127\.0\.0\.1|www\.w3\.org)[\w-]+\.[a-z]{2,}", text), "asks another machine"


def test_every_icon_is_in_the_sheet() -> None:
    sheet = (STATIC / "icons" / "icons.svg").read_text(encoding="utf-8")
    drawn = set(re.findall(r'<symbol id="(\w+)"', sheet))
    for file in OWN:
        text = file.read_text(encoding="utf-8")
        named = re.findall(r'\bicon\("(\w+)"[,)]', text) + re.findall(r'\b(?:icon|iconName): "(\w+)"', text)
        assert set(named) <= drawn, file.name


def test_every_module_imports_what_is_there() -> None:
    for file in (STATIC / "js").glob("*.js"):
        text = file.read_text(encoding="utf-8")
        for names, source in re.findall(r'^import \{([^}]+)\} from "\./(\w+\.js)"', text, re.MULTILINE):
            exported = (STATIC / "js" / source).read_text(encoding="utf-8")
            for name in names.split(","):
                wanted = rf"export (?:async )?(?:const|function|class) {re.escape(name.strip())}(?!\w)"
                assert re.search(wanted, exported), f"{file.name} wants {name.strip()} of {source}"
