"""The fast path equals the scorer's own forward pass, however its tables came about."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import block_diag

from nertool.config.inputs import FeaturesConfig
from nertool.config.types import Activation
from nertool.corpus.schemes import tag_names
from nertool.decoding.adjust import adjust
from nertool.decoding.viterbi import decode, lattice, valid_sentences, viterbi
from nertool.inputs.layout import table_columns
from nertool.inputs.text import Text
from nertool.model.load import load_model
from nertool.model.model import Member, Model, inputs_for, score_tokens
from nertool.network.activations import ACTIVATIONS, Array
from nertool.network.lookup import embed
from nertool.network.objective import tables_of
from nertool.network.scorer import Weights, scores
from nertool.tagging import wordtables
from nertool.tagging.analyse import analyse
from nertool.tagging.compiled import CompiledTagger
from tests.support.helpers import EVERYTHING, document_text, random_model

pytestmark = pytest.mark.usefixtures("either_way")

WORDS = ["London", "met", "Ada", "New", "York", "zzz", "1996", ".", "paris", "PARIS"]


@pytest.fixture(scope="module")
def model(run_dir: Path) -> Model:
    return load_model(run_dir)


def in_dtype(model: Model, dtype: type[np.floating], activation: Activation) -> Model:
    """Return the model in another precision, and with another f."""
    network = replace(model.config.network, activation=activation)

    def cast(stage: tuple[Member, ...]) -> tuple[Member, ...]:
        return tuple(
            member._replace(parameters={n: a.astype(dtype) for n, a in member.expanded().items()})
            for member in stage
        )

    return replace(
        model,
        config=replace(model.config, network=network),
        members=cast(model.members),
        first_stage=cast(model.first_stage),
    )


def mean_scores(
    members: tuple[Member, ...], model: Model, text: Text, opinion: Array | None
) -> Array:
    """Return the mean of what each member's own forward pass gives."""
    parts = []
    for member in members:
        parameters, inputs = inputs_for(member, text, model.config, opinion)
        parts.append(score_tokens(parameters, model.config, inputs))
    return np.mean(parts, axis=0)


def opinion_of(model: Model, text: Text) -> Array | None:
    """Return the first stage's probabilities, e^s over their sum."""
    if not model.first_stage:
        return None
    p = np.exp(mean_scores(model.first_stage, model, text, None))
    return p / p.sum(axis=1, keepdims=True)


def reference(model: Model, text: Text) -> Array:
    found = mean_scores(model.members, model, text, opinion_of(model, text))
    return adjust(found, text, model.config.decoding)


def random_text(words: list[str], tokens: int, sentences: int, documents: int) -> Text:
    """Draw a text over several blocks of the tagger's."""
    rng = np.random.default_rng(0)
    ids = rng.integers(0, len(words), size=tokens).astype(np.int32)
    starts = np.unique([0, *rng.integers(0, tokens, size=sentences), tokens])
    last = len(starts) - 1
    marks = np.unique([0, *rng.integers(0, last, size=documents), last])
    return Text(words, ids, starts, marks)


def setting_from(words: list[str], ids: list[int], starts: list[int]) -> Text:
    """Make a text of which each sentence is a document."""
    own = np.array(starts, dtype=np.int64)
    return Text(words, np.array(ids, dtype=np.int32), own, np.arange(len(own)))


PRECISIONS = pytest.mark.parametrize(
    ("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-12)]
)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@PRECISIONS
def test_pre_multiplied_scores_are_the_scorers_own(model, activation, dtype, tolerance):
    model = in_dtype(model, dtype, activation)
    text = random_text(WORDS, 3000, 400, 0)
    found = CompiledTagger(model).scores(text)
    assert found.dtype == dtype
    expected = reference(model, text)
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


@PRECISIONS
@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize(
    ("size", "opinions", "firsts", "pooling"),
    [(1, 5, 3, True), (3, 0, 1, False), (3, 0, 2, True), (3, 1, 2, False)],
)
def test_with_every_feature_and_two_stages_members_of_any_widths_fold_into_their_mean(
    activation, size, opinions, firsts, pooling, dtype, tolerance
):
    model = random_model(
        dtype=dtype,
        network={"activation": activation},
        windows={"size": size},
        first_stage={"window": opinions, "members": firsts, "max_pooling": pooling},
    )
    assert [member.L.shape[1] for member in model.members] == [4, 3, 4]
    assert [member.L.shape[1] for member in model.first_stage] == [4, 3, 4][:firsts]
    text = random_text([*WORDS, "the", "THE", "Paris"], 3000, 400, 60)
    found = CompiledTagger(model).scores(text)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, reference(model, text), rtol=tolerance, atol=tolerance)
    # Every input counts: the same words in documents of their own have other scores.
    apart = replace(text, document_starts=np.arange(len(text.sentence_starts)))
    assert (np.abs(CompiledTagger(model).scores(apart) - found) > 1e-3).any(axis=1).mean() > 0.9


ALONE = {
    "nothing": {},
    "sentence": {"sentence": 2},
    "document": {"document": 3},
    "memory": {"memory": True},
    "neighbours": {"neighbours": True},
    "document_vector": {"document_vector": True},
    "looks": {"caps": 2, "shape": 1, "affixes": 1},
}


@pytest.mark.parametrize("folds", [0, 2])
@pytest.mark.parametrize("features", ALONE.values(), ids=ALONE)
def test_each_feature_alone_is_in_its_place(features, folds):
    chosen = FeaturesConfig(**{"caps": 0, **features})
    model = random_model(chosen, folds=folds, members=2, dtype=np.float64)
    text = random_text(WORDS, 200, 40, 9)
    found = CompiledTagger(model).scores(text)
    np.testing.assert_allclose(found, reference(model, text), rtol=1e-12, atol=1e-12)


def test_what_is_done_to_scores_afterwards_is_done_to_the_mean():
    decoding = {"outside_bias": 0.7, "consistency": 0.4}
    model = random_model(dtype=np.float64, decoding=decoding)
    text = random_text(WORDS, 200, 40, 9)
    found = CompiledTagger(model).scores(text)
    np.testing.assert_allclose(found, reference(model, text), rtol=1e-10, atol=1e-10)
    plain = CompiledTagger(random_model(dtype=np.float64)).scores(text)
    assert np.abs(found - plain).max() > 0.1


def test_an_output_alone_is_the_odds_against_O_in_an_ensemble_too():
    model = random_model(labels=["LOC"], dtype=np.float64, decoding={"scheme": "io"})
    assert len(model.members[0].parameters["U"]) == 1
    text = random_text(WORDS, 200, 40, 9)
    found = CompiledTagger(model).scores(text)
    np.testing.assert_allclose(found, reference(model, text), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(found[:, 0], 0.0)


def windows_of(member: Member, text: Text, model: Model, opinion: Array | None) -> Array:
    """Return a member's whole input x (N, D): the window's rows side by side, then what is given."""
    parameters, inputs = inputs_for(member, text, model.config, opinion)
    tables = list(tables_of(parameters).values())
    R = embed(tables, inputs.ids[:], list(table_columns(model.config).values()))
    m = inputs.padded.m
    windows = [R[centre - m : centre + m + 1].ravel() for centre in inputs.padded.centres]
    return np.concatenate([np.array(windows), inputs.side], axis=1)


def test_an_ensemble_is_one_network_with_its_members_side_by_side():
    # s = Σ_i (1/k) U_i f(W_i x_i + b_i) = U f(W x + b), with x = [x_1, x_2, x_3], W the blocks
    # W_1, W_2, W_3 along the diagonal, and U = [U_1, U_2, U_3] / 3.
    model = random_model(dtype=np.float64)
    text = random_text(WORDS, 150, 30, 7)
    opinion = opinion_of(model, text)
    x = np.concatenate([windows_of(m, text, model, opinion) for m in model.members], axis=1)
    parts = [member.parameters for member in model.members]
    wide = Weights(
        W=block_diag(*(part["W"] for part in parts)),
        b=np.concatenate([part["b"] for part in parts]),
        U=np.concatenate([part["U"] for part in parts], axis=1) / 3,
    )
    assert wide.W.shape == (15, x.shape[1])
    expected = scores(wide, ACTIVATIONS[model.config.network.activation], x)
    found = CompiledTagger(model).scores(text)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[wordtables.WordRows]:
    """List the times that a tagger's rows were forgotten."""
    times: list[wordtables.WordRows] = []
    forget = wordtables.WordRows._forget

    def noted(rows: wordtables.WordRows) -> None:
        times.append(rows)
        forget(rows)

    monkeypatch.setattr(wordtables.WordRows, "_forget", noted)
    return times


def forgetful(model: Model, table_bytes: int = 1 << 20) -> CompiledTagger:
    """Make a tagger that remembers no word type for long."""
    return CompiledTagger(model, table_bytes, most_forms=5)


TURNS = (WORDS[:5], WORDS[3:8], WORDS[5:], WORDS[:5])


@pytest.mark.parametrize("rows", [0, 9, 14])
def test_tables_that_start_anew_give_the_same_scores(model, begun, rows):
    row = 5 * 4 * len(model.members[0].parameters["b"])  # bytes: 5 window positions
    small, roomy = forgetful(model, table_bytes=rows * row), forgetful(model)
    for words in TURNS:
        text = setting_from(words, [0, 1, 2, 3, 4], [0, 2, 5])
        np.testing.assert_array_equal(small.scores(text), roomy.scores(text))
        # A window's own words always have room.
        kept, passing = small._rows.kept, small._rows.passing
        assert kept + passing <= max(rows, 7) == len(small._members[0].table.T)
    assert begun.count(small._rows) == (3 if small._rows.kept else 0)  # as often as the forms


@pytest.mark.parametrize("table_bytes", [0, 500, 2000, 4000])
def test_tables_of_two_stages_and_several_members_start_anew_too(begun, table_bytes):
    # A form that gets another number must find its row of L there for every file of vectors.
    model = random_model(dtype=np.float64)
    small = forgetful(model, table_bytes=table_bytes)
    roomy = forgetful(model)
    for words in (*TURNS[:3], [*WORDS[4:], "the"], WORDS[:5]):
        ids = [*range(len(words)), 0, 1, 0]
        text = replace(
            setting_from(words, ids, [0, 2, 5, len(ids)]), document_starts=np.array([0, 3])
        )
        np.testing.assert_allclose(small.scores(text), roomy.scores(text), atol=1e-12)
        np.testing.assert_allclose(
            small.scores(text), reference(model, text), rtol=1e-12, atol=1e-12
        )


def test_rows_that_were_kept_give_way_once_much_had_to_pass(begun):
    # Rows of all networks: 5 slices of 5 numbers for three members, of 4 for the first stage's: 760 bytes
    # of doubles. A window's words with the paddings: 5 rows of at most 200 bytes pass; so 2 are kept.
    model = random_model(replace(EVERYTHING, clusters=0), dtype=np.float64)
    tagger, roomy = CompiledTagger(model, 1000 + 2 * 760 + 80), CompiledTagger(model)
    assert (tagger._rows.kept, tagger._rows.passing) == (2, 5)
    for i in range(12):
        text = setting_from([f"w{i}", "Ada", f"x{i}", "met"], [0, 1, 2, 3], [0, 4])
        np.testing.assert_array_equal(tagger.scores(text), roomy.scores(text))
    assert begun.count(tagger._rows) >= 2 > begun.count(roomy._rows) == 0


def test_networks_share_the_memory_of_rows_that_pass(model):
    model = random_model(dtype=np.float64)
    tagger = CompiledTagger(model, 10_000)
    rows = tagger._rows
    tables = [network.table for network in (*tagger._first, *tagger._members)]
    for i, table in enumerate(tables):
        table.T[: rows.kept] = i
    tables[0].T[tables[0].first_passing :] = 7.0
    for i, table in enumerate(tables):  # no network's rows are another's, but those that pass
        assert (table.T[: rows.kept] == i).all()
        assert table.T[table.first_passing, 0, 0] == 7.0
        assert len(table.T) >= table.first_passing + rows.passing


def test_more_words_at_once_than_the_limit_still_fit(model, begun):
    text = setting_from(WORDS, list(range(len(WORDS))), [0, len(WORDS)])
    found = forgetful(model, table_bytes=0).scores(text)
    np.testing.assert_allclose(found, reference(model, text), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("full", [False, True], ids=["one-network", "two-stages"])
def test_text_without_a_token_has_no_scores(model, full):
    tagger = CompiledTagger(random_model() if full else model)
    assert tagger.scores(setting_from([], [], [0])).shape == (0, len(tagger.model.tags))
    assert len(analyse(tagger, setting_from([], [], [0, 0])).spans) == 0
    assert len(analyse(tagger, document_text([""], [])).spans) == 0


@pytest.mark.parametrize("scheme", ["io", "iob2", "bioes"])
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), lengths=st.lists(st.integers(0, 7), max_size=8))
def test_searching_only_where_the_best_tags_are_no_sequence_finds_the_same(scheme, seed, lengths):
    tags = tag_names(["LOC", "PER"], scheme)
    starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(int(starts[-1]), len(tags)))
    scores[:, 0] += rng.integers(0, 4)  # more or less O, so that more or fewer are valid at once
    allowed = lattice(tags, scheme)
    best = decode(scores, starts, "viterbi", allowed)
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


def test_invisible_characters_and_decomposed_letters_change_no_score():
    """Vectors, memory, affixes, shapes, capitals and repetitions see one normal form, on both paths."""
    plain = ["Zürich", "the", "é", "Paris", "PARIS", "étude", "1996", "a b"]
    odd = ["Zu\u0308\u00adrich", "t\u200bhe", "e\u0301", "\u200ePar\u2060is", "PARIS\u200f",
           "\ufeffe\u0301tude", "19\u00ad96", "a\u200c b"]  # fmt: skip
    # Without clusters a row is short enough that BLAS rounds it alike, wherever it stands.
    model = random_model(
        replace(EVERYTHING, clusters=0),
        files=[["the", "Zürich", "e\u0301", "Paris"], ["Paris", "étude"]],
        remembered=["Zürich", "Paris", "the", "e\u0301"],
        decoding={"consistency": 0.25},
    )
    text = random_text(plain, 200, 20, 3)
    wanted = CompiledTagger(model).scores(text)
    both = replace(text, words=[*odd, *plain])
    both = replace(both, word_ids=both.word_ids + 8 * (np.arange(200) % 2).astype(np.int32))
    for other in (replace(text, words=odd), both):
        np.testing.assert_array_equal(CompiledTagger(model).scores(other), wanted)
        np.testing.assert_allclose(reference(model, other), wanted, atol=1e-4)


@pytest.mark.parametrize("chunk_tokens", [1, 3])
def test_scores_do_not_depend_on_the_chunks(chunk_tokens):
    model = random_model()
    text = setting_from(
        WORDS, [*range(len(WORDS)), 0, 1, 2, 0, 1], [0, 2, 5, len(WORDS), len(WORDS) + 5]
    )
    text = replace(text, document_starts=np.array([0, 2, 4]))
    whole = CompiledTagger(model).scores(text)
    small = CompiledTagger(model, 0, chunk_tokens=chunk_tokens)
    np.testing.assert_allclose(small.scores(text), whole, rtol=1e-6, atol=1e-6)
