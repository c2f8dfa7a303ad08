"""The fast path equals the scorer's own forward pass, however its tables came about."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nertool.config import DecodingConfig
from nertool.corpus.schemes import tag_names
from nertool.embeddings.windows import pad
from nertool.network.activations import ACTIVATIONS
from nertool.tagging import compiled
from nertool.tagging.compiled import CompiledTagger
from nertool.tagging.decode import lattice, valid_sentences, viterbi
from nertool.tagging.model import Model, decode, score_tokens
from nertool.tagging.storage import load_model

WORDS = ["London", "met", "Ada", "New", "York", "zzz", "1996", ".", "paris", "PARIS"]


@pytest.fixture(scope="module")
def model(run_dir: Path) -> Model:
    return load_model(run_dir)


def in_dtype(model: Model, dtype: type[np.floating], activation: str) -> Model:
    network = replace(model.config.network, activation=activation)
    return replace(
        model,
        config=replace(model.config, network=network),
        parameters={name: a.astype(dtype) for name, a in model.parameters.items()},
    )


def reference(model: Model, words: list[str], ids: np.ndarray, starts: np.ndarray) -> np.ndarray:
    text = pad(ids, starts, model.m)
    return score_tokens(model.parameters, model.config, model.type_ids(words), text)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-12)])
def test_pre_multiplied_scores_are_the_scorers_own(model, activation, dtype, tolerance):
    model = in_dtype(model, dtype, activation)
    rng = np.random.default_rng(0)
    ids = rng.integers(0, len(WORDS), size=3000).astype(np.int32)  # over several blocks
    starts = np.unique([0, *rng.integers(0, 3000, size=400), 3000])
    found = CompiledTagger(model).scores(WORDS, ids, starts)
    assert found.dtype == dtype
    expected = reference(model, WORDS, ids, starts)
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def test_tables_that_start_anew_give_the_same_scores(model, monkeypatch):
    monkeypatch.setattr(compiled, "_START", 8)  # room for the paddings and six words
    small, roomy = CompiledTagger(model, table_bytes=0), CompiledTagger(model)
    ids, starts = np.arange(5, dtype=np.int32), np.array([0, 2, 5])
    for words in (WORDS[:5], WORDS[3:8], WORDS[5:], WORDS[:5]):
        np.testing.assert_array_equal(
            small.scores(words, ids, starts), roomy.scores(words, ids, starts)
        )
    assert len(small._slots) == 5
    assert len(roomy._slots) == len(WORDS)


def test_more_words_at_once_than_the_limit_still_fit(model, monkeypatch):
    monkeypatch.setattr(compiled, "_START", 4)
    ids, starts = np.arange(len(WORDS), dtype=np.int32), np.array([0, len(WORDS)])
    found = CompiledTagger(model, table_bytes=0).scores(WORDS, ids, starts)
    np.testing.assert_allclose(found, reference(model, WORDS, ids, starts), rtol=1e-5, atol=1e-5)


def test_text_without_a_token_has_no_scores(model):
    tagger = CompiledTagger(model)
    empty = np.zeros(0, dtype=np.int32)
    assert tagger.scores([], empty, np.array([0])).shape == (0, len(model.tags))
    assert len(tagger.spans([], empty, np.array([0, 0]))) == 0


@pytest.mark.parametrize("scheme", ["io", "iob2", "bioes"])
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), lengths=st.lists(st.integers(0, 7), max_size=8))
def test_searching_only_where_the_best_tags_are_no_sequence_finds_the_same(
    model, scheme, seed, lengths
):
    config = replace(model.config, decoding=DecodingConfig(scheme=scheme))
    tags = tag_names(["LOC", "PER"], scheme)
    starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(int(starts[-1]), len(tags)))
    scores[:, 0] += rng.integers(0, 4)  # more or less O, so that more or fewer are valid at once
    allowed = lattice(tags, scheme)
    best = decode(scores, starts, config, allowed)
    np.testing.assert_array_equal(best, viterbi(scores, starts, allowed))
    assert valid_sentences(best, starts, allowed).all()


def test_valid_sentences_are_told_from_others():
    tags = tag_names(["X"], "bioes")  # O, B-X, I-X, E-X, S-X
    number = {tag[0]: i for i, tag in enumerate(tags)}
    sentences = ["OSO", "BIE", "", "BE", "I", "OB", "EO", "BO", "SBE", "BIB", "O"]
    expected = [True, True, True, True, False, False, False, False, True, False, True]
    tag_ids = np.array([number[tag] for tag in "".join(sentences)], dtype=np.int32)
    starts = np.concatenate([[0], np.cumsum([len(s) for s in sentences])])
    assert valid_sentences(tag_ids, starts, lattice(tags, "bioes")).tolist() == expected
