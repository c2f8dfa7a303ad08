"""Several trainings side by side: every combination once, and means and spreads worked by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nertool.cli.training.sweep import verdict
from nertool.errors import OverrideError, TrainingError
from nertool.model.load import load_model
from nertool.training.experiments.sweep import (
    Outcome,
    Summary,
    Trial,
    _run,
    dev_parts,
    plan,
    summaries,
    variants,
)
from nertool.training.experiments.tries import divided

CONFIG = Path("config.yaml")


def test_all_values_of_a_key_go_with_all_of_the_others():
    found = variants(["a.b=1", "c.d=x", "a.b=2", "c.d=y"])
    assert found == [("a.b=1", "c.d=x"), ("a.b=1", "c.d=y"), ("a.b=2", "c.d=x"), ("a.b=2", "c.d=y")]
    assert variants([]) == [()]  # the config as it is


@pytest.mark.parametrize("text", ["a.b", "=1", ""])
def test_what_is_no_setting_is_refused(text):
    with pytest.raises(OverrideError, match="expected KEY=VALUE"):
        variants(["a.b=1", text])


def test_a_list_of_values_is_the_same_as_the_key_given_several_times():
    assert variants(["a.b=1,2", "c.d=x"]) == variants(["a.b=1", "c.d=x", "a.b=2", "a.b=1"])
    assert variants(["a.b=[1, 2],'x,y',"]) == [
        ("a.b=[1, 2],'x,y',",)
    ]  # an empty value: as it stands
    assert variants(["a.b="]) == [("a.b=",)]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,2", ["1", "2"]),
        ("[PER, LOC],[PER]", ["[PER, LOC]", "[PER]"]),
        ("'a,b',c", ["'a,b'", "c"]),
        (",", [","]),
        ("relu", ["relu"]),
    ],
)
def test_values_are_divided_at_outer_commas(text, values):
    assert divided(text) == values


def test_each_variant_is_planned_with_seeds_from_the_configs_own_on(tiny, tmp_path):
    trials = plan([tiny / "config.yaml"], ["seed=4"], ["network.hidden=2"], 2, tmp_path)
    assert [(trial.variant, trial.seed) for trial in trials] == [
        (("network.hidden=2",), 4),
        (("network.hidden=2",), 5),
    ]
    assert len({trial.run_dir for trial in trials}) == 2
    assert all(trial.run_dir.is_relative_to(tmp_path) for trial in trials)


def test_a_plan_that_can_not_be_carried_out_is_refused_before_any_training(tiny, tmp_path):
    with pytest.raises(OverrideError, match=r"network\.hidden"):
        plan([tiny / "config.yaml"], [], ["network.hidden=2", "network.hidden=0"], 1, tmp_path)
    with pytest.raises(TrainingError, match=r"corpus\.dev is not set"):
        plan([tiny / "config.yaml"], ["corpus.dev="], [], 1, tmp_path)


def test_means_and_spreads_by_hand():
    def outcome(variant: str, seed: int, f1: float, seconds: float) -> Outcome:
        return Outcome(Trial(CONFIG, (variant,), seed, Path()), f1, seconds, 2 * seconds)

    outcomes = [outcome("b", 1, 0.5, 1), outcome("a", 1, 0.9, 4), outcome("b", 2, 0.7, 3)]
    first, second = summaries(outcomes)
    # b: mean (0.5 + 0.7)/2; deviation √((0.1² + 0.1²)/(2 − 1)) = 0.1·√2
    assert (first.variant, first.seeds, first.seconds) == (("b",), 2, 2)
    assert first.f1 == pytest.approx(0.6)
    assert first.deviation == pytest.approx(0.1 * 2**0.5)
    assert second == (CONFIG, ("a",), 0.9, None, 1, 4)


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


def test_configs_are_compared_and_the_best_is_named(tiny, tmp_path, main, in_this_process):
    in_this_process()
    text = (tiny / "config.yaml").read_text()
    for name, hidden in (("one", 1), ("two", 16)):
        # The test part is never read: there is no such file.
        settings = text.replace("hidden: 16", f"hidden: {hidden}")
        settings = settings.replace("test: dev.conll", "test: absent.conll")
        (tmp_path / f"{name}.yaml").write_text(settings)
    for name in ("train.conll", "dev.conll", "vectors.txt"):
        (tmp_path / name).write_bytes((tiny / name).read_bytes())
    asked = ["--seeds", "2", "--workers", "1", "--set", "training.epochs=2", "--run-dir", "kept"]
    done = main("sweep", "one.yaml", "two.yaml", *asked, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    head, one, two, _, said = done.stdout.splitlines()
    assert (head.split()[:2], one.split()[0], two.split()[0]) == (
        ["dev", "F1"],
        "one.yaml",
        "two.yaml",
    )
    f1 = {row.split()[0]: float(row.split()[1]) for row in (one, two)}
    assert said.startswith(f"Best: {max(f1, key=lambda name: f1[name])}")
    assert {path.name for path in (tmp_path / "kept").iterdir()} == {"one.yaml", "two.yaml"}
    for wrong in (["two.yaml"] * 2, ["one.yaml", "two.yaml", "--budget", "9s"]):
        assert main("sweep", *wrong, cwd=tmp_path).returncode == 2, wrong


def test_texts_that_differ_between_configs_are_found(tiny, tmp_path):
    config = tiny / "config.yaml"
    other = f"corpus.dev={tiny / 'train.conll'}"
    trials = plan([config], [], [f"corpus.dev={tiny / 'dev.conll'}", other], 1, tmp_path)
    assert set(dev_parts(trials, [])) == {str(tiny / "dev.conll"), str(tiny / "train.conll")}
    assert len(dev_parts(trials[:1], [])) == 1


@pytest.mark.parametrize(
    ("f1", "deviation", "said"),
    [
        ((0.5, 0.9), (0.01, 0.02), "Best: b, 40.00 above a; the spread of the seeds is 2.00."),
        ((0.9, 0.89), (0.01, 0.02), "Best: a. But b is only 1.00 lower, within"),
        ((0.9, 0.5), (None, None), "Best: a. With one seed each this may be chance"),
    ],
)
def test_the_best_is_told_with_how_sure_it_is(f1, deviation, said):
    rows = [Summary(CONFIG, (), f, d, 3, 1.0) for f, d in zip(f1, deviation, strict=True)]
    assert verdict(rows, ["a", "b"]).startswith(said)


def test_misuse_of_a_sweep_is_told_apart(tiny, main):
    done = main("sweep", tiny / "config.yaml", "--try", "network.hiden=2")
    assert (done.returncode, done.stdout) == (2, "")
    assert '--try network.hiden=2: unknown key "network.hiden"; did you' in " ".join(
        done.stderr.split()
    )
    done = main("sweep", tiny / "config.yaml", "--set", "network.hiden=2")
    assert (done.returncode, "--set network.hiden=2: unknown key" in done.stderr) == (2, True)


def test_a_trial_whose_text_has_too_few_entities_for_dev_is_refused_before_training(tmp_path):
    (tmp_path / "t.conll").write_text("Ada B-PER\n\n" + "no O\none O\n\n" * 20)
    config = tmp_path / "c.yaml"
    config.write_text("corpus: {train: t.conll, held_out: 0.1}\n")
    [trial] = plan([config], [], [], 1, tmp_path / "runs")
    with pytest.raises(TrainingError, match=r"c\.yaml: found no dev part, expected one"):
        _run((), trial, False, lambda outcome: None)
    assert not (trial.run_dir / "config.yaml").exists()
