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
        help="A YAML config (.yaml), or a labelled text: all settings are then chosen from the text "
        "(recipe: auto).",
    ),
]
Dev = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Labelled text that chooses the best epoch, as corpus.dev. Of a text without it, a tenth is "
        "held out, and the model is trained once more on everything.",
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

    source: Path
    overrides: Sequence[str] = ()
    seed: int | None = None
    dev: Path | None = None
    vectors: Path | None = None
    budget: str | None = None
    refit: bool = False
    start: Path | None = None
    raw_text: Sequence[Path] = ()

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
        parts = ["nertool", name, str(self.source)]
        parts += [part for override in self.overrides for part in ("--set", override)]
        named = {
            "--dev": self.dev,
            "--vectors": self.vectors,
            "--start": self.start,
            "--run-dir": run_dir,
            "--seed": self.seed,
        }
        for option, value in named.items():
            parts += [] if value is None else [option, str(value)]
        for path in self.raw_text:
            parts += ["--raw-text", str(path)]
        return shlex.join(parts)


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

    def value(text: str, place: str) -> RawValue:
        return RawValue(text, place, Path.cwd())

    if is_text(request.source) and request.start:
        raw = _settings_of(request.start, has_dev=request.dev is not None)
        raw["corpus.train"] = value(str(request.source), "the text")
    elif is_text(request.source):
        raw = {
            "recipe": value("auto", "recipe"),
            "corpus.train": value(str(request.source), "the text"),
        }
    else:
        raw = read_config_file(request.source)
    if request.start:
        raw["training.start"] = value(str(request.start), "--start")
    if request.dev:
        raw["corpus.dev"] = value(str(request.dev), "--dev")
    if request.vectors:
        raw["vectors.path"] = value(str(request.vectors), "--vectors")
    if request.raw_text:
        paths = [str(path) for path in request.raw_text]
        raw["vectors.raw_text"] = RawValue(paths, "--raw-text", Path.cwd())
    return {**raw, **read_overrides(request.settings())}


def _settings_of(model: Path, has_dev: bool) -> dict[str, RawValue]:
    """Return a model's own settings for training it further: all but what they say of its texts.

    Without a dev part, one is held out of the text, and the model is then trained on everything.
    """
    from nertool.config.records import config_to_dict
    from nertool.config.values import raw_from_dict
    from nertool.model.storage import load_model
    from nertool.training.recipe import HELD_OUT

    tree = config_to_dict(load_model(model).config)
    tree["corpus"] = {"held_out": 0.0 if has_dev else HELD_OUT}
    tree["training"]["refit"] = not has_dev
    tree["recipe"] = "plain"
    del tree["distillation"]
    return raw_from_dict(tree, str(model))
