"""Word forms → rows of the tables: which vector, which fallback, which look."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from nertool.corpus.columnar import Corpus, Interner
from nertool.inputs.encoder import (
    PAD_LEFT,
    PAD_RIGHT,
    SPECIAL_ROWS,
    UNKNOWN,
    Coverage,
    Encoder,
    coverage,
)
from nertool.inputs.features import (
    FEATURES,
    PADDING,
    caps,
    feature_columns,
    feature_ids,
    hashed,
    ngrams,
    shape,
)


def found(word: str, vocabulary: list[str]) -> str | None:
    """Return the vocabulary's word that stands in for this one, None if it is unknown."""
    row = Encoder(vocabulary, []).vector_row(word)
    return None if row == UNKNOWN else vocabulary[row - SPECIAL_ROWS]


# Every form that Q2 could be found as, in the order of preference: each is chosen
# as long as it is there, whatever comes after it and however the vocabulary is sorted.
FORMS = ["Q2", "q2", "Q0", "q0", "Q#", "q#"]


@pytest.mark.parametrize("step", [1, -1])
@pytest.mark.parametrize("first", range(len(FORMS)))
def test_a_word_is_found_as_written_then_lower_cased_then_with_digits_as_0_then_as_a_sign(
    first, step
):
    vocabulary = ["other", *FORMS[first:]][::step]
    assert found("Q2", vocabulary) == FORMS[first]


@pytest.mark.parametrize(
    ("word", "vocabulary", "stand_in"),
    [
        ("Paris", ["paris", "PARIS"], "paris"),
        ("PARIS", ["Paris", "paris"], "paris"),
        ("paris", ["Paris", "PARIS"], None),  # never from lower case to capitals
        ("1996-08-22", ["0000-00-00", "####-##-##"], "0000-00-00"),  # each digit by itself
        ("1996", ["0", "#", "00", "##"], None),
        ("2nd", ["#nd"], "#nd"),
        ("Mi-8MT", ["mi-0mt"], "mi-0mt"),
        ("0", ["#"], "#"),
        ("nothing", ["0", "#", ""], None),
        ("ÉTÉ", ["été"], "été"),
    ],
)
def test_fallbacks_by_example(word, vocabulary, stand_in):
    assert found(word, vocabulary) == stand_in


def test_the_vocabularys_rows_follow_the_three_special_ones():
    encoder = Encoder(["the", "Paris"], ["caps"])
    assert (UNKNOWN, PAD_LEFT, PAD_RIGHT, SPECIAL_ROWS) == (0, 1, 2, 3)
    # the: row 3, lower 1; Paris: row 4, Initial 2; THE: as the, ALL 3; zzz: unknown, lower 1
    rows = encoder.encode(["the", "Paris", "THE", "zzz", "the"]).ids
    assert rows.tolist() == [[3, 1], [4, 2], [3, 3], [0, 1], [3, 1]]
    assert rows.dtype == np.int32


def test_a_word_that_is_named_like_nothing_special_has_its_own_row():
    # The special rows have no names, so no word of a text can fall on them.
    encoder = Encoder(["<unk>", "<pad>"], [])
    assert encoder.encode(["<unk>", "<pad>", "<s>", ""]).ids.tolist() == [[3], [4], [0], [0]]


@pytest.mark.parametrize("features", [[], ["caps"]])
def test_padding_rows_are_the_two_special_vectors_with_every_feature_at_padding(features):
    padding = Encoder(["the"], features).padding
    beyond = [PADDING] * len(features)
    assert padding.tolist() == [[PAD_LEFT, *beyond], [PAD_RIGHT, *beyond]]
    assert padding.dtype == np.int32
    # A batch of paddings and of words is one array: they have the same columns.
    assert padding.shape[1] == Encoder(["the"], features).encode(["the"]).ids.shape[1]


def test_the_memorys_rows_come_last_and_0_is_for_words_that_it_lacks():
    encoder = Encoder(["the", "paris"], ["caps"], ["Paris", "the"])
    # the: row 3, lower 1, remembered second; Paris: as paris 4, Initial 2, remembered first;
    # paris: remembered only as it was written, and so not at all.
    rows = encoder.encode(["the", "Paris", "paris"]).ids
    assert rows.tolist() == [[3, 1, 2], [4, 2, 1], [4, 1, 0]]
    assert encoder.padding.tolist() == [[PAD_LEFT, PADDING, 0], [PAD_RIGHT, PADDING, 0]]
    # A memory of nothing is still a column.
    assert Encoder(["the"], [], []).encode(["the"]).ids.tolist() == [[3, 0]]
    assert encoder.encode([]).ids.shape == (0, 3)


def test_no_words_give_no_rows():
    assert Encoder(["the"], ["caps"]).encode([]).ids.shape == (0, 2)
    assert Encoder(["the"], []).encode([]).ids.shape == (0, 1)


# Features


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (1, ["paris", "o'clock", "3rd", "été", "e-mail"]),
        (2, ["Paris", "Été", "B2b", "O'neil", "Co."]),
        (3, ["PARIS", "U.S.", "ÉTÉ", "CO2X", "USA-2"]),
        (4, ["McDonald", "iPhone", "O'Neil", "eBay", "'Tis", "東京"]),
        (5, ["1996", "10,000", ".", "--", "$5", ""]),
        (6, ["I", "A", "J.", "B2", "$A", "É"]),
    ],
)
def test_capitals_of_a_word_fall_into_six_kinds(kind, words):
    assert {word: caps(word) for word in words} == dict.fromkeys(words, kind)


def test_every_feature_keeps_0_for_padding_and_stays_below_its_size():
    words = ["a", "A", "Ab", "AB", "aB", "1", "", "東", "ǅ", "ß", "\u00a0", "a" * 500]
    for name, feature in FEATURES.items():
        ids = feature_ids([name], words)
        assert ids.shape == (len(words), feature.columns)
        # A pooled feature has 0 in the columns that are left; the first is the word itself.
        assert (ids[:, :1] if feature.pooled else ids).min() > PADDING, name
        assert ids.max() < feature.size, name


def test_the_ngrams_of_a_word_are_itself_and_its_runs_of_three_to_five_letters():
    runs = ["<abc>", "<ab", "abc", "bc>", "<abc", "abc>"]  # the longest is the word itself
    numbers = {1 + zlib.crc32(run.encode()) % 65535 for run in runs}
    assert set(ngrams("ABC")) == {*numbers, 0}
    assert sum(number > 0 for number in ngrams("abc")) == len(runs)
    assert len(ngrams("x" * 500)) == len(ngrams("")) == FEATURES["ngrams"].columns
    assert ngrams("zürich")[0] == ngrams("ZÜRICH")[0] != ngrams("zurich")[0]


def test_an_unknown_feature_is_an_error():
    with pytest.raises(KeyError):
        feature_ids(["no such feature"], ["a"])


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("McDonald's-24", "XxXx'x-0"),
        ("Paris", "Xx"),
        ("U.S.", "X.X."),
        ("1,000.50", "0,0.0"),
        ("--", "-"),
        ("ÉTÉ", "X"),
        ("東京", "x"),
        ("", ""),
    ],
)
def test_the_shape_of_a_word_names_each_run_of_a_kind_once(word, expected):
    assert shape(word) == expected


def test_hashes_are_CRC32_on_every_machine_and_spare_0():
    # 0xCBF43926 is the check value that CRC-32 is published with, for the text "123456789".
    assert hashed("123456789", 512) == 1 + 0xCBF43926 % 511
    # A modulus of 1 leaves the one number beside the padding.
    assert hashed("anything", 2) == 1
    assert {hashed(str(i), 4) for i in range(100)} == {1, 2, 3}


@pytest.mark.parametrize(
    ("feature", "column", "same", "other"),
    [
        ("affixes", 0, ["Paris", "parrot", "P"], "Aaris"),  # prefixes of 1, 2 and 3 letters
        ("affixes", 1, ["Paris", "PA", "pat"], "Piris"),
        ("affixes", 2, ["Paris", "PARROT", "par"], "Pacis"),
        ("affixes", 3, ["Paris", "IS", "s"], "Parit"),  # suffixes of 1, 2, 3 and 4
        ("affixes", 4, ["Paris", "IS", "bis"], "Paras"),
        ("affixes", 5, ["Paris", "KRIS", "ris"], "Paros"),
        ("affixes", 6, ["Paris", "Aris", "aris"], "Pamis"),
        ("shape", 0, ["Paris", "Rome", "Été"], "PARIS"),
    ],
)
def test_words_that_look_alike_share_a_number(feature, column, same, other):
    ids = feature_ids([feature], [*same, other])[:, column].tolist()
    assert len(set(ids[:-1])) == 1
    assert ids[-1] != ids[0]


def test_each_feature_has_a_column_of_its_own_in_the_order_named():
    words = ["Paris", "1996"]
    both = feature_ids(["affixes", "caps"], words)
    assert both.dtype == np.int32
    assert both.shape == (2, 8)
    assert both[:, 7].tolist() == [2, 5]
    np.testing.assert_array_equal(both[:, [7, *range(7)]], feature_ids(["caps", "affixes"], words))
    assert feature_columns(["affixes", "caps"]) == (1, 7, 1)


# Coverage


def corpus(text: str) -> Corpus:
    words = Interner()
    ids = np.array([words[word] for word in text.split()], dtype=np.int32)
    return Corpus(
        source="x.conll",
        words=list(words),
        word_ids=ids,
        tags=[],
        tag_ids=np.array([], dtype=np.int32),
        sentence_starts=np.array([0, len(ids)]),
        document_starts=np.array([0, 1]),
        line_numbers=np.arange(1, len(ids) + 1, dtype=np.int32),
    )


def test_coverage_counts_types_and_tokens_by_how_they_were_found():
    encoder = Encoder(["the", "paris", "0000"], [])
    # as written: the ×3, paris ×1; after fallback: The ×1, Paris ×2, 1996 ×1; unknown: zig ×1, zag ×2
    counted = coverage(encoder, corpus("the The the Paris zig 1996 zag paris Paris the zag"))
    assert counted.types == (2, 3, 2)
    assert counted.tokens == (4, 4, 3)
    assert counted.frequent_unknown == ["zag", "zig"]
    assert counted.share == 8 / 11
    # 4/11 = 36.4 %, 3/11 = 27.3 %; 2/7 = 28.6 %, 3/7 = 42.9 %
    assert str(counted) == (
        "11 tokens: 36.4 % as written, 36.4 % after fallback (lower 27.3 %, digits 9.1 %), "
        "27.3 % unknown; "
        "7 types: 28.6 % as written, 42.9 % after fallback, 28.6 % unknown"
    )


def test_the_five_most_frequent_unknown_words_are_named_the_most_frequent_first():
    text = "u1 known " + "known " * 9 + "u2 " * 2 + "u7 " * 7 + "u3 " * 3 + "u5 " * 5 + "u4 " * 4
    counted = coverage(Encoder(["known"], []), corpus(text))
    assert counted.frequent_unknown == ["u7", "u5", "u4", "u3", "u2"]


def test_no_known_word_is_named_among_few_unknown_ones():
    assert coverage(Encoder(["a", "b"], []), corpus("a a B c")).frequent_unknown == ["c"]
    assert coverage(Encoder(["a", "b"], []), corpus("a a B")).frequent_unknown == []


def test_the_share_of_nothing_is_whole():
    assert Coverage((0, 0, 0), (0, 0, 0), []).share == 1.0
