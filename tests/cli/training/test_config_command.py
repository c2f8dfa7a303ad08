"""`nertool config show` and `check`."""

from __future__ import annotations

import json

import pytest

from nertool.config.file import load_config


def test_show_prints_every_key_with_its_place(tiny, main):
    config = tiny / "config.yaml"
    done = main("config", "show", config, "--set", "network.hidden=7", "--seed", "3")
    assert (done.returncode, done.stderr) == (0, "")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "seed: 3 # --seed" in lines
    assert "hidden: 7 # --set" in lines
    assert f"alpha: 0.1 # {config}:4" in lines
    assert "activation: tanh # default" in lines


def test_what_show_prints_is_a_config_with_the_same_values(tiny, main, tmp_path):
    printed = tmp_path / "shown.yaml"
    printed.write_text(main("config", "show", tiny / "config.yaml").stdout)
    assert load_config(printed) == load_config(tiny / "config.yaml")


def test_show_changed_leaves_the_defaults_out(tiny, main):
    out = main("config", "show", tiny / "config.yaml", "--changed").stdout
    assert "# default" not in out
    assert "  hidden: 16 " in out
    assert "activation" not in out


def test_show_of_a_text_says_what_the_recipe_chose(tiny, main):
    text = tiny / "train.conll"
    found = json.loads(main("config", "show", text, "--budget", "30s", "--json").stdout)
    assert found["training.average"] == {"value": 4, "from": "recipe: auto"}
    assert found["corpus.train"] == {"value": str(text), "from": "the text"}
    assert found["network.members"]["value"] >= 1
    assert found["windows.size"]["from"] == "default"


def test_show_of_a_model_is_the_config_of_its_training(run_dir, tiny, main):
    found = json.loads(main("config", "show", run_dir, "--json").stdout)
    assert found["network.hidden"] == {"value": 16, "from": str(run_dir)}
    done = main("config", "show", run_dir, "--set", "network.hidden=3")
    assert done.returncode == 2
    assert "a model keeps the config of its training" in " ".join(done.stderr.split())


def test_show_of_a_model_in_one_file(run_dir, main, tmp_path):
    assert main("pack", run_dir, "-o", tmp_path / "m.nertool").returncode == 0
    out = main("config", "show", tmp_path / "m.nertool", "--changed").stdout
    assert "  hidden: 16 " in out
    assert main("config", "check", tmp_path / "m.nertool").returncode == 2


def test_check_reads_everything_and_writes_nothing(tiny, main, tmp_path):
    before = sorted(tiny.iterdir())
    done = main("config", "check", tiny / "config.yaml", cwd=tmp_path)
    assert done.returncode == 0
    assert "fine: 3 classes (LOC, ORG, PER), 1 network, 6 epochs of 129 tokens" in done.stdout
    assert "read 3 files" in done.stderr
    assert sorted(tiny.iterdir()) == before
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("override", "code", "said"),
    [
        ("network.hiden=3", 2, 'did you mean "network.hidden"?'),
        ("corpus.test=none.conll", 1, "no such file, expected a text to read (corpus.test)"),
        ("vectors.path=none.bin", 1, "no such file, expected word vectors"),
        ("corpus.labels=[PERS]", 1, "PERS"),
    ],
)
def test_check_finds_what_would_stop_a_training(tiny, main, override, code, said):
    done = main("config", "check", tiny / "config.yaml", "--set", override)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in " ".join(done.stderr.split())


def test_check_warns_if_dev_is_the_training_text(tiny, main):
    warning = "WARNING: all of dev is also in train, word for word"
    text = tiny / "train.conll"
    assert warning in main("config", "check", text, "--dev", text).stderr
