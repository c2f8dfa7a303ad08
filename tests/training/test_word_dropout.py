"""Word dropout: rare words are read as unknown ones, with probability a / (a + n)."""

from __future__ import annotations

import numpy as np

from nertool.config.file import load_config
from nertool.inputs.encoder import UNKNOWN
from nertool.inputs.layout import MEMORY, VECTORS, id_slices
from nertool.inputs.memory import UNMET
from nertool.training.batches import word_dropout
from nertool.training.preparation.encode import prepare
from nertool.training.preparation.working import working_inputs
from nertool.training.trainer import initial_state, mean_parameters, train

KEYS = ["features.memory=true", "training.word_dropout=2", "features.affixes=2"]


def dropped(config, n, starting_rows=0):
    """Drop words from n times every word of the training part; return ids before, after, and types."""
    prepared = prepare(config)
    words = len(prepared.train.words)
    types = np.tile(np.arange(2, 2 + words, dtype=np.int32), n)
    F = max(cut.stop for cut in id_slices(config).values())
    before = np.full((len(types), F), 7, dtype=np.int32)
    after = word_dropout(config, prepared, starting_rows)(
        before.copy(), types, np.random.default_rng(0)
    )
    counts = np.bincount(prepared.train.word_ids, minlength=words)
    return before, after, np.tile(counts, n)


def test_a_word_is_dropped_as_often_as_its_rarity_says(tiny):
    config = load_config(tiny / "config.yaml", KEYS)
    before, after, counts = dropped(config, 2000, starting_rows=100)
    slices = id_slices(config)
    memory = slices[MEMORY].start
    lost = after[:, memory] == UNMET
    for count in np.unique(counts):
        assert abs(lost[counts == count].mean() - 2 / (2 + count)) < 0.02
    vector = slices[VECTORS].start
    np.testing.assert_array_equal(after[:, vector], np.where(lost, 107, 7))  # the starting vector
    others = [i for i in range(before.shape[1]) if i not in (memory, vector)]
    np.testing.assert_array_equal(after[:, others], before[:, others])


def test_without_vectors_the_word_loses_its_own_row_too(tiny):
    config = load_config(tiny / "config.yaml", [*KEYS, "vectors.path="])
    _, after, _ = dropped(config, 50)
    slices = id_slices(config)
    unknown = after[:, slices[VECTORS].start] == UNKNOWN
    np.testing.assert_array_equal(unknown, after[:, slices[MEMORY].start] == UNMET)
    assert 0 < unknown.mean() < 1
    assert (after[:, slices["E.affixes"]] == 7).all()


def test_without_the_key_nothing_is_dropped_or_drawn(tiny):
    config = load_config(tiny / "config.yaml", ["features.memory=true"])
    rng = np.random.default_rng(3)
    ids = np.ones((4, 3), dtype=np.int32)
    assert word_dropout(config, prepare(config), 0)(ids, np.arange(4), rng) is ids
    assert rng.random() == np.random.default_rng(3).random()


def test_starting_rows_stay_as_they_are_and_no_model_keeps_them(tiny):
    config = load_config(tiny / "config.yaml", [*KEYS, "training.epochs=2"])
    prepared = prepare(config)
    working = working_inputs(config, prepared)
    state = initial_state(config, prepared, working)
    r = len(working.rows)
    start = state.parameters["L"].copy()
    np.testing.assert_array_equal(start[:r], start[r:])
    list(train(config, prepared, working, state))
    after = state.parameters["L"]
    np.testing.assert_array_equal(after[r:], start[r:])
    assert (after[:r] != start[:r]).any()
    assert state.best["L"].shape == (r, start.shape[1])
    assert mean_parameters(state.recent)["L"].shape == (r, start.shape[1])


def test_without_training_of_vectors_there_are_no_starting_rows(tiny):
    config = load_config(tiny / "config.yaml", [*KEYS, "vectors.fine_tune=false"])
    prepared = prepare(config)
    working = working_inputs(config, prepared)
    assert len(initial_state(config, prepared, working).parameters["L"]) == len(working.rows)
