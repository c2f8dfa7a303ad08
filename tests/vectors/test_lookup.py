"""The spellings under which a word's vector is looked up."""

from __future__ import annotations

import unicodedata

from nertool.vectors.info import known_words
from nertool.vectors.lookup import Vocabulary, spellings
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
