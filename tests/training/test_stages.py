"""Both stages as pieces of work: the same bytes in any processes, also after an interruption."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nertool.model.load import load_model
from nertool.training import run, stages
from tests.support.helpers import VOLATILE, Death, change, run_training

EPOCHS = 3  # of the full config: 3 for each member, 2 for each network of the first stage


def result(run_dir: Path) -> dict[str, Any]:
    """Return all that equal trainings must agree in: every file's bytes, and the logs without times."""
    found: dict[str, Any] = {}
    for path in sorted(run_dir.rglob("*")):
        name = str(path.relative_to(run_dir))
        assert "/." not in f"/{name}", "something was left aside"
        if path.name == "log.jsonl":
            log = [json.loads(line) for line in path.read_text().splitlines()]
            found[name] = [{k: v for k, v in entry.items() if k not in VOLATILE} for entry in log]
        elif path.is_file():
            found[name] = path.read_bytes()
    return found


@pytest.fixture(scope="module")
def expected(full_run_dir: Path) -> dict[str, Any]:
    """What the uninterrupted training, of one network after the other in one process, came to."""
    return result(full_run_dir)


def assert_same(run_dir: Path, expected: dict[str, Any]) -> None:
    found = result(run_dir)
    assert sorted(found) == sorted(expected)
    assert [name for name in expected if found[name] != expected[name]] == []


# The same bytes


def test_a_run_of_everything_leaves_these_files(expected):
    assert {name.rpartition("/")[0] for name in expected} == {
        "", "best", "prepared", "first_stage/whole", "first_stage/fold.1", "first_stage/fold.2",
        "members/1", "members/1/last", "members/2", "members/2/last", "members/3", "members/3/last",
    }  # fmt: skip
    for i in (1, 2, 3):
        assert [entry["epoch"] for entry in expected[f"members/{i}/log.jsonl"]] == [1, 2, 3]
    assert len({expected[f"members/{i}/last/state.safetensors"] for i in (1, 2, 3)}) == 3


def test_two_networks_at_a_time_make_the_same_bytes_as_one(full, expected, tmp_path, main):
    done = main(
        "train", full / "config.yaml", "--run-dir", tmp_path / "run", "--workers", "2", "--json"
    )
    assert done.returncode == 0, done.stderr
    assert_same(tmp_path / "run", expected)
    # Records come with the network's name, and out of so many epochs of its own stage.
    found = [line.partition("  ")[0] for line in done.stderr.splitlines() if ": epoch " in line]
    firsts = ["first stage", "first stage, fold 1", "first stage, fold 2"]
    members = ["member 1", "member 2", "member 3"]
    lines = [f"{name}: epoch {e}/2" for name in firsts for e in (1, 2)]
    lines += [f"{name}: epoch {e}/3" for name in members for e in (1, 2, 3)]
    assert sorted(found) == sorted(lines)
    answer = json.loads(done.stdout)
    provenance = json.loads((tmp_path / "run" / "best" / "model.json").read_text())["provenance"]
    assert answer == {
        "run_dir": str(tmp_path / "run"),
        **{k: provenance[k] for k in ("epoch", "dev")},
    }


def test_a_second_training_makes_the_same_bytes(full_config, expected, tmp_path, in_this_process):
    in_this_process()
    records = run_training(full_config, tmp_path / "run")
    assert_same(tmp_path / "run", expected)
    assert len(records) == 3 * 2 + 3 * EPOCHS


def test_another_seed_makes_others(full_config, expected, tmp_path, in_this_process):
    in_this_process()
    run_training(replace(full_config, seed=2), tmp_path / "run")
    found = result(tmp_path / "run")
    for name in expected:
        if name.endswith(("state.safetensors", "model.safetensors")):
            assert found[name] != expected[name], name


def test_train_says_which_network_each_epoch_is_of_and_what_the_ensemble_scores(
    full, expected, tmp_path, in_this_process, main
):
    in_this_process()
    done = main("train", full / "config.yaml", "--run-dir", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    notes = done.stderr.splitlines()
    assert sum(line.startswith("first stage, fold 2: epoch ") for line in notes) == 2
    assert sum(line.startswith("member 3: epoch ") for line in notes) == EPOCHS
    best = ", ".join(str(epoch) for epoch in load_model(tmp_path / "run").provenance["epoch"])
    assert f"Best on dev: epochs {best}, kept in {tmp_path / 'run' / 'best'}" in notes
    again = main("evaluate", tmp_path / "run", full / "dev.conll")
    assert done.stdout.startswith(again.stdout)
    tagged = main("predict", tmp_path / "run", full / "dev.conll")
    assert tagged.returncode == 0
    checked = main("gradcheck", tmp_path / "run", "--json", "--samples", "4", "--windows", "9")
    assert [c["network"] for c in json.loads(checked.stdout)["checks"]] == [
        "first stage", "member 1", "member 2", "member 3",
    ]  # fmt: skip
    assert checked.returncode == 0
    table = main("gradcheck", tmp_path / "run", "--samples", "4", "--windows", "9").stdout
    names = re.findall(r"^(.*): tanh, logistic: relative error", table, re.MULTILINE)
    assert names == ["first stage", "member 1", "member 2", "member 3"]
    for block in ("L", "E.caps", "E.affixes", "E.sentence", "E.document", "W", "b", "U"):
        assert len(re.findall(rf"^{re.escape(block)} +\d", table, re.MULTILINE)) == len(names)


# Interrupted


@pytest.mark.parametrize(
    "last",
    # Records come in this order: whole 1–2, fold one 3–4, fold two 5–6, members 7–9, 10–12, 13–15.
    [2, 5, 7, 11],
)
def test_death_within_any_piece_changes_nothing(
    full_config, expected, tmp_path, in_this_process, last
):
    in_this_process(last)
    with pytest.raises(Death):
        run_training(full_config, tmp_path / "run")
    # What was done stays done: it is not trained again.
    done = [(last - 1) // 2 if last <= 6 else 3, 0 if last <= 6 else last - 6]
    in_this_process()
    records = run_training(full_config, tmp_path / "run", resume=True)
    assert len(records) == 2 * (3 - done[0]) + 3 * EPOCHS - done[1]
    assert_same(tmp_path / "run", expected)
    assert run_training(full_config, tmp_path / "run", resume=True) == []
    assert_same(tmp_path / "run", expected)


def test_death_before_the_members_are_folded_changes_nothing(
    full_config, expected, tmp_path, in_this_process, monkeypatch
):
    def die(*arguments: Any) -> None:
        raise Death

    in_this_process()
    with monkeypatch.context() as patch:
        patch.setattr(stages, "save_model", die)
        with pytest.raises(Death):
            run_training(full_config, tmp_path / "run")
    assert not (tmp_path / "run" / "best").exists()
    assert run_training(full_config, tmp_path / "run", resume=True) == []
    assert_same(tmp_path / "run", expected)


def test_the_end_may_be_moved_when_an_ensemble_is_resumed(
    full_config, expected, tmp_path, in_this_process
):
    in_this_process()
    folder = tmp_path / "run"
    assert len(run_training(change(full_config, training={"epochs": 1}), folder)) == 3 * 2 + 3 * 1
    run.check_same_config(full_config, folder)
    assert len(run_training(full_config, folder, resume=True)) == 3 * (EPOCHS - 1)
    assert_same(folder, expected)


def wait_until_alone(group: int) -> bool:
    """Tell whether all processes of a group have ended, within a few seconds."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_ctrl_c_ends_in_one_line_without_a_process_left_and_can_be_resumed(
    full, full_config, expected, tmp_path, in_this_process
):
    command = [sys.executable, "-m", "nertool", "train", full / "config.yaml"]
    command += ["--run-dir", tmp_path / "run", "--workers", "2"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    with process:
        # As a terminal does it: the signal goes to every process of the group.
        assert any(line.startswith("first stage: epoch 1") for line in process.stderr)
        os.killpg(process.pid, signal.SIGINT)
        rest, out = process.stderr.read(), process.stdout.read()
    assert process.returncode == 130, rest
    assert out == ""
    *epochs, last = rest.splitlines()
    assert all(re.match(r"(first stage|member \d).*: epoch \d/\d", line) for line in epochs)
    assert last.startswith("interrupted; add --resume to the command")
    assert wait_until_alone(process.pid)
    assert not (tmp_path / "run" / "best").exists()
    in_this_process()
    run_training(full_config, tmp_path / "run", resume=True)
    assert_same(tmp_path / "run", expected)


LOST_INTERRUPT = """
import signal, time
from nertool.cli import main
from nertool.training import run

class Ends:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)  # what is raised here, Python can only print

def epochs(*_):
    Ends()
    time.sleep(60)
    raise SystemExit("went on")
    yield

run.run_training = epochs
main()
"""


def test_ctrl_c_is_heard_where_python_would_lose_it(full, tmp_path):
    command = [sys.executable, "-c", LOST_INTERRUPT, "train", full / "config.yaml"]
    command += ["--run-dir", tmp_path / "run"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=30
    )  # less than it sleeps
    assert (done.returncode, done.stdout) == (130, ""), done.stderr
    assert done.stderr.splitlines()[-1].startswith("interrupted; add --resume")
    assert "KeyboardInterrupt" not in done.stderr


# Errors


def test_an_error_in_a_worker_is_one_line_and_leaves_no_process(full, tmp_path):
    command = [sys.executable, "-m", "nertool", "train", full / "config.yaml"]
    command += ["--run-dir", tmp_path / "run", "--workers", "2"]
    for override in ("training.optimizer=sgd", "training.alpha=100", "training.l2=1000"):
        command += ["--set", override]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    out, notes = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    said = [line for line in notes.splitlines() if "the loss became" in line]
    assert said == [notes.splitlines()[-1]]
    assert said[0].startswith("nertool: the loss became ")
    assert "training.alpha = 100" in said[0]
    assert "Traceback" not in notes
    assert "Warning" not in notes
    assert wait_until_alone(process.pid)
