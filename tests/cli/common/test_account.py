"""Every command that reads text says what it read, altered and refused, and lists each case if asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nertool.cli.app import app
from tests.support.corpora import LONDON, lines

GOOD = {"text": "Ada left New York .", "entities": [[0, 3, "PER"], [9, 17, "LOC"]]}
READ = "read 1 file, 10 records, 10 sentences, 48 tokens, 18 entities; nothing altered"
REFUSED = "refused: 1 × entities with a border inside a token (first at {}:10)"


@pytest.fixture
def settings(tiny: Path, tmp_path: Path) -> list[str | Path]:
    """A config, as a command's arguments, whose training text has one entity that does not fit."""
    path = tmp_path / "train.jsonl"
    path.write_text(lines(*[GOOD] * 9, LONDON))
    return [
        tiny / "config.yaml",
        "--set",
        f"corpus.train={path}",
        "--set",
        "corpus.misaligned=drop",
    ]


def test_every_command_that_reads_text_takes_a_report():
    nertool = app
    commands = {**nertool.commands, **nertool.commands["corpus"].commands}
    commands |= nertool.commands["vectors"].commands
    without = {
        name
        for name, command in commands.items()
        if "--report" not in {option for parameter in command.params for option in parameter.opts}
    }
    # info and lesson read models and exercises; the commands of corpus and vectors are seen one by one.
    models = {"info", "compress", "export", "pack", "config"}
    assert without - models == {"init", "lesson", "corpus", "vectors", "convert"}


def test_gradcheck_accounts_for_a_configs_text(settings, tmp_path, main):
    report = tmp_path / "report.tsv"
    done = main("gradcheck", *settings, "--samples", "2", "--jacobians", "--report", report)
    assert done.returncode == 0, done.stderr
    refused = REFUSED.format(tmp_path / "train.jsonl")
    assert done.stderr.splitlines()[-2:] == [READ, refused]
    assert report.read_text().startswith(f"{tmp_path / 'train.jsonl'}:10\trefused\t")


def test_gradcheck_of_a_model_reads_no_text(run_dir, tmp_path, main):
    done = main("gradcheck", run_dir, "--samples", "2", "--jacobians")
    assert (done.returncode, done.stderr) == (0, "")
    done = main("gradcheck", run_dir, "--report", tmp_path / "report.tsv")
    assert (done.returncode, "a config's training text" in done.stderr) == (2, True)
    assert not (tmp_path / "report.tsv").exists()


def test_a_sweep_accounts_for_each_text_once_however_many_trials_read_it(
    settings, tmp_path, main, in_this_process
):
    in_this_process()
    report = tmp_path / "report.tsv"
    settings += ["--set", f"corpus.dev={tmp_path / 'dev.jsonl'}", "--set", "training.epochs=1"]
    (tmp_path / "dev.jsonl").write_text(lines(GOOD))
    tries = ("--try", "corpus.misaligned=drop", "--try", "corpus.misaligned=snap")
    done = main("sweep", *settings, "--seeds", "2", "--workers", "1", "--report", report, "--json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)[0]["seeds"]) == 2
    # Nine entities' records and the odd one, and dev's one.
    assert "read 2 files, 11 records, 11 sentences, 53 tokens, 20 entities;" in done.stderr
    assert report.read_text().count("\n") == 1
    # Read in two ways, the text is accounted for in both.
    done = main("sweep", *settings, *tries, "--seeds", "1", "--workers", "1")
    assert done.returncode == 0, done.stderr
    assert "read 4 files, 22 records," in done.stderr
    assert "\naltered: 1 × " in done.stderr
    assert "\nrefused: 1 × " in done.stderr
    assert done.stderr.endswith("--report FILE lists each case\n")


def test_explain_accounts_for_a_file(tiny, run_dir, tmp_path, main):
    report = tmp_path / "report.tsv"
    done = main("explain", run_dir, tiny / "dev.conll", "--line", "1", "--report", report)
    assert done.returncode == 0, done.stderr
    assert "read 1 file, 4 sentences, " in done.stderr
    assert report.read_text() == ""
    done = main("explain", run_dir, "Ada left", "--word", "Ada", "--report", report)
    assert (done.returncode, "use it with --line" in " ".join(done.stderr.split())) == (2, True)
