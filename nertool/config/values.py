"""Convert raw config values to typed records, with error messages that name the key and its place.

msgspec checks each value against the type in its record. This file finds the key of a value, and writes the
error message: the key, its place, the value and what is expected. msgspec was chosen over pydantic because it
loads in 0.03 s, pydantic in 0.12 s: even a command that tags one sentence reads the model's config. The error
messages of pydantic are no better.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import os
import re
import reprlib
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from nertool.config.records import Config
from nertool.errors import ConfigError, did_you_mean


@dataclass(frozen=True)
class RawValue:
    """A value as read from YAML.

    place: where it was read, for messages. folder: where a relative path in it starts. error_type: the class
    of errors about it.
    """

    value: Any
    place: str
    folder: Path
    error_type: type[ConfigError] = ConfigError

    def error(self, message: str) -> ConfigError:
        """Return an error of type error_type, whose message begins with the value's place."""
        return self.error_type(f"{self.place}: {message}")


def config_from_dict(tree: Mapping[str, Any], source: str) -> Config:
    """Build a config from nested dictionaries, such as the config stored in a model. Errors: ConfigError."""
    return build_config(raw_from_dict(tree, source))


def raw_from_dict(tree: Mapping[str, Any], source: str) -> dict[str, RawValue]:
    """Flatten nested dictionaries to {"section.key": value}.

    Relative paths start from the working folder. source: the name of the dictionaries in messages.
    """
    raw: dict[str, RawValue] = {}
    for section, value in tree.items():
        entries = value.items() if isinstance(value, Mapping) else [(None, value)]
        for name, entry in entries:
            key = section if name is None else f"{section}.{name}"
            raw[key] = RawValue(entry, source, Path())
    return raw


@functools.cache
def section_types() -> dict[str, Any]:
    """Return the type of each section, and of each key outside the sections."""
    return typing.get_type_hints(Config, include_extras=True)


@functools.cache
def key_types() -> dict[str, Any]:
    """Return the type of each key: {"network.hidden": …, "seed": …}."""
    types: dict[str, Any] = {}
    for section, record in section_types().items():
        if dataclasses.is_dataclass(record):
            hints = typing.get_type_hints(record, include_extras=True)
            types |= {f"{section}.{name}": hint for name, hint in hints.items()}
        else:
            types[section] = record
    return types


def build_config(raw: Mapping[str, RawValue]) -> Config:
    """Check all values against the types and limits in the records, and return the config.

    Errors: ConfigError, or the error_type of a RawValue.
    """
    types = key_types()
    values: dict[str, Any] = {}
    for key, value in raw.items():
        if key not in types:
            raise _unknown_key(key, value)
        values[key] = _convert(key, value, types[key])

    records: dict[str, Any] = {}
    for section, record in section_types().items():
        if dataclasses.is_dataclass(record):
            start = f"{section}."
            inner = {k.removeprefix(start): v for k, v in values.items() if k.startswith(start)}
            records[section] = typing.cast(Any, record)(**inner)
        elif section in values:
            records[section] = values[section]
    config = Config(**records)
    _check_sizes(config, raw)
    return config


def _check_sizes(config: Config, raw: Mapping[str, RawValue]) -> None:
    """Refuse values that are within their limits, but invalid for another reason or in combination."""
    if config.seed > 2**64:
        raise raw["seed"].error(f"seed: found {show(config.seed)}, expected at most {2**64:,}")
    if config.windows.size % 2 == 0:
        raise raw["windows.size"].error(
            f"windows.size: found {config.windows.size}, expected an odd number: "
            "the word to be classified and as many on either side"
        )
    if "exact" not in config.vectors.lookup:
        raise raw["vectors.lookup"].error(
            f"vectors.lookup: found {show(list(config.vectors.lookup))}, expected exact among them: a word "
            "that the vectors have as it stands always gets its own"
        )
    if config.first_stage.folds == 1:
        raise raw["first_stage.folds"].error(
            "first_stage.folds: found 1, expected 0 for no first stage, or at least 2: "
            "each part of the text is read by a network that was trained on the others"
        )
    window = config.first_stage.window
    if window and window % 2 == 0:
        raise raw["first_stage.window"].error(
            f"first_stage.window: found {window}, expected 0 for none, or an odd number: "
            "the word and as many on either side"
        )
    if config.vectors.more_for == "first_stage":
        _check_further_vectors(config, raw["vectors.more_for"])


def _check_further_vectors(config: Config, value: RawValue) -> None:
    """Refuse vectors.more_for: first_stage if the first stage's members don't alternate between files."""
    if not config.vectors.more:
        wrong, right = "no vectors.more", "files of vectors there"
    elif config.vectors.side_by_side:
        wrong, right = "vectors.side_by_side: true", "false, as networks take turns with the files"
    elif not config.first_stage.folds:
        wrong, right = "first_stage.folds: 0", "a first stage, such as first_stage.folds: 5"
    elif config.first_stage.members == 1:
        wrong = "first_stage.members: 1, which reads vectors.path alone"
        right = "at least 2, so that they take turns with the files"
    else:
        return
    raise value.error(
        f"vectors.more_for: found first_stage together with {wrong}, expected {right}; or leave "
        "vectors.more_for out"
    )


def _unknown_key(key: str, value: RawValue) -> ConfigError:
    types = key_types()
    if key in section_types():
        first = next(name for name in types if name.startswith(f"{key}."))
        return value.error(f'"{key}" is a section, expected one of its keys, such as {first}')
    key = _cut(key)
    near = did_you_mean(key, [*types, *section_types()])
    return value.error(f'unknown key "{key}"{near or "; configs/reference.yaml has them all"}')


def _convert(key: str, raw: RawValue, hint: Any) -> Any:
    """Convert a value to the type of its key, and check its limits."""

    def to_path(kind: type, value: Any) -> Path:
        if kind is not Path or not isinstance(value, str) or not value or "\0" in value:
            raise ValueError
        return resolve(raw.folder, value)

    options = _options(hint)
    given = raw.value
    if isinstance(options[0], inspect.DictType) and isinstance(given, dict):
        # A list with one entry may be written without brackets.
        given = {name: [own] if isinstance(own, str) else own for name, own in given.items()}
    if _takes_paths(options[0]) and isinstance(given, str):
        given = [given]
    # YAML 1.1 reads 1e-3, without a dot, as a string: a string is allowed where a number is expected.
    strict = not any(isinstance(option, inspect.FloatType) for option in options)
    try:
        return msgspec.convert(given, hint, strict=strict, dec_hook=to_path)
    except (msgspec.ValidationError, RecursionError) as error:
        expected = _expected(hint, raw.value, str(error))
        raise raw.error(f"{key}: found {show(raw.value)}, expected {expected}") from None


@functools.cache
def _options(hint: Any) -> tuple[inspect.Type, ...]:
    return without_none(inspect.type_info(hint))


def _takes_paths(kind: inspect.Type) -> bool:
    """Tell whether a key takes a list of paths."""
    return isinstance(kind, inspect.VarTupleType) and isinstance(
        without_none(kind.item_type)[0], inspect.CustomType
    )


def resolve(folder: Path, text: str) -> Path:
    """Return the path of a text in a config file of this folder; ~ is expanded."""
    # Path.expanduser would raise for a user that does not exist; such a ~ is just a name.
    return Path(os.path.normpath(folder / os.path.expanduser(text)))


def without_none(info: inspect.Type) -> tuple[inspect.Type, ...]:
    """Return the types that a value may have, without None."""
    while isinstance(info, inspect.Metadata):
        info = info.type
    if isinstance(info, inspect.UnionType):
        return tuple(
            inner
            for option in info.types
            if not isinstance(option, inspect.NoneType)
            for inner in without_none(option)
        )
    return (info,)


_BOUNDS = {">=": "at least", "<=": "at most", "<": "less than"}


def choices(hint: Any) -> tuple[str, ...]:
    """Return the values that a key can have, in order, if its type is a Literal; () for other keys."""
    if typing.get_origin(hint) is typing.Literal:
        return typing.get_args(hint)
    return tuple(choice for inner in typing.get_args(hint) for choice in choices(inner))


def _expected(hint: Any, value: Any, refusal: str) -> str:
    """Describe the values that a key takes, for a message about a value that msgspec refused."""
    options = _options(hint)
    kind = options[0]
    if bound := re.search(r"(?:int|float)` (>=|<=|<) (-?[0-9.e+-]+)", refusal):
        text = f"{_BOUNDS[bound[1]]} {float(bound[2]):,.10g}"
        number = isinstance(value, int) or math.isfinite(float(value))
        return text if number else f"a finite number, {text}"
    if known := choices(hint):
        if isinstance(kind, inspect.VarTupleType):
            return f"a list of some of {', '.join(known)}"
        near = did_you_mean(_cut(value), known) if isinstance(value, str) else ""
        others = [
            f", or {_EXPECTED[type(option)]}" for option in options if type(option) in _BESIDE
        ]
        return f"one of {', '.join(known)}{''.join(others)}{near}"
    if isinstance(kind, inspect.DictType):
        return "names with a path or a list of paths each, such as {CITY: cities.txt}"
    if isinstance(kind, inspect.VarTupleType):
        if _takes_paths(kind):
            return f"a path, or a list of paths{_to_quote(value)}"
        return f"a list of names, such as [PER, LOC]{_to_quote(value)}"
    if isinstance(kind, inspect.StrType) and isinstance(value, str):
        if kind.pattern:
            return "a duration of at least 1s, such as 30s, 2m or 1h"
        least, most = kind.min_length or 0, kind.max_length
        return f"{'at least one character' if len(value) < least else f'at most {most} characters'}"
    return " or ".join(_EXPECTED[type(option)] for option in options)


_EXPECTED: dict[type[inspect.Type], str] = {
    inspect.IntType: "a whole number",
    inspect.FloatType: "a number",
    inspect.BoolType: "true or false",
    inspect.StrType: "text (put it in quotes)",
    inspect.CustomType: "a path",
}
_BESIDE = (inspect.IntType, inspect.BoolType)  # types that a key may have besides its choices


def _to_quote(value: Any) -> str:
    """Name the entry of a list of names that YAML read as another type than text; "" if there is none."""
    entries = value if isinstance(value, list) else []
    odd = next((entry for entry in entries if not isinstance(entry, str)), None)
    if isinstance(odd, bool):
        return "; YAML reads yes, no, on and off as true and false: put such a name in quotes"
    if odd is None and None in entries:
        return "; YAML reads null, ~ and an empty entry as nothing: put such a name in quotes"
    return f'; put "{odd}" in quotes' if isinstance(odd, int | float | date) else ""


def _cut(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:60]}…"


_REPR = reprlib.Repr()
_REPR.maxlevel, _REPR.maxlist, _REPR.maxdict = 2, 4, 4
_REPR.maxstring = _REPR.maxlong = _REPR.maxother = 60


def show(value: Any) -> str:
    """Return a value as text for a message. Of a long value only the beginning and the end are shown."""
    try:
        return _REPR.repr(value)
    except ValueError:  # Python refuses to write out an integer of thousands of digits
        return "a number of thousands of digits"
