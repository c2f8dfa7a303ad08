"""The command `nertool` and the list of its subcommands."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from nertool.cli.common.boundary import run_guarded
from nertool.cli.common.groups import Entry, Group, command_of
from nertool.version import __version__

# A command's function is imported when the command is used. Its docstring is its help text. The summaries
# here are for the list of commands.
CORPUS = {
    "Commands": {
        "check": Entry("Find faults before training.", "corpus.check.check"),
        "convert": Entry("Convert between formats and tag schemes.", "corpus.convert.convert"),
        "stats": Entry("Count documents, words and entities.", "corpus.stats.stats"),
        "split": Entry("Split into train, dev and test, by document.", "corpus.split.split"),
        "suspects": Entry("List labels that are probably wrong.", "corpus.suspects.suspects"),
    }
}
VECTORS = {
    "Commands": {
        "info": Entry(
            "Describe a file, and count the words of a text it has.", "vectors.info.info"
        ),
        "prune": Entry(
            "Keep the words of a corpus and the most frequent words.", "vectors.prune.prune"
        ),
        "convert": Entry("Convert between kinds of files.", "vectors.convert.convert"),
        "train": Entry("Train vectors on your own text.", "vectors.train.train"),
    }
}
LESSON = {
    "Commands": {
        "init": Entry("Write the coursework into a new folder.", "lesson.init"),
        "check": Entry("Grade the coursework, with hints.", "lesson.check"),
    }
}
CONFIG = {
    "Commands": {
        "show": Entry("Print every key, and where its value is set.", "training.config.show"),
        "check": Entry("Check a config and its files, without training.", "training.config.check"),
    }
}
SECTIONS = {
    "Train": {
        "init": Entry(
            "Write sample configs and data, or a config for your text.", "training.init.init"
        ),
        "train": Entry("Train a recogniser on labelled text.", "training.train.train"),
        "prepare": Entry(
            "Read and encode text and vectors, without training.", "training.train.prepare"
        ),
        "sweep": Entry(
            "Train with several seeds or settings, and compare.", "training.sweep.sweep"
        ),
        "config": Entry("Show a config with all its keys, or check it.", commands=CONFIG),
        "distil": Entry(
            "Train a small, fast model on a large one's predictions.", "training.distil.distil"
        ),
    },
    "Use": {
        "predict": Entry("Tag text in any format.", "predict.predict"),
        "explain": Entry("Show one decision, step by step.", "explain.explain"),
        "info": Entry("Show a model's classes, settings, size and scores.", "models.info.info"),
        "compress": Entry(
            "Make a model smaller, and show how F1 changes.", "models.compress.compress"
        ),
        "pack": Entry("Copy a model into one file.", "models.compress.pack"),
        "export": Entry("Write a model as an ONNX graph.", "models.export.export"),
    },
    "Measure": {
        "evaluate": Entry("Measure a model on labelled text.", "measuring.evaluate.evaluate"),
        "compare": Entry(
            "Test whether one model is better than another.", "measuring.compare.compare"
        ),
        "plot": Entry(
            "Draw a run: epochs, confusions, calibration, vectors.", "measuring.plot.plot"
        ),
        "learning-curve": Entry(
            "Estimate whether more labels would help.", "measuring.learning_curve.learning_curve"
        ),
        "suggest": Entry("Choose the texts to label next.", "measuring.suggest.suggest"),
        "gradcheck": Entry("Check every gradient numerically.", "measuring.gradcheck.gradcheck"),
    },
    "Data": {
        "corpus": Entry("Check, convert, count and split labelled text.", commands=CORPUS),
        "vectors": Entry("Describe, prune, convert and train word vectors.", commands=VECTORS),
    },
    "Learn": {
        "lesson": Entry("Write a backward pass yourself, and check it.", commands=LESSON),
    },
}


def _show_version(asked: bool) -> None:
    if asked:
        from nertool.kernels.library import compiled

        print(f"nertool {__version__}, {'with' if compiled() else 'without'} compiled kernels")
        raise typer.Exit


def _install_completion(asked: bool) -> None:
    if asked:
        from nertool.cli.common.completion import install

        install(asked)


def _show_completion(asked: bool) -> None:
    if asked:
        from nertool.cli.common.completion import show

        show(asked)


def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_show_version,
            is_eager=True,
            expose_value=False,
            help="Show the version, and exit.",
        ),
    ] = False,
    install_completion: Annotated[
        bool,
        typer.Option(
            "--install-completion",
            callback=_install_completion,
            is_eager=True,
            expose_value=False,
            help="Install completion of commands, options and config keys for bash, zsh or fish.",
        ),
    ] = False,
    show_completion: Annotated[
        bool,
        typer.Option(
            "--show-completion",
            callback=_show_completion,
            is_eager=True,
            expose_value=False,
            help="Print the completion script instead of installing it.",
        ),
    ] = False,
) -> None:
    """Declare the options before a command."""


app = Group(
    name="nertool",
    help="Train a named-entity recogniser on your own labels, in seconds on a CPU, and tag text with it.",
    epilog="""\
To begin: nertool init my-project

Exit codes: 0 done; 1 failed, and one line on stderr says why; 2 wrong command
line; 130, 143, 129 ended by Ctrl-C, SIGTERM, SIGHUP. NO_COLOR=1 turns colours
off.""",
    params=command_of(_options, "nertool").params,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    sections=SECTIONS,
)


def main() -> None:
    """Run the command line.

    Exit codes: 0 done; 1 failed, with one line that says why; 2 wrong usage; 130, 143 and 129 ended by
    Ctrl-C, SIGTERM and SIGHUP.
    """
    if shell := os.environ.get("_NERTOOL_COMPLETE"):
        from nertool.cli.common.completion import LINE, print_candidates

        print_candidates(app, shell, os.environ.get(LINE, ""))
        return
    run_guarded(app)
