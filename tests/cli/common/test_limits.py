"""Every number that a user can give has an upper limit: on the command line, and in a config."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from nertool.cli.app import app
from nertool.cli.common.help import _range
from nertool.config.records import Config


def commands(command: Any, name: str = "nertool") -> Iterator[tuple[str, Any]]:
    """Yield every command with its full name."""
    if not hasattr(command, "commands"):
        yield name, command
        return
    for key, inner in command.commands.items():
        yield from commands(inner, f"{name} {key}")


COMMANDS = dict(commands(app))


def is_number(parameter: Any) -> bool:
    """Tell whether a parameter takes a number; its type's holder differs between releases of typer."""
    if hasattr(parameter, "type_descriptor"):
        return parameter.type_descriptor.annotation in (int, float)
    return (
        "int" in type(parameter.type).__name__.lower()
        or "float" in type(parameter.type).__name__.lower()
    )


def test_every_number_on_the_command_line_has_an_upper_limit():
    numbers = {
        f"{name} {parameter.name}": _range(parameter)[1]
        for name, command in COMMANDS.items()
        for parameter in command.params
        if is_number(parameter)
    }
    assert len(numbers) > 30
    assert [name for name, most in numbers.items() if most is None] == []


def keys_of(record: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every key of a config's records with its type."""
    hints = typing.get_type_hints(record, include_extras=True)
    for field in dataclasses.fields(record):
        hint = hints[field.name]
        if dataclasses.is_dataclass(hint):
            yield from keys_of(hint, f"{prefix}{field.name}.")
        else:
            yield f"{prefix}{field.name}", hint


KEYS = dict(keys_of(Config))


def numbers_in(info: Any) -> Iterator[Any]:
    """Yield the numbers that a type allows."""
    if isinstance(info, msgspec.inspect.IntType | msgspec.inspect.FloatType):
        yield info
    for inner in getattr(info, "types", ()):
        yield from numbers_in(inner)
    for name in ("type", "item_type", "value_type"):
        if hasattr(info, name):
            yield from numbers_in(getattr(info, name))


def test_every_number_in_a_config_has_both_limits():
    found = {key: list(numbers_in(msgspec.inspect.type_info(hint))) for key, hint in KEYS.items()}
    assert sum(map(bool, found.values())) > 30
    open_ended = [
        key
        for key, numbers in found.items()
        for number in numbers
        # A seed costs nothing, whatever its size; what is no 64-bit number is refused.
        if key != "seed"
        and ((number.le is None and number.lt is None) or (number.ge is None and number.gt is None))
    ]
    assert open_ended == []


@pytest.mark.parametrize("value", [".inf", "-.inf", ".nan", "1e400", "1" + 400 * "0"])
def test_a_number_that_is_not_finite_is_refused_by_every_key(main, tiny, value):
    # A column may be named 1e400: it is no number then.
    keys = [
        key
        for key, hint in KEYS.items()
        if any(numbers_in(msgspec.inspect.type_info(hint))) and not key.endswith("_column")
    ]
    for key in keys:
        done = main(
            "train", tiny / "config.yaml", "--set", f"{key}={value}", "--run-dir", tiny / "no"
        )
        assert done.returncode == 2, key
        assert "Traceback" not in done.stderr
        assert len(done.stderr.splitlines()[-1]) < 600
    assert not (tiny / "no").exists()
