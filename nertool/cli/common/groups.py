"""Groups of commands. Each command is imported when it is used, so that the command line starts quickly."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import typer
import typer.core
import typer.main

from nertool.cli.common.help import Command, start_help, write_rows


@dataclass(frozen=True)
class Entry:
    """A command or a group in a list of commands.

    function: the command's function within nertool.cli, such as "training.train.train" for `train` in
    nertool/cli/training/train.py. commands: for a group, its commands by title and name.
    """

    summary: str
    function: str = ""
    commands: Mapping[str, Mapping[str, Entry]] = field(default_factory=dict)


class Group(typer.core.TyperGroup):
    """A group whose commands are imported when they are used, and listed under titles."""

    def __init__(self, *, sections: Mapping[str, Mapping[str, Entry]], **settings: Any) -> None:
        super().__init__(rich_markup_mode=None, no_args_is_help=True, **settings)
        self.sections = sections
        self.commands = _Commands({n: e for part in sections.values() for n, e in part.items()})

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help screen."""
        start_help(ctx)
        super().format_help(ctx, formatter)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands under their titles, then the options."""
        width = max(len(name) for part in self.sections.values() for name in part)
        for title, part in self.sections.items():
            rows = [(f"{name:{width}}", entry.summary) for name, entry in part.items()]
            write_rows(formatter, title, rows)
        Command.format_options(self, ctx, formatter)  # type: ignore[arg-type]

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the epilog line by line, without rewrapping it."""
        if self.epilog:
            formatter.write_paragraph()
            for line in self.epilog.splitlines():
                formatter.write(f"{line}\n")

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find a command. For an unknown one, suggest the command that was probably meant."""
        name = args[0]
        if name in self.commands or name.startswith("-"):
            return super().resolve_command(ctx, args)
        return ctx.fail(f'no such command "{name}"{self._meant(ctx, name)}')

    def _meant(self, ctx: Any, name: str) -> str:
        names = dict(_leaves(ctx.find_root().command.sections, ""))
        exact = [full for full in names if full.rpartition(" ")[2] == name]
        here = difflib.get_close_matches(name, list(self.commands), n=2)
        near = difflib.get_close_matches(name, list(names), n=2)
        found = exact or here or near
        start = program(ctx)
        if found:
            own = found if exact or not here else [f"{_path(ctx)}{word}" for word in found]
            return f"; did you mean {' or '.join(f'{start} {word}' for word in own)}?"
        if os.path.exists(name):
            return (
                f"; {name} is a file or folder, expected a command before it, such as "
                f"{start} train {name}"
            )
        return f"; {ctx.command_path} --help lists them"


def program(ctx: Any) -> str:
    """Return the name that the program was called by: nertool, or python -m nertool."""
    return str(ctx.find_root().info_name)


def _path(ctx: Any) -> str:
    """Return the names of a context's groups, each followed by a space, without the root's."""
    return "" if ctx.parent is None else f"{_path(ctx.parent)}{ctx.info_name} "


def _leaves(sections: Mapping[str, Mapping[str, Entry]], start: str) -> Iterator[tuple[str, Entry]]:
    """Yield every command that is not a group, by its full name, such as `corpus check`."""
    for part in sections.values():
        for name, entry in part.items():
            if entry.commands:
                yield from _leaves(entry.commands, f"{start}{name} ")
            else:
                yield f"{start}{name}", entry


class _Commands(MutableMapping[str, Any]):
    """Commands by name. Each is built when it is first requested."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self._entries = dict(entries)
        self._built: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._built:
            self._built[name] = _build(name, self._entries[name])
        return self._built[name]

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __setitem__(self, name: str, command: Any) -> None:
        self._entries[name] = Entry("")
        self._built[name] = command

    def __delitem__(self, name: str) -> None:
        del self._entries[name]
        self._built.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


def _build(name: str, entry: Entry) -> Any:
    if entry.commands:
        return Group(name=name, help=entry.summary, sections=entry.commands)
    module, _, function = entry.function.rpartition(".")
    return command_of(
        getattr(import_module(f"nertool.cli.{module}"), function), name, entry.summary
    )


def command_of(function: Callable[..., Any], name: str, summary: str = "") -> Any:
    """Return the typer command for a function."""
    single = typer.Typer(
        add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
    )
    single.command(name, cls=Command, short_help=summary)(function)
    return typer.main.get_command(single)
