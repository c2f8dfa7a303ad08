"""What a network is given of a text, laid out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nertool.config.inputs import FeaturesConfig, WindowsConfig
from nertool.config.learning import DecodingConfig, FirstStageConfig
from nertool.config.records import Config
from nertool.files.scratch import set_aside
from nertool.inputs.assemble import RowNumbers, lay_out, narrow
from nertool.inputs.context import CONTEXTS
from nertool.inputs.encoder import Encoder
from nertool.inputs.gazetteers import BEGIN, END, SINGLE
from nertool.inputs.layout import (
    contexts_of,
    feature_table_shapes,
    features_of,
    layout_of,
    needs_documents,
    table_columns,
)
from nertool.inputs.memory import remember
from nertool.inputs.side import SideRows, side_inputs
from nertool.inputs.text import blocks_of
from nertool.model.model import inputs_for, word_vectors
from nertool.network.lookup import embed
from nertool.network.objective import tables_of
from nertool.vectors.clusters import COLUMNS
from tests.support.helpers import document_text, random_model

EVERYTHING = FeaturesConfig(
    caps=2, shape=1, affixes=1, memory=True, sentence=2, document=3, neighbours=True, document_vector=True
)  # fmt: skip


def test_a_row_holds_vector_looks_memory_and_contexts_in_this_order():
    config = Config(features=EVERYTHING)
    assert features_of(config) == ["caps", "shape", "affixes"]
    assert contexts_of(config) == ["sentence", "document"]
    columns = {
        "L": 1,
        "E.caps": 1,
        "E.shape": 1,
        "E.affixes": 7,
        "M": 1,
        "E.sentence": 1,
        "E.document": 1,
    }
    assert list(table_columns(config).items()) == list(columns.items())
    shapes = feature_table_shapes(config)
    assert list(shapes) == [name for name in columns if name not in ("L", "M")]
    assert (shapes["E.caps"], shapes["E.document"]) == ((7, 2), (9, 3))


def test_a_feature_of_width_0_has_no_table():
    config = Config(features=FeaturesConfig(caps=0, document=1))
    assert list(table_columns(config)) == ["L", "E.document"]
    assert list(feature_table_shapes(config)) == ["E.document"]


def test_row_numbers_by_hand():
    # Two documents of a sentence each, C = 3: a padding on either side of each. Columns: L's row
    # (unknown 0, before 1, after 2, the 3), caps (0 padding, 1 lower, 2 Initial), memory (1 for
    # Ada), document (0 padding; Ada has no other in its document: 1).
    config = Config(
        windows=WindowsConfig(3), features=FeaturesConfig(caps=1, memory=True, document=1)
    )
    encoder = Encoder(["the"], ["caps"], ["Ada"])
    text = document_text(["the Ada"], ["the"])
    type_ids = np.concatenate([encoder.padding, encoder.encode(text.words).ids])
    inputs = lay_out(type_ids, text, config)
    assert inputs.ids[:].tolist() == [
        [1, 0, 0, 0],
        [3, 1, 0, 1],  # the
        [0, 2, 1, 1],  # Ada
        [2, 0, 0, 0],
        [1, 0, 0, 0],
        [3, 1, 0, 1],  # the
        [2, 0, 0, 0],
    ]
    assert inputs.padded.centres.tolist() == [1, 2, 5]
    assert inputs.side is None


def test_side_inputs_by_hand():
    # Vectors of width 1: a 1, b 2. Documents "a b a" and "a".
    text = document_text(["a b a"], ["a"])
    vectors = np.array([[1.0], [2.0]])
    opinion = np.array([[0.9, 0.1], [0.5, 0.5], [0.3, 0.7], [0.2, 0.8]])
    features = FeaturesConfig(neighbours=True, document_vector=True)
    found = side_inputs(features, text, lambda ids: vectors[ids], opinion)
    mean = (1 + 2 + 1) / 3
    # before and after the word elsewhere; the document's mean; what is thought of the word
    # elsewhere, and whether it stands elsewhere.
    expected = [
        [2, 0, mean, 0.3, 0.7, 1],
        [0, 0, mean, 0, 0, 0],
        [0, 2, mean, 0.9, 0.1, 1],
        [0, 0, 1, 0, 0, 0],
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_what_is_not_asked_for_is_not_looked_up():
    def never() -> np.ndarray:
        pytest.fail("looked up vectors that nothing needs")

    text = document_text(["a b"])
    assert side_inputs(FeaturesConfig(), text, never) is None
    opinion = np.array([[0.5, 0.5], [0.5, 0.5]])
    assert side_inputs(FeaturesConfig(), text, never, opinion).shape == (2, 3)


def test_a_window_of_the_first_stages_probabilities_ends_with_the_sentence():
    # Sentences "a b c" and "d"; the first stage gives the i-th token (i, 10 i).
    text = document_text(["a b c", "d"])
    p = np.array([[1, 10], [2, 20], [3, 30], [4, 40]], dtype=np.float32)

    def made(window: int) -> SideRows:
        found = side_inputs(
            FeaturesConfig(),
            text,
            lambda ids: np.ones((4, 1)),
            p,
            FirstStageConfig(window=window),
        )
        assert found is not None
        assert (found[:][:, :3] == 0).all()  # no word occurs twice
        return found

    side = made(3)
    assert side[:][:, 3:].tolist() == [
        [0, 0, 1, 10, 2, 20],
        [1, 10, 2, 20, 3, 30],
        [2, 20, 3, 30, 0, 0],
        [0, 0, 4, 40, 0, 0],
    ]
    assert side[np.array([3, 0])].tolist() == side[:][::-3].tolist()
    assert made(7)[2][3:].tolist() == [0, 0, 1, 10, 2, 20, 3, 30, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("neighbours", [False, True])
@pytest.mark.parametrize("document_vector", [False, True])
@pytest.mark.parametrize("folds", [0, 2])
@pytest.mark.parametrize("pooling", [False, True])
def test_the_layout_says_how_wide_the_side_inputs_are(neighbours, document_vector, folds, pooling):
    features = FeaturesConfig(neighbours=neighbours, document_vector=document_vector)
    first = FirstStageConfig(folds, window=3, max_pooling=pooling)
    config = Config(features=features, first_stage=first)
    text = document_text(["a b a"])
    opinion = np.full((3, 5), 0.2) if folds else None
    found = side_inputs(features, text, lambda ids: np.ones((2, 4))[ids], opinion, first)
    layout = layout_of(config, dict.fromkeys(table_columns(config), 4), 4, 5, folds > 0)
    assert (0 if found is None else found.shape[1]) == layout.e
    # 2·4 for the neighbours, 4 for the document; 5 + 1, 3·5 and with max pooling 5 for the first stage.
    of_first = (21 + 5 * pooling) * (folds > 0)
    assert layout.e == 8 * neighbours + 4 * document_vector + of_first


def test_the_layout_by_hand():
    # Vectors of width 3, caps of width 2, seven affixes of width 1, memory of 4 + 2 columns, and a
    # sentence feature of width 5; then neighbours and the first stage's 4 + 1, but no document vector.
    features = FeaturesConfig(caps=2, affixes=1, memory=True, sentence=5, neighbours=True)
    config = Config(features=features)
    widths = {"L": 3, "E.caps": 2, "E.affixes": 1, "M": 6, "E.sentence": 5}
    layout = layout_of(config, widths, v=3, T=4, first_stage=True)
    assert layout.ids == {
        "L": slice(0, 1), "E.caps": slice(1, 2), "E.affixes": slice(2, 9), "M": slice(9, 10),
        "E.sentence": slice(10, 11),
    }  # fmt: skip
    assert layout.row == {
        "L": slice(0, 3), "E.caps": slice(3, 5), "E.affixes": slice(5, 12), "M": slice(12, 18),
        "E.sentence": slice(18, 23),
    }  # fmt: skip
    assert (layout.d_1, layout.d) == (18, 23)
    assert layout.side == {"left": slice(0, 3), "right": slice(3, 6), "first_stage": slice(6, 11)}
    assert config.windows.size * 23 + 11 == layout.D


@pytest.mark.parametrize(
    ("config", "needed"),
    [
        (Config(), False),
        (Config(features=FeaturesConfig(caps=2, shape=1, affixes=1, memory=True)), False),
        (Config(features=FeaturesConfig(sentence=1)), True),
        (Config(features=FeaturesConfig(document=1)), True),
        (Config(features=FeaturesConfig(neighbours=True)), True),
        (Config(features=FeaturesConfig(document_vector=True)), True),
        (Config(first_stage=FirstStageConfig(2)), True),
        (Config(decoding=DecodingConfig(consistency=0.1)), True),
        (Config(decoding=DecodingConfig(outside_bias=0.1)), False),
    ],
)
def test_documents_are_needed_where_tags_depend_on_other_sentences(config, needed):
    assert needs_documents(config) == needed


def test_of_the_words_vectors_the_trained_rows_are_the_trained_ones():
    # Rows 0, 2, 4 and 6 of the table of 7 were trained; the others are as their file has them.
    model = random_model(members=1)
    (member,) = model.members
    assert member.rows.tolist() == [0, 2, 4, 6]
    found = word_vectors(member, np.array([6, 1, 0, 5, 6, 3]))
    trained, L = member.parameters["L"], member.L
    np.testing.assert_array_equal(found, [trained[3], L[1], trained[0], L[5], trained[3], L[3]])
    # What is looked up is a copy.
    found[:] = 0.0
    assert L[1].any()
    none = member._replace(rows=np.array([], dtype=np.int64))
    np.testing.assert_array_equal(word_vectors(none, np.array([6, 1])), L[[6, 1]])


def test_a_models_rows_are_put_together_word_by_word():
    # Each row of the text written out from the tables: vector, caps, affixes, clusters, memory, gazetteers,
    # sentence, document. CITY has london in any letters and Paris; B has "Ada met" and paris.
    marks = [(0, 4 + BEGIN), (0, 4 + END), (0, 0), (SINGLE, 0), (SINGLE, 4 + SINGLE)]
    model = random_model(members=2)
    text = document_text(["Ada met the", "London"], ["Paris"])
    for member in model.members:
        opinion = np.full((5, len(model.tags)), 1 / len(model.tags), np.float32)
        parameters, inputs = inputs_for(member, text, model.config, opinion)
        tables = list(tables_of(parameters).values())
        R = embed(tables, inputs.ids[:], list(table_columns(model.config).values()))
        own = member.parameters
        for token, centre in enumerate(inputs.padded.centres):
            word = text.words[text.word_ids[token]]
            numbers = member.encoder.encode([word]).ids[0]
            contexts = [of(text)[token] for _, of in CONTEXTS.values()]
            expected = [
                word_vectors(member, numbers[:1])[0],
                own["E.caps"][numbers[1]],
                own["E.affixes"][numbers[2:9]].ravel(),
                own["E.clusters"][member.encoder.clusters[numbers[0]]].ravel(),
                own["M"][numbers[9 + COLUMNS]],
                own["E.gazetteers"][list(marks[token])].ravel(),
                own["E.sentence"][contexts[0]],
                own["E.document"][contexts[1]],
            ]
            np.testing.assert_array_equal(R[centre], np.concatenate(expected))
        # Given are the vectors that training started from, whatever it made of them.
        started = member.L[member.encoder.encode(text.words).ids[:, 0]]
        again = side_inputs(model.config.features, text, lambda ids, L=started: L[ids], opinion)
        np.testing.assert_array_equal(inputs.side, again)


@pytest.mark.parametrize("block_tokens", [1, 6])
@pytest.mark.parametrize("document_tokens", [3, 100])
def test_a_text_looked_at_in_blocks_has_the_same_inputs(block_tokens, document_tokens):
    model = random_model(members=1)
    (member,) = model.members
    whole = replace(
        document_text(
            ["Ada met the Ada", "the Paris Ada", "PARIS"],
            [],
            ["London the", "", "the"],
            ["Paris the"] * 3,
        ),
        document_tokens=document_tokens,
    )
    cut = replace(whole, block_tokens=block_tokens)
    assert len(list(blocks_of(whole))) == 1 < len(list(blocks_of(cut)))
    N = len(whole.word_ids)
    opinion = np.random.default_rng(1).random((N, len(model.tags)), dtype=np.float32)
    (_, expected), (_, found) = (inputs_for(member, t, model.config, opinion) for t in (whole, cut))
    np.testing.assert_array_equal(found.ids, expected.ids)
    np.testing.assert_array_equal(found.side, expected.side)
    np.testing.assert_array_equal(found.side[np.array([3, 0])], np.asarray(expected.side)[[3, 0]])
    classes = np.arange(N) % 3
    first, second = (remember(text, classes, 2) for text in (whole, cut))
    np.testing.assert_array_equal(first.table[first.rows], second.table[second.rows])


def test_row_numbers_are_the_same_from_memory_and_from_files() -> None:
    types, own = np.array([2, 0, 1, 2], dtype=np.int32), np.array([5, 6, 7, 8], dtype=np.int32)
    of_types = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]], dtype=np.int32)
    whole = RowNumbers(types, [of_types], {1: own})
    parts = [of_types[:, :1], narrow(of_types[:, 1:])]
    stored = RowNumbers(set_aside(types, 0), parts, {1: set_aside(own, 0)})
    assert parts[1].dtype == np.uint8
    expected = [[7, 5, 9], [1, 6, 3], [4, 7, 6], [7, 8, 9]]
    for numbers in (whole, stored):
        assert numbers.shape == (4, 3)
        assert numbers[:].tolist() == expected
        assert numbers[np.array([3, 0])].tolist() == [expected[3], expected[0]]
        assert numbers[:].dtype == np.int32
