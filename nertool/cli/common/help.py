"""How help screens look: names of values in place of Python's types, choices in the text, no aliases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import typer.core

# Older or other spellings of an option that still work; help shows the first spelling alone.
ALIASES = {"--format"}
_LONGEST_VALUE = 24  # a longer list of choices stands in the help text


class Command(typer.core.TyperCommand):
    """A command whose help names each value, as in `--seed N`."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return what stands behind the command's name in its usage line."""
        arguments = [p for p in self.params if p.param_type_name == "argument"]
        return ["[OPTIONS]", *(_in_usage(argument) for argument in arguments)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the lists of arguments and of options."""
        shown = [p for p in self.get_params(ctx) if not getattr(p, "hidden", False)]
        for title, kind in (("Arguments", "argument"), ("Options", "option")):
            rows = [row_of(p) for p in shown if p.param_type_name == kind]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


def row_of(parameter: Any) -> tuple[str, str]:
    """Return an argument's or option's names with its value, and its help text."""
    if parameter.param_type_name == "argument":
        left = value_name(parameter)
    else:
        left = ", ".join(names_of(parameter))
        if not parameter.is_flag:
            left += f" {value_name(parameter)}"
    return left, help_of(parameter)


def names_of(option: Any) -> list[str]:
    """Return an option's names, the short one first, without its aliases."""
    names = [name for name in option.opts if name not in ALIASES] or option.opts
    return [*sorted(names, key=len), *option.secondary_opts]


def value_name(parameter: Any) -> str:
    """Return what a value is called in help: FILE, N, io|iob2|…"""
    if parameter.metavar and not _is_long(parameter):
        return str(parameter.metavar)
    if parameter.param_type_name == "argument":
        return str(parameter.name).upper()
    if _is_long(parameter):
        return "FORMAT"
    if any(bound is not None for bound in _range(parameter)):
        return "N"
    longest = max(parameter.opts, key=len)
    return str(longest.rsplit("-", 1)[-1].upper())


def help_of(parameter: Any) -> str:
    """Return the help text, with the choices that are too many for the left column, the range of a
    number, and the default."""
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


def _notes(parameter: Any, default: str | None) -> Iterator[str]:
    least, most = _range(parameter)
    if least is not None and most is not None:
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
    """Return the least and the most of a number; its holder differs between releases of typer."""
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
