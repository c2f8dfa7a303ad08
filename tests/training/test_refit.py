"""The final fit on train and dev: what is trained, what is kept, and what is told."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from nertool.api.functions import train
from nertool.config.file import load_config
from nertool.model.load import load_model
from nertool.model.provenance import usual_epoch
from nertool.training.preparation.store import load_prepared
from nertool.training.refit import unfitted_model


@pytest.fixture(scope="module")
def refitted(tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("refitted") / "run"
    train(load_config(tiny / "config.yaml", ["training.refit=true"]), folder)
    return folder


def test_the_final_fit_reads_train_and_dev_and_has_the_best_number_of_epochs(refitted):
    folder = refitted
    chosen, final = load_model(unfitted_model(folder)), load_model(folder)
    first = load_prepared(folder / "prepared", None, "")
    together = load_prepared(folder / "refit" / "prepared", None, "")
    assert first.dev is not None
    tokens = len(first.train.word_ids) + len(first.dev.word_ids)
    assert len(together.train.word_ids) == tokens
    assert final.provenance["refit"] == {"epochs": chosen.provenance["epoch"], "tokens": tokens}
    log = (folder / "refit" / "log.jsonl").read_text().splitlines()
    assert len(log) == chosen.provenance["epoch"]


def test_what_was_measured_on_dev_is_of_the_model_before(refitted):
    folder = refitted
    chosen, final = load_model(unfitted_model(folder)), load_model(folder)
    assert "refit" not in chosen.provenance
    for key in ("dev", "calibration", "epoch", "sha256"):
        assert final.provenance[key] == chosen.provenance[key]
    assert not np.array_equal(final.members[0].parameters["W"], chosen.members[0].parameters["W"])


def test_a_run_that_was_ended_in_the_final_fit_goes_on_to_the_same_model(
    refitted, tiny, tmp_path, main
):
    folder = refitted
    copy = tmp_path / "run"
    shutil.copytree(folder, copy)
    shutil.rmtree(copy / "best")
    shutil.copytree(copy / "refit" / "chosen", copy / "best")
    shutil.rmtree(copy / "refit")
    done = main("train", tiny / "config.yaml", "--run-dir", copy, "--refit", "--resume")
    assert done.returncode == 0, done.stderr
    arrays = "model.safetensors"
    assert (copy / "best" / arrays).read_bytes() == (folder / "best" / arrays).read_bytes()
    # Resumed again, it is as it was: a model that has seen dev is not measured on it.
    header = (copy / "best" / "model.json").read_bytes()
    more = ("--set", f"training.epochs={load_model(copy).config.training.epochs + 1}")
    for options in ((), more):
        done = main(
            "train", tiny / "config.yaml", "--run-dir", copy, "--refit", "--resume", *options
        )
        assert done.returncode == 0, done.stderr
        assert options or (copy / "best" / "model.json").read_bytes() == header
    assert load_config(copy / "config.yaml").training.epochs == int(more[1].partition("=")[2])


def test_evaluating_says_that_the_model_has_seen_dev(refitted, tiny, main):
    done = main("evaluate", refitted, tiny / "dev.conll", "--json")
    assert json.loads(done.stdout)
    assert "trained once more on train and dev" in done.stderr
    assert (
        "dev.conll: the model was trained on this text (the final fit, training.refit"
        in done.stderr
    )
    other = main("evaluate", refitted, tiny / "train.conll", "--json")
    assert "train.conll: the model was trained on this text: the scores say nothing" in other.stderr


def test_the_epochs_of_several_networks_are_their_median():
    assert usual_epoch(4) == 4
    assert usual_epoch([9, 3, 5]) == 5
