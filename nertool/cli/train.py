"""`nertool prepare` and `nertool train`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nertool.cli.account import ReportPath, account
from nertool.cli.options import (
    AsJson,
    ConfigPath,
    Overrides,
    RunDir,
    Seed,
    Workers,
    cores,
    note,
    print_json,
    read_config,
    run_folder,
)

if TYPE_CHECKING:
    from nertool.config.records import Config
    from nertool.evaluation.comparison import Comparison
    from nertool.training.preparation.store import Prepared
    from nertool.training.summary import Example
    from nertool.training.trainer import EpochRecord

Resume = Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the run that is there.")]


def prepare(
    config: ConfigPath,
    overrides: Overrides = None,
    run_dir: RunDir = None,
    seed: Seed = None,
    report: ReportPath = None,
) -> None:
    """Read corpus and vectors, and encode them into the run folder (stage 1 of train)."""
    settings = read_config(config, overrides, seed)
    folder = run_folder(config, run_dir)

    from nertool.training.run import check_folder, prepare_run

    check_folder(folder)
    with account(report, config, *_texts(settings)) as ledger:
        prepare_run(settings, folder, note, ledger)
    note(f"prepared inputs: in {folder / 'prepared'}")


def train(
    config: ConfigPath,
    overrides: Overrides = None,
    run_dir: RunDir = None,
    seed: Seed = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    workers: Workers = None,
    report: ReportPath = None,
    as_json: AsJson = False,
) -> None:
    """Train a recogniser: prepare its inputs if need be, run the epochs, keep the best on dev."""
    if resume and overwrite:
        raise typer.BadParameter(
            "--resume goes on with a run, --overwrite replaces it: give one of them"
        )
    settings = read_config(config, overrides, seed)
    folder = run_folder(config, run_dir)

    from nertool.evaluation.tables import as_table
    from nertool.training.run import (
        begin_run,
        check_free,
        check_same_config,
        last_best,
        prepared_for,
    )

    if resume:
        check_same_config(settings, folder)
    else:
        check_free(folder, overwrite)
    rebuild = _command("prepare", config, overrides, run_dir, seed)
    with account(report, config, *_texts(settings)) as ledger:
        prepared = prepared_for(settings, folder, rebuild, note, overwrite, ledger)
    if not resume:
        begin_run(settings, folder)
    _run_with_progress(settings, prepared, folder, workers or cores())

    epoch, dev = last_best(folder)
    if as_json:
        print_json({"run_dir": str(folder), "epoch": epoch, "dev": dev})
    elif dev:
        epochs = ", ".join(map(str, epoch)) if isinstance(epoch, list) else str(epoch)
        plural = "s" if isinstance(epoch, list) else ""
        note(f"\nBest on dev: epoch{plural} {epochs}, kept in {folder / 'best'}\n")
        print(as_table(dev))
        _note_calibration(folder)
    if not as_json:
        example = _show_summary(folder, prepared)
        _show_next_steps(config, settings, folder, example)


def _texts(settings: Config) -> list[Path | None]:
    """Return the texts that a config names."""
    return [settings.corpus.train, settings.corpus.dev, settings.corpus.test]


def _run_with_progress(settings: Config, prepared: Prepared, folder: Path, workers: int) -> None:
    """Run the epochs, with a bar on a terminal and a line for each epoch on stderr."""
    from tqdm import tqdm

    from nertool.training.run import run_training

    epochs = settings.training.epochs
    with tqdm(
        total=len(prepared.train.word_ids),
        unit=" tokens",
        unit_scale=True,
        disable=None,
        leave=False,
    ) as bar:
        last_f1 = ""

        def on_batch(windows: int, loss: float) -> None:
            bar.set_postfix_str(f"J {loss:.4f}{last_f1}", refresh=False)
            bar.update(windows)

        try:
            for name, record in run_training(settings, prepared, folder, workers, on_batch):
                bar.reset()
                of = settings.first_stage.epochs if name.startswith("first") else epochs
                line = f"{name + ': ' if name else ''}{_epoch_line(record, of)}"
                tqdm.write(line, file=sys.stderr)
                last_f1 = f", dev F1 {100 * record.dev.f1:.2f}" if record.dev else ""
        except KeyboardInterrupt:
            note(
                f"interrupted; add --resume to the command to go on from the last epoch in {folder}"
            )
            raise typer.Exit(130) from None


def _epoch_line(record: EpochRecord, epochs: int) -> str:
    dev = ""
    if record.dev is not None:
        dev = f"  dev F1 {100 * record.dev.f1:6.2f}{' *' if record.best else '  '}"
    return (
        f"epoch {record.epoch:{len(str(epochs))}}/{epochs}  J {record.loss:.4f}{dev}  "
        f"{record.seconds:.1f} s, {record.tokens_per_second:,.0f} tokens/s"
    )


def _note_calibration(folder: Path) -> None:
    from nertool.model.calibrate import describe
    from nertool.model.storage import HEADER, model_folder, read_json

    found = read_json(model_folder(folder) / HEADER)["provenance"].get("calibration")
    if found:
        note(describe(found))


def _show_summary(folder: Path, prepared: Prepared) -> Example | None:
    """Show what the best model does on dev; return a sentence of it, if there is one."""
    from nertool.training.summary import compare_on_dev, example_of

    comparison = compare_on_dev(folder, prepared)
    if comparison is None:
        return None
    _show_dev(comparison)
    example = example_of(comparison)
    if example is not None:
        _show_example(example)
    return example


def _show_dev(comparison: Comparison) -> None:
    """Print the commonest errors on dev."""
    from nertool.training.summary import common_errors

    lines = common_errors(comparison)
    if lines:
        note("\nCommonest errors on dev (gold → predicted):")
        for line in lines:
            note(f"  {line}")


def _show_example(example: Example) -> None:
    from nertool.formats.markup.inline import to_inline

    note("\nA sentence of dev, tagged:")
    print(f"\n  {to_inline(example.words, example.entities)}\n")


def _show_next_steps(config: Path, settings: Config, folder: Path, example: Example | None) -> None:
    """Name the commands that one would try next, with a sentence of this task."""
    run = shlex.quote(str(folder))
    note("Next:")
    text = settings.corpus.test or settings.corpus.dev
    if text:
        note(f"  nertool evaluate {run} {shlex.quote(str(text))} --errors errors.tsv")
    if example is not None:
        sentence = shlex.quote(" ".join(example.words))
        note(f"  echo {sentence} | nertool predict {run} -")
        # What stands before an entity rarely starts with a dash; a number names any word.
        word = example.entities[0].start + 1 if example.entities else 1
        note(f"  nertool explain {run} {sentence} --word {word}")
    note(f"  nertool gradcheck {shlex.quote(str(config))}")


def _command(
    name: str, config: Path, overrides: list[str] | None, run_dir: Path | None, seed: int | None
) -> str:
    """Write a command as the user would type it."""
    parts = ["nertool", name, str(config)]
    parts += [part for override in overrides or [] for part in ("--set", override)]
    parts += ["--run-dir", str(run_dir)] if run_dir else []
    parts += ["--seed", str(seed)] if seed is not None else []
    return shlex.join(parts)
