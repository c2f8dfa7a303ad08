"""YAML → settings, each with its place in the file; `--set a.b=value` overrides.

A relative path in a config file is taken from the folder of that file, so that a config works
from any working folder; a relative path in an override is taken from the working folder, as
everything on a command line is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path

import yaml

from nertool.config.records import Config, Setting, build_config, sections
from nertool.errors import ConfigError, OverrideError, did_you_mean


def load_config(path: Path, overrides: Iterable[str] = ()) -> Config:
    """Read a config file, with `key.sub=value` overrides (values in YAML).

    Errors: ConfigError with file:line (or the override) for anything that is not as it should be.
    """
    settings = _read(path)
    for override in overrides:
        key, equals, text = override.partition("=")
        place = f"--set {override}"
        if not equals or not key:
            raise OverrideError(f"{place}: expected KEY=VALUE, such as training.alpha=0.05")
        try:
            value = yaml.safe_load(text) if text else None
        except (yaml.YAMLError, ValueError):  # ValueError: a date that is none, such as 2001-99-99
            value = text
        settings[key.strip()] = Setting(value, place, Path.cwd(), OverrideError)
    return build_config(settings)


def _read(path: Path) -> dict[str, Setting]:
    """Read a YAML file of sections into {"section.key": setting}, each with its line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
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
    settings: dict[str, Setting] = {}
    _walk(root, "", path, settings)
    return settings


def _walk(node: yaml.Node, prefix: str, path: Path, settings: dict[str, Setting]) -> None:
    place = f"{path}:{node.start_mark.line + 1}"
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(
            f"{place}: expected keys and values{f' below {prefix}' if prefix else ''}, such as "
            f"{'hidden: 128' if prefix else 'network: {hidden: 128}'}"
        )
    loader = yaml.SafeLoader("")
    for key_node, value_node in node.value:
        place = f"{path}:{key_node.start_mark.line + 1}"
        key = f"{prefix}.{key_node.value}" if prefix else str(key_node.value)
        if key in settings or any(known.startswith(f"{key}.") for known in settings):
            raise ConfigError(f'{place}: found "{key}" a second time; keep one of the two')
        if not prefix and dataclasses.is_dataclass(sections().get(key)):
            if not (isinstance(value_node, yaml.ScalarNode) and value_node.value == ""):
                _walk(value_node, key, path, settings)
            continue
        try:
            value = loader.construct_object(value_node, deep=True)
        except (yaml.YAMLError, ValueError) as error:
            raise ConfigError(f"{place}: {key}: {' '.join(str(error).split())}") from None
        settings[key] = Setting(value, place, path.parent)
