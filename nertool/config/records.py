"""A run's settings as one typed, frozen record, with a record for each section of the config.

A key is declared in one place: a field with its type, limits, default and description, here or in the
record of its section (inputs.py, learning.py). The reader (values.py) takes types, limits and choices from
these records. reference.py generates configs/reference.yaml, docs/config.md and configs/schema.json from
them. To add a key, add a field and run scripts/docs.py.
"""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta

from nertool.config.inputs import CorpusConfig, FeaturesConfig, VectorsConfig, WindowsConfig
from nertool.config.learning import (
    DecodingConfig,
    DistillationConfig,
    FirstStageConfig,
    ModelConfig,
    NetworkConfig,
    TrainingConfig,
)
from nertool.config.types import about


@dataclass(frozen=True)
class Config:
    """All settings of a run."""

    corpus: CorpusConfig = field(default=CorpusConfig())
    vectors: VectorsConfig = field(default=VectorsConfig())
    windows: WindowsConfig = field(default=WindowsConfig())
    features: FeaturesConfig = field(default=FeaturesConfig())
    network: NetworkConfig = field(default=NetworkConfig())
    training: TrainingConfig = field(default=TrainingConfig())
    first_stage: FirstStageConfig = field(default=FirstStageConfig())
    decoding: DecodingConfig = field(default=DecodingConfig())
    distillation: DistillationConfig = field(default=DistillationConfig())
    model: ModelConfig = field(default=ModelConfig())
    recipe: Annotated[
        Literal["plain", "auto"],
        about("Keys that are not set. plain: they have their defaults. auto: they are chosen from the "
        "training text, as docs/recipes.md describes."),
    ] = "plain"  # fmt: skip
    budget: Annotated[
        Annotated[str, Meta(pattern="^[1-9][0-9]{0,5}[smh]$")],
        about(
            "With recipe: auto: the approximate training time on two cores, such as 30s, 2m or 1h."
        ),
    ] = "2m"
    seed: Annotated[
        Annotated[int, Meta(ge=0)],
        about("The seed of all random numbers. The same seed gives the same model."),
    ] = 1


def config_to_dict(config: Config) -> dict[str, Any]:
    """Convert a config into plain dictionaries for YAML or JSON.

    Paths become strings. A part of the corpus (train, dev, test) with one path becomes one string.
    """

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(entry) for key, entry in value.items()}
        if isinstance(value, tuple):
            return [plain(entry) for entry in value]
        return str(value) if isinstance(value, Path) else value

    tree = typing.cast(dict[str, Any], plain(dataclasses.asdict(config)))
    for part in ("train", "dev", "test"):
        paths = tree["corpus"][part]
        tree["corpus"][part] = paths[0] if paths and len(paths) == 1 else paths
    return tree
