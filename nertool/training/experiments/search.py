"""Search for good settings within a time budget: `nertool sweep --budget`, by Optuna (extra `sweep`).

Each trial trains the config with other settings. The tree-structured Parzen estimator (Bergstra et al. 2011)
chooses them from the earlier trials. A trial is stopped if its F1 on dev lies below the median of the earlier
trials at the same epoch. Then the best settings and the unchanged config are trained with seeds that the
search has not used: the best of many trials owes part of its F1 to luck, and these trainings show how much.
The test part is never read.

Trials are stored in an SQLite file. A search that is continued gives the same result as one without
interruption: before each trial the sampler is seeded by the number of finished trials.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from nertool.config.file import read_config_file, read_overrides
from nertool.config.records import Config, config_to_dict
from nertool.corpus.ledger import Ledger
from nertool.errors import NertoolError, OverrideError, TrainingError
from nertool.files.output import open_output, scratch_folder
from nertool.gradcheck.audit import NonFiniteError
from nertool.training.experiments.sweep import need_dev
from nertool.training.experiments.tries import values_by_key
from nertool.training.recipe import resolve
from nertool.training.run import begin_run, last_best, prepared_for, run_training, write_config

Report = Callable[[str], None]

STUDY = "nertool"
STARTUP = 4  # trials before any is stopped early
# The values that are tried without --try: the usual ones of the recipes, and values around them.
SPACE: dict[str, tuple[str, ...]] = {
    "training.alpha": ("0.02", "0.035", "0.05", "0.07", "0.1"),
    "training.dropout_input": ("0.0", "0.1", "0.2", "0.3"),
    "training.dropout_hidden": ("0.0", "0.2", "0.3", "0.5"),
    "training.word_dropout": ("0.0", "0.25", "1.0"),
    "network.hidden": ("64", "128", "256"),
    "network.activation": ("tanh", "relu"),
    "windows.size": ("3", "5", "7"),
    "features.shape": ("0", "8"),
    "features.affixes": ("0", "6"),
    "features.memory": ("false", "true"),
}


@dataclass(frozen=True)
class Base:
    """What a search starts from: a config file, and the overrides of all trials."""

    path: Path
    overrides: tuple[str, ...]

    def config(self, settings: Sequence[str] = ()) -> Config:
        """Return the config with further settings. Errors: ConfigError, OverrideError."""
        values = [*self.overrides, *settings, "training.refit=false"]
        return resolve({**read_config_file(self.path), **read_overrides(values)})


@dataclass(frozen=True)
class Confirmed:
    """Settings trained with fresh seeds, and F1 on dev of each seed."""

    settings: tuple[str, ...]
    f1: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean F1."""
        return mean(self.f1)

    @property
    def deviation(self) -> float | None:
        """The standard deviation of F1; None with one seed."""
        return stdev(self.f1) if len(self.f1) > 1 else None


@dataclass(frozen=True)
class Found:
    """The result of a search. trials: all that are complete or stopped early, including those of earlier
    calls."""

    trials: int
    stopped: int
    best_f1: float
    winner: Confirmed
    before: Confirmed


def space_of(tries: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the values of each key given by --try, or of the usual keys if there is none.

    Errors: OverrideError as in values_by_key.
    """
    return values_by_key(tries) or SPACE


def check_space(base: Base, space: dict[str, tuple[str, ...]]) -> None:
    """Check that every value is valid for its key. Errors: OverrideError, TrainingError."""
    for key, values in space.items():
        for value in values:
            try:
                base.config([f"{key}={value}"])
            except OverrideError as error:
                raise OverrideError(str(error).replace("--set", "--try", 1)) from None
    config = base.config()
    if config.corpus.dev is None and not config.corpus.held_out:
        raise TrainingError(
            f"{base.path}: corpus.dev is not set, expected a dev part: trials are compared on it"
        )


def search(
    base: Base,
    space: dict[str, tuple[str, ...]],
    seconds: float,
    seeds: int,
    study_path: Path,
    workers: int,
    report: Report,
    ledger: Ledger | None = None,
) -> Found:
    """Search for `seconds` seconds, which include confirming the winner with fresh seeds.

    At least one trial is made. ledger: gets the account of the text once. Errors: NertoolError if Optuna is
    missing, or if the study is of another config.
    """
    check_space(base, space)
    started = time.monotonic()
    with _study(base, space, study_path) as study:
        done = len(_finished(study))
        if done:
            report(f"{study_path}: goes on after {done} trials")
        times: list[float] = []
        first = True
        while first or time.monotonic() - started + _reserve(times, seeds) < seconds:
            begun = time.monotonic()
            _trial(study, base, space, workers, report, ledger if first else None)
            first = False
            times.append(time.monotonic() - begun)
        finished = _finished(study)
        complete = [trial for trial in finished if trial.state.name == "COMPLETE"]
        if not complete:
            raise TrainingError(
                f"{base.path}: no trial came to its end, expected one at least; give a longer --budget"
            )
        best = max(complete, key=lambda trial: (trial.value, -trial.number))
    settings = tuple(f"{key}={value}" for key, value in best.params.items())
    report(f"best of {len(finished)} trials: dev F1 {100 * best.value:.2f}; now with fresh seeds")
    winner = confirm(base, settings, seeds, workers)
    before = confirm(base, (), seeds, workers)
    return Found(len(finished), len(finished) - len(complete), best.value, winner, before)


def _reserve(times: Sequence[float], seeds: int) -> float:
    """Estimate the seconds of the next trial and the confirmation, from the trials so far."""
    return (1 + 2 * seeds) * max(mean(times), max(times[-3:])) if times else 0.0


@contextmanager
def _study(base: Base, space: dict[str, tuple[str, ...]], path: Path) -> Iterator[Any]:
    """Open the study, or create it. Errors: NertoolError as in search."""
    try:
        import optuna
        from sqlalchemy.exc import SQLAlchemyError
    except ImportError:
        raise NertoolError(
            "--budget: found no Optuna, expected it to be installed; run: pip install 'nertool[sweep]'"
        ) from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    path.parent.mkdir(parents=True, exist_ok=True)
    signature = _signature(base, space)
    try:
        study = optuna.create_study(
            study_name=STUDY,
            storage=f"sqlite:///{path.resolve()}",
            direction="maximize",
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP, n_warmup_steps=1),
        )
        kept = study.user_attrs.setdefault("signature", signature)
        study.set_user_attr("signature", kept)
    except SQLAlchemyError as error:
        why = str(error).splitlines()[0]
        raise NertoolError(
            f"{path}: found no study that can be read ({why}), expected one of nertool sweep, or no file; "
            "choose another --study"
        ) from None
    if kept != signature:
        raise NertoolError(
            f"{path}: found a search of another config or with other --try values, expected one of this; "
            "choose another --study"
        )
    yield study


def _signature(base: Base, space: dict[str, tuple[str, ...]]) -> str:
    """Return a hash of everything that decides what a trial means."""
    config = config_to_dict(base.config())
    content = json.dumps(
        [config, {key: list(values) for key, values in space.items()}], sort_keys=True
    )
    return hashlib.sha256(content.encode()).hexdigest()


def _finished(study: Any) -> list[Any]:
    """Return the trials that are complete or were stopped early. A trial that was killed is neither."""
    return [t for t in study.get_trials(deepcopy=False) if t.state.name in ("COMPLETE", "PRUNED")]


def _trial(
    study: Any,
    base: Base,
    space: dict[str, tuple[str, ...]],
    workers: int,
    report: Report,
    ledger: Ledger | None,
) -> None:
    """Choose settings, train, and report the result to the study."""
    import optuna

    number = len(_finished(study))
    seed = base.config().seed
    study.sampler = optuna.samplers.TPESampler(seed=1000 * seed + number, n_startup_trials=8)
    trial = study.ask()
    settings = [f"{key}={trial.suggest_categorical(key, values)}" for key, values in space.items()]

    def stop(epoch: int, f1: float) -> bool:
        trial.report(f1, epoch)
        return bool(trial.should_prune())

    try:
        f1 = train_once(base, settings, workers, stop, ledger)
    except NonFiniteError:
        study.tell(trial, 0.0)
        report(f"trial {number + 1}: J was no longer finite  {' '.join(settings)}")
        return
    except BaseException:
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
        raise
    if f1 is None:
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        report(f"trial {number + 1}: stopped early  {' '.join(settings)}")
    else:
        study.tell(trial, f1)
        report(f"trial {number + 1}: dev F1 {100 * f1:.2f}  {' '.join(settings)}")


def train_once(
    base: Base,
    settings: Sequence[str],
    workers: int,
    stop: Callable[[int, float], bool] = lambda epoch, f1: False,
    ledger: Ledger | None = None,
) -> float | None:
    """Train in a temporary folder; return the best epoch's F1 on dev, or None if `stop` ended the training.

    stop is called after each epoch of a single network. It is not called for the networks of an ensemble.
    """
    config = base.config(settings)
    with scratch_folder() as folder:
        run_dir = folder / "run"
        prepared = prepared_for(
            config, run_dir, "nertool prepare", lambda line: None, ledger=ledger
        )
        need_dev(prepared, base.path)
        begin_run(config, run_dir)
        for name, record in run_training(config, prepared, run_dir, workers):
            if not name and record.dev is not None and stop(record.epoch, record.dev.f1):
                return None
        _, dev = last_best(run_dir)
        assert dev is not None
        return float(dev["f1"] or 0.0)


def confirm(base: Base, settings: tuple[str, ...], seeds: int, workers: int) -> Confirmed:
    """Train with seeds that the search has not used."""
    first = base.config().seed + 1
    found = []
    for seed in range(first, first + seeds):
        f1 = train_once(base, [*settings, f"seed={seed}"], workers)
        assert f1 is not None
        found.append(f1)
    return Confirmed(settings, tuple(found))


def write_winner(base: Base, found: Found, path: Path) -> None:
    """Write the full config with the best settings, and the measured F1 as a comment."""
    values = [*base.overrides, *found.winner.settings]
    config = resolve({**read_config_file(base.path), **read_overrides(values)})
    with scratch_folder() as folder:
        write_config(config, folder / "config.yaml")
        text = (folder / "config.yaml").read_text(encoding="utf-8")
    lines = [
        f"# Found by nertool sweep {base.path.name}: dev F1 {described(found.winner)} over "
        f"{len(found.winner.f1)} fresh seeds",
        f"# (the config as it was: {described(found.before)}); {found.trials} trials.",
        *(f"#   {setting}" for setting in found.winner.settings),
    ]
    with open_output(path) as out:
        out.write("\n".join(lines) + "\n" + text)


def described(confirmed: Confirmed) -> str:
    """Format mean ± standard deviation, in percent."""
    spread = "" if confirmed.deviation is None else f" ± {100 * confirmed.deviation:.2f}"
    return f"{100 * confirmed.mean:.2f}{spread}"
