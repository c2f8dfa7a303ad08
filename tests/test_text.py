"""Raw text → tokens: cut as CoNLL-2003 cuts them, each in its own place, nothing lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nertool.corpus.text import tokenize


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
        ("  ", ""),
        ("", ""),
    ],
)
def test_tokens_are_those_of_conll(text, tokens):
    assert [text[start:end] for start, end in tokenize(text)] == tokens.split()


@given(st.text(max_size=80))
def test_tokens_stand_in_order_and_only_white_space_lies_between(text):
    at = 0
    for start, end in tokenize(text):
        assert at <= start < end
        assert not text[at:start].strip()
        assert not any(character.isspace() for character in text[start:end])
        at = end
    assert not text[at:].strip()
