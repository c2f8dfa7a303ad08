"""A run folder: the same again bit for bit, whatever interrupts it, and what a model says it came from."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nertool.config.file import load_config
from nertool.config.records import Config
from nertool.errors import ModelError
from nertool.formats.paths import file_hash
from nertool.model.load import load_model
from nertool.training import run, stages
from nertool.training.checkpoint import load_state
from nertool.training.parallel.team import Threads
from nertool.training.preparation.store import Prepared
from nertool.training.preparation.working import working_inputs
from nertool.training.trainer import State, initial_state, train
from tests.support.helpers import change, measures_of, outcome, run_training

# The same again


def test_two_processes_make_the_same_bytes_and_another_seed_others(
    tiny, run_dir, tmp_path, cli, monkeypatch
):
    monkeypatch.setenv("PYTHONHASHSEED", "12345")  # run_dir's process drew its own
    again = cli("train", tiny / "config.yaml", "--run-dir", tmp_path / "again")
    assert again.returncode == 0, again.stderr
    assert outcome(tmp_path / "again") == outcome(run_dir)
    names = ["config.yaml", *(f"best/{path.name}" for path in (run_dir / "best").iterdir())]
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
        working = working_inputs(seeded, prepared)
        state = initial_state(seeded, prepared, working)
        order = []
        list(
            train(
                seeded,
                prepared,
                working,
                state,
                on_batch=lambda *batch, order=order: order.append(batch),
            )
        )
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
    for _ in range(3):
        epochs = run.run_training(config, prepared, stopped_dir, workers=1)
        next(epochs)
        epochs.close()
    assert len(outcome(stopped_dir)["log"]) == 3
    run_training(config, stopped_dir, resume=True)
    assert outcome(stopped_dir) == outcome(tmp_path / "whole")
    assert run_training(config, stopped_dir, resume=True) == []  # done is done
    assert outcome(stopped_dir) == outcome(tmp_path / "whole")


def test_threads_change_neither_a_run_nor_a_resumed_one(config, tmp_path):
    # Small shards, so that the tiny text's batches have several.
    one, two = Threads(1, 8), Threads(2, 8)
    training = {"batch_size": 24, "epochs": 4, "dropout_input": 0.2, "dropout_hidden": 0.2}
    config = change(config, training=training)
    run_training(config, tmp_path / "whole", threads=one)
    run_training(change(config, training={"epochs": 2}), tmp_path / "stopped", threads=two)
    run_training(config, tmp_path / "stopped", resume=True, threads=two)
    assert outcome(tmp_path / "stopped") == outcome(tmp_path / "whole")


@pytest.mark.parametrize("step", ["save_model", "save_state", "write_log"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("epoch", [1, 3])
def test_death_between_any_two_files_changes_nothing(
    config, whole, tmp_path, monkeypatch, step, when, epoch
):
    config = change(config, **THOROUGH)
    run_dir = tmp_path / "run"
    real = getattr(stages, step)
    calls = []

    def dying(*arguments):
        calls.append(arguments)
        if len(calls) < epoch:
            return real(*arguments)
        if when == "after":
            real(*arguments)
        raise Death

    with monkeypatch.context() as patch:
        patch.setattr(stages, step, dying)
        with pytest.raises(Death):
            run_training(config, run_dir)
    run_training(config, run_dir, resume=True)
    assert outcome(run_dir) == whole


def test_half_a_line_at_the_end_of_the_log_is_cut_off(config, whole, tmp_path):
    config = change(config, **THOROUGH)
    run_dir = tmp_path / "run"
    prepared = run.prepare_run(config, run_dir, lambda line: None)
    run.begin_run(config, run_dir)
    epochs = run.run_training(config, prepared, run_dir, workers=1)
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
        ({"vectors": {"more": (Path("more.txt"),)}}, "vectors.more"),
        ({"network": {"members": 2}}, "network.members"),
        ({"first_stage": {"folds": 2, "epochs": 9}}, "first_stage.folds, first_stage.epochs"),
        ({"features": {"memory": True}}, "features.memory"),
        ({"windows": {"size": 3}}, "windows.size"),
    ]:
        with pytest.raises(ModelError, match=f"started with another {re.escape(keys)};"):
            run.check_same_config(change(config, **changed), run_dir)
    with pytest.raises(ModelError, match="started with another seed;"):
        run.check_same_config(replace(config, seed=2), run_dir)
    run.check_same_config(change(config, training={"epochs": 99, "patience": 5}), run_dir)
    run.check_same_config(change(config, corpus={"train": (Path("moved.conll"),)}), run_dir)


def test_a_run_of_an_older_nertools_word_dropout_is_not_resumed(config, run_dir, tmp_path):
    keys = {"word_dropout": 1.0}
    of_run = change(load_config(run_dir / "config.yaml"), training=keys)
    run.write_config(of_run, tmp_path / "config.yaml")
    run.check_same_config(of_run, tmp_path)
    path = tmp_path / "config.yaml"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("  clusters:")))
    with pytest.raises(ModelError, match=r"older nertool started the run.*--overwrite"):
        run.check_same_config(of_run, tmp_path)
    # Without starting vectors the older version trained as this one does.
    without = change(of_run, training={"word_dropout": 0.0})
    path.write_text(path.read_text().replace("word_dropout: 1.0", "word_dropout: 0.0"))
    run.check_same_config(without, tmp_path)


def test_a_state_of_other_shapes_is_refused_before_any_of_it_is_taken(config, prepared, run_dir):
    dropping = change(config, training={"word_dropout": 1.0})
    _, state = stages.member_start(dropping, prepared, run_dir, 0)
    start = {name: array.copy() for name, array in state.parameters.items()}
    with pytest.raises(ModelError, match=r"found L of shape \(\d+, 8\), expected \(\d+, 8\)"):
        load_state(state, run_dir)
    np.testing.assert_array_equal(state.parameters["L"], start["L"])


def test_resuming_nothing_is_refused(config, tmp_path):
    with pytest.raises(ModelError, match=r"found no config\.yaml"):
        run.check_same_config(config, tmp_path)


def last_state(config: Config, prepared: Prepared, run_dir: Path) -> State:
    """Return the state that a run of one network ended with."""
    _, state = stages.member_start(config, prepared, run_dir, 0)
    return load_state(state, run_dir)


@pytest.mark.parametrize("name", ["state.safetensors", "state.json"])
def test_a_damaged_state_is_refused(config, prepared, run_dir, tmp_path, name):
    copy = tmp_path / "run"
    shutil.copytree(run_dir, copy)
    path = copy / "last" / name
    whole = path.read_bytes()
    for damage in (whole[: len(whole) // 2], b"", b"{}"):
        path.write_bytes(damage)
        with pytest.raises(ModelError, match=re.escape(str(copy / "last"))):
            last_state(config, prepared, copy)
    path.unlink()
    with pytest.raises(ModelError, match=re.escape(str(path))):
        last_state(config, prepared, copy)


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
    assert last_state(config, prepared, copy).epoch == 0
    with pytest.raises(ModelError, match="not finished an epoch yet"):
        load_model(copy)


def test_a_run_folder_in_use_is_refused_before_anything_is_read(config, run_dir, tmp_path):
    with pytest.raises(ModelError, match="--resume, replace it with train --overwrite"):
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
    assert measures_of(model, tiny / "dev.conll") == best["dev"]
    assert model.provenance["sha256"] == {
        "corpus.train": file_hash(tiny / "train.conll"),
        "corpus.dev": file_hash(tiny / "dev.conll"),
        "vectors": [file_hash(tiny / "vectors.txt")],
    }
    assert file_hash(tiny / "nowhere") is None
