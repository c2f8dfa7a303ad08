"""Words that the vectors' file lacks get vectors of their parts, the same ones on every path."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from nertool.inputs.encoder import UNKNOWN
from nertool.model.compress import compress_model
from nertool.model.load import load_model
from nertool.model.model import Model
from nertool.model.save import save_model
from nertool.tagging.compiled import CompiledTagger
from tests.support.helpers import random_model
from tests.tagging.test_compiled import random_text, reference

pytestmark = pytest.mark.usefixtures("either_way")

WORDS = [
    "london",
    "London",
    "the",
    "Londoner",
    "Adalbert",
    "metro",
    "x",
    "\u65e5\u672c",
    "Ad-hoc",
    ".",
]


@pytest.fixture(scope="module")
def model() -> Model:
    return random_model(subwords=40, vectors={"lookup": ("exact", "lower", "hyphen", "subwords")})


def test_composed_vectors_come_beside_the_row_numbers(model):
    encoder = model.members[0].encoder
    assert encoder.composer is not None
    ids, composed = encoder.encode(["Adalbert", "the", "metro"])
    assert ids[:, 0].tolist() == [len(encoder), encoder.vector_row("the"), len(encoder) + 1]
    np.testing.assert_array_equal(composed, encoder.composer.compose(["Adalbert", "metro"])[0])
    # The first column is another file's, which says nothing of them: the unknown word's value stands there.
    assert set(composed[:, 0]) == {model.members[0].L[UNKNOWN, 0]}
    steps = ["exact", "lower", "hyphen", "subwords"]
    assert [encoder.step_of(w) for w in ("the", "London", "x-ada", "Adalbert")] == steps


def test_the_tagger_says_what_the_scorer_says_with_the_starting_vectors_beside():
    both = random_model(subwords=40, vectors={"fine_tune": "both"})
    text = random_text(WORDS, 300, 30, 3)
    scores = CompiledTagger(both).scores(text)
    np.testing.assert_allclose(reference(both, text), scores, atol=1e-4)


@pytest.mark.parametrize("rows", ["as trained", "float16", "int8"])
def test_the_tagger_says_what_the_scorer_says(model, rows):
    own = model if rows == "as trained" else compress_model(model, rows, None)
    text = random_text(WORDS, 300, 30, 3)
    scores = CompiledTagger(own).scores(text)
    np.testing.assert_allclose(reference(own, text), scores, atol=1e-4)
    # Few words remembered at a time, and the others met anew, give the same.
    forgetful, whole = CompiledTagger(own, most_forms=4), CompiledTagger(own)
    for word in (3, 4, 5, 3, 9):
        one = replace(text, word_ids=np.full_like(text.word_ids, word))
        np.testing.assert_allclose(forgetful.scores(one), whole.scores(one), atol=1e-5)


@pytest.mark.parametrize("rows", [None, "int8"])
def test_a_model_keeps_them_in_folder_file_and_pickle(model, rows, tmp_path):
    own = compress_model(model, rows, None) if rows else model
    text = random_text(WORDS, 100, 10, 2)
    wanted = CompiledTagger(own).scores(text)
    for name in ("folder", "one.nertool"):
        save_model(own, tmp_path / name)
        loaded = load_model(tmp_path / name)
        np.testing.assert_array_equal(CompiledTagger(loaded).scores(text), wanted)
    again = pickle.loads(pickle.dumps(own))
    np.testing.assert_array_equal(CompiledTagger(again).scores(text), wanted)
