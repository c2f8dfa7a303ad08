"""Generate docs/commands.md: every command's text, arguments and options, from the command line itself."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from scripts.pages.architecture import plain

EXIT_CODES = """\
## Options of every command

| option | |
|---|---|
| `-q`, `--quiet` | Print no notes and no progress, only warnings, errors, and what was altered or refused. |
| `-v`, `--verbose` | Also print versions, time and memory, and the traceback of an unexpected error. |
| `-h`, `--help` | Print the help of a command, and exit. |

`-q` and `-v` may stand before or after the command. `nertool --version` prints the version.

Headings of help screens and the beginnings of errors and warnings have colours on a terminal. `NO_COLOR=1`
turns them off, `FORCE_COLOR=1` turns them on where the output is not a terminal. Results never have colours.

## Completion

`nertool --install-completion` installs Tab completion of commands, options, the values of options and config
keys, for the shell from which it is called (bash, zsh or fish). It writes one script and, for bash and zsh,
one line at the end of `~/.bashrc` or `~/.zshrc`. `nertool --show-completion` prints the script instead.

## Exit codes

| code | meaning |
|---|---|
| 0 | Done. |
| 1 | Failed. One line on stderr says what was found, where, and what to do. No half-written file is left. |
| 2 | The command line is wrong: an unknown command or option, a missing argument, a wrong value. |
| 129 | Ended by SIGHUP: the terminal was closed. |
| 130 | Ended by Ctrl-C (SIGINT). |
| 143 | Ended by SIGTERM, as `kill` sends it. |

Some commands also report a result by their exit code. `corpus check`, `gradcheck` and `lesson check` exit
with 1 if something is wrong, and `predict --on-error report` if an input could not be read. If a reader such
as `head` closes the output early, the command ends with 1 and without a message.
"""


def commands(_: str) -> str:
    """Return docs/commands.md: every command's text, arguments and options, from the command line itself."""
    from nertool.cli.app import app
    from nertool.cli.common.help import by_title, divided

    root: Any = app
    parts = [
        "# Commands\n",
        "<!-- Written by scripts/docs.py from the command line itself; change the help texts there. -->\n",
        "Every command has `--help`. Data goes to stdout, notes and progress to stderr.\n",
        "A MODEL is a model folder, a run folder (its best model is used), or a model in one file "
        "(.nertool). `-` stands for stdin or stdout.\n",
        EXIT_CODES,
    ]
    for name, command in _leaves(root, "nertool"):
        parts.append(f"## {name}\n")
        about, examples = divided(command.help)
        parts.append(_paragraphs(about))
        wanted = [_metavar(p) for p in command.params if p.param_type_name == "argument"]
        parts.append(f"```text\n{' '.join([name, '[OPTIONS]', *wanted])}\n```\n")
        for title, parameters in by_title(command.params).items():
            rows = [_row(p) for p in parameters if p.name not in ("quiet", "verbose")]
            if rows:
                parts.append(f"| {title} | |\n|---|---|\n" + "".join(rows))
        if examples:
            lines = "\n".join(examples)
            parts.append(f"Examples:\n\n```text\n{lines}\n```\n")
    return "\n".join(parts)


def _leaves(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "commands"):
        yield name, command
        return
    for key, inner in command.commands.items():
        if not inner.hidden:
            yield from _leaves(inner, f"{name} {key}")


def _paragraphs(text: str) -> str:
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(plain(" ".join(paragraph.split())) for paragraph in paragraphs) + "\n"


def _metavar(parameter: Any) -> str:
    """Return the name of an argument's or option's value: FILE, N, io|iob2, …"""
    from nertool.cli.common.help import value_name

    called = value_name(parameter)
    several = parameter.param_type_name == "argument" and parameter.nargs != 1
    return f"{called}{'...' if several and '...' not in called else ''}"


def _row(parameter: Any) -> str:
    """Return a table's row for an argument or option: its names, its value, and its help."""
    from nertool.cli.common.help import help_of, names_of

    if parameter.param_type_name == "argument":
        left = f"`{_metavar(parameter)}`"
    else:
        left = ", ".join(f"`{name}`" for name in names_of(parameter))
        if not parameter.is_flag:
            left += " " + ", ".join(f"`{value}`" for value in _metavar(parameter).split("|"))
    return f"| {left} | {plain(help_of(parameter))} |\n"
