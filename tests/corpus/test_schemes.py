"""Tags ↔ entities: conlleval's rules by hand and by seqeval, and every scheme there and back."""

from __future__ import annotations

import warnings
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from nertool.corpus.columnar import Span
from nertool.corpus.schemes import SCHEMES, spans_of, split_tag, tag_names, tags_of
from tests.support.schemes import LABELS, as_tag_spans, columns, spans, starts_of, texts, written

# Reading


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        # the regular cases
        ("O O", []),
        ("O B-PER O", [(1, 2, "PER")]),
        ("B-PER I-PER I-PER O", [(0, 3, "PER")]),
        ("O I-PER I-PER", [(1, 3, "PER")]),
        # conlleval, startOfChunk: O I starts
        ("O I-PER O", [(1, 2, "PER")]),
        # … prevType ne type starts, and ends what was before
        ("B-PER I-LOC", [(0, 1, "PER"), (1, 2, "LOC")]),
        ("I-PER I-LOC I-LOC I-PER", [(0, 1, "PER"), (1, 3, "LOC"), (3, 4, "PER")]),
        # … B B and I B start, whatever the class
        ("B-PER B-PER", [(0, 1, "PER"), (1, 2, "PER")]),
        ("B-PER B-LOC", [(0, 1, "PER"), (1, 2, "LOC")]),
        ("I-PER B-PER I-PER", [(0, 1, "PER"), (1, 3, "PER")]),
        # … E ends, so E E, E I and E B part; O E starts; B E and I E go on
        ("B-PER E-PER", [(0, 2, "PER")]),
        ("B-PER I-PER E-PER", [(0, 3, "PER")]),
        ("O E-PER E-PER", [(1, 2, "PER"), (2, 3, "PER")]),
        ("B-PER E-PER I-PER", [(0, 2, "PER"), (2, 3, "PER")]),
        ("B-PER E-PER B-PER E-PER", [(0, 2, "PER"), (2, 4, "PER")]),
        ("B-PER E-LOC", [(0, 1, "PER"), (1, 2, "LOC")]),
        # S is a whole entity, whatever stands beside it
        ("S-PER S-PER", [(0, 1, "PER"), (1, 2, "PER")]),
        ("B-PER S-PER I-PER", [(0, 1, "PER"), (1, 2, "PER"), (2, 3, "PER")]),
        ("S-PER E-PER", [(0, 1, "PER"), (1, 2, "PER")]),
        # B that nothing goes on with
        ("B-PER O I-PER", [(0, 1, "PER"), (2, 3, "PER")]),
        # bare classes are I-
        ("PER PER LOC O PER", [(0, 2, "PER"), (2, 3, "LOC"), (4, 5, "PER")]),
        ("B-PER PER", [(0, 2, "PER")]),
        # BILOU and BMES are BIOES in other letters
        ("B-PER I-PER L-PER U-PER U-PER", [(0, 3, "PER"), (3, 4, "PER"), (4, 5, "PER")]),
        ("B-PER M-PER E-PER S-LOC", [(0, 3, "PER"), (3, 4, "LOC")]),
        ("L-PER I-PER", [(0, 1, "PER"), (1, 2, "PER")]),
        # a class with a dash is cut at the first dash alone, and only after a prefix
        ("B-A-B I-A-B I-A", [(0, 2, "A-B"), (2, 3, "A")]),
        ("work-of-art work-of-art", [(0, 2, "work-of-art")]),
    ],
)
def test_spans_follow_conllevals_rules(tags, expected):
    assert spans(tags) == expected


def test_an_entity_ends_with_its_sentence():
    assert spans("O B-PER", "I-PER I-PER", "PER") == [(1, 2, "PER"), (2, 4, "PER"), (4, 5, "PER")]
    assert spans("I-PER", "", "I-PER") == [(0, 1, "PER"), (1, 2, "PER")]


def test_a_text_without_tokens_has_no_entities():
    for sentences in ((), ("",), ("", "")):
        assert spans(*sentences) == []


def test_classes_that_no_token_bears_are_listed_but_have_no_entity():
    found = spans_of(np.array([1, 0], dtype=np.int32), ["O", "B-PER", "B-ORG"], np.array([0, 2]))
    assert found.as_list() == [(0, 1, "PER")]
    assert found.label_names == ["ORG", "PER"]
    assert len(found) == 1


TAGS = ["O", *(f"{prefix}-{label}" for prefix in "BIES" for label in LABELS)]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.sampled_from(TAGS), max_size=7), min_size=1, max_size=4))
def test_spans_of_any_sequence_are_those_of_seqeval(sentences):
    ours = spans(*(" ".join(sentence) for sentence in sentences))
    expected = []
    for sentence, first in zip(sentences, starts_of(list(map(len, sentences))), strict=False):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            entities = get_entities(sentence)
        expected += [(first + start, first + last + 1, label) for label, start, last in entities]
    assert ours == expected


@pytest.mark.parametrize(
    ("tag", "pair"),
    [
        ("O", ("O", "")),
        ("B-PER", ("B", "PER")),
        ("L-PER", ("E", "PER")),
        ("U-PER", ("S", "PER")),
        ("M-PER", ("I", "PER")),
        ("PER", ("I", "PER")),
        ("X-PER", ("I", "X-PER")),
        ("I-A-B", ("I", "A-B")),
        ("B-", ("I", "B-")),  # only O has an empty class
    ],
)
def test_a_tag_is_a_prefix_and_a_class(tag, pair):
    assert split_tag(tag) == pair


# Writing

# Two sentences of 7 and 3 tokens: PER of three words, PER beside it, LOC beside that, a space,
# a PER at the sentence's end; PER at the next sentence's start, with PER beside it.
ENTITIES = [
    Span(0, 3, "PER"),
    Span(3, 4, "PER"),
    Span(4, 5, "LOC"),
    Span(6, 7, "PER"),
    Span(7, 8, "PER"),
    Span(8, 10, "PER"),
]
BY_HAND = {
    "io": "PER PER PER PER LOC O PER PER PER PER",
    "iob1": "I-PER I-PER I-PER B-PER I-LOC O I-PER I-PER B-PER I-PER",
    "iob2": "B-PER I-PER I-PER B-PER B-LOC O B-PER B-PER B-PER I-PER",
    "bioes": "B-PER I-PER E-PER S-PER S-LOC O S-PER S-PER B-PER E-PER",
}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_each_scheme_writes_the_tags_worked_by_hand(scheme):
    assert written(ENTITIES, [7, 3], scheme) == BY_HAND[scheme].split()


@pytest.mark.parametrize(
    ("scheme", "names"),
    [
        ("io", "O LOC PER"),
        ("iob1", "O B-LOC I-LOC B-PER I-PER"),
        ("iob2", "O B-LOC I-LOC B-PER I-PER"),
        ("bioes", "O B-LOC I-LOC E-LOC S-LOC B-PER I-PER E-PER S-PER"),
    ],
)
def test_each_scheme_names_its_tags_with_O_first(scheme, names):
    assert tag_names(LABELS, scheme) == names.split()


@pytest.mark.parametrize("scheme", ["iob1", "iob2", "bioes"])
@settings(max_examples=80, deadline=None)
@given(text=texts())
def test_entities_survive_being_written_and_read(scheme, text):
    entities, lengths = text
    tags = tag_names(LABELS, scheme)
    ids = tags_of(as_tag_spans(entities), starts_of(lengths), tags, scheme)
    assert spans_of(ids, tags, starts_of(lengths)).as_list() == entities


@settings(max_examples=80, deadline=None)
@given(texts(apart=True))
def test_entities_survive_IO_where_none_touches_another_of_its_class(text):
    entities, lengths = text
    tags = tag_names(LABELS, "io")
    ids = tags_of(as_tag_spans(entities), starts_of(lengths), tags, "io")
    assert spans_of(ids, tags, starts_of(lengths)).as_list() == entities


def test_neighbours_of_one_class_run_together_in_IO_within_a_sentence_only():
    joined = spans("PER PER PER PER LOC O PER", "PER PER PER")
    assert joined == [(0, 4, "PER"), (4, 5, "LOC"), (6, 7, "PER"), (7, 10, "PER")]


@settings(max_examples=80, deadline=None)
@given(texts(apart=True), st.permutations(SCHEMES))
def test_a_text_passes_through_all_schemes_in_any_order_and_comes_back_the_same(text, order):
    entities, lengths = text
    starts = starts_of(lengths)
    first_tags = written(entities, lengths, order[0])
    tags, current = first_tags, entities
    for scheme in [*order, order[0]]:
        tags = written(current, lengths, scheme)
        ids, names, _ = columns(" ".join(tags))
        found = spans_of(ids, names, starts)
        current = found.as_list()
    assert current == entities
    assert tags == first_tags


@settings(max_examples=80, deadline=None)
@given(texts())
def test_IOB1_writes_B_just_where_a_neighbour_of_the_class_stands_in_the_same_sentence(text):
    entities, lengths = text
    sentence = np.repeat(np.arange(len(lengths)), lengths)
    expected = {
        after.start
        for before, after in pairwise(entities)
        if before.end == after.start
        and before.label == after.label
        and sentence[before.end - 1] == sentence[after.start]
    }
    tags = written(entities, lengths, "iob1")
    assert {i for i, tag in enumerate(tags) if tag.startswith("B-")} == expected


@pytest.mark.parametrize("scheme", SCHEMES)
def test_tags_are_written_by_their_numbers_in_the_list_given(scheme):
    # The tags in an order of their own, with a stranger between: ids must follow the list.
    tags = ["O", "B-ELSE", *reversed(tag_names(LABELS, scheme)[1:])]
    ids = tags_of(as_tag_spans(ENTITIES), starts_of([7, 3]), tags, scheme)
    assert [tags[i] for i in ids] == BY_HAND[scheme].split()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_text_without_entities_is_all_O(scheme):
    assert written([], [2, 0, 1], scheme) == ["O", "O", "O"]
