"""The spellings under which a word's vector is looked up."""

from __future__ import annotations

import unicodedata

from nertool.vectors.info import known_words
from nertool.vectors.lookup import spellings


def forms(word: str) -> list[str]:
    return list(dict.fromkeys(spelling for _, spelling in spellings(word)))


def test_the_order_is_exact_composed_lower_title_digits():
    assert forms("LONDON") == ["LONDON", "london", "London"]
    assert forms("A-24") == ["A-24", "a-24", "A-00", "a-00", "A-##", "a-##"]
    assert forms("the") == ["the"]


def test_a_decomposed_word_is_looked_up_composed():
    apart = unicodedata.normalize("NFD", "Zürich")
    assert forms(apart) == [apart, "Zürich", "zürich"]


def test_each_token_is_counted_at_the_step_that_found_it():
    apart = unicodedata.normalize("NFD", "Zürich")
    counts = {"the": 5, "The": 2, apart: 3, "1996": 4, "PARIS": 1, "xyzzy": 6}
    known = known_words({"the": 0, "Zürich": 1, "0000": 2, "Paris": 3}, counts)
    assert known.steps == {
        "exact": 5, "normal form": 3, "lower case": 2, "title case": 1, "digits": 4,
    }  # fmt: skip
    assert known.unknown == [("xyzzy", 6)]
    assert known.share == 15 / 21
