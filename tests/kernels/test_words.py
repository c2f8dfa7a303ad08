"""Words found in a list, what they look like, and rows cut by bytes: kernels against the Python code."""

from __future__ import annotations

import string

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nertool.corpus.columnar import Interner
from nertool.files.wordlist import NumberedWords, WordNumbers, Words, numbers_of
from nertool.inputs.features import FEATURES, caps, caps_of, feature_ids, looks
from nertool.kernels.keys import Keys
from nertool.kernels.library import compiled
from nertool.kernels.words import WordSet, joined
from nertool.vectors.lookup import STEPS, Vocabulary

with_kernels = pytest.mark.skipif(
    not compiled(), reason="nertool was installed without its compiled kernels"
)

TEXT = st.text("aBc09.-'é\u00ad\u0308Ünq/ ", max_size=20)
LISTS = st.lists(TEXT, unique=True, max_size=30)


@with_kernels
@settings(max_examples=60, deadline=None)
@given(words=LISTS, others=st.lists(TEXT | st.just("a\nB"), max_size=20))
def test_a_word_list_finds_what_a_dictionary_finds(words, others):
    expected = {word: 3 + i for i, word in enumerate(words)}
    found = numbers_of(Words(words), 3)
    assert isinstance(found, WordNumbers)
    assert dict(found) == expected
    asked = [*others, *words]
    assert found.find(asked).tolist() == [expected.get(word, -1) for word in asked]
    assert [found.get(word) for word in asked] == [expected.get(word) for word in asked]
    assert list(found.beyond_ascii()) == [(w, i) for w, i in expected.items() if not w.isascii()]
    assert Words(words) == words
    assert Words(words)[1:] == words[1:]


@with_kernels
def test_of_equal_words_the_last_counts_and_long_ones_are_told_apart():
    words = ["a" * 100, "b", "a" * 101, "b", "", "a" * 99 + "b"]
    found = numbers_of(Words(words), 0)
    assert found.get("b") == 3
    assert [found.get(word) for word in words] == [0, 3, 2, 3, 4, 5]
    assert "c" not in found


@with_kernels
@settings(max_examples=60, deadline=None)
@given(words=LISTS, asked=st.lists(TEXT, max_size=20))
@example(
    words=["paris", "Zürich", "g\u00adps", "0"], asked=["PARIS", "GPS", "gps", "7", "Zu\u0308rich"]
)
def test_many_words_get_the_steps_and_rows_that_each_gets_alone(words, asked):
    fast = Vocabulary(numbers_of(Words(words), 3))
    slow = Vocabulary({word: 3 + i for i, word in enumerate(words)})
    expected = [slow.find(word) for word in asked]
    numbers, rows = fast.find_many(asked)
    found = zip(numbers.tolist(), rows.tolist(), strict=True)
    assert [(STEPS[n], row) if row >= 0 else None for n, row in found] == expected
    expected_rows = [own[1] if own else 0 for own in expected]
    assert fast.rows_of(asked, 0).tolist() == expected_rows == slow.rows_of(asked, 0).tolist()


@with_kernels
@settings(max_examples=100, deadline=None)
@given(
    words=st.lists(st.text(string.printable.replace("\n", "") + "éÜß", max_size=12), max_size=10)
)
@example(words=["McDonald's-24", "A", "AB", "Ab", "aB", "1996", "x", "", "--", "B-52", "Ünal"])
def test_kernels_see_words_as_the_features_do(words):
    names = ["caps", "shape", "affixes"]
    expected = [[n for name in names for n in FEATURES[name].of(word)] for word in words]
    assert feature_ids(names, words).tolist() == expected
    assert caps_of(words).tolist() == [caps(word) for word in words]
    known = looks(words)
    assert (known is None) == (not words)
    if known is not None:
        assert (known.caps == 0).tolist() == [not word.isascii() for word in words]


@with_kernels
@settings(max_examples=60, deadline=None)
@given(added=st.lists(LISTS, max_size=4))
@example(added=[[f"{i}" for i in range(1500)], ["0" * 5000, "7"]])
def test_a_set_numbers_words_in_the_order_in_which_they_come(added):
    words, expected = WordSet(), Interner()
    for some in added:
        raw = joined(some)
        if some:
            assert words.add(raw, len(some)).tolist() == expected.numbers_of(some)
        assert len(words) == len(expected)
    assert words.strings_from(0) == list(expected)
    assert words.strings_from(len(words)) == []


@pytest.mark.usefixtures("either_way")
@settings(max_examples=60, deadline=None)
@given(added=st.lists(st.lists(TEXT | st.just("a\nB"), max_size=9), max_size=4))
def test_numbered_words_are_those_of_a_dictionary(added):
    numbered, expected = NumberedWords(), Interner()
    for some in added:
        assert numbered.add(some).tolist() == expected.numbers_of(some)
        assert len(numbered) == len(expected)


@pytest.mark.usefixtures("either_way")
@settings(max_examples=40, deadline=None)
@given(added=st.lists(st.sets(st.integers(0, 2**40), max_size=30), max_size=4))
@example(added=[set(range(0, 12_000, 4)), {1 << 39, 7}])
def test_numbers_are_found_where_they_were_added(added):
    keys, expected = Keys(), dict[int, int]()
    for some in added:
        new = [key for key in some if key not in expected]
        keys.add(np.array(new, dtype=np.int64))
        expected.update({key: len(expected) + i for i, key in enumerate(new)})
        asked = [*expected, 3, *some]
        found = keys.find(np.array(asked, dtype=np.int64)).tolist()
        assert found == [expected.get(key, -1) for key in asked]
    keys.clear()
    assert keys.find(np.array([*expected, 3])).max() == -1
