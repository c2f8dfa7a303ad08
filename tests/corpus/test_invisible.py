"""Characters that nobody sees: they stay in the text, cut no word, and no lookup sees them."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nertool.corpus.build import build_corpus
from nertool.corpus.columnar import Span
from nertool.corpus.invisible import is_blank_text, normal_form, visible, without_invisible
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading, Record
from nertool.corpus.sentences import sentence_bounds
from nertool.corpus.tokens import pieces, tokenize

RUNS = st.text(
    st.sampled_from("\u00ad\u200b\u200c\u200e\u200f\u2060\u2066\u2069\u202b\u061c\ufeff"),
    max_size=2,
)


def test_every_format_character_but_those_that_are_seen_is_invisible():
    # Of the category Cf, Unicode leaves out of the property what is seen: Arabic and Kaithi number signs,
    # annotation marks of Egyptian hieroglyphs, interlinear annotation.
    seen = [c for c in map(chr, range(sys.maxunicode)) if unicodedata.category(c) == "Cf"]
    left = {ord(c) for c in seen if without_invisible(c)}
    arabic = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2}
    assert left <= arabic | {*range(0xFFF9, 0xFFFC), 0x110BD, 0x110CD} | set(
        range(0x13430, 0x13440)
    )


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Zü\u00adrich is\u200b nice.", "Zü\u00adrich|is\u200b|nice|."),
        ("didn\u200b't go", "did|n\u200b't|go"),
        ("the U.\u200dS. firm", "the|U.\u200dS.|firm"),
        ("Dr\u00ad. Smith", "Dr\u00ad.|Smith"),
        ("(\u2067שלום\u2069), \u200eAda.\u200f", "(|\u2067שלום\u2069|)|,|\u200eAda|.\u200f"),
        ("said \ufeff\u200bAda", "said|\ufeff\u200bAda"),
        ("ex\u200bample.org's", "ex\u200bample.org|'s"),
        ("a \u200b b", "a|b"),
        ("می\u200cخواهم می\u200c رود", "می\u200cخواهم|می\u200c|رود"),
        ("❤\ufe0fFoo ❤\ufe0f\u200d🔥", "❤\ufe0f|Foo|❤\ufe0f\u200d🔥"),
        ("3\u2060.4 \u00ad", "3\u2060.4"),
        ("\u200b\u2060", ""),
    ],
)
def test_they_stay_in_or_beside_the_word(text, tokens):
    assert [text[a:b] for a, b in tokenize(text)] == (tokens.split("|") if tokens else [])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("Ab1.,-' \n'sé京ก€"), RUNS), max_size=25))
def test_text_is_cut_as_without_them(parts):
    text = "".join(c + run for c, run in parts)
    plain = "".join(c for c, _ in parts)
    assert visible(text)[0] == plain
    assert "".join(pieces(text)) == text
    words = [without_invisible(text[a:b]) for a, b in tokenize(text)]
    assert words == [plain[a:b] for a, b in tokenize(plain)]
    bounds = sentence_bounds(text)
    assert [len(without_invisible(text[:b])) for b in bounds] == sentence_bounds(plain)


@given(st.text(max_size=8))
def test_the_normal_form_is_one_and_the_same_for_all_spellings(word):
    normal = normal_form(word)
    assert normal_form(normal) == normal
    for form in ("NFC", "NFD"):
        assert normal_form(unicodedata.normalize(form, word)) == normal or is_blank_text(word)
    if not is_blank_text(word):
        assert normal_form(f"\u200e{word}\u00ad") == normal


def test_an_entity_need_not_name_them():
    text = "met \u200eAda\u200b Lo\u00advelace.\u200f"
    ledger = Ledger()
    at = text.index("Ada")
    record = Record(text, 1, [Span(at, text.index("."), "PER")])
    corpus = build_corpus([record], "x", "x", Reading(), ledger)
    assert [corpus.tags[i] for i in corpus.tag_ids] == ["O", "B-PER", "I-PER", "O"]
    assert list(ledger.altered) == ["entities widened by adjacent invisible characters"]
