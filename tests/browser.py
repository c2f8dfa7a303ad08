"""HTML pages in a real browser: Chromium, driven by Playwright.

    from tests.browser import faults

    @pytest.mark.integration
    def test_the_page_has_no_faults(chromium, tmp_path):
        assert faults(chromium, tmp_path / "page.html") == []

Chromium is the one that NERTOOL_CHROMIUM or PATH names; axe-core, which checks accessibility, is the
file axe.min.js that NERTOOL_AXE names (npm install --prefix DIR axe-core).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

WIDTHS = (1200, 390)  # a desktop's window and a phone's, in CSS pixels
SCHEMES = ("light", "dark")
NAMES = ("chromium", "chromium-browser", "google-chrome")
TOO_WIDE = """() => {
  const wide = document.documentElement.scrollWidth, window_ = document.documentElement.clientWidth;
  if (wide <= window_) return [];
  const inScroll = (e) => { for (let p = e.parentElement; p && p !== document.body; p = p.parentElement)
    if (getComputedStyle(p).overflowX !== "visible") return true; return false; };
  const causes = [...document.body.querySelectorAll("*")].filter(
    (e) => e.getBoundingClientRect().right > window_ + 0.5 && !inScroll(e));
  return [`the page is ${wide} px wide in a window of ${window_}: ` + causes.slice(0, 3).map(
    (e) => e.outerHTML.slice(0, 80)).join(" | ")];
}"""
AXE = """() => axe.run(document, {resultTypes: ["violations"]}).then((result) => result.violations
  .filter((v) => v.impact === "serious" || v.impact === "critical")
  .map((v) => `${v.impact}: ${v.id}: ${v.help}: ` +
    v.nodes.slice(0, 3).map((n) => n.html.slice(0, 120)).join(" | ")))
"""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Chromium, started once for all tests: Playwright's Browser object."""
    playwright = pytest.importorskip("playwright.sync_api")
    named = os.environ.get("NERTOOL_CHROMIUM")
    path = named or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("no Chromium on PATH (set NERTOOL_CHROMIUM to its file)")
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--no-first-run", *quiet]
        )
        yield browser
        browser.close()


@contextmanager
def opened(
    browser: Any, page: str | Path, width: int = 1200, scheme: str = "light"
) -> Iterator[tuple[Any, list[str]]]:
    """Open a page in a window; yield Playwright's Page, and the list that its errors are added to.

    page: a file or a URL. Errors: what the console prints as an error or a warning, exceptions, and every
    request for anything but the page's own files.
    """
    url = Path(page).resolve().as_uri() if isinstance(page, Path) else page
    home = url.rpartition("/")[0]
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    errors: list[str] = []
    tab = context.new_page()
    tab.on("console", lambda m: errors.append(m.text) if m.type in ("error", "warning") else None)
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on(
        "request",
        lambda r: None if r.url.startswith((home, "data:", "blob:")) else errors.append(r.url),
    )
    try:
        tab.goto(url)
        yield tab, errors
    finally:
        context.close()


def overflow(tab: Any) -> list[str]:
    """Say what makes the page wider than its window; [] if it fits."""
    return list(tab.evaluate(TOO_WIDE))


def axe_faults(tab: Any) -> list[str]:
    """List the serious and critical faults of accessibility that axe-core finds in the page as it is."""
    path = os.environ.get("NERTOOL_AXE")
    if not path or not Path(path).is_file():
        pytest.skip(
            "no axe-core (npm install --prefix DIR axe-core; set NERTOOL_AXE to its axe.min.js)"
        )
    # Evaluated by the debugger, and so not subject to the page's Content-Security-Policy.
    tab.evaluate(Path(path).read_text(encoding="utf-8") + "; 0")
    return list(tab.evaluate(AXE))


def faults(browser: Any, page: str | Path, axe: bool = True) -> list[str]:
    """List a page's faults in windows of both widths, in light and dark mode.

    They are errors on the console, requests to elsewhere, a page wider than its window, and what axe-core
    finds serious or critical.
    """
    found = []
    for width in WIDTHS:
        for scheme in SCHEMES:
            with opened(browser, page, width, scheme) as (tab, errors):
                seen = overflow(tab) + (axe_faults(tab) if axe else []) + errors
            found += [f"{width} px, {scheme}: {fault}" for fault in seen]
    return found
