"""`nertool prepare` and `nertool train`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nertool.cli.common.account import ReportPath, account
from nertool.cli.common.boundary import if_interrupted
from nertool.cli.common.options import (
    AsJson,
    Overrides,
    RunDir,
    Seed,
    Workers,
    cores,
    note,
    print_json,
    run_folder,
)
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
    is_text,
    read_request,
    texts_of,
)
from nertool.cli.common.verbosity import is_quiet

if TYPE_CHECKING:
    from nertool.config.records import Config
    from nertool.evaluation.comparison import Comparison
    from nertool.formats.labelled import ReadingOptions
    from nertool.training.preparation.store import Prepared
    from nertool.training.summary import Example
    from nertool.training.trainer import EpochRecord

Resume = Annotated[bool, typer.Option("--resume", help="Continue an interrupted run.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an existing run.")]


@with_reading_options(misaligned="the config's", from_is_format=False)
def prepare(
    sources: Sources,
    options: ReadingOptions,
    overrides: Overrides = None,
    dev: Dev = None,
    vectors: VectorsFile = None,
    raw_text: RawText = None,
    budget: Budget = None,
    refit: Refit = False,
    start: Start = None,
    run_dir: RunDir = None,
    seed: Seed = None,
    report: ReportPath = None,
) -> None:
    """Read corpus and vectors, and encode them into the run folder (the first step of train).

    Examples:
        nertool prepare config.yaml --run-dir runs/my
    """
    settings = read_request(
        Request(
            tuple(sources),
            [*(overrides or ()), *as_overrides(options)],
            seed,
            dev or (),
            vectors,
            budget,
            refit,
            start,
            raw_text or (),
        )
    )
    source = sources[0]
    folder = run_folder(source, run_dir)

    from nertool.training.run import check_folder, prepare_run, writing_run

    check_folder(folder)
    with writing_run(folder), account(report, *sources, *texts_of(settings)) as ledger:
        prepare_run(settings, folder, note, ledger)
    note(f"prepared inputs: in {folder / 'prepared'}")


@with_reading_options(misaligned="the config's", from_is_format=False)
def train(
    sources: Sources,
    options: ReadingOptions,
    overrides: Overrides = None,
    dev: Dev = None,
    vectors: VectorsFile = None,
    raw_text: RawText = None,
    budget: Budget = None,
    refit: Refit = False,
    start: Start = None,
    run_dir: RunDir = None,
    seed: Seed = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    workers: Workers = None,
    report: ReportPath = None,
    as_json: AsJson = False,
) -> None:
    """Train a recogniser on labelled text, and keep the epoch that is best on dev.

    Without a config, nertool chooses the settings from the text. nertool init --text FILE writes the config
    that it would use.

    Examples:
        nertool train train.conll --dev dev.conll --vectors glove.6B.50d.txt --run-dir runs/my
        nertool train 'train/*.conll' --dev dev --budget 30s
        nertool train config.yaml --set training.epochs=20 --seed 2
        nertool train config.yaml --resume
    """
    check_options(resume, overwrite)
    request = Request(
        tuple(sources),
        [*(overrides or ()), *as_overrides(options)],
        seed,
        dev or (),
        vectors,
        budget,
        refit,
        start,
        raw_text or (),
    )
    source = sources[0]
    folder = run_folder(source, run_dir)
    if not resume:
        _check_free(folder, overwrite)  # before any long work
    train_into(
        read_request(request),
        folder,
        request.command("prepare", run_dir),
        source,
        resume=resume,
        overwrite=overwrite,
        workers=workers or cores(),
        report=report,
        as_json=as_json,
    )


def check_options(resume: bool, overwrite: bool) -> None:
    """Refuse --resume together with --overwrite."""
    if resume and overwrite:
        raise typer.BadParameter(
            "--resume continues a run, --overwrite replaces it: give one of them"
        )


def _check_free(folder: Path, overwrite: bool) -> None:
    from nertool.training.run import check_free

    check_free(folder, overwrite)


def train_into(
    settings: Config,
    folder: Path,
    rebuild: str,
    source: Path,
    *,
    resume: bool,
    overwrite: bool,
    workers: int,
    report: Path | None,
    as_json: bool,
) -> None:
    """Train with a config into a run folder, and print the result.

    rebuild: the command that prepares the inputs again. source: the config or text that the command line
    named.
    """
    from nertool.training.run import (
        begin_run,
        check_free,
        check_same_config,
        prepared_for,
        writing_run,
    )

    if resume:
        check_same_config(settings, folder)
    else:
        check_free(folder, overwrite)
    with writing_run(folder):
        if not resume:
            check_free(folder, overwrite)  # another process may have begun a run while we waited
        with account(report, source, *texts_of(settings)) as ledger:
            prepared = prepared_for(settings, folder, rebuild, note, overwrite, ledger)
        if not resume:
            begin_run(settings, folder)
        how = f"add --resume to the command to continue from the last epoch in {folder}"
        with if_interrupted(lambda: how):
            _run_with_progress(settings, prepared, folder, workers)
    _show_result(source, settings, prepared, folder, as_json)


def _show_result(
    source: Path, settings: Config, prepared: Prepared, folder: Path, as_json: bool
) -> None:
    """Print the best model's scores on dev, and suggest what to do next."""
    from nertool.evaluation.tables import as_table
    from nertool.model.load import load_model
    from nertool.model.provenance import describe_refit
    from nertool.training.run import last_best

    epoch, dev = last_best(folder)
    if as_json:
        print_json({"run_dir": str(folder), "epoch": epoch, "dev": dev})
        return
    if dev:
        epochs = ", ".join(map(str, epoch)) if isinstance(epoch, list) else str(epoch)
        plural = "s" if isinstance(epoch, list) else ""
        note("")
        note(f"Best on dev: epoch{plural} {epochs}, kept in {folder / 'best'}")
        note("")
        print(as_table(dev), flush=True)
        _note_calibration(folder)
        if told := describe_refit(load_model(folder).provenance):
            note(told)
    if is_quiet():
        return
    example = _show_summary(folder, prepared)
    _show_next_steps(source, settings, folder, example)


def _run_with_progress(settings: Config, prepared: Prepared, folder: Path, workers: int) -> None:
    """Run the epochs, with a progress bar on a terminal and a line for each epoch on stderr."""
    from tqdm import tqdm

    from nertool.training.divergence import Watch
    from nertool.training.run import run_training

    watch = Watch(settings, prepared.tags)
    epochs = settings.training.epochs
    with tqdm(
        total=len(prepared.train.word_ids),
        unit=" tokens",
        unit_scale=True,
        disable=True if is_quiet() else None,
        leave=False,
    ) as bar:
        last_f1 = ""

        def on_batch(windows: int, loss: float) -> None:
            bar.set_postfix_str(f"J {loss:.4f}{last_f1}", refresh=False)
            bar.update(windows)

        for name, record in run_training(settings, prepared, folder, workers, on_batch):
            bar.reset()
            watch.see(name, record)
            of = settings.first_stage.epochs if "first stage" in name else epochs
            # The number of epochs of the final fit was chosen on dev.
            final = name.startswith("refit") and "first stage" not in name
            line = _epoch_line(record, None if final else of)
            with tqdm.external_write_mode(file=sys.stderr):
                note(f"{name}: {line}" if name else line)
            last_f1 = f", dev F1 {100 * record.dev.f1:.2f}" if record.dev else ""
    for sign in watch.signs():
        note(f"WARNING: {sign}")


def _epoch_line(record: EpochRecord, epochs: int | None) -> str:
    of = f"{record.epoch:{len(str(epochs))}}/{epochs}" if epochs else str(record.epoch)
    dev = ""
    if record.dev is not None:
        dev = f"  dev F1 {100 * record.dev.f1:6.2f}{' *' if record.best else '  '}"
    return (
        f"epoch {of}  J {record.loss:.4f}{dev}  "
        f"{record.seconds:.1f} s, {record.tokens_per_second:,.0f} tokens/s"
    )


def _note_calibration(folder: Path) -> None:
    from nertool.model.calibrate import describe
    from nertool.model.load import load_model

    found = load_model(folder).provenance.get("calibration")
    if found:
        note(describe(found))


def _show_summary(folder: Path, prepared: Prepared) -> Example | None:
    """Print the errors and an example of the best model on dev; return the example sentence, if there is
    one."""
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
    """Print the most frequent errors on dev."""
    from nertool.training.summary import common_errors

    lines = common_errors(comparison)
    if lines:
        note("\nMost frequent errors on dev (gold → predicted):")
        for line in lines:
            note(f"  {line}")


def _show_example(example: Example) -> None:
    from nertool.formats.markup.inline import to_inline

    note("\nA sentence of dev, tagged:")
    print(f"\n  {to_inline(example.words, example.entities)}\n", flush=True)


def _show_next_steps(config: Path, settings: Config, folder: Path, example: Example | None) -> None:
    """Print the commands to try next, with a sentence of this task."""
    run = shlex.quote(str(folder))
    note("Next:")
    # A model of the final fit was trained on dev, too.
    texts = settings.corpus.test or (None if settings.training.refit else settings.corpus.dev)
    if texts:
        note(f"  nertool evaluate {run} {shlex.join(map(str, texts))} --errors errors.tsv")
    if example is not None:
        sentence = shlex.quote(" ".join(example.words))
        note(f"  echo {sentence} | nertool predict {run} -")
        # The sentence rarely starts with a dash, which would read as an option. A number can name any word.
        word = example.entities[0].start + 1 if example.entities else 1
        note(f"  nertool explain {run} {sentence} --word {word}")
    note(f"  nertool gradcheck {run if is_text(config) else shlex.quote(str(config))}")
