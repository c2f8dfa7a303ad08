"""Training: it learns, it repeats itself bit for bit, and an interruption changes nothing."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nertool.config import Config, load_config
from nertool.corpus.conll import Columns, read_conll
from nertool.embeddings.windows import pad, single_windows
from nertool.errors import CorpusError, ModelError, StaleError, TrainingError
from nertool.evaluation.report import as_dict
from nertool.network.objective import Batch, evaluate
from nertool.tagging.evaluate import evaluate_corpus
from nertool.tagging.storage import load_model
from nertool.training import run
from nertool.training.prepare import prepare
from nertool.training.prepared import Part, Prepared, file_hash, load_prepared, save_prepared
from nertool.training.trainer import (
    batches,
    initial_state,
    objective_of,
    one_hot,
    train,
    working_ids,
    working_rows,
)

VOLATILE = ("seconds", "tokens_per_second")


@pytest.fixture(scope="module")
def config(tiny: Path) -> Config:
    return load_config(tiny / "config.yaml")


@pytest.fixture(scope="module")
def prepared(config: Config) -> Prepared:
    return prepare(config)


def change(config: Config, **sections: dict) -> Config:
    """Return the config with some keys changed: change(config, training={"epochs": 2})."""
    return replace(
        config, **{name: replace(getattr(config, name), **keys) for name, keys in sections.items()}
    )


def run_training(config: Config, run_dir: Path, resume: bool = False) -> list:
    """Train into a run folder as `nertool train` does; return the epochs' records."""
    if not resume:
        run.check_free(run_dir, overwrite=False)
    prepared = run.prepared_for(config, run_dir, "nertool prepare", lambda line: None)
    if not resume:
        run.begin_run(config, run_dir)
    return list(run.run_epochs(config, prepared, run_dir, resume))


def outcome(run_dir: Path) -> dict:
    """Return what two equal trainings must agree in: arrays byte for byte, and the log without times."""
    arrays = {
        f"{name}/{kind}": (run_dir / name / f"{kind}.safetensors").read_bytes()
        for name, kind in (("best", "model"), ("last", "state"))
    }
    log = [json.loads(line) for line in (run_dir / "log.jsonl").read_text().splitlines()]
    state = json.loads((run_dir / "last" / "state.json").read_text())
    return {
        **arrays,
        "state": state,
        "log": [{key: entry[key] for key in entry if key not in VOLATILE} for entry in log],
    }


# Learning


@pytest.mark.parametrize("output", ["logistic", "softmax"])
@pytest.mark.parametrize("shuffle", ["sentences", "windows"])
def test_the_tiny_text_is_learnt_by_heart(config, prepared, output, shuffle):
    config = change(
        config,
        network={"output": output},
        training={"epochs": 60, "shuffle": shuffle, "alpha": 0.3},
    )
    *_, last = train(config, prepared, initial_state(config, prepared))
    assert last.loss < 0.05
    assert last.dev.f1 == 1.0
    assert last.dev.overall.gold == 10


@pytest.mark.parametrize(
    ("optimizer", "alpha"), [("sgd", 0.5), ("momentum", 0.05), ("adagrad", 0.1), ("adam", 0.01)]
)
def test_every_optimizer_lowers_the_loss(config, prepared, optimizer, alpha):
    training = {"optimizer": optimizer, "alpha": alpha, "epochs": 8}
    config = change(config, training=training)
    losses = [record.loss for record in train(config, prepared, initial_state(config, prepared))]
    assert losses[-1] < 0.3 * losses[0]


@pytest.mark.parametrize("activation", ["tanh", "logistic", "relu", "hard_tanh"])
def test_every_activation_learns(config, prepared, activation):
    config = change(config, network={"activation": activation}, training={"epochs": 12})
    losses = [record.loss for record in train(config, prepared, initial_state(config, prepared))]
    assert losses[-1] < 0.3 * losses[0]


@pytest.mark.parametrize("shuffle", ["sentences", "windows"])
def test_the_loss_of_an_epoch_is_the_mean_over_all_windows(config, prepared, shuffle):
    # At alpha 0 nothing changes, so the epoch's mean is J of the whole text taken as one batch,
    # however uneven the mini-batches are.
    config = change(config, training={"alpha": 0.0, "epochs": 1, "shuffle": shuffle, "l2": 0.01})
    state = initial_state(config, prepared)
    part = prepared.train
    everything = single_windows(
        pad(part.word_ids, part.sentence_starts, 2), np.arange(len(part.word_ids))
    )
    T = len(prepared.tags)
    y = one_hot(part.tag_ids, T, T)(everything.tokens)
    ids = working_ids(part, working_rows(prepared))[everything.types]
    expected = evaluate(objective_of(config), state.parameters, Batch(ids, everything.windows, y)).J
    (record,) = train(config, prepared, state)
    assert record.loss == pytest.approx(expected, rel=1e-6)


def test_the_learning_rate_decays_by_the_epoch(config, prepared):
    # 0.1 / (1 + 1·0), 0.1 / (1 + 1·1), 0.1 / (1 + 1·2)
    config = change(config, training={"alpha": 0.1, "decay": 1.0, "epochs": 3})
    alphas = [record.alpha for record in train(config, prepared, initial_state(config, prepared))]
    assert alphas == pytest.approx([0.1, 0.05, 0.1 / 3])


def test_l2_keeps_the_weights_smaller(config, prepared):
    sizes = []
    for l2 in (0.0, 0.1):
        varied = change(config, training={"l2": l2, "epochs": 4})
        state = initial_state(varied, prepared)
        list(train(varied, prepared, state))
        sizes.append(float(np.abs(state.parameters["W"]).sum()))
    assert sizes[1] < 0.8 * sizes[0]


def test_dropout_is_for_training_alone(config, prepared):
    # At alpha 0 the parameters stay; the loss feels the masks, the score on dev does not.
    records = {}
    for rate in (0.0, 0.5):
        training = {"alpha": 0.0, "epochs": 1, "dropout_input": rate, "dropout_hidden": rate}
        varied = change(config, training=training)
        (records[rate],) = train(varied, prepared, initial_state(varied, prepared))
    assert records[0.0].loss != records[0.5].loss
    assert records[0.0].dev == records[0.5].dev


def test_every_batch_is_told_with_its_windows(config, prepared):
    told = []
    config = change(config, training={"epochs": 1})
    (record,) = train(
        config, prepared, initial_state(config, prepared), lambda *batch: told.append(batch)
    )
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
    epoch = list(batches(text, shuffle, batch_size, np.random.default_rng(seed)))
    tokens = [batch.tokens.tolist() for batch in epoch]
    assert sorted(token for batch in tokens for token in batch) == list(range(N))
    for batch in epoch:
        # Each word is its own number here, so that the centre tells which token a window is of.
        assert (batch.types[batch.windows[:, 1]] - 2 == batch.tokens).all()
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
        tuple(np.concatenate([batch.tokens for batch in batches(text, shuffle, 7, generator)]))
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
    rows = {word: i for i, word in enumerate(prepared.vocabulary, 3)}
    words = [word for part in parts for word in part.words]
    return {0, 1, 2, *(rows.get(word, rows.get(word.lower(), 0)) for word in words)}


@pytest.fixture(scope="module")
def uneven(config: Config, tmp_path_factory) -> tuple[Config, Prepared]:
    """A training text and a dev text that each lack words of the other, and of the vectors."""
    folder = tmp_path_factory.mktemp("uneven")
    (folder / "train.conll").write_text("Ada B-PER\nflew O\nto O\nUtopia B-LOC\n\nUtopia B-LOC\n")
    (folder / "dev.conll").write_text("Paris B-LOC\nrained O\n")
    corpus = {"train": folder / "train.conll", "dev": folder / "dev.conll"}
    config = change(config, corpus=corpus, training={"epochs": 3})
    return config, prepare(config)


def test_working_rows_are_those_of_the_texts_words_and_the_special_ones(prepared, uneven):
    for given_one in (prepared, uneven[1]):
        rows = working_rows(given_one)
        assert rows.tolist() == sorted(met_rows(given_one, given_one.train, given_one.dev))
    assert len(rows) == 3 + 5 < len(uneven[1].L)  # ada, flew, to, paris, rained of 29 words


def test_only_rows_that_the_training_text_meets_are_changed(uneven):
    config, prepared = uneven
    state = initial_state(config, prepared)
    list(train(config, prepared, state))
    model = run.best_model(config, prepared, state, {})
    changed = np.flatnonzero((model.parameters["L"] != prepared.L).any(axis=1))
    assert set(changed.tolist()) == met_rows(prepared, prepared.train)


def test_frozen_vectors_stay_and_all_else_is_trained(config, prepared):
    config = change(config, vectors={"fine_tune": False}, training={"epochs": 2})
    state = initial_state(config, prepared)
    before = {name: array.copy() for name, array in state.parameters.items()}
    list(train(config, prepared, state))
    changed = [name for name in before if not np.array_equal(before[name], state.parameters[name])]
    assert changed == [name for name in before if name != "L"]
    assert {"W", "b", "U"} < set(changed)
    model = run.best_model(config, prepared, state, {})
    assert model.parameters["L"].tobytes() == prepared.L.tobytes()


def test_the_model_is_the_mean_of_the_last_epochs_parameters(config, prepared):
    config = change(config, corpus={"dev": None}, training={"epochs": 5, "average": 3})
    without_dev = replace(prepared, dev=None)
    state = initial_state(config, without_dev)
    ends = []
    for record in train(config, without_dev, state):
        ends.append({name: array.copy() for name, array in state.parameters.items()})
        assert record.best
        for name, array in state.best.items():
            expected = np.mean([end[name] for end in ends[-3:]], axis=0)
            np.testing.assert_allclose(array, expected, rtol=1e-5, atol=1e-6)
            assert array.dtype == np.float32
    # The mean is for use, and the next epoch goes on from the last parameters themselves.
    plain = change(config, training={"average": 1})
    state = initial_state(plain, without_dev)
    list(train(plain, without_dev, state))
    for name, array in state.parameters.items():
        np.testing.assert_array_equal(array, ends[-1][name])


def test_the_best_model_is_a_copy_that_later_epochs_do_not_touch(config, prepared):
    config = change(config, training={"epochs": 20})
    state = initial_state(config, prepared)
    kept, f1 = {}, -1.0
    for record in train(config, prepared, state):
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
    state = initial_state(config, prepared)
    records = list(train(config, prepared, state))
    assert [record.epoch for record in records] == [1, 2, 3, 4]
    assert [record.best for record in records] == [True, False, False, False]
    assert list(train(config, prepared, state)) == []  # still out of patience


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
        list(train(config, prepared, initial_state(config, prepared)))
    message = str(caught.value)
    assert re.match(r"the loss became (nan|inf) in epoch [12] after \d+ batches", message)
    assert "training.alpha = 1e+38" in message or "training.alpha = 5e+37" in message


# The same again


def test_two_processes_make_the_same_bytes_and_another_seed_others(
    tiny, run_dir, tmp_path, cli, monkeypatch
):
    monkeypatch.setenv("PYTHONHASHSEED", "12345")  # run_dir's process drew its own
    again = cli("train", tiny / "config.yaml", "--run-dir", tmp_path / "again")
    assert again.returncode == 0, again.stderr
    assert outcome(tmp_path / "again") == outcome(run_dir)
    names = ["best/model.json", "best/vocabulary.txt", "config.yaml"]
    names += [f"prepared/{path.name}" for path in (run_dir / "prepared").iterdir()]
    for name in names:
        assert (tmp_path / "again" / name).read_bytes() == (run_dir / name).read_bytes(), name

    run_training(load_config(tiny / "config.yaml", ["seed=2"]), tmp_path / "other")
    other, first = outcome(tmp_path / "other"), outcome(run_dir)
    for key in ("best/model", "last/state", "log"):
        assert other[key] != first[key], key


def test_the_seed_draws_the_starting_weights_and_the_order_of_examples(config, prepared):
    # The same prepared inputs each time, so that whatever differs was drawn in training.
    drawn = []
    for seed in (1, 1, 2):
        seeded = replace(change(config, training={"epochs": 1, "alpha": 0.0}), seed=seed)
        state = initial_state(seeded, prepared)
        order = []
        list(train(seeded, prepared, state, lambda *batch, order=order: order.append(batch)))
        drawn.append((state.parameters["W"].tobytes(), state.parameters["E.caps"].tobytes(), order))
    assert drawn[0] == drawn[1]
    assert all(a != b for a, b in zip(drawn[0], drawn[2], strict=True))


def test_training_the_resolved_config_repeats_the_run(config, run_dir, tmp_path):
    resolved = load_config(run_dir / "config.yaml")
    run_training(resolved, tmp_path / "run")
    assert outcome(tmp_path / "run") == outcome(run_dir)


# Interrupted

THOROUGH = {
    # Everything that has a state: a generator in use, Adam's memory and step, a decay, a mean.
    "training": {
        "optimizer": "adam",
        "alpha": 0.05,
        "decay": 0.1,
        "dropout_input": 0.1,
        "average": 3,
        "epochs": 8,
    }
}


@pytest.fixture(scope="module")
def whole(config: Config, tmp_path_factory) -> dict:
    """The outcome of a thorough training that nothing interrupts."""
    run_dir = tmp_path_factory.mktemp("whole") / "run"
    run_training(change(config, **THOROUGH), run_dir)
    assert sum(entry["best"] for entry in outcome(run_dir)["log"]) >= 3
    return outcome(run_dir)


class Death(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adagrad", "adam"])
def test_a_training_stopped_after_any_epoch_goes_on_as_if_it_had_not_been(
    config, tmp_path, optimizer
):
    training = {"optimizer": optimizer, "epochs": 5, "dropout_hidden": 0.2, "shuffle": "windows"}
    config = change(config, training=training)
    run_training(config, tmp_path / "whole")
    stopped_dir = tmp_path / "stopped"
    prepared = run.prepare_run(config, stopped_dir, lambda line: None)
    run.begin_run(config, stopped_dir)
    for resume in (False, True, True):
        epochs = run.run_epochs(config, prepared, stopped_dir, resume)
        next(epochs)
        epochs.close()
    assert len(outcome(stopped_dir)["log"]) == 3
    run_training(config, stopped_dir, resume=True)
    assert outcome(stopped_dir) == outcome(tmp_path / "whole")
    assert run_training(config, stopped_dir, resume=True) == []  # done is done
    assert outcome(stopped_dir) == outcome(tmp_path / "whole")


@pytest.mark.parametrize("step", ["save_model", "save_state", "log_entry"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("epoch", [1, 3])
def test_death_between_any_two_files_changes_nothing(
    config, whole, tmp_path, monkeypatch, step, when, epoch
):
    config = change(config, **THOROUGH)
    run_dir = tmp_path / "run"
    real = getattr(run, step)
    calls = []

    def dying(*arguments):
        calls.append(arguments)
        if len(calls) < epoch:
            return real(*arguments)
        if when == "after":
            real(*arguments)
        raise Death

    with monkeypatch.context() as patch:
        patch.setattr(run, step, dying)
        with pytest.raises(Death):
            run_training(config, run_dir)
    run_training(config, run_dir, resume=True)
    assert outcome(run_dir) == whole


def test_half_a_line_at_the_end_of_the_log_is_cut_off(config, whole, tmp_path):
    config = change(config, **THOROUGH)
    run_dir = tmp_path / "run"
    prepared = run.prepare_run(config, run_dir, lambda line: None)
    run.begin_run(config, run_dir)
    epochs = run.run_epochs(config, prepared, run_dir, resume=False)
    next(epochs), next(epochs)
    epochs.close()
    with open(run_dir / "log.jsonl", "a") as log:
        log.write('{"epoch": 3, "lo')
    run_training(config, run_dir, resume=True)
    assert outcome(run_dir) == whole


def test_a_killed_process_is_resumed_to_the_same_bytes(config, tiny, tmp_path):
    sets = ["training.epochs=9999", "training.optimizer=adam", "training.dropout_input=0.1"]
    run_dir = tmp_path / "run"
    command = [sys.executable, "-m", "nertool", "train", tiny / "config.yaml", "--run-dir", run_dir]
    for override in sets:
        command += ["--set", override]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    with process:
        assert any(re.match("epoch +4/", line) for line in process.stderr)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    done = len((run_dir / "log.jsonl").read_text().splitlines())
    assert 4 <= done < 9999
    # The end may be moved when a run is resumed, which spares the other epochs here.
    config = load_config(tiny / "config.yaml", [*sets, f"training.epochs={done + 3}"])
    run.check_same_config(config, run_dir)
    run_training(config, run_dir, resume=True)
    run_training(config, tmp_path / "whole")
    assert outcome(run_dir) == outcome(tmp_path / "whole")
    assert len(outcome(run_dir)["log"]) == done + 3


def test_resuming_refuses_another_config_and_names_the_keys(config, run_dir):
    for changed, keys in [
        ({"network": {"hidden": 17}, "training": {"alpha": 0.2}}, "network.hidden, training.alpha"),
        ({"vectors": {"path": None}}, "vectors.path"),
        ({"windows": {"size": 3}}, "windows.size"),
    ]:
        with pytest.raises(ModelError, match=f"started with another {re.escape(keys)};"):
            run.check_same_config(change(config, **changed), run_dir)
    with pytest.raises(ModelError, match="started with another seed;"):
        run.check_same_config(replace(config, seed=2), run_dir)
    run.check_same_config(change(config, training={"epochs": 99, "patience": 5}), run_dir)
    run.check_same_config(change(config, corpus={"train": Path("moved.conll")}), run_dir)


def test_resuming_nothing_is_refused(config, tmp_path):
    with pytest.raises(ModelError, match=r"found no config\.yaml"):
        run.check_same_config(config, tmp_path)


@pytest.mark.parametrize("name", ["state.safetensors", "state.json"])
def test_a_damaged_state_is_refused(config, prepared, run_dir, tmp_path, name):
    copy = tmp_path / "run"
    shutil.copytree(run_dir, copy)
    path = copy / "last" / name
    whole = path.read_bytes()
    for damage in (whole[: len(whole) // 2], b"", b"{}"):
        path.write_bytes(damage)
        with pytest.raises(ModelError, match=re.escape(str(copy / "last"))):
            run.load_state(config, prepared, copy)
    path.unlink()
    with pytest.raises(ModelError, match=re.escape(str(path))):
        run.load_state(config, prepared, copy)


def test_what_an_interrupted_run_left_aside_does_not_come_back_in_the_next_one(
    config, run_dir, tmp_path
):
    # The old run died between a replacement's two renames: its last state stands aside.
    copy = tmp_path / "run"
    shutil.copytree(run_dir, copy)
    for name in ("best", "last"):
        (copy / name).rename(copy / f".{name}.old")
    prepared = run.prepared_for(config, copy, "", lambda line: None)
    run.begin_run(config, copy)
    assert run.load_state(config, prepared, copy).epoch == 0
    with pytest.raises(ModelError, match="not finished an epoch yet"):
        load_model(copy)


def test_a_run_folder_in_use_is_refused_before_anything_is_read(config, run_dir, tmp_path):
    with pytest.raises(ModelError, match="--resume, replace it by --overwrite"):
        run.check_free(run_dir, overwrite=False)
    run.check_free(run_dir, overwrite=True)
    run.check_free(tmp_path, overwrite=False)
    run.check_free(tmp_path / "not" / "yet", overwrite=False)
    (tmp_path / "thesis.tex").touch()
    for overwrite in (False, True):
        with pytest.raises(ModelError, match=r"found thesis\.tex in it"):
            run.check_free(tmp_path, overwrite)
        with pytest.raises(ModelError, match="found a file"):
            run.check_free(tmp_path / "thesis.tex", overwrite)


# Provenance


def test_a_model_knows_the_measures_and_files_that_it_came_from(config, run_dir, tiny):
    model = load_model(run_dir)
    log = outcome(run_dir)["log"]
    best = max(log, key=lambda entry: (entry["dev"]["f1"], -entry["epoch"]))
    assert model.provenance["epoch"] == best["epoch"]
    assert model.provenance["dev"] == best["dev"]
    # The model as it is loaded scores on dev what training said it does.
    dev = read_conll(tiny / "dev.conll", Columns())
    assert as_dict(evaluate_corpus(model, dev)) == best["dev"]
    assert model.provenance["sha256"] == {
        "corpus.train": file_hash(tiny / "train.conll"),
        "corpus.dev": file_hash(tiny / "dev.conll"),
        "vectors.path": file_hash(tiny / "vectors.txt"),
    }
    assert file_hash(tiny / "nowhere") is None


# Prepared inputs


@pytest.fixture
def own_data(tiny: Path, tmp_path: Path) -> Path:
    """A copy of the tiny data, for tests that change it."""
    folder = tmp_path / "data"
    shutil.copytree(tiny, folder, ignore=shutil.ignore_patterns("run"))
    return folder


def assert_same_prepared(a: Prepared, b: Prepared) -> None:
    assert (a.labels, a.tags, a.vocabulary, a.inputs) == (b.labels, b.tags, b.vocabulary, b.inputs)
    assert a.L.tobytes() == b.L.tobytes()
    for one, other in ((a.train, b.train), (a.dev, b.dev)):
        assert (one is None) == (other is None)
        for key, value in vars(one).items() if one else ():
            assert np.array_equal(value, getattr(other, key)), key
            assert getattr(value, "dtype", None) == getattr(getattr(other, key), "dtype", None)


def test_prepared_inputs_come_back_as_they_were(config, prepared, tmp_path):
    save_prepared(prepared, tmp_path / "p")
    assert_same_prepared(load_prepared(tmp_path / "p", config, ""), prepared)
    without = replace(prepared, dev=None)
    save_prepared(without, tmp_path / "p")
    assert_same_prepared(load_prepared(tmp_path / "p", config, ""), without)


def test_training_takes_what_prepare_made(config, tmp_path, monkeypatch):
    run_training(config, tmp_path / "at-once")
    run.prepare_run(config, tmp_path / "staged", lambda line: None)
    monkeypatch.setattr(run, "prepare", lambda *arguments: pytest.fail("prepared a second time"))
    lines = []
    run.prepared_for(config, tmp_path / "staged", "", lines.append)
    assert lines == [f"prepared inputs: from {tmp_path / 'staged' / 'prepared'}"]
    run_training(config, tmp_path / "staged")
    assert outcome(tmp_path / "staged") == outcome(tmp_path / "at-once")


@pytest.mark.parametrize(
    ("name", "key"),
    [("train.conll", "corpus.train"), ("dev.conll", "corpus.dev"), ("vectors.txt", "vectors.path")],
)
def test_inputs_made_from_another_file_are_refused_and_rebuilt_by_overwrite(
    own_data, tmp_path, name, key
):
    config = load_config(own_data / "config.yaml")
    run.prepare_run(config, tmp_path / "run", lambda line: None)
    path = own_data / name
    path.write_text(path.read_text().replace("Berlin", "Bonn").replace("berlin", "bonn"))
    if name == "dev.conll":
        path.write_text(path.read_text().replace("Siemens", "Bosch"))
    rebuild = "nertool prepare a.yaml --run-dir r"
    with pytest.raises(StaleError) as caught:
        run.prepared_for(config, tmp_path / "run", rebuild, lambda line: None)
    assert f"({key} changed since)" in str(caught.value)
    assert str(caught.value).endswith(f"make it again with: {rebuild}")
    again = run.prepared_for(config, tmp_path / "run", "", lambda line: None, overwrite=True)
    assert_same_prepared(again, prepare(config))
    assert_same_prepared(load_prepared(tmp_path / "run" / "prepared", config, ""), again)


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("seed=2", "seed"),
        ("vectors.limit=20", "vectors"),
        ("vectors.own_rows=1", "vectors"),
        ("features.caps=0", "features"),
        ("decoding.scheme=io", "decoding.scheme"),
        ("corpus.scheme=iob1", "corpus"),
        ("corpus.dev=", "corpus.dev"),
    ],
)
def test_inputs_made_under_other_settings_are_refused(tiny, prepared, tmp_path, override, named):
    save_prepared(prepared, tmp_path / "p")
    changed = load_config(tiny / "config.yaml", [override])
    with pytest.raises(StaleError, match=rf"\({re.escape(named)} changed since\)"):
        load_prepared(tmp_path / "p", changed, "")


@pytest.mark.parametrize(
    "override",
    [
        "network.hidden=3",
        "training.alpha=1",
        "windows.size=3",
        "vectors.fine_tune=false",
        "decoding.method=argmax",
        "features.caps=9",
        "corpus.test=",
    ],
)
def test_inputs_stay_good_under_settings_that_they_do_not_depend_on(
    tiny, prepared, tmp_path, override
):
    # What another prepare would make is the same, so that refusing these would waste time.
    save_prepared(prepared, tmp_path / "p")
    changed = load_config(tiny / "config.yaml", [override])
    loaded = load_prepared(tmp_path / "p", changed, "")
    assert_same_prepared(loaded, prepare(changed))


def test_inputs_stay_good_when_their_files_move(own_data, prepared, tmp_path):
    save_prepared(prepared, tmp_path / "p")
    load_prepared(tmp_path / "p", load_config(own_data / "config.yaml"), "")


@pytest.mark.parametrize(
    "name",
    ["prepared.json", "arrays.safetensors", "vocabulary.txt", "train.words.txt", "dev.words.txt"],
)
def test_damaged_inputs_are_refused_and_rebuilt_by_overwrite(config, prepared, tmp_path, name):
    folder = tmp_path / "run" / "prepared"
    save_prepared(prepared, folder)
    path = folder / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ModelError, match=re.escape(str(folder))):
        run.prepared_for(config, tmp_path / "run", "", lambda line: None)
    again = run.prepared_for(config, tmp_path / "run", "", lambda line: None, overwrite=True)
    assert_same_prepared(again, prepared)


@pytest.mark.parametrize("header", ["{}", '{"inputs": {}}', '{"inputs": {"sha256": []}}'])
def test_a_header_of_prepared_inputs_that_lacks_something_is_refused(
    config, prepared, tmp_path, header
):
    save_prepared(prepared, tmp_path / "p")
    (tmp_path / "p" / "prepared.json").write_text(header)
    with pytest.raises(ModelError, match="make it again with: nertool prepare"):
        load_prepared(tmp_path / "p", config, "nertool prepare")


# Starting vectors


def test_the_tables_first_rows_are_made_and_the_others_are_the_files(prepared, tiny):
    lines = (tiny / "vectors.txt").read_text().splitlines()[1:]
    assert prepared.vocabulary == [line.split()[0] for line in lines]
    rows = np.array([line.split()[1:] for line in lines], dtype=np.float32)
    np.testing.assert_array_equal(prepared.L[3:], rows)
    # The unknown word starts at the mean of the rarest words: here, of all.
    np.testing.assert_allclose(prepared.L[0], rows.mean(axis=0), rtol=1e-5)
    assert not np.array_equal(prepared.L[1], prepared.L[2])


def test_without_a_file_every_training_word_starts_from_a_random_vector(config, tmp_path):
    config = change(config, vectors={"path": None, "width": 6}, training={"epochs": 25})
    prepared = prepare(config)
    assert prepared.vocabulary == prepared.train.words
    assert prepared.L.shape == (3 + len(prepared.train.words), 6)
    assert prepared.L.dtype == np.float32
    # d numbers of variance 1/d: a vector's expected squared length is 1.
    assert 0.6 < (prepared.L**2).sum(axis=1).mean() < 1.4
    np.testing.assert_array_equal(prepare(config).L, prepared.L)
    assert not np.array_equal(prepare(replace(config, seed=2)).L, prepared.L)
    *_, last = run_training(config, tmp_path / "run")
    assert last.dev.f1 > 0.8


def test_frequent_words_without_a_vector_get_rows_of_their_own(config, tmp_path):
    # Zork stands 3 times, Quux twice, Fnord once; none has a vector, in any spelling. ADA finds
    # ada's row, and so needs none however often it stands.
    words = ["Zork", "Quux", "ADA", "Zork", "Fnord", "Quux", "ADA", "Zork", "ADA", "ADA"]
    path = tmp_path / "train.conll"
    path.write_text("".join(f"{word} B-PER\n" for word in words))
    base = change(config, corpus={"train": path, "dev": None})
    V = len(prepare(base).vocabulary)
    for own_rows, own in [(0, []), (1, ["Zork", "Quux", "Fnord"]), (2, ["Zork", "Quux"]), (4, [])]:
        prepared = prepare(change(base, vectors={"own_rows": own_rows}))
        assert prepared.vocabulary[V:] == own
        assert len(prepared.L) == 3 + V + len(own)
        rows = dict(zip(prepared.train.words, prepared.train.type_ids[2:, 0], strict=True))
        expected = {word: 3 + V + own.index(word) if word in own else 0 for word in words}
        assert rows == {**expected, "ADA": 3 + prepared.vocabulary.index("ada")}
        # They start near the unknown word, each at a place of its own.
        assert len({row.tobytes() for row in prepared.L[3 + V :]}) == len(own)


def test_a_limit_keeps_the_first_vectors_only(config):
    prepared = prepare(change(config, vectors={"limit": 4}))
    assert prepared.vocabulary == prepare(config).vocabulary[:4]


def test_vectors_of_another_language_are_loudly_noted(config, tmp_path):
    path = tmp_path / "v.txt"
    path.write_text("mies 1 2\nnainen 3 4\n")
    lines = []
    prepare(change(config, vectors={"path": path}), lines.append)
    warnings = [line for line in lines if line.startswith("WARNING")]
    assert len(warnings) == 2
    assert all("only 0.0 % of the" in line for line in warnings)


def test_a_config_without_a_training_text_is_refused(config):
    with pytest.raises(CorpusError, match=r"corpus\.train is not set"):
        prepare(change(config, corpus={"train": None}))
