"""Which scheme a text is written in, and what is refused as a tag or as a text of a scheme."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings

from nertool.corpus.blocks import decode_lines
from nertool.corpus.columnar import Corpus
from nertool.corpus.schemes import SCHEMES, check_scheme, checked_tag, find_scheme, irregular_starts
from nertool.errors import CorpusError
from nertool.formats.conll.parse import Columns, parse_conll
from tests.support.schemes import columns, starts_of, texts, written


@pytest.mark.parametrize("scheme", SCHEMES)
@settings(max_examples=60, deadline=None)
@given(text=texts())
def test_the_scheme_of_a_written_text_is_found(scheme, text):
    entities, lengths = text
    tags = written(entities, lengths, scheme)
    ids, names, _ = columns(" ".join(tags))
    # A text without an entity has no prefix at all, which is IO.
    assert find_scheme(ids, names, starts_of(lengths)) == (scheme if entities else "io")


@pytest.mark.parametrize(
    ("scheme", "sentences"),
    [
        # IOB2 with one I- after O against three regular entities
        ("iob2", ["B-PER I-PER O B-LOC", "O I-PER", "B-PER"]),
        # IOB1 with one B- that parts nothing against two regular entities
        ("iob1", ["I-PER B-PER O I-LOC", "B-PER I-PER"]),
        # IOB1: B- after a sentence's end parts nothing, but is outnumbered
        ("iob1", ["I-PER O I-LOC I-PER", "B-PER O"]),
        # a class without prefix among others doesn't make it IO
        ("iob2", ["B-PER I-PER O B-LOC O PER"]),
        ("bioes", ["B-PER I-PER O B-LOC O S-PER"]),
        ("bioes", ["B-PER L-PER"]),
        ("bioes", ["U-PER O"]),
        ("bioes", ["B-PER M-PER E-PER"]),
        ("iob1", ["I-PER I-PER O I-LOC"]),
        ("iob2", ["B-PER O I-PER"]),  # one against either: the commoner of the two
        ("io", ["O O O"]),
    ],
)
def test_the_scheme_is_the_one_that_fewer_entities_contradict(scheme, sentences):
    assert find_scheme(*columns(*sentences)) == scheme


def test_tags_that_no_token_bears_have_no_say_in_the_scheme():
    tags = ["O", "PER", "S-PER", "B-PER"]
    assert find_scheme(np.array([0, 1], dtype=np.int32), tags, np.array([0, 2])) == "io"


@pytest.mark.parametrize(
    "tag", ["", "-", "--", "B", "I", "E", "S", "L", "U", "M", "B-", "I--", "O-", "-PER", "-B-PER"]
)
def test_a_slip_is_refused(tag):
    with pytest.raises(CorpusError) as refusal:
        checked_tag(tag)
    message = str(refusal.value)
    assert message.startswith(f'found the tag "{tag}", ')
    assert "expected O or a label such as PER" in message
    assert "corpus.tag_column" in message


@pytest.mark.parametrize(
    ("tag", "whole"), [("B", "B-X"), ("I-", "I-X"), ("O", "O"), ("PER", "PER")]
)
def test_tags_that_name_no_class_get_the_one_that_is_named(tag, whole):
    assert checked_tag(tag, "X") == whole


@pytest.mark.parametrize("tag", ["O", "B-PER", "S-PER", "U-PER", "PER", "work-of-art", "B-A-B"])
def test_a_proper_tag_is_accepted(tag):
    checked_tag(tag)


@pytest.mark.parametrize(
    ("scheme", "sentences", "expected"),
    [
        ("iob2", ["O I-PER I-PER B-LOC", "I-LOC"], [1, 4]),
        ("iob2", ["B-PER I-LOC"], [1]),
        ("iob2", ["O PER", "B-PER"], [1]),
        ("iob2", ["B-PER B-PER", "B-PER I-PER"], []),
        ("iob1", ["I-PER B-PER O B-PER", "B-PER I-LOC"], [3, 4]),
        ("iob1", ["I-PER B-PER O I-PER", "I-PER I-LOC"], []),
        ("bioes", ["B-PER O B-PER E-PER", "I-PER E-PER S-PER"], [0, 4]),
        ("bioes", ["U-PER B-PER L-PER"], []),
        ("io", ["PER I-PER O B-PER LOC"], [3]),
    ],
)
def test_irregular_starts_are_the_first_words_that_the_scheme_tags_otherwise(
    scheme, sentences, expected
):
    assert irregular_starts(*columns(*sentences), scheme) == expected


@pytest.mark.parametrize("scheme", SCHEMES)
@settings(max_examples=50, deadline=None)
@given(text=texts(apart=True))
def test_a_text_written_in_a_scheme_has_no_irregular_start_in_it(scheme, text):
    entities, lengths = text
    ids, tags, _ = columns(" ".join(written(entities, lengths, scheme)))
    assert irregular_starts(ids, tags, starts_of(lengths), scheme) == []


def corpus(text: str) -> Corpus:
    return parse_conll(decode_lines(io.BytesIO(text.encode()), "x.conll"), Columns(), "x.conll")


def test_a_scheme_without_such_tags_is_refused_at_the_first_of_them():
    tagged = corpus("Ada B-PER\n\nin O\nin O\nNew B-LOC\nYork E-LOC\nParis S-LOC\n")
    for scheme, place in (("iob2", 'x.conll:6: found the tag "E-LOC"'), ("iob1", "x.conll:6:")):
        with pytest.raises(CorpusError) as refusal:
            check_scheme(tagged, scheme)
        assert str(refusal.value).startswith(place)
        assert f"a tag of the scheme {scheme}; set corpus.scheme" in str(refusal.value)
    with pytest.raises(CorpusError, match=r'^x\.conll:1: found the tag "B-PER"'):
        check_scheme(tagged, "io")
    check_scheme(tagged, "bioes")


@pytest.mark.parametrize(
    ("scheme", "tags"),
    [
        ("io", "PER I-LOC O"),
        ("iob1", "I-PER B-PER O"),
        ("iob2", "B-PER I-PER O"),
        ("bioes", "B-PER L-PER U-PER"),
        ("bioes", "B-PER M-PER E-PER"),
    ],
)
def test_a_scheme_with_such_tags_is_accepted(scheme, tags):
    check_scheme(corpus("".join(f"word {tag}\n" for tag in tags.split())), scheme)
