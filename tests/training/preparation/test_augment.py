"""The training text made a little different: what is exchanged and rewritten, and what is left alone."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nertool.config.file import load_config
from nertool.config.records import Config
from nertool.corpus.schemes import TagSpans, spans_of
from nertool.inputs.context import document_context, sentence_context
from nertool.inputs.text import Text
from nertool.training.batches import token_weights
from nertool.training.preparation.augment import casings_of, exchange_entities, recase
from nertool.training.preparation.encode import prepare
from nertool.training.preparation.store import Prepared
from nertool.training.preparation.working import augmented_text, training_text, working_inputs
from nertool.training.trainer import initial_state, train
from tests.support.helpers import change


def test_forms_are_the_texts_words_then_what_they_are_in_lower_case_and_capitals():
    casings = casings_of(["Paris", "met", "U2", "MET"])
    assert casings.words == ["Paris", "met", "U2", "MET", "paris", "u2", "PARIS"]
    # What was added stays as it is.
    assert casings.lower.tolist() == [4, 1, 5, 1, 4, 5, 6]
    assert casings.upper.tolist() == [6, 3, 2, 3, 4, 5, 6]


def test_a_sentence_is_rewritten_in_lower_case_or_in_capitals_as_a_whole():
    words = ["Ada", "met", "Paris"]
    casings = casings_of(words)
    word_ids = np.tile(np.arange(3, dtype=np.int32), 4000)
    starts = np.arange(0, 12_001, 3)
    found = recase(word_ids, starts, casings, 0.4, np.random.default_rng(0))
    assert found.dtype == np.int32
    sentences = [tuple(casings.words[i] for i in found[a:b]) for a, b in pairwise(starts)]
    kinds = {
        kind: sentences.count(kind) / 4000
        for kind in [tuple(words), ("ada", "met", "paris"), ("ADA", "MET", "PARIS")]
    }
    assert sum(kinds.values()) == 1.0
    # 0.6 as they were, 0.2 and 0.2; of 4,000 draws the shares lie within 0.03 of that.
    assert list(kinds.values()) == pytest.approx([0.6, 0.2, 0.2], abs=0.03)


def test_a_share_of_0_rewrites_nothing():
    casings = casings_of(["Ada", "met"])
    word_ids = np.array([0, 1, 0], dtype=np.int32)
    found = recase(word_ids, np.array([0, 2, 3]), casings, 0.0, np.random.default_rng(0))
    np.testing.assert_array_equal(found, word_ids)


SENTENCES = st.lists(
    st.lists(st.sampled_from(["O", "X", "Y", "XX", "YYY"]), max_size=5), max_size=6
)


@settings(max_examples=80, deadline=None)
@given(drawn=SENTENCES, share=st.floats(0, 1), seed=st.integers(0, 99))
def test_entities_give_way_to_others_of_their_class_and_all_else_stays(drawn, share, seed):
    # Each item is a token outside, or an entity of so many tokens of the class X or Y.
    starts, ends, labels, sentence_starts, at = [], [], [], [0], 0
    for sentence in drawn:
        for item in sentence:
            if item != "O":
                starts.append(at)
                ends.append(at + len(item))
                labels.append("XY".index(item[0]))
            at += len(item)
        sentence_starts.append(at)
    spans = TagSpans(
        *(np.array(values, dtype=np.int64) for values in (starts, ends, labels)), ["X", "Y"]
    )
    source, new_starts = exchange_entities(
        spans, np.array(sentence_starts), share, np.random.default_rng(seed)
    )
    whole = {s: (s, e, c) for s, e, c in zip(starts, ends, labels, strict=True)}
    # Read again item by item: each entity's place holds a whole entity of its class.
    i = at = 0
    for sentence, (first, end) in zip(drawn, pairwise(new_starts.tolist()), strict=True):
        assert i == first
        for item in sentence:
            if item == "O":
                assert source[i] == at
                i += 1
            else:
                s, e, c = whole[source[i]]
                assert c == "XY".index(item[0])
                assert source[i : i + e - s].tolist() == list(range(s, e))
                if share == 0.0:
                    assert s == at
                i += e - s
            at += len(item)
        assert i == end
    assert i == len(source)


@pytest.fixture(scope="module")
def augmented(full) -> tuple[Config, Prepared]:
    config = load_config(full / "config.yaml", ["first_stage.folds=0", "network.members=1"])
    return config, prepare(config)


def test_words_labels_and_memory_move_together(augmented):
    config, prepared = augmented
    config = change(config, training={"replace_entities": 0.9, "recase": 0.0})
    working = working_inputs(config, prepared)
    train_part = prepared.train
    everything = np.arange(len(train_part.sentence_starts) - 1)
    rng = np.random.default_rng(0)
    inputs, tag_ids, _ = augmented_text(config, prepared, working, everything, rng)
    plain, plain_tags, _ = training_text(config, prepared, working)
    assert len(tag_ids) != len(
        plain_tags
    )  # some entities are longer than those in whose place they stand

    def entities(inputs, tag_ids) -> list[tuple]:
        """Return each entity's label, with its words' row numbers: L's, the looks' and the memory's."""
        ids = inputs.ids[inputs.padded.centres][:, : 1 + 1 + 7 + 1]
        found = spans_of(tag_ids, prepared.tags, inputs.padded.sentence_starts).as_list()
        return [(label, ids[start:end].tolist()) for start, end, label in found]

    before, after = entities(plain, plain_tags), entities(inputs, tag_ids)
    # One in the place of each, all of them entities of the text, the labels in the same order.
    assert [label for label, _ in after] == [label for label, _ in before]
    assert all(entity in before for entity in after)
    assert after != before


def test_entities_come_from_the_sentences_that_are_trained_on_alone(augmented):
    # A fold's network must not meet the names of its own fold.
    config, prepared = augmented
    config = change(config, training={"replace_entities": 0.9, "recase": 0.0})
    working = working_inputs(config, prepared)
    starts = prepared.train.sentence_starts
    chosen = np.arange(2, len(starts) - 1)
    inside = set(working.type_ids[0][2:, 0][prepared.train.word_ids[starts[2] :]].tolist())
    for seed in range(20):
        rng = np.random.default_rng(seed)
        inputs = augmented_text(config, prepared, working, chosen, rng).inputs
        new_starts = inputs.padded.sentence_starts
        rows = inputs.ids[inputs.padded.centres][:, 0]
        assert set(rows[new_starts[2] :].tolist()) <= inside
        # The other sentences are as they were.
        np.testing.assert_array_equal(new_starts[:3], starts[:3])


def test_a_token_written_anew_is_remembered_as_the_form_that_it_now_has(augmented):
    config, prepared = augmented
    config = change(config, training={"replace_entities": 0.0, "recase": 0.99})
    working = working_inputs(config, prepared)
    part = prepared.train
    everything = np.arange(len(part.sentence_starts) - 1)
    inputs = augmented_text(config, prepared, working, everything, np.random.default_rng(0)).inputs
    memory = inputs.ids[inputs.padded.centres][:, sum(own.shape[1] for own in working.type_ids) - 1]
    word_ids = inputs.padded.types[inputs.padded.centres] - 2
    kept = word_ids == part.word_ids
    assert 0 < kept.sum() < len(kept)
    np.testing.assert_array_equal(memory[kept], working.memory.rows[kept])
    words = {word: 1 + i for i, word in enumerate(part.words)}
    for row, i in zip(memory[~kept], word_ids[~kept], strict=True):
        assert row == words.get(working.casings.words[i], 0)


def test_contexts_are_those_of_the_text_as_it_is_read(augmented):
    config, prepared = augmented
    config = change(config, training={"replace_entities": 0.5, "recase": 0.5})
    working = working_inputs(config, prepared)
    part = prepared.train
    everything = np.arange(len(part.sentence_starts) - 1)
    inputs = augmented_text(config, prepared, working, everything, np.random.default_rng(1)).inputs
    word_ids = inputs.padded.types[inputs.padded.centres] - 2
    text = Text(
        working.casings.words, word_ids, inputs.padded.sentence_starts, part.document_starts
    )
    found = inputs.ids[inputs.padded.centres][:, sum(own.shape[1] for own in working.type_ids) :]
    np.testing.assert_array_equal(
        found, np.stack([sentence_context(text), document_context(text)], 1)
    )


def test_an_epoch_of_an_augmented_training_reads_another_text_each_time(config, prepared):
    config = change(
        config, training={"recase": 0.5, "alpha": 0.0, "epochs": 4, "shuffle": "windows"}
    )
    working = working_inputs(config, prepared)
    state = initial_state(config, prepared, working)
    losses = [record.loss for record in train(config, prepared, working, state)]
    assert len(set(losses)) == 4  # at alpha 0 nothing else changes


# Weights of classes


def test_words_of_rare_classes_weigh_more(config, prepared):
    # Of the tiny text's 43 words a third, three times: LOC London, Paris, Berlin, London, New York,
    # Paris: 7; ORG Siemens, New York Times: 4; PER Ada Lovelace, Charles Babbage, Ada, Charles: 6.
    assert token_weights(config, prepared) is None
    for balance in (0.5, 1.0):
        weights = token_weights(change(config, training={"class_balance": balance}), prepared)
        expected = {"O": 1.0, "LOC": 1.0, "ORG": (7 / 4) ** balance, "PER": (7 / 6) ** balance}
        for tag, weight in zip(prepared.tags, weights, strict=True):
            assert weight == pytest.approx(expected[tag.partition("-")[2] or tag]), tag


def test_weights_reach_the_loss(config, prepared):
    losses = []
    for balance in (0.0, 2.0):
        varied = change(config, training={"class_balance": balance, "alpha": 0.0, "epochs": 1})
        working = working_inputs(varied, prepared)
        (record,) = train(varied, prepared, working, initial_state(varied, prepared, working))
        losses.append(record.loss)
    assert losses[1] > losses[0]
