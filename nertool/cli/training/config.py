"""`nertool config show` and `nertool config check`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nertool.cli.common.account import ReportPath, account
from nertool.cli.common.options import AsJson, Overrides, Seed, note, print_json
from nertool.cli.common.reading_options import as_overrides, with_reading_options
from nertool.cli.common.train_options import (
    Budget,
    Dev,
    RawText,
    Refit,
    Request,
    Sources,
    Start,
    VectorsFile,
    raw_values,
    texts_of,
)

if TYPE_CHECKING:
    from nertool.config.records import Config
    from nertool.config.values import RawValue
    from nertool.formats.labelled import ReadingOptions

_DEFAULT = "default"
_COLUMN = 34  # the column at which the comments start


@with_reading_options(misaligned="the config's", from_is_format=False)
def show(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="CONFIG|TEXT...|MODEL",
            help="A YAML config, labelled texts (recipe: auto), or the model or run folder of a training.",
        ),
    ],
    options: ReadingOptions,
    overrides: Overrides = None,
    dev: Dev = None,
    vectors: VectorsFile = None,
    raw_text: RawText = None,
    budget: Budget = None,
    refit: Refit = False,
    start: Start = None,
    seed: Seed = None,
    changed: Annotated[
        bool,
        typer.Option(
            "--changed", help="Show only the keys whose values differ from their defaults."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print every key with its value and its source: a line of a file, an option, the recipe or the default.

    The output is itself a config. Its paths are relative to the working folder. Nothing is trained.

    Examples:
        nertool config show config.yaml --changed
        nertool config show config.yaml --set network.hidden=256
        nertool config show train.conll --budget 5m
        nertool config show runs/my --json
    """
    said = [*(overrides or ()), *as_overrides(options)]
    request = Request(
        tuple(sources), said, seed, dev or (), vectors, budget, refit, start, raw_text or ()
    )
    config, places = _model_config(request) if _is_model(sources[0]) else _resolved(request)
    rows = [
        (key, value, places.get(key, _DEFAULT))
        for key, value in _values(config)
        if not changed or not _is_default(key, value)
    ]
    if as_json:
        print_json({key: {"value": _plain(value), "from": place} for key, value, place in rows})
        return
    section = ""
    for key, value, place in rows:
        before, _, name = key.rpartition(".")
        if before and before != section:
            print(f"{before}:")
        section = before
        print(_line(name if before else key, value, place, "  " if before else ""))


@with_reading_options(misaligned="the config's", from_is_format=False)
def check(
    sources: Sources,
    options: ReadingOptions,
    overrides: Overrides = None,
    dev: Dev = None,
    vectors: VectorsFile = None,
    raw_text: RawText = None,
    budget: Budget = None,
    refit: Refit = False,
    start: Start = None,
    seed: Seed = None,
    report: ReportPath = None,
) -> None:
    """Check a config and the files that it names, without training: keys, texts, labels and vectors.

    The exit code is 0 if training can start, otherwise 1, with the reason on stderr.

    Examples:
        nertool config check config.yaml
        nertool config check train.conll --dev dev.conll --vectors glove.6B.50d.txt
    """
    source = sources[0]
    if _is_model(source):
        raise typer.BadParameter(
            f"{source}: found a folder or a model, expected a config or a labelled text; nertool info "
            "describes a model"
        )
    from nertool.errors import OverrideError
    from nertool.training.preparation.encode import prepare
    from nertool.training.recipe import resolve
    from nertool.training.stages import folds_of

    try:
        said = [*(overrides or ()), *as_overrides(options)]
        request = Request(
            tuple(sources), said, seed, dev or (), vectors, budget, refit, start, raw_text or ()
        )
        config = resolve(raw_values(request), note)
    except OverrideError as error:
        raise typer.BadParameter(str(error)) from None
    corpus = config.corpus
    with account(report, *sources, *texts_of(config)) as ledger:
        prepared = prepare(config, note, ledger)
        if corpus.test:
            from nertool.training.preparation.encode import read_part

            read_part(config, corpus.test, "test", note, ledger)
    networks = config.network.members + len(folds_of(config))
    named = ", ".join(map(str, sources))
    print(
        f"{named}: fine: {len(prepared.labels)} classes ({', '.join(prepared.labels)}), "
        f"{networks} network{'s' * (networks != 1)}, {config.training.epochs} epochs of "
        f"{len(prepared.train.word_ids):,} tokens"
    )


def _is_model(source: Path) -> bool:
    from nertool.formats.paths import is_model_folder
    from nertool.model.files import ONE_FILE

    return is_model_folder(source) or source.suffix == ONE_FILE


def _resolved(request: Request) -> tuple[Config, dict[str, str]]:
    """Return the config of a request, and the place of each key that is set."""
    from nertool.config.values import build_config
    from nertool.errors import OverrideError
    from nertool.training.recipe import with_recipe

    try:
        raw = with_recipe(raw_values(request), note)
        return build_config(raw), {key: _place(value) for key, value in raw.items()}
    except OverrideError as error:
        raise typer.BadParameter(str(error)) from None


def _place(value: RawValue) -> str:
    # For an override only the option, since the value is already printed before it.
    return "--set" if value.place.startswith("--set ") else value.place


def _model_config(request: Request) -> tuple[Config, dict[str, str]]:
    """Return the config that a model was trained with. The model is the source of all its keys."""
    if len(request.sources) > 1 or request.overrides or request.options():
        raise typer.BadParameter(
            f"{request.source}: a model keeps the config of its training: give it alone, without "
            "options that change keys"
        )
    from nertool.model.load import load_model

    config = load_model(request.source).config
    return config, {
        key: str(request.source) for key, value in _values(config) if not _is_default(key, value)
    }


def _values(config: Config) -> list[tuple[str, Any]]:
    """Return each key of a config with its value; keys outside the sections come first."""
    from nertool.config.values import key_types

    found = []
    for key in sorted(key_types(), key=lambda name: "." in name):
        section, _, name = key.rpartition(".")
        found.append((key, getattr(getattr(config, section) if section else config, name)))
    return found


def _is_default(key: str, value: Any) -> bool:
    from nertool.config.reference import default_of

    return bool(value == default_of(key))


def _line(name: str, value: Any, place: str, indent: str) -> str:
    from nertool.config.reference import yaml_value

    start = f"{indent}{name}: {yaml_value(value)}".rstrip()
    return f"{start:{_COLUMN}}  # {place}"


def _plain(value: Any) -> Any:
    if isinstance(value, tuple) and len(value) == 1 and isinstance(value[0], Path):
        value = value[0]  # a single path is written without a list
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    return str(value) if isinstance(value, Path) else value
