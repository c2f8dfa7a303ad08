"""Generate configs/reference.yaml, docs/config.md and configs/schema.json from the records."""

from __future__ import annotations

import dataclasses
import inspect as python_inspect
import json
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from nertool.config.records import Config
from nertool.config.values import choices, key_types, section_types, without_none

SCHEMA_LINE = "# yaml-language-server: $schema=schema.json\n"
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*|[A-Za-z./][A-Za-z0-9_./-]*/[A-Za-z0-9_./-]*")
_YAML_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}  # not text in YAML 1.1
_COMMENT_COLUMN = 27
_WIDTH = 110


def generated_files() -> dict[str, Callable[[str], str]]:
    """Return a writer for each generated file, by its path in the repository.

    A writer takes the file's old text and returns the new one. These writers ignore the old text.
    """
    return {
        "configs/reference.yaml": lambda _: reference_yaml(),
        "configs/schema.json": lambda _: (
            json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n"
        ),
        "docs/config.md": lambda _: markdown(),
    }


def default_of(key: str) -> Any:
    """Return a key's default."""
    section, _, name = key.rpartition(".")
    return getattr(getattr(Config(), section) if section else Config(), name)


def meaning_of(key: str) -> str:
    """Return the description of a key."""
    info = inspect.type_info(key_types()[key])
    assert isinstance(info, inspect.Metadata), f"{key} has no description"
    return str((info.extra_json_schema or {})["description"])


def section_meaning(section: str) -> str:
    """Return the description of a section; empty for a key outside the sections."""
    record = section_types()[section]
    if not dataclasses.is_dataclass(record):
        return ""
    return " ".join((python_inspect.getdoc(record) or "").split())


def values_of(key: str) -> str:
    """Describe the values that a key takes: its choices, or its type with its limits."""
    hint = key_types()[key]
    options = without_none(inspect.type_info(hint))
    if known := choices(hint):
        kinds = (inspect.IntType, inspect.BoolType)
        numbers = [option for option in options if isinstance(option, kinds)]
        several = "list of " if isinstance(options[0], inspect.VarTupleType) else ""
        return several + ", ".join([*known, *map(_kind, numbers)])
    return " or ".join(_kind(option) for option in options)


def _kind(info: inspect.Type) -> str:
    match info:
        case inspect.IntType():
            return f"whole number{_range(info)}"
        case inspect.FloatType():
            return f"number{_range(info)}"
        case inspect.BoolType():
            return "true or false"
        case inspect.CustomType():
            return "path"
        case inspect.DictType():
            return "names, each with a path or a list of paths"
        case inspect.VarTupleType():
            kind = _kind(without_none(info.item_type)[0])
            return "path, or list of paths" if kind == "path" else f"list of {kind}s"
        case _:
            return "text"


def _range(info: inspect.IntType | inspect.FloatType) -> str:
    if info.le is None and info.lt is None:
        return f", at least {info.ge}"
    if info.le is not None:
        return f" from {info.ge:,.10g} to {info.le:,.10g}"
    return f", at least {info.ge:,.10g} and below {info.lt:,.10g}"


def yaml_value(value: Any) -> str:
    """Return a value as YAML in one line; "" for None."""
    if value is None:
        return ""
    if isinstance(value, dict):
        entries = (f"{yaml_value(name)}: {yaml_value(entry)}" for name, entry in value.items())
        return f"{{{', '.join(entries)}}}"
    if isinstance(value, tuple) and len(value) == 1 and isinstance(value[0], Path):
        value = value[0]
    if isinstance(value, tuple):
        return f"[{', '.join(yaml_value(entry) for entry in value)}]"
    if isinstance(value, Path):
        value = str(value)
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _YAML_WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)


def commented(name: str, value: Any, comment: str, indent: str = "") -> Iterator[str]:
    """Yield the YAML lines of a key: its value, with a wrapped comment to the right."""
    start = f"{indent}{name}: {yaml_value(value)}".rstrip()
    lines = textwrap.wrap(comment, _WIDTH - _COMMENT_COLUMN - 2)
    if len(start) >= _COMMENT_COLUMN:
        yield start
        start = ""
    for line in lines:
        yield f"{start:{_COMMENT_COLUMN}}# {line}"
        start = ""


def reference_yaml() -> str:
    """Return a config in YAML with every key at its default, and its description as a comment."""
    lines = [
        SCHEMA_LINE.rstrip(),
        "# Every key with its default. A config needs only the keys that it changes; an unknown key is an",
        "# error. A relative path starts from the folder of the config file; in --set, from the working",
        "# folder. This file is generated from nertool/config/.",
    ]
    for section, record in section_types().items():
        lines.append("")
        if not dataclasses.is_dataclass(record):
            lines += commented(section, default_of(section), _with_values(section))
            continue
        lines += [f"# {line}" for line in textwrap.wrap(section_meaning(section), _WIDTH - 2)]
        lines.append(f"{section}:")
        for field in dataclasses.fields(record):
            key = f"{section}.{field.name}"
            lines += commented(field.name, default_of(key), _with_values(key), "  ")
    return "\n".join(lines) + "\n"


def config_yaml(config: Config, heading: list[str]) -> str:
    """Return a config in YAML with the keys that differ from their defaults, each with its description.

    heading: lines of a comment at the top.
    """
    lines = [f"# {line}" for line in heading]
    for section, record in section_types().items():
        if not dataclasses.is_dataclass(record):
            if (value := getattr(config, section)) != default_of(section):
                lines += ["", *commented(section, value, meaning_of(section))]
            continue
        own = getattr(config, section)
        keys = [
            (f.name, getattr(own, f.name), f"{section}.{f.name}") for f in dataclasses.fields(own)
        ]
        changed = [(name, value, key) for name, value, key in keys if value != default_of(key)]
        if changed:
            lines += ["", f"{section}:"]
        for name, value, key in changed:
            lines += commented(name, value, meaning_of(key), "  ")
    return "\n".join(lines) + "\n"


def _with_values(key: str) -> str:
    known = choices(key_types()[key])
    return f"{meaning_of(key)} Values: {', '.join(known)}." if known else meaning_of(key)


def markdown() -> str:
    """Return docs/config.md: a table for each section."""
    lines = [
        "# Config reference",
        "",
        "<!-- Generated from nertool/config/ by scripts/docs.py. -->",
        "",
        "A config is a YAML file with the keys that you change; all others keep their defaults. An unknown",
        "key, a wrong type or a value outside its limits is an error that names the file and the line.",
        "A relative path starts from the folder of the config file. On the command line,",
        "`--set training.alpha=0.1` overrides a key; a relative path there starts from the working folder.",
        "",
        "Editors with a YAML language server complete and check keys if the config begins with",
        "`# yaml-language-server: $schema=schema.json` (`configs/schema.json`).",
    ]
    header = ["", "| key | default | values | meaning |", "|---|---|---|---|"]
    top: list[str] = []
    for section, record in section_types().items():
        if not dataclasses.is_dataclass(record):
            top.append(_row(section, section))
            continue
        lines += ["", f"## {section}", "", section_meaning(section), *header]
        lines += [_row(f.name, f"{section}.{f.name}") for f in dataclasses.fields(record)]
    lines += ["", "## Keys outside the sections", *header, *top]
    return "\n".join(lines) + "\n"


def _row(name: str, key: str) -> str:
    cells = [f"`{name}`", f"`{yaml_value(default_of(key))}`", values_of(key), meaning_of(key)]
    cells[1] = "" if cells[1] == "``" else cells[1]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a config file. It refuses unknown keys, as the reader does."""
    schema = msgspec.json.schema(Config, schema_hook=lambda kind: {"type": "string"})
    for record in schema["$defs"].values():
        # Python 3.13 removes the indentation of docstrings; older versions do not.
        if "description" in record:
            record["description"] = " ".join(record["description"].split())
        record["additionalProperties"] = False
    schema["title"] = "nertool config"
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
