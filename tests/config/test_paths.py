"""All paths of a config at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from msgspec import inspect

from nertool.config.paths import with_paths
from nertool.config.records import Config, config_to_dict
from nertool.config.values import build_config, key_types, raw_from_dict, without_none


def takes_paths(kind: inspect.Type) -> bool:
    inner = getattr(kind, "item_type", getattr(kind, "value_type", None))
    return isinstance(kind, inspect.CustomType) or (
        inner is not None and takes_paths(without_none(inner)[0])
    )


def test_the_paths_of_every_key_are_changed_and_nothing_else():
    kinds = {key: without_none(inspect.type_info(hint))[0] for key, hint in key_types().items()}
    keys = [key for key, kind in kinds.items() if takes_paths(kind)]
    assert {"corpus.train", "vectors.raw_text", "features.gazetteers", "training.start"} <= {*keys}
    tree: dict[str, dict[str, object]] = {}
    for key in keys:
        section, _, name = key.partition(".")
        lists = isinstance(kinds[key], inspect.DictType)
        tree.setdefault(section, {})[name] = {"CITY": "old"} if lists else "old"
    config = build_config(raw_from_dict(tree, "here"))
    moved = with_paths(config, lambda path: path / "new")
    assert str(config_to_dict(moved)).count("old/new") == len(keys)
    assert with_paths(moved, lambda path: path.parent) == config
    assert with_paths(Config(seed=3), lambda path: Path()) == replace(Config(), seed=3)
