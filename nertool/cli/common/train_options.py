"""The arguments of `nertool prepare` and `nertool train`: a config or a labelled text, and overrides."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nertool.catalogue import INPUT_FORMATS
from nertool.cli.common.options import note

if TYPE_CHECKING:
    from nertool.config.records import Config
    from nertool.config.values import RawValue

Source = Annotated[
    Path,
    typer.Argument(
        metavar="CONFIG|TEXT",
        help="A YAML config (.yaml). Or a labelled text; all settings are then chosen from the text "
        "(recipe: auto).",
    ),
]
Sources = Annotated[
    list[Path],
    typer.Argument(
        metavar="CONFIG|TEXT...",
        help="A YAML config (.yaml). Or labelled texts, as files, folders or patterns such as "
        "'train/*.conll'; all settings are then chosen from the text (recipe: auto).",
    ),
]
Dev = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        help="Labelled text to choose the best epoch (corpus.dev): a file, a folder or a pattern "
        "(repeatable). Without it, a tenth of the text is held out, and the final model is trained on "
        "all of the text.",
    ),
]
VectorsFile = Annotated[
    Path | None,
    typer.Option("--vectors", metavar="FILE", help="A file of word vectors (vectors.path)."),
]
RawText = Annotated[
    list[Path] | None,
    typer.Option(
        "--raw-text",
        metavar="FILE",
        help="Raw text of the same kind as the text to tag. Word vectors are trained on it first "
        "(vectors.raw_text; repeatable).",
    ),
]
Budget = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="With recipe: auto: the approximate training time on two cores, such as 30s, 2m or 1h "
        "[default: 2m].",
    ),
]
Refit = Annotated[
    bool,
    typer.Option(
        "--refit",
        help="After training, train again on train and dev together, with the best number of epochs.",
    ),
]


Start = Annotated[
    Path | None,
    typer.Option(
        "--start",
        "--from",
        metavar="MODEL",
        help="Continue training from a model, with more text or more classes (training.start). If "
        "texts are given instead of a config, the model's settings are used.",
    ),
]


@dataclass(frozen=True)
class Request:
    """The training that the command line asks for."""

    sources: tuple[Path, ...]
    overrides: Sequence[str] = ()
    seed: int | None = None
    dev: Sequence[Path] = ()
    vectors: Path | None = None
    budget: str | None = None
    refit: bool = False
    start: Path | None = None
    raw_text: Sequence[Path] = ()

    @property
    def source(self) -> Path:
        """The config, or the first of the texts."""
        return self.sources[0]

    def options(self) -> dict[str, tuple[str, str | int | bool | list[str]]]:
        """Return the keys that are set by options other than --set: {key: (option, value)}."""
        found: dict[str, tuple[str, str | int | bool | list[str] | None]] = {
            "training.start": ("--start", str(self.start) if self.start else None),
            "corpus.dev": ("--dev", [*map(str, self.dev)] or None),
            "vectors.path": ("--vectors", str(self.vectors) if self.vectors else None),
            "vectors.raw_text": ("--raw-text", [*map(str, self.raw_text)] or None),
            "seed": ("--seed", self.seed),
            "budget": ("--budget", self.budget),
            "training.refit": ("--refit", self.refit or None),
        }
        return {key: (option, value) for key, (option, value) in found.items() if value is not None}

    def command(self, name: str, run_dir: Path | None) -> str:
        """Return the request as a command line, for example for `nertool prepare`."""
        parts = ["nertool", name, *map(str, self.sources)]
        parts += [part for override in self.overrides for part in ("--set", override)]
        for option, value in self.options().values():
            values = value if isinstance(value, list) else [value]
            parts += [part for one in values for part in _option(option, one)]
        parts += [] if run_dir is None else ["--run-dir", str(run_dir)]
        return shlex.join(parts)


def _option(name: str, value: str | int | bool) -> list[str]:
    return [name] if value is True else [name, str(value)]


def texts_of(settings: Config) -> list[Path]:
    """Return the texts that a config names: paths, folders and patterns."""
    corpus = settings.corpus
    parts = (corpus.train, corpus.dev, corpus.test, settings.distillation.texts)
    return [text for part in (*parts, settings.vectors.raw_text) for text in part or ()]


def is_text(source: Path) -> bool:
    """Tell by its file extension whether a path names a labelled text rather than a config."""
    return source.suffix.lower() not in (".yaml", ".yml")


def read_request(request: Request) -> Config:
    """Return the config of a request. An invalid option is wrong usage, an invalid file is bad input."""
    from nertool.errors import OverrideError
    from nertool.training.recipe import resolve

    try:
        return resolve(raw_values(request), note)
    except OverrideError as error:
        raise typer.BadParameter(str(error)) from None


def raw_values(request: Request) -> dict[str, RawValue]:
    """Return the keys that a request sets, each with its place."""
    from nertool.config.file import read_config_file, read_overrides
    from nertool.config.values import RawValue
    from nertool.errors import OverrideError

    def value(text: str | int | bool | Sequence[str], place: str) -> RawValue:
        return RawValue(text, place, Path(), OverrideError)

    texts = [*map(str, request.sources)]
    _check_start(request.start)
    configs = [path for path in request.sources if not is_text(path)]
    if configs and len(request.sources) > 1:
        raise typer.BadParameter(f"{configs[0]}: a config names all its texts; give it alone")
    if is_text(request.source) and request.start:
        raw = _settings_of(request.start, has_dev=bool(request.dev))
        raw["corpus.train"] = value(texts, "the text")
    elif is_text(request.source):
        raw = {
            "recipe": value("auto", "recipe"),
            "corpus.train": value(texts, "the text"),
        }
    else:
        raw = read_config_file(request.source)
    said = {key: value(own, option) for key, (option, own) in request.options().items()}
    raw |= {key: own for key, own in said.items() if key not in _AFTER_OVERRIDES}
    raw |= read_overrides(request.overrides)
    raw |= {key: own for key, own in said.items() if key in _AFTER_OVERRIDES}
    _check_budget(request, raw)
    return raw


def _check_start(start: Path | None) -> None:
    """Refuse a format after --from, which here names a model; in most other commands it names the format."""
    if start is not None and str(start) in INPUT_FORMATS and not start.exists():
        raise typer.BadParameter(
            f"--from {start}: expected a model to start from; the format of the text is --format {start}"
        )


_AFTER_OVERRIDES = ("seed", "budget", "training.refit")  # these options take precedence over --set


def _check_budget(request: Request, raw: Mapping[str, RawValue]) -> None:
    """Refuse a budget that has no effect."""
    if request.budget is None or ("recipe" in raw and raw["recipe"].value == "auto"):
        return
    if request.start:
        why = "a training that starts from a model has the model's settings"
    else:
        why = f"{request.source} has no recipe: auto, so that its own keys count"
    option, _ = request.options()["budget"]
    raise typer.BadParameter(
        f"{option}: {why}; leave the option out, and set training.epochs for a shorter training"
    )


def _settings_of(model: Path, has_dev: bool) -> dict[str, RawValue]:
    """Return a model's settings for training it further, without those that concern its texts.

    Without a dev part, one is held out of the text, and the model is then trained on everything.
    """
    from nertool.config.records import config_to_dict
    from nertool.config.values import raw_from_dict
    from nertool.training.recipe import HELD_OUT
    from nertool.training.run import config_of

    tree = config_to_dict(config_of(model))
    tree["corpus"] = {"held_out": 0.0 if has_dev else HELD_OUT}
    tree["training"]["refit"] = not has_dev
    tree["recipe"] = "plain"
    del tree["distillation"]
    return raw_from_dict(tree, str(model))
