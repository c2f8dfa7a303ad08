"""Pages from templates."""

from __future__ import annotations

import json

from nertool.pages.page import around, escaped, for_script, percent


def test_what_stands_around_a_page_s_content_is_whole_and_escaped():
    before, after = around("<b>&")
    assert before.startswith("<!DOCTYPE html>")
    assert "<title>&lt;b&gt;&amp;</title>" in before
    assert after.endswith("</html>")
    assert "default-src 'none'" in before  # a browser refuses to load anything


def test_nothing_in_a_script_s_data_can_end_the_script():
    value = {"a": "</script><!-- <script>", "b": "&amp;\u2028"}
    text = str(for_script(value))
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == value


def test_an_undefined_share_is_a_dash():
    assert (percent(None), percent(0.5), percent(1 / 3, 2)) == ("–", "50.0", "33.33")


SIGNS = "a\u202eb\u2066c\x1b[2Jd\x9b\u200fe\tf"
SHOWN = "a\\u202eb\\u2066c\\x1b[2Jd\\x9b\u200fe\tf"


def test_what_reorders_or_controls_a_page_is_shown_and_not_obeyed():
    assert escaped(f"<{SIGNS}>") == f"&lt;{SHOWN}&gt;"
    assert around(SIGNS)[0].count(SHOWN)
    assert "\u202e" not in around(SIGNS)[0]
