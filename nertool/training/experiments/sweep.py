"""Sweeps: several trainings that compare configs, settings and seeds, because one run proves little."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import NamedTuple

from nertool.config.file import load_config, read_config_file, read_overrides
from nertool.config.inputs import CorpusConfig
from nertool.config.records import Config
from nertool.corpus.ledger import Ledger
from nertool.errors import OverrideError, TrainingError
from nertool.training.experiments.tries import values_by_key
from nertool.training.parallel.pool import Piece, Send, run_pieces
from nertool.training.preparation.store import Prepared
from nertool.training.recipe import resolve
from nertool.training.run import (
    begin_run,
    check_free,
    last_best,
    prepared_for,
    run_training,
    writing_run,
)


class Trial(NamedTuple):
    """A training: its config file, the overrides of its variant, its seed, and its run folder."""

    config: Path
    variant: tuple[str, ...]
    seed: int
    run_dir: Path


class Outcome(NamedTuple):
    """The result of a trial.

    f1: that of the best epoch on dev. seconds: wall-clock time. processor_seconds: CPU time, including the
    trial's child processes.
    """

    trial: Trial
    f1: float
    seconds: float
    processor_seconds: float


class Summary(NamedTuple):
    """A variant of a config over its seeds.

    f1: the mean. deviation: the standard deviation of F1, or None with one seed. seconds: mean wall-clock
    time.
    """

    config: Path
    variant: tuple[str, ...]
    f1: float
    deviation: float | None
    seeds: int
    seconds: float


def variants(tries: Sequence[str]) -> list[tuple[str, ...]]:
    """Return all combinations of the values to try, each given as KEY=VALUE,….

    Errors: OverrideError as in values_by_key.
    """
    named = values_by_key(tries)
    return list(
        itertools.product(*([f"{key}={value}" for value in own] for key, own in named.items()))
    )


def plan(
    config_paths: Sequence[Path],
    overrides: Sequence[str],
    tries: Sequence[str],
    seeds: int,
    folder: Path,
) -> list[Trial]:
    """List a sweep's trials, and check that the config of each is valid.

    Errors: ConfigError; TrainingError for a config without dev.
    """
    trials = []
    for path, variant in itertools.product(config_paths, variants(tries)):
        config = _config_of(path, overrides, variant)
        if config.corpus.dev is None and not config.corpus.held_out and config.recipe == "plain":
            raise TrainingError(
                f"{path}: corpus.dev is not set, expected a dev part: trials are compared on it"
            )
        name = ",".join(variant) or "as it is"
        if len(config_paths) > 1:
            name = f"{path},{name}" if variant else str(path)
        for seed in range(config.seed, config.seed + seeds):
            run_dir = folder / name.replace("/", "_") / f"seed-{seed}"
            trials.append(Trial(path, variant, seed, run_dir))
    return trials


def _config_of(path: Path, overrides: Sequence[str], variant: Sequence[str]) -> Config:
    """Load a trial's config. An error about a value of --try names --try, where the user wrote it."""
    try:
        return load_config(path, [*overrides, *variant])
    except OverrideError as error:
        if not any(str(error).startswith(f"--set {text}:") for text in variant):
            raise
        raise OverrideError(str(error).replace("--set", "--try", 1)) from None


def dev_parts(trials: Sequence[Trial], overrides: Sequence[str]) -> dict[str, Path]:
    """Return the texts that trials are measured on, each with a config that names it.

    If there is more than one, the trials' F1 can't be compared.
    """
    found: dict[str, Path] = {}
    for trial in trials:
        corpus = load_config(trial.config, [*overrides, *trial.variant]).corpus
        paths = ", ".join(map(str, corpus.dev or corpus.train or ()))
        text = paths if corpus.dev is not None else f"a part of {paths}"
        found.setdefault(text, trial.config)
    return found


def run_sweep(
    overrides: Sequence[str],
    trials: Sequence[Trial],
    workers: int,
    ledger: Ledger | None = None,
) -> Iterator[Outcome]:
    """Run trials, `workers` at a time; yield each one's outcome when it is done.

    ledger: gets the account of each text once, however many trials read it.
    """
    pieces = []
    met: set[CorpusConfig] = set()
    for i, trial in enumerate(trials):
        corpus = load_config(trial.config, [*overrides, *trial.variant]).corpus
        arguments = (tuple(overrides), trial, corpus not in met)
        pieces.append(Piece(f"trial {i + 1}", _run, arguments))
        met.add(corpus)
    for _, (outcome, of_trial) in run_pieces(pieces, workers):
        if ledger is not None and of_trial is not None:
            ledger.merge(of_trial)
        yield outcome


def _run(overrides: Sequence[str], trial: Trial, accounts: bool, send: Send) -> None:
    """Train; send the outcome and, if this trial reports it, the account of the text."""
    started = time.perf_counter()
    settings = [*overrides, *trial.variant, f"seed={trial.seed}", "training.refit=false"]
    config = resolve({**read_config_file(trial.config), **read_overrides(settings)})
    check_free(trial.run_dir, overwrite=False)
    ledger = Ledger(keep=True) if accounts else None
    with writing_run(trial.run_dir):
        check_free(trial.run_dir, overwrite=False)
        prepared = prepared_for(
            config, trial.run_dir, "nertool prepare", lambda line: None, ledger=ledger
        )
        need_dev(prepared, trial.config)
        begin_run(config, trial.run_dir)
        for _ in run_training(config, prepared, trial.run_dir, workers=1):
            pass
    _, dev = last_best(trial.run_dir)
    assert dev is not None
    processor = sum(os.times()[:4])  # of this process and of those that it has waited for
    outcome = Outcome(trial, dev["f1"] or 0.0, time.perf_counter() - started, processor)
    send((outcome, ledger))


def need_dev(prepared: Prepared, path: Path) -> None:
    """Refuse to train with a config whose inputs have no dev part. Errors: TrainingError."""
    if prepared.dev is None:
        raise TrainingError(
            f"{path}: found no dev part, expected one to compare trials on: corpus.held_out is 0, or "
            "the text has too few entities to hold some out; set corpus.dev"
        )


def summaries(outcomes: Sequence[Outcome]) -> list[Summary]:
    """Summarise each variant of each config over its seeds, in the order of first occurrence."""
    groups: dict[tuple[Path, tuple[str, ...]], list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.trial.config, outcome.trial.variant), []).append(outcome)
    return [
        Summary(
            config,
            variant,
            mean(outcome.f1 for outcome in own),
            stdev(outcome.f1 for outcome in own) if len(own) > 1 else None,
            len(own),
            mean(outcome.seconds for outcome in own),
        )
        for (config, variant), own in groups.items()
    ]
