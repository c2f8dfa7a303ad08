"""Several trainings of one config: other seeds, other settings. One run proves little."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import NamedTuple

from nertool.config.file import load_config, read_config_file, read_overrides
from nertool.config.records import CorpusConfig
from nertool.corpus.ledger import Ledger
from nertool.errors import OverrideError, TrainingError
from nertool.training.parallel.pool import Piece, Send, run_pieces
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
    """A training: the overrides that it has besides all trials' own, its seed, and its run folder."""

    variant: tuple[str, ...]
    seed: int
    run_dir: Path


class Outcome(NamedTuple):
    """What a trial came to: the best epoch's F1 on dev; the seconds that it took in all, and the
    processor's, its own processes included."""

    trial: Trial
    f1: float
    seconds: float
    processor_seconds: float


class Summary(NamedTuple):
    """A variant over its seeds: mean and standard deviation of F1 (None with one seed), mean seconds."""

    variant: tuple[str, ...]
    f1: float
    deviation: float | None
    seeds: int
    seconds: float


def variants(tries: Sequence[str]) -> list[tuple[str, ...]]:
    """Combine what is to be tried, KEY=VALUE each: every value of a key with every one of the others.

    Errors: OverrideError for a text without a key or a value.
    """
    by_key: dict[str, list[str]] = {}
    for text in tries:
        key, equals, _ = text.partition("=")
        if not equals or not key:
            raise OverrideError(f"--try {text}: expected KEY=VALUE, such as training.alpha=0.03")
        by_key.setdefault(key, []).append(text)
    return list(itertools.product(*by_key.values()))


def plan(
    config_path: Path, overrides: Sequence[str], tries: Sequence[str], seeds: int, folder: Path
) -> list[Trial]:
    """List a sweep's trials, having made sure that each one's config is sound. Errors: ConfigError."""
    trials = []
    for variant in variants(tries):
        try:
            config = load_config(config_path, [*overrides, *variant])
        except OverrideError as error:
            found = next(
                (text for text in variant if str(error).startswith(f"--set {text}:")), None
            )
            if found is None:
                raise
            raise OverrideError(str(error).replace("--set", "--try", 1)) from None
        if config.corpus.dev is None and not config.corpus.held_out and config.recipe == "plain":
            raise TrainingError(
                f"{config_path}: corpus.dev is not set, expected a dev part: trials are compared on it"
            )
        name = ",".join(variant).replace("/", "_") or "as it is"
        for seed in range(config.seed, config.seed + seeds):
            trials.append(Trial(variant, seed, folder / name / f"seed-{seed}"))
    return trials


def run_sweep(
    config_path: Path,
    overrides: Sequence[str],
    trials: Sequence[Trial],
    workers: int,
    ledger: Ledger | None = None,
) -> Iterator[Outcome]:
    """Run trials, `workers` at a time; yield each one's outcome as it is done.

    ledger: takes the account of each text once, however many trials read it.
    """
    pieces = []
    met: set[CorpusConfig] = set()
    for i, trial in enumerate(trials):
        corpus = load_config(config_path, [*overrides, *trial.variant]).corpus
        arguments = (config_path, tuple(overrides), trial, corpus not in met)
        pieces.append(Piece(f"trial {i + 1}", _run, arguments))
        met.add(corpus)
    for _, (outcome, of_trial) in run_pieces(pieces, workers):
        if ledger is not None and of_trial is not None:
            ledger.merge(of_trial)
        yield outcome


def _run(
    config_path: Path, overrides: Sequence[str], trial: Trial, accounts: bool, send: Send
) -> None:
    """Train, and send the outcome, and the account of the text if this trial gives it."""
    started = time.perf_counter()
    settings = [*overrides, *trial.variant, f"seed={trial.seed}", "training.refit=false"]
    config = resolve({**read_config_file(config_path), **read_overrides(settings)})
    check_free(trial.run_dir, overwrite=False)
    ledger = Ledger(keep=True) if accounts else None
    with writing_run(trial.run_dir):
        check_free(trial.run_dir, overwrite=False)
        prepared = prepared_for(
            config, trial.run_dir, "nertool prepare", lambda line: None, ledger=ledger
        )
        begin_run(config, trial.run_dir)
        for _ in run_training(config, prepared, trial.run_dir, workers=1):
            pass
    _, dev = last_best(trial.run_dir)
    assert dev is not None  # plan saw to it
    processor = sum(os.times()[:4])  # of this process and of those that it has waited for
    outcome = Outcome(trial, dev["f1"] or 0.0, time.perf_counter() - started, processor)
    send((outcome, ledger))


def summaries(outcomes: Sequence[Outcome]) -> list[Summary]:
    """Sum up each variant over its seeds, in the order in which variants first come."""
    by_variant: dict[tuple[str, ...], list[Outcome]] = {}
    for outcome in outcomes:
        by_variant.setdefault(outcome.trial.variant, []).append(outcome)
    return [
        Summary(
            variant,
            mean(outcome.f1 for outcome in own),
            stdev(outcome.f1 for outcome in own) if len(own) > 1 else None,
            len(own),
            mean(outcome.seconds for outcome in own),
        )
        for variant, own in by_variant.items()
    ]
