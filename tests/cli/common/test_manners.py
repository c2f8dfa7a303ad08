"""--quiet, --verbose, colours, suggestions, and exit codes."""

from __future__ import annotations

import io
import re

import pytest

from nertool.cli.common.verbosity import wants_colour

SENTENCE = "Ada met Charles in London .\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("before", [True, False])
def test_quiet_prints_the_result_alone(run_dir, main, before):
    command = ["predict", run_dir, "-"]
    loud = main(*command, stdin=SENTENCE)
    done = main(*(["-q", *command] if before else [*command, "--quiet"]), stdin=SENTENCE)
    assert loud.stderr
    assert (done.returncode, done.stdout, done.stderr) == (0, loud.stdout, "")
    assert (
        main(*command, stdin=SENTENCE).stderr == loud.stderr
    )  # the next command is as loud as ever


def test_quiet_still_tells_what_was_refused_and_what_failed(tiny, tmp_path, main):
    text = tmp_path / "t.jsonl"
    text.write_text('{"text": "Londoners ran .", "entities": [[0, 6, "LOC"]]}\n')
    done = main("corpus", "convert", text, "--misaligned", "drop", "--quiet")
    assert "refused: 1 ×" in done.stderr
    done = main("info", tmp_path / "none", "--quiet")
    assert done.returncode == 1
    assert done.stderr.startswith("nertool: ")


def test_verbose_tells_versions_time_and_memory(run_dir, main):
    done = main("predict", run_dir, "-", "-v", stdin=SENTENCE)
    last = done.stderr.splitlines()[-1]
    for word in ("nertool ", "Python ", "numpy ", " s", " MB"):
        assert word in last


def test_verbose_shows_the_traceback_of_a_fault_of_ours(run_dir, main, monkeypatch):
    monkeypatch.setattr("nertool.model.load.load_model", lambda path: 1 / 0)
    assert "Traceback" not in main("info", run_dir).stderr
    assert "Traceback" in main("info", run_dir, "--verbose").stderr


@pytest.mark.parametrize(
    ("variables", "terminal", "expected"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": ""}, False, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, True, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, False, True),
    ],
)
def test_colours_follow_the_environment_and_the_terminal(
    variables, terminal, expected, monkeypatch
):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert wants_colour(Terminal() if terminal else io.StringIO()) is expected


def test_colours_are_in_help_and_errors_and_never_in_results(run_dir, tmp_path, main, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[1mCommon options\x1b[0m:" in main("train", "--help").stdout
    assert main("info", tmp_path / "none").stderr.startswith("\x1b[1;31mnertool:\x1b[0m ")
    assert "\x1b" not in main("predict", run_dir, "-", stdin=SENTENCE).stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in main("train", "--help").stdout


@pytest.mark.parametrize(
    ("command", "meant"),
    [
        ("prdict m t", "did you mean nertool predict?"),
        ("stats t", "did you mean nertool corpus stats?"),
        ("corpus cnvert t", "did you mean nertool corpus convert?"),
        ("convert t", "did you mean nertool corpus convert or nertool vectors convert?"),
        ("qqqqqq", "--help lists them"),
        ("predict m t --probabilites", "did you mean --probabilities?"),
        ("train c --ovewrite", "did you mean --overwrite?"),
        ("predict m t --to jsnl", 'did you mean "jsonl"?'),
        ("corpus convert t --scheme biose", 'did you mean "bioes"?'),
    ],
)
def test_a_misspelt_word_is_misuse_and_a_near_one_is_named(command, meant, main, monkeypatch):
    monkeypatch.setattr("nertool.cli.common.groups.program", lambda ctx: "nertool")
    done = main(*command.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert meant in " ".join(done.stderr.split())


@pytest.mark.parametrize("name", ["--from", "--format"])
def test_a_wrong_value_is_told_by_the_spelling_that_was_typed(name, main):
    done = main("corpus", "stats", "x.conll", name, "conl")
    assert done.returncode == 2
    assert f"{name}: found conl, expected one of" in " ".join(done.stderr.split())


def test_a_file_in_a_commands_place_is_misuse_and_the_remedy_is_named(tmp_path, main):
    (tmp_path / "t.conll").write_text("Ada B-PER\n")
    done = main("t.conll", cwd=tmp_path)
    assert done.returncode == 2
    assert "train t.conll" in done.stderr


def test_no_command_at_all_shows_the_help_on_stderr(main):
    done = main()
    assert (done.returncode, done.stdout) == (2, "")
    assert re.search(r"\n  predict +Tag text", done.stderr)
