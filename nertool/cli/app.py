"""`nertool`: its commands."""

from __future__ import annotations

from typing import Annotated

import typer

from nertool.cli import (
    compare,
    distil,
    evaluate,
    explain,
    gradcheck,
    info,
    init,
    lesson,
    predict,
    sweep,
    train,
    vectors,
)
from nertool.cli.common.boundary import run_guarded
from nertool.cli.common.help import Command
from nertool.cli.corpus import check as corpus_check
from nertool.cli.corpus import convert as corpus_convert
from nertool.cli.corpus import split as corpus_split
from nertool.cli.corpus import stats as corpus_stats
from nertool.cli.corpus import suspects
from nertool.version import __version__

app = typer.Typer(
    name="nertool",
    help="Train a named-entity recogniser on your own labels, in seconds on a CPU; tag text; "
    "prove its gradients.",
    epilog="To begin: nertool init my-project, and train what it lays there.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(asked: bool) -> None:
    if asked:
        from nertool.kernels.library import compiled

        print(f"nertool {__version__}, {'with' if compiled() else 'without'} compiled kernels")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version, and exit."
        ),
    ] = False,
) -> None:
    """Hold the options that stand before a command."""


# The short helps fit the list of commands; each function's docstring is its own help's text.
app.command("init", cls=Command, short_help="Lay the sample's configs and data into a folder.")(
    init.init
)
app.command("prepare", cls=Command, short_help="Encode corpus and vectors: stage 1 of train.")(
    train.prepare
)
app.command("train", cls=Command, short_help="Train a recogniser, and keep the best on dev.")(
    train.train
)
app.command("distil", cls=Command, short_help="Train a fast model on what a large one says.")(
    distil.distil
)
app.command("sweep", cls=Command, short_help="Train with other seeds and settings, and compare.")(
    sweep.sweep
)
app.command("evaluate", cls=Command, short_help="Compare a model with a labelled text.")(
    evaluate.evaluate
)
app.command("compare", cls=Command, short_help="Tell whether one model is better than another.")(
    compare.compare
)
app.command("predict", cls=Command, short_help="Tag text in any format.")(predict.predict)
app.command("info", cls=Command, short_help="Say what a model knows, and how good it is.")(
    info.info
)
app.command("explain", cls=Command, short_help="Work one decision by hand, and say why.")(
    explain.explain
)
app.command("gradcheck", cls=Command, short_help="Prove every gradient, by differences.")(
    gradcheck.gradcheck
)

corpus_app = typer.Typer(
    help="Look after labelled text.", no_args_is_help=True, rich_markup_mode=None
)
corpus_app.command("convert", cls=Command, short_help="Between formats and tag schemes.")(
    corpus_convert.convert
)
corpus_app.command("check", cls=Command, short_help="Find faults before training.")(
    corpus_check.check
)
corpus_app.command("stats", cls=Command, short_help="Count words and entities.")(corpus_stats.stats)
corpus_app.command("split", cls=Command, short_help="Into train, dev and test, by document.")(
    corpus_split.split
)
corpus_app.command("suspects", cls=Command, short_help="List labels that are probably wrong.")(
    suspects.suspects
)
app.add_typer(corpus_app, name="corpus")

vectors_app = typer.Typer(
    help="Describe, prune, convert and train word vectors.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
vectors_app.command(
    "info", cls=Command, short_help="What a file holds, and what it knows of a text."
)(vectors.info)
vectors_app.command("prune", cls=Command, short_help="Keep a corpus' words and the most frequent.")(
    vectors.prune
)
vectors_app.command("convert", cls=Command, short_help="Between kinds of files.")(vectors.convert)
vectors_app.command("train", cls=Command, short_help="Train vectors on your own text.")(
    vectors.train
)
app.add_typer(vectors_app, name="vectors")

lesson_app = typer.Typer(
    help="Write a backward pass yourself, and have it checked.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
lesson_app.command("init", cls=Command, short_help="Lay out the coursework.")(lesson.init)
lesson_app.command("check", cls=Command, short_help="Grade it, with hints.")(lesson.check)
app.add_typer(lesson_app, name="lesson")


def main() -> None:
    """Run the command line. Exit 0: done; 1: failed, with one line that says why; 2: misused; 130, 143
    and 129: ended by Ctrl-C, SIGTERM and SIGHUP."""
    run_guarded(app)
