"""The command line: what goes to stdout, what to stderr, and what into files."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import nertool
from nertool.cli.app import app
from nertool.cli.common.help import divided, help_of
from nertool.kernels import library

PACKAGE_DIR = Path(nertool.__file__).parent
MEASURES = {"precision", "recall", "f1", "support"}


# Train


def test_train_prints_a_table_on_stdout_and_all_else_on_stderr(tiny, tmp_path, main):
    done = main("train", tiny / "config.yaml", "--run-dir", tmp_path / "run")
    assert done.returncode == 0
    table, _, example = done.stdout.partition("\n\n")
    header, *rows, last = table.splitlines()
    assert header.split() == ["precision", "recall", "F1", "entities"]
    assert [row.split()[0] for row in rows] == ["LOC", "ORG", "PER", "overall", "macro"]
    assert len(rows.pop().split()) == 4  # the macro average counts no entities
    for row in rows:
        assert re.fullmatch(r"\w+ +(\d+\.\d\d|–) +(\d+\.\d\d|–) +(\d+\.\d\d|–) +\d+", row)
    # LOC 5, ORG 1, PER 4 in the four sentences of 30 tokens.
    assert [row.split()[-1] for row in rows] == ["5", "1", "4", "10"]
    assert last.startswith("30 tokens in 4 sentences, ")
    assert re.search(r"\[\w+\]\((LOC|ORG|PER)\)", example)

    notes = done.stderr.splitlines()
    epochs = [line for line in notes if line.startswith("epoch ")]
    pattern = r"epoch \d/6  J \d+\.\d{4}  dev F1 [ \d]{3}\.\d\d( \*|  )  \d+\.\d s, [\d,]+ tokens/s"
    assert len(epochs) == 6
    assert all(re.fullmatch(pattern, line) for line in epochs)
    evaluating = f"  nertool evaluate {tmp_path / 'run'} {tiny / 'dev.conll'} --errors errors.tsv"
    assert evaluating in notes
    # The next commands hold a sentence of this task's own dev text.
    assert any(line.startswith("  echo 'Siemens hired Ada in Berlin .' | ") for line in notes)
    assert any("129 tokens, 18 sentences" in line for line in notes)
    assert any("29 words × 8" in line for line in notes)
    # The table is the best model's, as evaluate finds it.
    again = main("evaluate", tmp_path / "run", tiny / "dev.conll")
    assert again.stdout == table + "\n"
    files = {str(path.relative_to(tmp_path / "run")) for path in (tmp_path / "run").rglob("*")}
    assert {"config.yaml", "log.jsonl", "best/model.json", "last/state.json"} < files
    assert not [name for name in files if "/." in f"/{name}"]


def test_train_as_json_is_one_object(tiny, tmp_path, main):
    done = main("train", tiny / "config.yaml", "--run-dir", tmp_path / "run", "--json")
    assert (done.returncode, done.stdout.count("\n")) == (0, 1)
    result = json.loads(done.stdout)
    assert set(result) == {"run_dir", "epoch", "dev"}
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert result["run_dir"] == str(tmp_path / "run")
    assert [entry["epoch"] for entry in log] == [1, 2, 3, 4, 5, 6]
    assert result["dev"] == log[result["epoch"] - 1]["dev"]
    assert result["dev"]["f1"] == max(entry["dev"]["f1"] for entry in log)
    assert set(log[0]) == {"epoch", "loss", "alpha", "seconds", "tokens_per_second", "best", "dev"}


def test_train_goes_into_runs_by_default_and_takes_seed_and_overrides(tiny, tmp_path, main):
    done = main(
        "train", tiny / "config.yaml", "--seed", "9", "--set", "training.epochs=1",
        "--set", "corpus.dev=", "--json", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"run_dir": "runs/config", "epoch": 1, "dev": None}
    config = yaml.safe_load((tmp_path / "runs" / "config" / "config.yaml").read_text())
    assert (config["seed"], config["training"]["epochs"]) == (9, 1)
    assert config["corpus"] == {
        **config["corpus"],
        "train": str(tiny / "train.conll"),
        "dev": None,
    }


def test_a_folder_whose_name_is_not_utf_8_is_one_like_any_other(tiny, tmp_path, main):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this file system has names in UTF-8 only")
    done = main(
        "train", tiny / "config.yaml", "--run-dir", folder, "--set", "training.epochs=1", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["run_dir"] == str(folder)


def test_without_a_dev_text_stdout_is_empty(tiny, tmp_path, main):
    done = main(
        "train", tiny / "config.yaml", "--set", "corpus.dev=", "--set", "training.epochs=1",
        "--run-dir", tmp_path / "run",
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")
    assert "dev F1" not in done.stderr


def test_prepare_then_train_then_resume(tiny, tmp_path, main, run_dir):
    arguments = (tiny / "config.yaml", "--run-dir", tmp_path / "run")
    done = main("prepare", *arguments)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.endswith(f"prepared inputs: in {tmp_path / 'run' / 'prepared'}\n")
    assert sorted(os.listdir(tmp_path / "run")) == ["prepared"]
    done = main("train", *arguments, "--set", "training.epochs=2", "--json")
    assert f"prepared inputs: from {tmp_path / 'run' / 'prepared'}" in done.stderr
    assert done.stderr.count("epoch ") == 2
    done = main("train", *arguments, "--resume", "--json")
    assert done.returncode == 0, done.stderr
    assert [line[:9] for line in done.stderr.splitlines() if line.startswith("epoch")] == [
        "epoch 3/6", "epoch 4/6", "epoch 5/6", "epoch 6/6",
    ]  # fmt: skip
    name = "best/model.safetensors"
    assert (tmp_path / "run" / name).read_bytes() == (run_dir / name).read_bytes()
    done = main("train", *arguments, "--overwrite", "--set", "training.epochs=1", "--json")
    assert (done.returncode, json.loads(done.stdout)["epoch"]) == (0, 1)
    assert len((tmp_path / "run" / "log.jsonl").read_text().splitlines()) == 1


# Evaluate


def test_evaluate_as_json_is_one_object_of_fractions(tiny, run_dir, main):
    done = main("evaluate", run_dir, tiny / "dev.conll", "--json")
    assert (done.returncode, done.stdout.count("\n")) == (0, 1)
    result = json.loads(done.stdout)
    assert set(result) == MEASURES | {
        "macro",
        "accuracy",
        "tokens",
        "sentences",
        "types",
        "calibration",
        "coverage",
    }
    assert (result["support"], result["tokens"], result["sentences"]) == (10, 30, 4)
    assert {label: set(row) for label, row in result["types"].items()} == dict.fromkeys(
        ["LOC", "ORG", "PER"], MEASURES
    )
    assert all(0.0 <= result[key] <= 1.0 for key in ("precision", "recall", "f1", "accuracy"))


def test_evaluate_reads_standard_input_and_other_columns(tiny, run_dir, main):
    expected = main("evaluate", run_dir, tiny / "dev.conll").stdout
    text = (tiny / "dev.conll").read_bytes()
    done = main("evaluate", run_dir, "-", stdin=text)
    assert done.stdout == expected
    assert "\n<stdin>: 30 tokens" in done.stderr
    swapped = re.sub(rb"(?m)^(\S+) (\S+)$", rb"\2 x \1", text)
    done = main("evaluate", run_dir, "-", "--token-column", "2", "--tag-column", "0", stdin=swapped)
    assert done.stdout == expected


def test_a_text_tagged_by_predict_scores_perfectly(tiny, run_dir, main):
    tagged = main("predict", run_dir, tiny / "dev.conll").stdout
    done = main("evaluate", run_dir, "-", "--json", stdin=tagged)
    assert json.loads(done.stdout)["f1"] == 1.0
    assert json.loads(done.stdout)["accuracy"] == 1.0


def test_a_label_that_the_model_does_not_know_counts_as_missed_and_is_noted(run_dir, main):
    done = main("evaluate", run_dir, "-", "--json", stdin="It O\nrained B-LOK\n")
    assert done.returncode == 0
    assert json.loads(done.stdout)["types"]["LOK"]["recall"] == 0.0
    assert 'WARNING: <stdin>:2: the model does not know the label "LOK"' in done.stderr
    assert 'did you mean "LOC"?' in done.stderr


# Help, version, init


def commands(group: Any, path: str = "") -> dict[str, Any]:
    """Return each command, groups too, by the words that call it."""
    found = {path: group}
    for name, command in getattr(group, "commands", {}).items():
        found |= commands(command, f"{path} {name}".strip())
    return found


COMMANDS = commands(app)


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path or "nertool")
def test_help_explains_every_option(path, main):
    command = COMMANDS[path]
    done = main(*path.split(), "--help")
    assert (done.returncode, done.stderr) == (0, "")
    shown = "".join(done.stdout.replace("\\\n", "").split())  # however the lines were broken
    about, examples = divided(command.help)
    assert about
    assert "".join(about.split()) in shown
    assert all("".join(line.split()) in shown for line in examples)
    for name, sub in getattr(command, "commands", {}).items():
        assert re.search(rf"^  {name} ", done.stdout, re.MULTILINE)
        assert sub.help
    for parameter in (p for p in command.params if not getattr(p, "hidden", False)):
        if parameter.param_type_name == "option":
            for option in parameter.opts:
                assert option in done.stdout
        assert parameter.help, parameter.name
        assert "".join(help_of(parameter).split()) in shown


def test_there_are_the_commands_that_there_should_be():
    assert set(COMMANDS) >= {"", "init", "prepare", "train", "evaluate", "predict", "gradcheck"}


def test_python_m_nertool_is_the_command_line(cli):
    done = cli("--version")
    kernels = "with" if library.compiled() else "without"
    expected = f"nertool {nertool.__version__}, {kernels} compiled kernels\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, expected, "")


def test_init_lays_out_the_samples(tmp_path, main):
    (tmp_path / "empty").mkdir()
    for name in ("new", "empty"):
        done = main("init", tmp_path / name)
        assert (done.returncode, done.stdout) == (0, "")
        assert f"  cd {tmp_path / name}" in done.stderr.splitlines()
    root = PACKAGE_DIR.parent
    for path in (root / "configs").glob("*.yaml"):
        assert (tmp_path / "new" / "configs" / path.name).read_bytes() == path.read_bytes()
    assert (tmp_path / "new" / "data").is_dir()


def test_init_fills_the_working_folder_if_it_is_empty(tmp_path, main):
    empty = tmp_path / "empty"
    empty.mkdir()
    done = main("init", ".", cwd=empty)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in empty.iterdir()) == ["configs", "data"]
    assert "  cd " not in done.stderr
    again = main("init", ".", cwd=empty)
    assert again.returncode == 1
    assert "already there, expected a new or empty folder" in again.stderr
