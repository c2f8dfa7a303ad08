"""What `nertool prepare` and `nertool train` are given: a config or a labelled text, and what overrides
its keys."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
        help="Labelled text that chooses the best epoch, as corpus.dev: a file, a folder or a pattern "
        "(repeatable). Without it, a tenth of the text is held out, and the final model is trained on all of "
        "the text.",
    ),
]
VectorsFile = Annotated[
    Path | None, typer.Option("--vectors", metavar="FILE", help="Word vectors, as vectors.path.")
]
RawText = Annotated[
    list[Path] | None,
    typer.Option(
        "--raw-text",
        metavar="FILE",
        help="Raw text of the kind that is to be tagged, to train word vectors on first, as "
        "vectors.raw_text (repeatable).",
    ),
]
Budget = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="With recipe: auto: about how long training may take on two cores, such as 30s, 2m or 1h "
        "[default: 2m].",
    ),
]
Refit = Annotated[
    bool,
    typer.Option(
        "--refit",
        help="After training, train once more on train and dev with the best number of epochs.",
    ),
]


Start = Annotated[
    Path | None,
    typer.Option(
        "--start",
        "--from",
        metavar="MODEL",
        help="Go on from a model, with more text or more classes, as training.start. With a text in place "
        "of a config, the settings are the model's.",
    ),
]


@dataclass(frozen=True)
class Request:
    """What a training was asked for on the command line."""

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

    def settings(self) -> list[str]:
        """Return the overrides, and what --seed, --budget and --refit stand for."""
        return [
            *self.overrides,
            *([] if self.seed is None else [f"seed={self.seed}"]),
            *([] if self.budget is None else [f"budget={self.budget}"]),
            *(["training.refit=true"] if self.refit else []),
        ]

    def command(self, name: str, run_dir: Path | None) -> str:
        """Write the request as the user would type it for `nertool prepare`, say."""
        parts = ["nertool", name, *map(str, self.sources)]
        parts += [part for override in self.overrides for part in ("--set", override)]
        named = {
            "--vectors": self.vectors,
            "--start": self.start,
            "--run-dir": run_dir,
            "--seed": self.seed,
        }
        for option, value in named.items():
            parts += [] if value is None else [option, str(value)]
        for option, paths in (("--dev", self.dev), ("--raw-text", self.raw_text)):
            parts += [part for path in paths for part in (option, str(path))]
        return shlex.join(parts)


def texts_of(settings: Config) -> list[Path]:
    """Return the texts that a config names: paths, folders and patterns."""
    corpus = settings.corpus
    parts = (corpus.train, corpus.dev, corpus.test, settings.distillation.texts)
    return [text for part in (*parts, settings.vectors.raw_text) for text in part or ()]


def is_text(source: Path) -> bool:
    """Tell whether a path names a labelled text, and not a config: by its ending."""
    return source.suffix.lower() not in (".yaml", ".yml")


def read_request(request: Request) -> Config:
    """Return the config that a request stands for; a faulty option is misuse, a faulty file bad input."""
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

    def value(text: str | Sequence[Path], place: str) -> RawValue:
        return RawValue(text if isinstance(text, str) else [*map(str, text)], place, Path.cwd())

    configs = [path for path in request.sources if not is_text(path)]
    if configs and len(request.sources) > 1:
        raise typer.BadParameter(f"{configs[0]}: a config names all texts itself: give it alone")
    if is_text(request.source) and request.start:
        raw = _settings_of(request.start, has_dev=bool(request.dev))
        raw["corpus.train"] = value(request.sources, "the text")
    elif is_text(request.source):
        raw = {
            "recipe": value("auto", "recipe"),
            "corpus.train": value(request.sources, "the text"),
        }
    else:
        raw = read_config_file(request.source)
    if request.start:
        raw["training.start"] = value(str(request.start), "--start")
    if request.dev:
        raw["corpus.dev"] = value(request.dev, "--dev")
    if request.vectors:
        raw["vectors.path"] = value(str(request.vectors), "--vectors")
    if request.raw_text:
        raw["vectors.raw_text"] = value(request.raw_text, "--raw-text")
    return {**raw, **read_overrides(request.settings())}


def _settings_of(model: Path, has_dev: bool) -> dict[str, RawValue]:
    """Return a model's own settings for training it further: all but what they say of its texts.

    Without a dev part, one is held out of the text, and the model is then trained on everything.
    """
    from nertool.config.records import config_to_dict
    from nertool.config.values import raw_from_dict
    from nertool.model.load import load_model
    from nertool.training.recipe import HELD_OUT

    tree = config_to_dict(load_model(model).config)
    tree["corpus"] = {"held_out": 0.0 if has_dev else HELD_OUT}
    tree["training"]["refit"] = not has_dev
    tree["recipe"] = "plain"
    del tree["distillation"]
    return raw_from_dict(tree, str(model))
