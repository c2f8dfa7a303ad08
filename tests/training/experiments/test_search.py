"""`nertool sweep --budget`: what is tried, how it goes on after an interruption, and its winner."""

from __future__ import annotations

import json

import pytest

from nertool.config.file import load_config
from nertool.errors import OverrideError
from nertool.training.experiments.search import SPACE, Base, search, space_of


def test_values_of_a_key_add_up_and_without_any_the_usual_ones_are_tried():
    assert space_of(["a.b=1,2", "a.b=2,3", "c.d=x"]) == {"a.b": ("1", "2", "3"), "c.d": ("x",)}
    assert space_of([]) is SPACE
    with pytest.raises(OverrideError, match="expected KEY=VALUE"):
        space_of(["a.b"])


def test_every_usual_value_is_one_that_its_key_takes(tiny):
    base = Base(tiny / "config.yaml", ())
    for key, values in SPACE.items():
        for value in values:
            base.config([f"{key}={value}"])


def test_misuse_is_refused(tiny, main, tmp_path):
    config = tiny / "config.yaml"
    for wrong in (
        ["--budget", "0s"],
        ["--budget", "10"],
        ["--budget", "9s", "--run-dir", "x"],
        ["-o", "x.yaml"],
        ["--budget", "9s", "--try", "network.hidden=0"],
    ):
        assert main("sweep", config, *wrong, cwd=tmp_path).returncode == 2, wrong


@pytest.mark.integration
def test_a_search_that_goes_on_equals_one_that_was_not_interrupted(tiny, tmp_path, monkeypatch):
    pytest.importorskip("optuna")
    import nertool.training.experiments.search as module

    base = Base(tiny / "config.yaml", ("training.epochs=3",))
    space = space_of(["network.hidden=2,4,8", "training.alpha=0.001,0.01,0.1"])

    def trials(path, budgets):
        told = []
        for count in budgets:
            left = iter([0.0] * (count - 1) + [1e9] * 9)
            monkeypatch.setattr(module, "_reserve", lambda times, seeds, left=left: next(left))
            # The first trial of a call is always made.
            search(base, space, 1e6, 1, path, 1, told.append)
        return [line for line in told if line.startswith("trial")]

    whole = trials(tmp_path / "a.db", [7])
    parts = trials(tmp_path / "b.db", [2, 5])
    assert len(whole) == 7
    assert parts == whole
    assert any("stopped early" in line or "dev F1" in line for line in whole)


@pytest.mark.integration
def test_the_command_writes_a_config_that_trains_and_refuses_another_study(tiny, tmp_path, main):
    pytest.importorskip("optuna")
    config, asked = tiny / "config.yaml", ["--budget", "1s", "--seeds", "2", "--workers", "1"]
    tries = ["--try", "network.hidden=4,8"]
    done = main("sweep", config, *asked, *tries, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["trials"] >= 1
    assert len(found["f1"]) == len(found["f1_before"]) == 2
    best = load_config(tmp_path / found["config"])
    assert f"network.hidden={best.network.hidden}" in found["settings"]
    assert best.corpus.test is not None  # kept, and never read
    again = main("sweep", config, *asked, *tries, cwd=tmp_path)
    assert "goes on after" in again.stderr
    other = main("sweep", config, *asked, "--try", "network.hidden=4,16", cwd=tmp_path)
    assert other.returncode == 1
    assert "found a search of another config" in other.stderr
    (tmp_path / "bad.db").write_text("no database at all, but some text" * 9)
    bad = main("sweep", config, *asked, *tries, "--study", tmp_path / "bad.db", cwd=tmp_path)
    assert (bad.returncode, bad.stdout) == (1, "")
    assert "bad.db: found no study that can be read" in bad.stderr
