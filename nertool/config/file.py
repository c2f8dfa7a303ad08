"""Read settings from a YAML file, each with its file and line, and `--set a.b=value` overrides.

A relative path in a config file starts from the folder of that file, so that a config works from any working
folder. A relative path in an override starts from the working folder, like all paths on a command line.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from nertool.config.records import Config
from nertool.config.values import RawValue, build_config, section_types
from nertool.errors import ConfigError, OverrideError, did_you_mean
from nertool.files.safe import need_regular

MOST_BYTES = 1_000_000
MOST_LEVELS = 20  # of nested lists and mappings; a config needs three


def load_config(path: Path, overrides: Iterable[str] = ()) -> Config:
    """Read a config file, and apply `key.sub=value` overrides, whose values are YAML.

    Errors: ConfigError with file:line, or with the override, for an unknown key or an invalid value.
    """
    return build_config({**read_config_file(path), **read_overrides(overrides)})


def read_overrides(overrides: Iterable[str]) -> dict[str, RawValue]:
    """Read `key.sub=value` overrides into {"key.sub": value}. If a key occurs twice, the last one counts."""
    raw: dict[str, RawValue] = {}
    for override in overrides:
        key, equals, text = override.partition("=")
        place = f"--set {override if len(override) <= 200 else override[:180] + '…'}"
        if not equals or not key:
            raise OverrideError(f"{place}: expected KEY=VALUE, such as training.alpha=0.05")
        raw[key.strip()] = RawValue(_override_value(text, place), place, Path(), OverrideError)
    return raw


def _override_value(text: str, place: str) -> Any:
    if not text:
        return None
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError):
        return text
    if node is None:
        return None
    _check_nesting(node, "", place, OverrideError)
    try:
        return _value_of(node)
    except ValueError:
        return text


def read_config_file(path: Path) -> dict[str, RawValue]:
    """Read a YAML config into {"section.key": value}, where each value has its line. Errors: ConfigError."""
    if str(path) != "-":
        need_regular(path, ConfigError, "a config is read more than once")
    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise ConfigError(
                f"{path}: found more than {MOST_BYTES:,} characters, expected a YAML config; "
                "is this a corpus?"
            )
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except FileNotFoundError:
        near = did_you_mean(path.name, [p.name for p in path.parent.glob("*.yaml")])
        raise ConfigError(f"{path}: no such file, expected a YAML config{near}") from None
    except IsADirectoryError:
        raise ConfigError(f"{path}: found a folder, expected a YAML config") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: expected UTF-8 text; is this a YAML config?") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{path}:{line}: not YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise ConfigError(f"{path}: found lists nested too deeply, expected a config") from None
    if root is None:
        raise ConfigError(f"{path}: found an empty file, expected at least corpus.train")
    raw: dict[str, RawValue] = {}
    _walk(root, "", path, raw)
    return raw


def _walk(node: yaml.Node, prefix: str, path: Path, raw: dict[str, RawValue]) -> None:
    place = f"{path}:{node.start_mark.line + 1}"
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(
            f"{place}: expected keys and values{f' below {prefix}' if prefix else ''}, such as "
            f"{'hidden: 128' if prefix else 'network: {hidden: 128}'}"
        )
    for key_node, value_node in node.value:
        place = f"{path}:{key_node.start_mark.line + 1}"
        if not isinstance(key_node, yaml.ScalarNode):
            raise ConfigError(f"{place}: unknown key: found a list or a mapping, expected a name")
        key = f"{prefix}.{key_node.value}" if prefix else str(key_node.value)
        if key in raw or any(known.startswith(f"{key}.") for known in raw):
            raise ConfigError(f'{place}: found "{key}" a second time; keep one of the two')
        if not prefix and dataclasses.is_dataclass(section_types().get(key)):
            if not (isinstance(value_node, yaml.ScalarNode) and value_node.value == ""):
                _walk(value_node, key, path, raw)
            continue
        _check_nesting(value_node, key, place, ConfigError)
        try:
            value = _value_of(value_node)
        except ValueError as error:
            raise ConfigError(f"{place}: {key}: {error}") from None
        raw[key] = RawValue(value, place, path.parent)


def _check_nesting(node: yaml.Node, key: str, place: str, error_type: type[ConfigError]) -> None:
    """Refuse values with too many levels, and merge keys.

    With aliases, a few lines of either can expand to more than fits in memory.
    """
    start = f"{place}: {key}: " if key else f"{place}: "
    seen: set[int] = set()
    level = [node]
    for _ in range(MOST_LEVELS):
        inner: list[yaml.Node] = []
        for current in level:
            if id(current) in seen or isinstance(current, yaml.ScalarNode):
                continue
            seen.add(id(current))
            for entry in current.value:
                inner += entry if isinstance(entry, tuple) else (entry,)
        if any(entry.tag == "tag:yaml.org,2002:merge" for entry in inner):
            raise error_type(f"{start}found the merge key <<, expected plain keys and values")
        level = inner
    if level:
        raise error_type(
            f"{start}found more than {MOST_LEVELS} levels of lists nested too deeply, "
            "expected a number, a text or a list"
        )


def _value_of(node: yaml.Node) -> Any:
    """Return a YAML node as a Python value. Errors: ValueError for a value that does not fit its YAML tag."""
    try:
        return yaml.SafeLoader("").construct_object(node, deep=True)
    except (yaml.YAMLError, ValueError) as error:
        raise ValueError(" ".join(str(error).split())[:300]) from None
    except (AttributeError, IndexError, KeyError, OverflowError, RecursionError, TypeError):
        # PyYAML raises these for a text that does not fit its tag, such as `!!bool maybe`.
        text = f" {node.value[:60]}" if isinstance(node, yaml.ScalarNode) else ""
        tag = node.tag.replace("tag:yaml.org,2002:", "!!")
        raise ValueError(f"found{text} after {tag}, expected a value of that type") from None
