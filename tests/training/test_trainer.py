"""The epochs: the network learns, on the rows that it should, and stops when it should."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from nertool.config.records import Config
from nertool.errors import TrainingError
from nertool.inputs.windows import pad, single_windows
from nertool.model.model import word_vectors
from nertool.network.objective import Batch, forward_loss
from nertool.training import run
from nertool.training.batches import batches, objective_of, one_hot
from nertool.training.parallel.team import Threads, blas_threads
from nertool.training.preparation.encode import prepare
from nertool.training.preparation.store import Part, Prepared
from nertool.training.preparation.working import training_text, working_inputs
from nertool.training.stages import encoders_of, member_of
from nertool.training.trainer import EpochRecord, State, initial_state, train
from tests.support.helpers import change, run_training


def start(config: Config, prepared: Prepared) -> State:
    return initial_state(config, prepared, working_inputs(config, prepared))


def epochs(config: Config, prepared: Prepared, state: State, **more) -> Iterator[EpochRecord]:
    """Train from a state on, on the whole training part."""
    return train(config, prepared, working_inputs(config, prepared), state, **more)


# Learning


@pytest.mark.parametrize("output", ["logistic", "softmax"])
@pytest.mark.parametrize("shuffle", ["sentences", "windows"])
def test_the_tiny_text_is_learnt_by_heart(config, prepared, output, shuffle):
    config = change(
        config,
        network={"output": output},
        training={"epochs": 70, "shuffle": shuffle, "alpha": 0.3},
    )
    *_, last = epochs(config, prepared, start(config, prepared))
    assert last.loss < 0.05
    assert last.dev.f1 == 1.0
    assert last.dev.overall.gold == 10


@pytest.mark.parametrize(
    ("optimizer", "alpha"), [("sgd", 0.5), ("momentum", 0.05), ("adagrad", 0.1), ("adam", 0.01)]
)
def test_every_optimizer_lowers_the_loss(config, prepared, optimizer, alpha):
    training = {"optimizer": optimizer, "alpha": alpha, "epochs": 8}
    config = change(config, training=training)
    losses = [record.loss for record in epochs(config, prepared, start(config, prepared))]
    assert losses[-1] < 0.3 * losses[0]


@pytest.mark.parametrize("activation", ["tanh", "logistic", "relu", "hard_tanh"])
def test_every_activation_learns(config, prepared, activation):
    config = change(config, network={"activation": activation}, training={"epochs": 12})
    losses = [record.loss for record in epochs(config, prepared, start(config, prepared))]
    assert losses[-1] < 0.3 * losses[0]


@pytest.mark.parametrize("shuffle", ["sentences", "windows"])
def test_the_loss_of_an_epoch_is_the_mean_over_all_windows(config, prepared, shuffle):
    # At alpha 0 nothing changes, so the epoch's mean is J of the whole text taken as one batch,
    # however uneven the mini-batches are.
    config = change(config, training={"alpha": 0.0, "epochs": 1, "shuffle": shuffle, "l2": 0.01})
    state = start(config, prepared)
    inputs, tag_ids, _ = training_text(config, prepared, working_inputs(config, prepared))
    everything = single_windows(inputs.padded, np.arange(len(tag_ids)))
    T = len(prepared.tags)
    batch = Batch(
        inputs.ids[everything.positions],
        everything.windows,
        one_hot(tag_ids, T, T)(everything.tokens),
    )
    expected = forward_loss(objective_of(config), state.parameters, batch).J
    (record,) = epochs(config, prepared, state)
    assert record.loss == pytest.approx(expected, rel=1e-6)


SMALL_SHARDS = 8  # windows: the tiny text's batches have several


@pytest.mark.parametrize("shuffle", ["sentences", "windows"])
def test_the_number_of_threads_changes_nothing(config, prepared, shuffle):
    dropout = {"dropout_input": 0.2, "dropout_hidden": 0.3}
    config = change(
        config, training={"batch_size": 30, "epochs": 3, "shuffle": shuffle, "l2": 0.01, **dropout}
    )
    outcomes = []
    for threads in (1, 2, 3):
        state = start(config, prepared)
        records = epochs(config, prepared, state, threads=Threads(threads, SMALL_SHARDS))
        losses = [record.loss for record in records]
        outcomes.append((losses, state.parameters, state.rng.bit_generator.state))
    for losses, parameters, drawn in outcomes[1:]:
        assert losses == outcomes[0][0]
        assert drawn == outcomes[0][2]
        for name, array in parameters.items():
            np.testing.assert_array_equal(array, outcomes[0][1][name])


def test_threads_end_with_the_training_and_leave_blas_as_it_was(config, prepared):
    running = threading.active_count()
    training = epochs(
        change(config, training={"batch_size": 30}),
        prepared,
        start(config, prepared),
        threads=Threads(3, SMALL_SHARDS),
    )
    with threadpool_limits(2, user_api="blas"):
        next(training)
        assert threading.active_count() == running + 2
        assert blas_threads() == 2
        training.close()
    assert threading.active_count() == running


def test_the_learning_rate_decays_by_the_epoch(config, prepared):
    # 0.1 / (1 + 1·0), 0.1 / (1 + 1·1), 0.1 / (1 + 1·2)
    config = change(config, training={"alpha": 0.1, "decay": 1.0, "epochs": 3})
    alphas = [record.alpha for record in epochs(config, prepared, start(config, prepared))]
    assert alphas == pytest.approx([0.1, 0.05, 0.1 / 3])


def test_l2_keeps_the_weights_smaller(config, prepared):
    sizes = []
    for l2 in (0.0, 0.1):
        varied = change(config, training={"l2": l2, "epochs": 4})
        state = start(varied, prepared)
        list(epochs(varied, prepared, state))
        sizes.append(float(np.abs(state.parameters["W"]).sum()))
    assert sizes[1] < 0.8 * sizes[0]


def test_dropout_is_for_training_alone(config, prepared):
    # At alpha 0 the parameters stay; the loss feels the masks, the score on dev does not.
    records = {}
    for rate in (0.0, 0.5):
        training = {"alpha": 0.0, "epochs": 1, "dropout_input": rate, "dropout_hidden": rate}
        varied = change(config, training=training)
        (records[rate],) = epochs(varied, prepared, start(varied, prepared))
    assert records[0.0].loss != records[0.5].loss
    assert records[0.0].dev == records[0.5].dev


def test_every_batch_is_told_with_its_windows(config, prepared):
    told = []
    config = change(config, training={"epochs": 1})
    state = start(config, prepared)
    (record,) = epochs(config, prepared, state, on_batch=lambda *batch: told.append(batch))
    windows, losses = zip(*told, strict=True)
    assert sum(windows) == len(prepared.train.word_ids) == 129
    assert record.loss == pytest.approx(np.average(losses, weights=windows))


# Batches


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 9), min_size=1, max_size=12),
    batch_size=st.integers(1, 20),
    seed=st.integers(0, 99),
    shuffle=st.sampled_from(["sentences", "windows"]),
)
def test_every_token_is_met_exactly_once_in_an_epoch(lengths, batch_size, seed, shuffle):
    starts = np.cumsum([0, *lengths])
    N = int(starts[-1])
    text = pad(np.arange(N, dtype=np.int32), starts, 1)
    everything = np.arange(len(lengths))
    epoch = list(batches(text, everything, shuffle, batch_size, np.random.default_rng(seed)))
    tokens = [batch.tokens.tolist() for batch in epoch]
    assert sorted(token for batch in tokens for token in batch) == list(range(N))
    for batch in epoch:
        # Each word is its own number here, so that the centre tells which token a window is of.
        centres = batch.positions[batch.windows[:, 1]]
        assert (text.types[centres] - 2 == batch.tokens).all()
    if shuffle == "windows":
        assert all(len(batch) == batch_size for batch in tokens[:-1])
        return
    # Whole sentences, and no more of them than it takes.
    sentence = np.repeat(np.arange(len(lengths)), lengths)
    for batch in tokens:
        met = sentence[batch]
        assert sorted(batch) == [i for i in range(N) if sentence[i] in met]
    for batch in tokens[:-1]:
        assert batch_size <= len(batch) < batch_size + 9


@pytest.mark.parametrize("shuffle", ["sentences", "windows"])
def test_the_order_is_another_in_each_epoch_and_with_each_seed(shuffle):
    text = pad(np.arange(60, dtype=np.int32), np.arange(0, 61, 3), 1)
    rng = np.random.default_rng(0)
    orders = [
        tuple(
            np.concatenate(
                [batch.tokens for batch in batches(text, np.arange(20), shuffle, 7, generator)]
            )
        )
        for generator in (rng, rng, np.random.default_rng(1))
    ]
    assert len({*orders, tuple(range(60))}) == 4


def test_targets_have_a_column_for_each_output_and_a_1_for_the_tokens_tag():
    tokens = np.array([1, 0, 2])
    tag_ids = np.array([0, 2, 1, 0], dtype=np.int32)
    assert one_hot(tag_ids, 3, 3)(tokens).tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    # O and one class with a single output: is it of the class?
    tag_ids = np.array([0, 1, 1, 0], dtype=np.int32)
    assert one_hot(tag_ids, 2, 1)(tokens).tolist() == [[1], [0], [1]]


# Which rows are trained


def met_rows(prepared: Prepared, *parts: Part) -> set[int]:
    """Look up, word by word, the rows of L that a text meets: as written, else in lower case."""
    rows = {word: i for i, word in enumerate(prepared.vectors[0].words, 3)}
    words = [word for part in parts for word in part.words]
    return {0, 1, 2, *(rows.get(word, rows.get(word.lower(), 0)) for word in words)}


def kept_vectors(config: Config, prepared: Prepared, state: State) -> np.ndarray:
    """Return the whole table L as the model of a training has it, at its best epoch."""
    working = working_inputs(config, prepared)
    member = member_of(prepared, working, state, encoders_of(config, prepared))
    return word_vectors(member, np.arange(len(member.L)))


@pytest.fixture(scope="module")
def uneven(config: Config, tmp_path_factory) -> tuple[Config, Prepared]:
    """A training text and a dev text that each lack words of the other, and of the vectors."""
    folder = tmp_path_factory.mktemp("uneven")
    (folder / "train.conll").write_text("Ada B-PER\nflew O\nto O\nUtopia B-LOC\n\nUtopia B-LOC\n")
    (folder / "dev.conll").write_text("Paris B-LOC\nrained O\n")
    corpus = {"train": (folder / "train.conll",), "dev": (folder / "dev.conll",)}
    config = change(config, corpus=corpus, training={"epochs": 3})
    return config, prepare(config)


def test_working_rows_are_those_of_the_texts_words_and_the_special_ones(config, prepared, uneven):
    for own_config, given_one in ((config, prepared), uneven):
        rows = working_inputs(own_config, given_one).rows
        assert rows.tolist() == sorted(met_rows(given_one, given_one.train, given_one.dev))
    assert (
        len(rows) == 3 + 5 < len(uneven[1].vectors[0].L)
    )  # ada, flew, to, paris, rained of 29 words


def test_only_rows_that_the_training_text_meets_are_changed(uneven):
    config, prepared = uneven
    state = start(config, prepared)
    list(epochs(config, prepared, state))
    L = prepared.vectors[0].L
    changed = np.flatnonzero((kept_vectors(config, prepared, state) != L).any(axis=1))
    assert set(changed.tolist()) == met_rows(prepared, prepared.train)


def test_frozen_vectors_stay_and_all_else_is_trained(config, prepared):
    config = change(config, vectors={"fine_tune": False}, training={"epochs": 2})
    state = start(config, prepared)
    before = {name: array.copy() for name, array in state.parameters.items()}
    list(epochs(config, prepared, state))
    changed = [name for name in before if not np.array_equal(before[name], state.parameters[name])]
    assert changed == [name for name in before if name != "L"]
    assert {"W", "b", "U"} < set(changed)
    assert kept_vectors(config, prepared, state).tobytes() == prepared.vectors[0].L.tobytes()


def test_the_memory_is_counted_and_never_trained(config, prepared):
    for fine_tune in (True, False):
        varied = change(
            config,
            features={"memory": True},
            vectors={"fine_tune": fine_tune},
            training={"epochs": 2, "optimizer": "adam", "average": 2},
        )
        state = start(varied, prepared)
        before = state.parameters["M"].copy()
        assert before.any()
        list(epochs(varied, prepared, state))
        np.testing.assert_array_equal(state.parameters["M"], before)
        np.testing.assert_array_equal(state.best["M"], before)
        assert "M" not in state.optimizer.memory
        # What a model keeps of it are the rows of word forms, not those that leave a document out.
        working = working_inputs(varied, prepared)
        member = member_of(prepared, working, state, encoders_of(varied, prepared))
        kept = member.parameters["M"]
        np.testing.assert_array_equal(kept, before[: 1 + len(prepared.train.words)])


def test_only_the_chosen_sentences_are_trained_on(config, prepared):
    # Whatever the labels of the others are, it comes to the same.
    config = change(config, training={"epochs": 2})
    chosen = np.arange(0, 18, 2)
    rest = ~np.isin(prepared.train.text.sentences, chosen)
    absurd = prepared.train.tag_ids.copy()
    absurd[rest] = len(prepared.tags) - 1
    results = []
    for tag_ids in (prepared.train.tag_ids, absurd):
        varied = replace(prepared, train=replace(prepared.train, tag_ids=tag_ids))
        state = start(config, varied)
        records = list(epochs(config, varied, state, sentences=chosen))
        results.append((state.parameters["W"].tobytes(), [record.loss for record in records]))
    assert results[0] == results[1]


def test_the_model_is_the_mean_of_the_last_epochs_parameters(config, prepared):
    config = change(config, corpus={"dev": None}, training={"epochs": 5, "average": 3})
    without_dev = replace(prepared, dev=None)
    state = start(config, without_dev)
    ends = []
    for record in epochs(config, without_dev, state):
        ends.append({name: array.copy() for name, array in state.parameters.items()})
        assert record.best
        for name, array in state.best.items():
            expected = np.mean([end[name] for end in ends[-3:]], axis=0)
            np.testing.assert_allclose(array, expected, rtol=1e-5, atol=1e-6)
            assert array.dtype == np.float32
    # The mean is for use, and the next epoch goes on from the last parameters themselves.
    plain = change(config, training={"average": 1})
    state = start(plain, without_dev)
    list(epochs(plain, without_dev, state))
    for name, array in state.parameters.items():
        np.testing.assert_array_equal(array, ends[-1][name])


def test_the_best_model_is_a_copy_that_later_epochs_do_not_touch(config, prepared):
    config = change(config, training={"epochs": 20})
    state = start(config, prepared)
    kept, f1 = {}, -1.0
    for record in epochs(config, prepared, state):
        assert record.best == (record.dev.f1 > f1)
        if record.best:
            f1 = record.dev.f1
            kept = {name: array.copy() for name, array in state.parameters.items()}
    assert 1 < state.best_epoch < 20
    for name, array in kept.items():
        np.testing.assert_array_equal(state.best[name], array)
        assert not np.array_equal(state.best[name], state.parameters[name])


# The end


def test_patience_ends_training_after_so_many_epochs_without_a_better_one(config, prepared):
    # At alpha 0 no epoch beats the first: it stops after 1 + 3.
    config = change(config, training={"alpha": 0.0, "epochs": 50, "patience": 3})
    state = start(config, prepared)
    records = list(epochs(config, prepared, state))
    assert [record.epoch for record in records] == [1, 2, 3, 4]
    assert [record.best for record in records] == [True, False, False, False]
    assert list(epochs(config, prepared, state)) == []  # still out of patience


def test_without_a_dev_part_the_last_epoch_is_the_best_and_patience_has_no_say(config, tmp_path):
    config = change(
        config, corpus={"dev": None}, training={"epochs": 3, "patience": 1, "alpha": 0.0}
    )
    records = run_training(config, tmp_path / "run")
    assert [(record.dev, record.best) for record in records] == [(None, True)] * 3
    assert run.last_best(tmp_path / "run") == (3, None)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_a_loss_that_is_no_longer_finite_stops_training_and_names_epoch_and_alpha(
    config, prepared, activation
):
    training = {"optimizer": "sgd", "alpha": 1e38, "decay": 1.0, "epochs": 5}
    config = change(config, network={"activation": activation}, training=training)
    with pytest.raises(TrainingError) as caught:
        list(epochs(config, prepared, start(config, prepared)))
    message = str(caught.value)
    assert re.match(r"the loss became (nan|inf) in epoch [12] after \d+ batches", message)
    assert "training.alpha = 1e+38" in message or "training.alpha = 5e+37" in message
