"""The format of help screens: options under titles, examples, and value names such as FILE or N."""

from __future__ import annotations

import functools
import inspect
import re
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer
import typer.core
import typer.main

from nertool.cli.common.verbosity import BOLD, QUIET, VERBOSE, coloured, set_level, wants_colour

_LONGEST_VALUE = 24  # a longer list of choices is moved into the help text


EXAMPLES = "Examples:"  # the line of a docstring before the examples
# The titles of a help screen, in order. An option without a title is listed under "Options".
INPUT, OUTPUT = "Input options", "Output options"
COMMON = "Common options"
_TITLES = ("Options", INPUT, OUTPUT, COMMON)


def _quiet(asked: bool) -> None:
    if asked:
        set_level(QUIET)


def _verbose(asked: bool) -> None:
    if asked:
        set_level(VERBOSE)


def _common(
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet",
            "-q",
            callback=_quiet,
            expose_value=False,
            rich_help_panel=COMMON,
            help="Print no notes and no progress, only warnings and errors.",
        ),
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose",
            "-v",
            callback=_verbose,
            expose_value=False,
            rich_help_panel=COMMON,
            help="Also print versions, time and memory, and the traceback of an unexpected error.",
        ),
    ] = False,
) -> None:
    """Declare the options that every command has."""


@functools.cache
def common_options() -> list[Any]:
    """Return the options that every command has."""
    single = typer.Typer(add_completion=False, rich_markup_mode=None)
    single.command()(_common)
    return list(typer.main.get_command(single).params)


class Command(typer.core.TyperCommand):
    """A command whose help names each option's value, as in `--seed N`, and ends with examples."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.params += common_options()

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the part of the usage line after the command's name."""
        arguments = [p for p in self.params if p.param_type_name == "argument"]
        return ["[OPTIONS]", *(_in_usage(argument) for argument in arguments)]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help screen."""
        start_help(ctx)
        super().format_help(ctx, formatter)

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """Write the description of the command."""
        text, _ = divided(self.help)
        if text:
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(text)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the lists of arguments and of options."""
        for title, parameters in by_title(self.get_params(ctx)).items():
            write_rows(formatter, title, [row_of(p) for p in parameters])

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples, one per line."""
        _, examples = divided(self.help)
        if examples:
            with formatter.section(coloured("Examples", BOLD, sys.stdout)):
                for example in examples:
                    for line in wrapped(example, formatter.width - formatter.current_indent):
                        formatter.write(f"{'':{formatter.current_indent}}{line}\n")


def start_help(ctx: Any) -> None:
    """Decide whether a help screen is coloured, and tell typer."""
    ctx.color = wants_colour(sys.stdout)


def write_rows(formatter: Any, title: str, rows: list[tuple[str, str]]) -> None:
    """Write a list with its title."""
    if rows:
        with formatter.section(coloured(title, BOLD, sys.stdout)):
            formatter.write_dl(rows)


def divided(docstring: str | None) -> tuple[str, list[str]]:
    """Split a command's docstring into its description and the lines of its examples."""
    text, _, examples = inspect.cleandoc(docstring or "").partition(f"{EXAMPLES}\n")
    return text.strip(), [line.strip() for line in examples.splitlines() if line.strip()]


def wrapped(command: str, width: int) -> list[str]:
    """Wrap a command to lines of at most `width` characters, with a backslash at each line's end."""
    lines = [""]
    for word in re.findall(r"(?:'[^']*'|\"[^\"]*\"|\S)+", command):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width - 2:
            lines[-1] += " \\"
            lines.append("   ")
        lines[-1] += f" {word}" if lines[-1] else word
    return lines


def by_title(parameters: list[Any]) -> dict[str, list[Any]]:
    """Return a command's arguments and options by the title that they are listed under, without hidden
    ones."""
    shown = [p for p in parameters if not getattr(p, "hidden", False)]
    found = {"Arguments": [p for p in shown if p.param_type_name == "argument"]}
    options = [p for p in shown if p.param_type_name == "option"]
    for title in _TITLES:
        found[title] = [p for p in options if _title(p) == title]
    return {title: part for title, part in found.items() if part}


def _title(option: Any) -> str:
    if option.name in ("help", "report", "as_json"):
        return COMMON
    return getattr(option, "rich_help_panel", None) or "Options"


def row_of(parameter: Any) -> tuple[str, str]:
    """Return the left column (names and value) and the help text of an argument or option."""
    if parameter.param_type_name == "argument":
        left = value_name(parameter)
    else:
        left = ", ".join(names_of(parameter))
        if not parameter.is_flag:
            left += f" {value_name(parameter)}"
    return left, help_of(parameter)


def names_of(option: Any) -> list[str]:
    """Return an option's names, the short one first."""
    return [*sorted(option.opts, key=len), *option.secondary_opts]


def value_name(parameter: Any) -> str:
    """Return the name of a value in help: FILE, N, io|iob2|…"""
    if parameter.metavar and not _is_long(parameter):
        return str(parameter.metavar)
    if parameter.param_type_name == "argument":
        return str(parameter.name).upper()
    if any(bound is not None for bound in _range(parameter)):
        return "N"
    longest = max(parameter.opts, key=len)
    if longest in ("--from", "--format", "--to"):
        return "FORMAT"
    return str(longest.rsplit("-", 1)[-1].upper())


def help_of(parameter: Any) -> str:
    """Return the help text with notes: choices that are too long for the left column, range and default."""
    text = (parameter.help or "").strip()
    written = re.search(r"\s*\[default: ([^\]]*)\]\.?", text)  # a default that follows from others
    if written:
        text = text[: written.start()] + text[written.end() :]
    if text and text[-1] not in ".?!…":
        text += "."
    if _is_long(parameter):
        text += f" One of {', '.join(parameter.metavar.split('|'))}."
    notes = list(_notes(parameter, written[1] if written else None))
    return f"{text} [{'; '.join(notes)}]" if notes else text


_NO_LIMIT = 10**9  # an upper limit from here on is not shown


def _notes(parameter: Any, default: str | None) -> Iterator[str]:
    least, most = _range(parameter)
    if least is not None and most is not None and most < _NO_LIMIT:
        yield f"{least} to {most}"
    elif least is not None:
        yield f"at least {least}"
    value = parameter.default
    if default is None and isinstance(value, str | int | float) and not isinstance(value, bool):
        default = str(value)
    if default:
        yield f"default: {default}"
    if parameter.required and parameter.param_type_name == "option":
        yield "required"


def _range(parameter: Any) -> tuple[Any, Any]:
    """Return the minimum and maximum of a number. Releases of typer differ in where these are stored."""
    holder = parameter if hasattr(parameter, "min") else getattr(parameter, "type", None)
    return getattr(holder, "min", None), getattr(holder, "max", None)


def _is_long(parameter: Any) -> bool:
    metavar = parameter.metavar or ""
    return (
        "|" in metavar and len(metavar) > _LONGEST_VALUE and parameter.param_type_name != "argument"
    )


def _in_usage(argument: Any) -> str:
    name = value_name(argument)
    if argument.nargs != 1 and not name.endswith("..."):
        name += "..."
    return name if argument.required or name.startswith("[") else f"[{name}]"
