"""`nertool train TEXT`: no config needed."""

from __future__ import annotations

from pathlib import Path

import yaml

from nertool.cli.common.train_options import Request, raw_values
from nertool.config.file import load_config
from nertool.config.paths import with_paths
from nertool.model.load import load_model
from nertool.training.recipe import resolve

QUICK = ("--set", "training.epochs=2", "--set", "network.hidden=8", "--set", "network.members=1")


def test_a_text_alone_is_trained_on_held_out_from_and_refitted(tiny, tmp_path, main):
    done = main("train", tiny / "train.conll", *QUICK, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("recipe: ") == 3
    assert "dev: no dev part given; held out of train: " in done.stderr
    run = tmp_path / "runs" / "train"
    model = load_model(run)
    assert model.provenance["refit"]["epochs"] <= 2
    assert (model.config.recipe, model.config.network.output) == ("plain", "softmax")
    config = yaml.safe_load((run / "config.yaml").read_text())
    assert config["corpus"]["held_out"] == 0.1
    done = main("train", tiny / "train.conll", *QUICK, "--resume", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_dev_and_vectors_are_taken_from_the_options(tiny, tmp_path, main):
    options = ("--dev", tiny / "dev.conll", "--vectors", tiny / "vectors.txt", "--budget", "30s")
    done = main("train", tiny / "train.conll", *options, *QUICK, "--run-dir", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    model = load_model(tmp_path / "run")
    assert "refit" not in model.provenance
    assert model.config.vectors.path == tiny / "vectors.txt"
    assert "held out" not in done.stderr


def test_a_budget_that_is_no_time_is_misuse(tiny, tmp_path, main):
    done = main("train", tiny / "train.conll", "--budget", "soon", "--run-dir", tmp_path / "run")
    assert done.returncode == 2
    assert (
        "budget: found 'soon', expected a duration of at least 1s, such as 30s, 2m or 1h"
        in done.stderr
    )


def test_a_budget_that_would_choose_nothing_is_misuse(tiny, tmp_path, main):
    done = main("train", tiny / "config.yaml", "--budget", "30s", "--run-dir", tmp_path / "run")
    assert done.returncode == 2
    assert "config.yaml has no recipe: auto, so that its own keys count" in done.stderr


def test_a_format_is_no_model_to_start_from(tiny, tmp_path, main):
    done = main("train", tiny / "train.conll", "--from", "conll", "--run-dir", tmp_path / "run")
    assert done.returncode == 2
    assert "the format of the text is --format conll" in done.stderr


def test_a_text_too_short_to_hold_out_from_is_refused(tmp_path, main):
    text = tmp_path / "one.conll"
    text.write_text("Ada B-PER\nmet O\n\n")
    done = main("train", text, "--run-dir", tmp_path / "run")
    assert done.returncode == 1
    assert "too few to hold out 10 % as dev" in done.stderr


def test_prepare_takes_a_text_too(tiny, tmp_path, main):
    done = main("prepare", tiny / "train.conll", "--run-dir", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    done = main("train", tiny / "train.conll", *QUICK, "--run-dir", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert f"prepared inputs: from {tmp_path / 'run' / 'prepared'}" in done.stderr


def test_init_writes_the_config_that_training_the_text_would_use(tiny, tmp_path, main):
    (tmp_path / "configs").mkdir()
    path = tmp_path / "configs" / "mine.yaml"
    (tmp_path / "cities.txt").write_text("London\n")
    lists = f"features.gazetteers={{CITY: {tmp_path / 'cities.txt'}}}"
    options = ("--dev", tiny / "dev.conll", "--vectors", tiny / "vectors.txt", "--refit")
    options += (
        "--raw-text",
        tiny / "train.conll",
        "--budget",
        "30s",
        "--seed",
        "7",
        "--set",
        lists,
    )
    done = main("init", path, "--text", tiny / "train.conll", *options)
    assert done.returncode == 0, done.stderr
    assert f"nertool train {path}" in done.stderr
    dev, vectors = tiny / "dev.conll", tiny / "vectors.txt"
    train = tiny / "train.conll"
    request = Request((train,), [lists], 7, (dev,), vectors, "30s", True, raw_text=(train,))
    used = resolve(raw_values(request))
    assert (used.seed, used.training.refit, used.vectors.raw_text) == (7, True, (train,))
    assert with_paths(load_config(path), Path.resolve) == with_paths(used, Path.resolve)
    keys = [line for line in path.read_text().splitlines() if ": " in line and line[:3] != "   "]
    assert all("#" in line for line in keys if not line.rstrip().endswith((".conll", ".txt", "}")))
    again = main("init", path, "--text", tiny / "train.conll")
    assert again.returncode == 1
    assert "already there" in again.stderr


def test_init_needs_a_folder_or_a_text(main):
    done = main("init")
    assert done.returncode == 2
    assert "expected the name of a new folder, or --text FILE" in done.stderr


def test_from_is_another_spelling_of_text(tiny, tmp_path, main):
    for option, name in (("--text", "one.yaml"), ("--from", "two.yaml")):
        done = main("init", tmp_path / name, option, tiny / "train.conll")
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "one.yaml").read_text() == (tmp_path / "two.yaml").read_text()
