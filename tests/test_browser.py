"""The browser's helper finds the faults that it is to find."""

from __future__ import annotations

import pytest

from tests.browser import faults, opened

pytestmark = pytest.mark.integration
HEAD = '<!DOCTYPE html><html lang="en"><meta name="viewport" content="width=device-width"><title>t</title>'
FAULTS = {
    "is not defined": "<main>x</main><script>nothing_of_that_name()</script>",
    "wide in a window of 390": '<main><h1>x</h1><div style="width:800px">x</div></main>',
    "color-contrast": '<main style="background:#fff;color:#ccc">too pale</main>',
    "ERR_FILE_NOT_FOUND": '<main>x</main><img alt="" src="none.png">',
    "https://example.invalid/x.css": '<link rel="stylesheet" href="https://example.invalid/x.css">',
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_page_s_fault_is_found(chromium, tmp_path, fault):
    (tmp_path / "p.html").write_text(HEAD + FAULTS[fault])
    assert any(fault in line for line in faults(chromium, tmp_path / "p.html"))


def test_a_page_without_faults_has_none_and_is_seen_in_its_scheme(chromium, tmp_path):
    page = tmp_path / "p.html"
    page.write_text(HEAD + "<style>:root{color-scheme:light dark}</style><main><h1>x</h1></main>")
    assert faults(chromium, page) == []
    for scheme in ("light", "dark"):
        with opened(chromium, page, 390, scheme) as (tab, _):
            asked = f"matchMedia('(prefers-color-scheme: {scheme})').matches && innerWidth === 390"
            assert tab.evaluate(asked)
