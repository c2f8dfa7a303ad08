"""Raw text → tokens: cut as CoNLL-2003 cuts them, each in its own place, nothing lost."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nertool.corpus.annotated import labelled
from nertool.corpus.build import build_corpus
from nertool.corpus.columnar import Span
from nertool.corpus.invisible import is_blank_text
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading, Record
from nertool.corpus.sentences import sentence_bounds
from nertool.corpus.tokens import pieces, tokenize
from nertool.formats.base import Writing
from nertool.formats.registry import text_writer


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Ada met Charles.", "Ada met Charles ."),
        ("London's U.S. firm", "London 's U.S. firm"),
        ("the U.S.-led talks", "the U.S.-led talks"),
        ("I didn't, can't, won't.", "I did n't , ca n't , wo n't ."),
        ("DON'T shout, I'm here; they'll go", "DO N'T shout , I 'm here ; they 'll go"),
        ("James' car and rock'n'roll, O'Brien", "James ' car and rock'n'roll , O'Brien"),
        ("Dr. J. R. Smith of AT&T Inc. left.", "Dr. J. R. Smith of AT&T Inc. left ."),
        ("It ended in May. Mr. May moved.", "It ended in May . Mr. May moved ."),
        ("$3.4 million (up 10%)", "$ 3.4 million ( up 10 % )"),
        ("at 10:30 a.m. on 12/05/2020", "at 10:30 a.m. on 12/05/2020"),
        ("won 6-4 7-6 (1998-2001)", "won 6-4 7-6 ( 1998-2001 )"),
        ("1,234.5 km, 5km, the 21st, -5 C", "1,234.5 km , 5km , the 21st , -5 C"),
        ("50%-60%", "50 % - 60 %"),
        ("a Franco-German 4-year-old", "a Franco-German 4-year-old"),
        ('he said: "We won!"', 'he said : " We won ! "'),
        ("so... what?! no -- yes", "so ... what ? ! no -- yes"),
        ("see http://example.com/a?b=1.", "see http://example.com/a?b=1 ."),
        ("mail x.y@example.org, now", "mail x.y@example.org , now"),
        ("@lena_k loves #Eurovision", "@lena_k loves #Eurovision"),
        ("amazon.com's rivals", "amazon.com 's rivals"),
        ("ok 👍🏽👨‍👩‍👧 😀", "ok 👍🏽 👨‍👩‍👧 😀"),
        ("Saint-Étienne e\u0301tude", "Saint-Étienne e\u0301tude"),
        ("cafe\u0301s in नई दिल्ली में", "cafe\u0301s in नई दिल्ली में"),
        ("می\u200cخواهم بروم.", "می\u200cخواهم بروم ."),
        ("東京タワーへ行く。", "東 京 タワー へ 行 く 。"),
        ("北京Tower和AT&T", "北 京 Tower 和 AT&T"),
        ("서울에 갔다.", "서울에 갔다 ."),
        ("กรุงเทพ", "ก รุ ง เ ท พ"),
        ("🇩🇪🇫🇷 1️⃣ ❤️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🇩🇪 🇫🇷 1️⃣ ❤️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿"),
        ("London’s mayor didn’t go", "London ’s mayor did n’t go"),
        ("yes--no, 1996--97", "yes -- no , 1996 -- 97"),
        ("A$5 and US$3.5, hit .500", "A$ 5 and US$ 3.5 , hit .500"),
        ("nice :) really :-D ok :(", "nice :) really :-D ok :("),
        ("note:(see p. 5)", "note : ( see p . 5 )"),
        ("  ", ""),
        ("", ""),
    ],
)
def test_tokens_are_those_of_conll(text, tokens):
    assert [text[start:end] for start, end in tokenize(text)] == tokens.split()


# Letters, marks, joiners, emoji, blanks of all kinds, halves of surrogates: whatever can go wrong.
NASTY = st.text(
    st.characters()
    | st.sampled_from(
        "a.b-'’n't&@#$%\u0301\u093f\u094d\u200d\ufe0f🇩🇪👍🏽京あアก\u00a0\u2028\x85\r\n\t\ufeff"
    ),
    max_size=60,
)


@given(NASTY)
def test_tokens_stand_in_order_and_only_white_space_lies_between(text):
    at = 0
    for start, end in tokenize(text):
        assert at <= start < end
        assert is_blank_text(text[at:start])
        assert not any(character.isspace() for character in text[start:end])
        at = end
    assert is_blank_text(text[at:])
    assert "".join(pieces(text)) == text


@given(NASTY)
def test_no_token_begins_with_an_accent_of_the_letter_before_it(text):
    for start, _ in tokenize(text):
        if start and not text[start - 1].isspace() and text[start - 1].isalpha():
            assert not 0x300 <= ord(text[start]) <= 0x36F


@given(NASTY)
@settings(deadline=None)
def test_sentences_part_the_text_and_none_is_empty(text):
    for language in ("en", "hi", "ja"):
        bounds = sentence_bounds(text, language)
        assert (bounds[0], bounds[-1]) == (0, len(text))
        assert all(a < b for a, b in pairwise(bounds)) or not text


@pytest.mark.parametrize("text", ["word " * 60_000, "x" * 1_200_000, "Mr. " * 50_000 + "Yes. No."])
def test_a_text_without_ends_of_sentences_is_cut_all_the_same_and_at_a_blank(text):
    bounds = sentence_bounds(text)
    assert bounds[-1] == len(text)
    assert max(b - a for a, b in pairwise(bounds)) <= 1 << 20
    assert all(text[b - 1].isspace() for b in bounds[1:-1]) or " " not in text


def test_sentences_end_where_people_would_end_them():
    text = "Dr. Smith met J. R. Jones in the U.S. on Monday. He left.\n\nA new start! Why?"
    bounds = sentence_bounds(text)
    assert [text[a:b].strip() for a, b in pairwise(bounds) if text[a:b].strip()] == [
        "Dr. Smith met J. R. Jones in the U.S. on Monday.",
        "He left.",
        "A new start!",
        "Why?",
    ]


def test_blanks_beyond_ascii_before_an_initial_do_not_stop_the_splitter():
    # sentencex 1.0 counts such a blank as one byte, and panics.
    text = "Mr\u00a0J. Smith and Dr\u3000B. Lee left."
    assert sentence_bounds(text)[-1] == len(text)


@settings(deadline=None, max_examples=60)
@given(NASTY, st.data())
def test_the_place_of_an_entity_is_that_of_its_surface(text, data):
    """Whatever the text, every entity's characters are those that its tokens cover."""
    tokens = tokenize(text)
    spans = []
    if tokens:
        borders = sorted(data.draw(st.sets(st.integers(0, len(tokens)), max_size=6)))
        spans = [
            Span(tokens[a][0], tokens[b - 1][1], "X")
            for a, b in zip(borders[::2], borders[1::2], strict=False)
        ]
    record = Record(text, 1, spans)
    corpus = build_corpus([record], "x", "x", Reading(misaligned="snap"), Ledger())
    records = corpus.records
    for start, end in zip(records.token_starts, records.token_ends, strict=True):
        assert text[start:end].strip() == text[start:end] != ""
    out = [
        json.loads(line) for line in text_writer("jsonl")([labelled(corpus)], Writing(), Ledger())
    ]
    (value,) = out
    assert value["text"] == text
    assert [(e["start"], e["end"]) for e in value["entities"]] == [(s.start, s.end) for s in spans]
    for entity in value["entities"]:
        assert text[entity["start"] : entity["end"]] == entity["text"]
        first, last = (
            value["tokens"][entity["token_start"]],
            value["tokens"][entity["token_end"] - 1],
        )
        assert (first[0], last[1]) == (entity["start"], entity["end"])


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(max_codepoint=127), max_size=60))
def test_a_text_of_ascii_is_cut_as_part_of_any_other(text):
    alone = tokenize(text)
    beside = [place for place in tokenize(text + "\n–") if place[0] < len(text)]
    assert alone == beside


def test_the_sentences_of_a_long_text_are_those_of_its_paragraphs():
    # The splitter loses a blank line of every 10 KB. Each sentence here is told from all others.
    def sentence(i: int) -> str:
        return f"On day {i} Dr. Élan of St. Ives wrote nothing{'.!?'[i % 3]}"

    threes = (range(i, i + 3) for i in range(0, 1200, 3))
    text = "\n\n".join(" ".join(map(sentence, three)) for three in threes)
    assert len(text) > 40_000
    bounds = sentence_bounds(text)
    found = [text[a:b].strip() for a, b in pairwise(bounds)]
    assert [words for words in found if words] == [sentence(i) for i in range(1200)]


BLANK_LINES = ["\n\n", "\n \n", "\r\n\r\n", "\r\n\t \r\n", "\n\u3000\n", "\n\xa0\n \n", "\n\x0c\n"]


@pytest.mark.parametrize("gap", BLANK_LINES)
def test_a_blank_line_ends_a_sentence_whatever_white_space_it_has(gap):
    text = f"Ada saw Rome{gap}Paris is far\nfrom it"
    bounds = sentence_bounds(text)
    found = [text[a:b].strip() for a, b in pairwise(bounds)]
    assert [words for words in found if words] == ["Ada saw Rome", "Paris is far\nfrom it"]
