"""Every HTML page in Chromium: no error, nothing too wide, everything escaped, accessible."""

from __future__ import annotations

import pytest

from nertool.evaluation.report.suspects_page import suspects_page
from tests.browser import faults, opened
from tests.conftest import SENTENCES, as_conll, nertool

pytestmark = pytest.mark.integration

HOSTILE = "<script>window.broken=1</script>"
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
TEXT = as_conll(
    [
        *SENTENCES,
        f"{HOSTILE}/B-PER met/O Ada/B-PER in/O <img/O src=x/O onerror=window.broken=1>/O ./O",
        f"{LONG * 3}/B-ORG hired/O Ada/O ./O",
        "</script>/O <!--/B-LOC '\"&amp;/I-LOC",
    ]
)
PAGES = {
    "evaluate": ["evaluate", "{model}", "{text}", "--html", "{page}"],
    "predict": ["predict", "{model}", "{text}", "--to", "html", "-o", "{page}"],
    "explain": ["explain", "{model}", f"{HOSTILE} {LONG} in Paris", "--word", "Paris", "--html", "{page}"],
    "gradcheck": ["gradcheck", "{config}", "--html", "{page}"],
}  # fmt: skip


@pytest.fixture(scope="module")
def pages(tiny, run_dir, tmp_path_factory):
    """Make each page once: {name: file}."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "text <b>.conll").write_text(TEXT)
    made = {}
    for name, arguments in PAGES.items():
        made[name] = folder / f"{name}.html"
        places = {
            "model": run_dir,
            "text": folder / "text <b>.conll",
            "page": made[name],
            "config": tiny / "config.yaml",
        }
        done = nertool(*(argument.format(**places) for argument in arguments))
        assert done.returncode == 0, done.stderr
    return made


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_faults(chromium, pages, name):
    assert faults(chromium, pages[name]) == []


@pytest.mark.parametrize("name", PAGES)
def test_text_is_never_markup(chromium, pages, name):
    with opened(chromium, pages[name]) as (tab, _):
        assert tab.evaluate("window.broken") is None
        assert tab.evaluate("document.querySelectorAll('main img, body > img').length") == 0
        if name in ("evaluate", "predict"):
            assert HOSTILE in tab.inner_text("body")


def test_the_report_is_filtered_searched_and_turned_by_keys(chromium, pages):
    with opened(chromium, pages["evaluate"], 390) as (tab, errors):
        total = tab.locator("#sentences > li").count()
        tab.keyboard.press("/")
        assert tab.evaluate("document.activeElement.id") == "search"
        tab.keyboard.type("WINDOW.broken")
        shown = tab.locator("#sentences > li")
        shown.first.wait_for()
        assert 0 < shown.count() < total
        assert all(HOSTILE in text for text in shown.all_inner_texts())
        tab.fill("#search", "no such word anywhere")
        assert shown.count() == 0
        assert errors == []


def test_the_page_of_suspects_has_no_faults_and_escapes_all(chromium, tmp_path):
    row = {
        "kind": "wrong type",
        "gold_label": "<b>",
        "gold": HOSTILE,
        "model_label": "nothing",
        "model": None,
        "p_gold": 0.1,
        "p_model": 0.9,
        "context": f"[{HOSTILE}] {LONG * 3}",
        "place": "x.conll:1",
    }
    page = tmp_path / "suspects.html"
    page.write_text(suspects_page([row] * 3, "Suspects in <i>"))
    assert faults(chromium, page) == []
    with opened(chromium, page) as (tab, _):
        assert tab.evaluate("window.broken") is None
        assert tab.inner_text("body").count(HOSTILE) == 6
