"""Help screens: names of values in place of Python's types, within the terminal's width."""

from __future__ import annotations

import re
import shlex

import pytest
import typer.core

from nertool.cli.app import app
from nertool.cli.common.help import divided, help_of, wrapped


def commands() -> dict[str, typer.core.TyperCommand]:
    """Return the commands by their names, such as "corpus check"."""
    found: dict[str, typer.core.TyperCommand] = {}
    groups: list[tuple[str, typer.core.TyperGroup]] = [("", app)]
    while groups:
        start, group = groups.pop()
        for name, command in group.commands.items():
            if isinstance(command, typer.core.TyperGroup):
                groups.append((f"{start}{name} ", command))
            else:
                assert isinstance(command, typer.core.TyperCommand)
                found[f"{start}{name}"] = command
    return found


COMMANDS = commands()
ROOT = app.make_context("nertool", ["--"], resilient_parsing=True)


@pytest.fixture(params=[80, 100])
def columns(request, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(request.param))
    return request.param


@pytest.mark.parametrize("name", ["", *sorted(COMMANDS)])
def test_a_help_screen_shows_no_python_types_and_fits_its_terminal(name, columns, main):
    done = main(*name.split(), "--help")
    assert done.returncode == 0
    assert not re.search(r"[<>{}]|list\[|int range|\[\[|\.\.\.\.", done.stdout)
    assert max(map(len, done.stdout.splitlines())) <= columns


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_each_option_says_what_it_does_in_a_sentence(name):
    for parameter in COMMANDS[name].params:
        text = re.sub(r" \[[^\]]*\]$", "", help_of(parameter))
        assert text.endswith((".", "?", "…")), f"{name}: {parameter.name}"


def test_help_lists_long_choices_in_the_text_and_shows_both_spellings(main):
    help_text = main("evaluate", "--help").stdout
    assert "--from, --format FORMAT " in help_text
    assert "--from, --format" not in main("train", "--help").stdout  # there --from names a model
    assert "One of auto," in " ".join(help_text.split())
    assert "default: auto" in " ".join(help_text.split())
    assert "--seed N " in main("train", "--help").stdout


EXAMPLES = [(name, line) for name in sorted(COMMANDS) for line in divided(COMMANDS[name].help)[1]]


def test_every_command_has_an_example():
    assert {name for name, _ in EXAMPLES} == set(COMMANDS)


@pytest.mark.parametrize(("name", "line"), EXAMPLES)
def test_an_example_is_a_command_line_that_is_understood(name, line):
    words = shlex.split(line.rpartition("| ")[2])
    start = ["nertool", *name.split()]
    assert words[: len(start)] == start
    # Parses the rest as the command line does; a wrong option or value raises.
    with COMMANDS[name].make_context(name, words[len(start) :], parent=ROOT) as ctx:
        assert not ctx.args


def test_a_long_example_is_divided_as_a_shell_takes_it():
    line = "nertool predict model 'a b.txt' --out-dir \"x y\" --to jsonl"
    lines = wrapped(line, 30)
    assert max(map(len, lines)) <= 30
    assert shlex.split("\n".join(lines).replace("\\\n", " ")) == shlex.split(line)
