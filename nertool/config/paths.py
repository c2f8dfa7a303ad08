"""Apply a function to every path in a config, for example to make all paths absolute."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nertool.config.records import Config


def with_paths(config: Config, change: Callable[[Path], Path]) -> Config:
    """Return a config with `change` applied to every path, also in lists and in mappings."""

    def changed(value: Any) -> Any:
        if isinstance(value, Path):
            return change(value)
        if isinstance(value, tuple):
            return tuple(changed(entry) for entry in value)
        if isinstance(value, dict):
            return {name: changed(entry) for name, entry in value.items()}
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
            return dataclasses.replace(
                value, **{name: changed(entry) for name, entry in fields.items()}
            )
        return value

    result: Config = changed(config)
    return result
