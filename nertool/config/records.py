"""Settings → typed, frozen records. Unknown keys are refused, and values beyond their limits."""

from __future__ import annotations

import dataclasses
import os
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nertool.catalogue import LABELLED_INPUTS
from nertool.errors import ConfigError, did_you_mean

_LARGEST = 2**31 - 1  # of any whole number but the seed: beyond it numpy's sizes overflow


def _key(
    default: Any,
    *,
    choices: tuple[str, ...] = (),
    least: float | None = None,
    below: float | None = None,
) -> Any:
    """Declare a key: its default and the values that it may take (choices; least ≤ value < below)."""
    return field(default=default, metadata={"choices": choices, "least": least, "below": below})


@dataclass(frozen=True)
class CorpusConfig:
    """The labelled text. Columns count from 0; negative ones from the end."""

    train: Path | None = None
    dev: Path | None = None
    test: Path | None = None
    token_column: int = 0
    tag_column: int = -1
    scheme: str = _key("auto", choices=("auto", "io", "iob1", "iob2", "bioes"))
    comment: str = ""
    labels: tuple[str, ...] | None = None
    format: str = _key("auto", choices=LABELLED_INPUTS)
    misaligned: str = _key("error", choices=("error", "snap", "drop"))


@dataclass(frozen=True)
class VectorsConfig:
    """The word vectors. Without a path: random ones of `width` for the words of the training part.

    more: further files; the members of an ensemble take turns with all of them.
    """

    path: Path | None = None
    more: tuple[Path, ...] | None = None
    limit: int | None = _key(None, least=1)
    width: int = _key(50, least=1)
    fine_tune: bool = True
    own_rows: int = _key(0, least=0)


@dataclass(frozen=True)
class WindowsConfig:
    """size: C, the words of a window: the one to be classified in the centre, (C − 1)/2 each side."""

    size: int = _key(5, least=1)


@dataclass(frozen=True)
class FeaturesConfig:
    """What a token shows besides its word's vector: of trained embeddings the width, 0 for none.

    caps, shape, affixes: what the word looks like; sentence, document: what is written around it;
    memory, neighbours, document_vector: counted or averaged, not trained.
    """

    caps: int = _key(5, least=0)
    shape: int = _key(0, least=0)
    affixes: int = _key(0, least=0)
    memory: bool = False
    sentence: int = _key(0, least=0)
    document: int = _key(0, least=0)
    neighbours: bool = False
    document_vector: bool = False


@dataclass(frozen=True)
class FirstStageConfig:
    """A network before the network: its probabilities for the word's other occurrences in the
    document are an input of the second. In training they come from `folds` networks that have not
    seen the document; 0: no first stage."""

    folds: int = _key(0, least=0)
    hidden: int = _key(128, least=1)
    epochs: int = _key(8, least=1)


@dataclass(frozen=True)
class NetworkConfig:
    """The hidden layer: H, f, and what its scores mean. members: so many networks are trained, with
    seeds of their own; the mean of their scores counts."""

    hidden: int = _key(128, least=1)
    activation: str = _key("tanh", choices=("tanh", "logistic", "relu", "hard_tanh"))
    output: str = _key("logistic", choices=("logistic", "softmax"))
    members: int = _key(1, least=1)


@dataclass(frozen=True)
class TrainingConfig:
    """How J is made small. alpha is the learning rate; batch_size counts windows."""

    epochs: int = _key(15, least=1)
    batch_size: int = _key(512, least=1)
    shuffle: str = _key("sentences", choices=("sentences", "windows"))
    optimizer: str = _key("adagrad", choices=("sgd", "momentum", "adagrad", "adam"))
    alpha: float = _key(0.05, least=0)
    momentum: float = _key(0.9, least=0, below=1)
    decay: float = _key(0.0, least=0)
    l2: float = _key(0.0, least=0)
    dropout_input: float = _key(0.0, least=0, below=1)
    dropout_hidden: float = _key(0.0, least=0, below=1)
    average: int = _key(1, least=1)
    patience: int = _key(0, least=0)
    class_balance: float = _key(0.0, least=0)
    recase: float = _key(0.0, least=0, below=1)
    replace_entities: float = _key(0.0, least=0, below=1)
    audit_every: int = _key(0, least=0)


@dataclass(frozen=True)
class DecodingConfig:
    """From scores to entities: the tags that the network learns, and how a sequence is chosen."""

    scheme: str = _key("bioes", choices=("io", "iob2", "bioes"))
    method: str = _key("viterbi", choices=("viterbi", "argmax"))
    outside_bias: float = 0.0
    consistency: float = _key(0.0, least=0, below=1)


@dataclass(frozen=True)
class Config:
    corpus: CorpusConfig = CorpusConfig()
    vectors: VectorsConfig = VectorsConfig()
    windows: WindowsConfig = WindowsConfig()
    features: FeaturesConfig = FeaturesConfig()
    network: NetworkConfig = NetworkConfig()
    training: TrainingConfig = TrainingConfig()
    first_stage: FirstStageConfig = FirstStageConfig()
    decoding: DecodingConfig = DecodingConfig()
    seed: int = _key(1, least=0)


@dataclass(frozen=True)
class Setting:
    """A value with its place, for messages, and the folder that a relative path in it starts from."""

    value: Any
    place: str
    folder: Path
    kind: type[ConfigError] = ConfigError

    def error(self, message: str) -> ConfigError:
        return self.kind(f"{self.place}: {message}")


def config_from_dict(tree: Mapping[str, Any], source: str) -> Config:
    """Build a config from nested dictionaries, such as the one that a model keeps of its own."""
    settings: dict[str, Setting] = {}
    for section, value in tree.items():
        entries = value.items() if isinstance(value, Mapping) else [(None, value)]
        for name, entry in entries:
            key = section if name is None else f"{section}.{name}"
            settings[key] = Setting(entry, source, Path())
    return build_config(settings)


def config_to_dict(config: Config) -> dict[str, Any]:
    """Turn a config into plain dictionaries, ready for YAML or JSON: paths become strings."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(entry) for key, entry in value.items()}
        if isinstance(value, tuple):
            return [plain(entry) for entry in value]
        return str(value) if isinstance(value, Path) else value

    return typing.cast(dict[str, Any], plain(dataclasses.asdict(config)))


def sections() -> dict[str, Any]:
    """Name the sections, each with its record, and the keys that stand in none."""
    return typing.get_type_hints(Config)


def build_config(settings: Mapping[str, Setting]) -> Config:
    """Check every setting against the records' types and limits, and make the records."""
    records_of = sections()
    known: dict[str, tuple[Any, Any]] = {}
    for section, record in records_of.items():
        if not dataclasses.is_dataclass(record):
            known[section] = (record, Config.__dataclass_fields__[section].metadata)
            continue
        hints = typing.get_type_hints(record)
        for entry in dataclasses.fields(record):
            known[f"{section}.{entry.name}"] = (hints[entry.name], entry.metadata)

    values: dict[str, Any] = {}
    for key, setting in settings.items():
        if key in records_of and key not in known:
            first = next(name for name in known if name.startswith(f"{key}."))
            raise setting.error(f'"{key}" is a section, expected one of its keys, such as {first}')
        if key not in known:
            near = did_you_mean(key, [*known, *records_of])
            raise setting.error(
                f'unknown key "{key}"{near or "; configs/reference.yaml has them all"}'
            )
        values[key] = _convert(key, setting, *known[key])

    records: dict[str, Any] = {}
    for section, record in records_of.items():
        if dataclasses.is_dataclass(record):
            inner = {
                k.partition(".")[2]: v for k, v in values.items() if k.startswith(f"{section}.")
            }
            records[section] = typing.cast(Any, record)(**inner)
        elif section in values:
            records[section] = values[section]
    config = Config(**records)
    if config.windows.size % 2 == 0:
        raise settings["windows.size"].error(
            f"windows.size: found {config.windows.size}, expected an odd number: "
            "the word to be classified and as many on either side"
        )
    if config.first_stage.folds == 1:
        raise settings["first_stage.folds"].error(
            "first_stage.folds: found 1, expected 0 for no first stage, or at least 2: "
            "each part of the text is read by a network that was trained on the others"
        )
    return config


def _convert(key: str, setting: Setting, hint: Any, limits: Mapping[str, Any]) -> Any:
    """Return a setting's value as its declared type, within its limits."""
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    value = setting.value
    if value is None and type(None) in options:
        return None
    declared = next(option for option in options if option is not type(None))
    kind = typing.get_origin(declared) or declared

    def refuse(expected: str) -> ConfigError:
        return setting.error(f"{key}: found {value!r}, expected {expected}")

    if kind is Path:
        if not isinstance(value, str) or not value or "\0" in value:
            raise refuse("a path")
        return _path(setting, value)
    if kind is float:
        # YAML 1.1 takes 1e-3, without a dot, for a string.
        try:
            number = float(value) if isinstance(value, int | float | str) else None
        except (ValueError, OverflowError):
            number = None
        if number is None or isinstance(value, bool):
            raise refuse("a number")
        value = number
    elif kind is int and (not isinstance(value, int) or isinstance(value, bool)):
        raise refuse("a whole number")
    elif kind is int and key != "seed" and value > _LARGEST:
        raise refuse(f"at most {_LARGEST:,}")
    elif kind is bool and not isinstance(value, bool):
        raise refuse("true or false")
    elif kind is tuple:
        paths = typing.get_args(declared)[0] is Path
        if (
            not isinstance(value, list | tuple)
            or not value
            or not all(isinstance(v, str) for v in value)
            or (paths and any(not v or "\0" in v for v in value))
        ):
            what = "paths, such as [more.bin]" if paths else "names, such as [PER, LOC]"
            raise refuse(f"a list of {what}")
        return tuple(_path(setting, entry) for entry in value) if paths else tuple(value)
    elif kind is str and not isinstance(value, str):
        # A scheme or a label written like a number or a switch is still text.
        raise refuse("text (put it in quotes)")
    choices, least, below = limits.get("choices"), limits.get("least"), limits.get("below")
    if choices and value not in choices:
        raise refuse(f"one of {', '.join(choices)}{did_you_mean(value, choices)}")
    if least is not None and not value >= least:
        raise refuse(f"at least {least}")
    if below is not None and not value < below:
        raise refuse(f"less than {below}")
    if kind is float and value == float("inf"):
        raise refuse("a finite number")
    return value


def _path(setting: Setting, text: str) -> Path:
    # Path.expanduser would raise for a user that does not exist; such a ~ is just a name.
    return Path(os.path.normpath(setting.folder / os.path.expanduser(text)))
