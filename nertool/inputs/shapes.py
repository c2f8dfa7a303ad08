"""Which tables a config's features need, and their shapes."""

from __future__ import annotations

from nertool.config.records import Config
from nertool.inputs.context import CONTEXTS
from nertool.inputs.features import FEATURES

MEMORY = "M"  # the memory's table; it is counted, not trained


def features_of(config: Config) -> list[str]:
    """Name the features of word types that the config gives a width, in FEATURES' order."""
    return [name for name in FEATURES if getattr(config.features, name)]


def contexts_of(config: Config) -> list[str]:
    """Name the features of contexts that the config gives a width, in CONTEXTS' order."""
    return [name for name in CONTEXTS if getattr(config.features, name)]


def table_columns(config: Config) -> dict[str, int]:
    """Return how many row numbers a word has in each table, by the table's name, in a row's order."""
    return {
        "L": 1,
        **{f"E.{name}": FEATURES[name].columns for name in features_of(config)},
        **({MEMORY: 1} if config.features.memory else {}),
        **{f"E.{name}": 1 for name in contexts_of(config)},
    }


def feature_table_shapes(config: Config) -> dict[str, tuple[int, int]]:
    """Return the shapes of the trained features' tables, in a row's order."""
    sizes = [(name, FEATURES[name].size) for name in features_of(config)]
    sizes += [(name, CONTEXTS[name].size) for name in contexts_of(config)]
    return {f"E.{name}": (size, getattr(config.features, name)) for name, size in sizes}


def needs_documents(config: Config) -> bool:
    """Tell whether a token's tags depend on other sentences of its document."""
    features = config.features
    return bool(
        features.sentence
        or features.document
        or features.neighbours
        or features.document_vector
        or config.first_stage.folds
        or config.decoding.consistency
    )
