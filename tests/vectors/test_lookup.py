"""The spellings under which a word's vector is looked up."""

from __future__ import annotations

import unicodedata

import pytest

from nertool.files.wordlist import Words, numbers_of
from nertool.vectors.info import known_words
from nertool.vectors.lookup import SPELLINGS, STEPS, Vocabulary, hyphen_parts, spellings, suffixes
from nertool.vectors.prune import prune


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
        "exact": 5, "nfc": 3, "lower": 2, "title": 1, "digits": 4, "hyphen": 0, "suffix": 0, "subwords": 0,
    }  # fmt: skip
    assert known.unknown == [("xyzzy", 6)]
    assert known.share == 15 / 21


def test_invisible_characters_are_no_part_of_a_word_in_text_or_vocabulary():
    assert forms("Zu\u0308\u00adrich\u200b")[2:] == ["Zürich", "zürich"]
    found = Vocabulary({"Zürich": 3, "می\u200cرود": 4, "ex\u00adample": 5, "e\u0301tude": 6})
    assert found.find("\u200eZu\u0308\u00adrich") == ("nfc", 3)
    assert found.find("می\u200cرود") == ("exact", 4)
    assert found.find("میرود") == ("nfc", 4)
    assert found.find("EXAMPLE") == ("nfc", 5)
    assert found.find("étude") == ("nfc", 6)
    assert found.find("Bern") is None


def test_pruning_keeps_words_by_their_normal_form(tmp_path):
    path = tmp_path / "v.txt"
    path.write_text("e\u0301tude 1 2\nZürich 3 4\nBern 5 6\n", encoding="utf-8")
    assert prune(path, ["étude", "Zü\u00adrich"], 0).words == ["e\u0301tude", "Zürich"]


def test_parts_of_a_word_are_looked_up_after_all_spellings():
    words = {"anglo": 3, "french": 4, "ball": 5, "0": 6, "Leyball": 7, "x-ray": 8}
    found = Vocabulary(words, STEPS).find
    assert found("Anglo-French") == ("hyphen", 4)  # the last part that is known
    assert found("Anglo-Xyz/zyx") == ("hyphen", 3)
    assert found("X-Ray") == ("lower", 8)
    assert found("B-7") == ("hyphen", 6)
    assert found("Volleyball") == ("suffix", 5)  # never from lower case to capitals
    assert found("-") is None
    assert found("ball4") is None  # not of letters alone
    assert Vocabulary(words).find("Anglo-French") is None
    assert hyphen_parts("-a--b-") == ["b", "a"]
    assert hyphen_parts("a-") == hyphen_parts("-") == []
    assert list(suffixes("abcde")) == ["bcde"]


@pytest.mark.parametrize("steps", [("exact",), ("exact", "digits"), SPELLINGS, STEPS])
def test_many_words_at_a_time_have_the_steps_and_rows_of_each_alone(steps):
    known = ["the", "paris", "e\u0301tude", "0000", "Zürich", "New", "york", "ball"]
    asked = ["The", "PARIS", "étude", "1996", "ZÜRICH", "new-york", "Volleyball", "zz", "", *known]
    one = Vocabulary(dict(zip(known, range(3, 11), strict=True)), steps)
    many = Vocabulary(numbers_of(Words(known), 3), steps)
    alone = [one.find(word) for word in asked]
    for both in (one, many):
        numbers, rows = both.find_many(asked)
        found = zip(numbers.tolist(), rows.tolist(), strict=True)
        assert [(STEPS[n], row) if row >= 0 else None for n, row in found] == alone
        assert both.rows_of(asked, 0).tolist() == [own[1] if own else 0 for own in alone]
