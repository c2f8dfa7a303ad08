"""Several trainings side by side: every combination once, and means and spreads worked by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nertool.errors import OverrideError, TrainingError
from nertool.model.storage import load_model
from nertool.training.sweep import Outcome, Trial, plan, summaries, variants


def test_all_values_of_a_key_go_with_all_of_the_others():
    found = variants(["a.b=1", "c.d=x", "a.b=2", "c.d=y"])
    assert found == [("a.b=1", "c.d=x"), ("a.b=1", "c.d=y"), ("a.b=2", "c.d=x"), ("a.b=2", "c.d=y")]
    assert variants([]) == [()]  # the config as it is


@pytest.mark.parametrize("text", ["a.b", "=1", ""])
def test_what_is_no_setting_is_refused(text):
    with pytest.raises(OverrideError, match="expected KEY=VALUE"):
        variants(["a.b=1", text])


def test_each_variant_is_planned_with_seeds_from_the_configs_own_on(tiny, tmp_path):
    trials = plan(tiny / "config.yaml", ["seed=4"], ["network.hidden=2"], 2, tmp_path)
    assert [(trial.variant, trial.seed) for trial in trials] == [
        (("network.hidden=2",), 4),
        (("network.hidden=2",), 5),
    ]
    assert len({trial.run_dir for trial in trials}) == 2
    assert all(trial.run_dir.is_relative_to(tmp_path) for trial in trials)


def test_a_plan_that_can_not_be_carried_out_is_refused_before_any_training(tiny, tmp_path):
    with pytest.raises(OverrideError, match=r"network\.hidden"):
        plan(tiny / "config.yaml", [], ["network.hidden=2", "network.hidden=0"], 1, tmp_path)
    with pytest.raises(TrainingError, match=r"corpus\.dev is not set"):
        plan(tiny / "config.yaml", ["corpus.dev="], [], 1, tmp_path)


def test_means_and_spreads_by_hand():
    def outcome(variant: str, seed: int, f1: float, seconds: float) -> Outcome:
        return Outcome(Trial((variant,), seed, Path()), f1, seconds, 2 * seconds)

    outcomes = [outcome("b", 1, 0.5, 1), outcome("a", 1, 0.9, 4), outcome("b", 2, 0.7, 3)]
    first, second = summaries(outcomes)
    # b: mean (0.5 + 0.7)/2; deviation √((0.1² + 0.1²)/(2 − 1)) = 0.1·√2
    assert (first.variant, first.seeds, first.seconds) == (("b",), 2, 2)
    assert first.f1 == pytest.approx(0.6)
    assert first.deviation == pytest.approx(0.1 * 2**0.5)
    assert second == (("a",), 0.9, None, 1, 4)


def test_a_sweep_trains_what_train_would_and_prints_a_row_for_each_variant(
    tiny, tmp_path, main, run_dir
):
    command = (
        "sweep",
        tiny / "config.yaml",
        "--seeds",
        "1",
        "--workers",
        "2",
        "--run-dir",
        tmp_path / "s",
    )
    done = main(*command, "--try", "network.hidden=16", "--try", "network.hidden=2", "--json")
    assert (done.returncode, done.stdout.count("\n")) == (0, 1), done.stderr
    rows = json.loads(done.stdout)
    assert [row["variant"] for row in rows] == [["network.hidden=16"], ["network.hidden=2"]]
    # The config's own width and seed: the very run that train makes of it.
    of_train = load_model(run_dir).provenance["dev"]["f1"]
    assert (rows[0]["f1"], rows[0]["seeds"], rows[0]["deviation"]) == (of_train, [of_train], None)
    (kept,) = (tmp_path / "s").glob("network.hidden=16/seed-1")
    name = "best/model.safetensors"
    assert (kept / name).read_bytes() == (run_dir / name).read_bytes()
    assert rows[1]["f1"] != of_train


def test_misuse_of_a_sweep_is_told_apart(tiny, main):
    done = main("sweep", tiny / "config.yaml", "--try", "network.hiden=2")
    assert (done.returncode, done.stdout) == (2, "")
    assert '--try network.hiden=2: unknown key "network.hiden"; did you' in " ".join(
        done.stderr.split()
    )
    done = main("sweep", tiny / "config.yaml", "--set", "network.hiden=2")
    assert (done.returncode, "--set network.hiden=2: unknown key" in done.stderr) == (2, True)
