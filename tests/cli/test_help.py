"""Help screens: names of values in place of Python's types, within the terminal's width."""

from __future__ import annotations

import re

import pytest
import typer.core

from nertool.cli.app import app
from nertool.cli.common.help import ALIASES, help_of


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


def test_help_lists_long_choices_in_the_text_and_hides_aliases(main):
    help_text = main("evaluate", "--help").stdout
    assert "--from FORMAT " in help_text
    assert "--format" not in help_text
    assert "One of auto," in " ".join(help_text.split())
    assert "default: auto" in " ".join(help_text.split())
    assert "--seed N " in main("train", "--help").stdout


def test_an_alias_is_another_spelling_of_an_option_that_help_shows():
    for command in COMMANDS.values():
        for parameter in command.params:
            if set(parameter.opts) & ALIASES and parameter.param_type_name == "option":
                assert set(parameter.opts) - ALIASES
