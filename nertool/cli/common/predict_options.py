"""The options of `nertool predict`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nertool.catalogue import NER_KEYS, OUTPUT_FORMATS, SCHEMES
from nertool.cli.common.help import INPUT, OUTPUT
from nertool.files.limits import MAX_N_BEST, MAX_WORKERS

ON_ERROR = ("fail", "report", "skip")
ENGINES = ("local", "spark")

Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE...",
        help="Files, patterns such as 'in/**/*.txt', or folders (with --out-dir); - for standard input.",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        rich_help_panel=OUTPUT,
        help="The file to write [default: standard output].",
    ),
]
OutDir = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        rich_help_panel=OUTPUT,
        help="Write one output for each input into this folder, in the same subfolders. Existing "
        "outputs are left unchanged.",
    ),
]
To = Annotated[
    str | None,
    typer.Option(
        metavar="|".join(OUTPUT_FORMATS),
        rich_help_panel=OUTPUT,
        help="The format of the output. conll: a column of tags; inline: [Ada Lovelace](PER) [default: "
        "the input's own format; inline for plain text, jsonl for formats that can't be written].",
    ),
]
Scheme = Annotated[
    str | None,
    typer.Option(
        metavar="|".join(SCHEMES),
        rich_help_panel=OUTPUT,
        help="The tag scheme of the output [default: that of the training text].",
    ),
]
ReplaceTags = Annotated[
    bool,
    typer.Option(
        "--replace",
        rich_help_panel=OUTPUT,
        help="Replace the column of tags instead of adding one (conll).",
    ),
]
Probabilities = Annotated[
    bool,
    typer.Option(
        "--probabilities",
        rich_help_panel=OUTPUT,
        help="Add a column of probabilities to CoNLL columns. JSON, Parquet, Label Studio, DocBin, spans "
        "and HTML always have them.",
    ),
]
MinProbability = Annotated[
    str | None,
    typer.Option(
        metavar="P|LABEL=P,...|tuned",
        rich_help_panel=OUTPUT,
        help="Leave out entities with a lower probability: 0.5 for all; PER=0.6,LOC=0.4 by label; "
        "tuned: the thresholds that evaluate --tune-thresholds stored in the model.",
    ),
]
NBest = Annotated[
    int,
    typer.Option(
        min=1,
        max=MAX_N_BEST,
        metavar="K",
        rich_help_panel=OUTPUT,
        help="Write the K most probable analyses of each sentence (JSON).",
    ),
]
Marginals = Annotated[
    bool,
    typer.Option(
        "--marginals",
        rich_help_panel=OUTPUT,
        help="Write the probability of each tag for each token (JSON).",
    ),
]
Tokens = Annotated[
    bool,
    typer.Option(
        "--tokens",
        rich_help_panel=OUTPUT,
        help="Write the positions of tokens and sentences (JSON).",
    ),
]
PredictWorkers = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=MAX_WORKERS,
        metavar="N",
        help="The number of processes that tag a long text in parallel [default: the number of cores].",
        show_default=False,
    ),
]
OnError = Annotated[
    str,
    typer.Option(
        metavar="|".join(ON_ERROR),
        rich_help_panel=INPUT,
        help="What to do with an input that can't be read. fail: stop. report: continue, and exit with "
        "1 at the end. skip: continue, and exit with 0.",
    ),
]
RulesFile = Annotated[
    Path | None,
    typer.Option(
        "--rules",
        metavar="FILE",
        help="Phrases that are always an entity, or never one. Each line has a phrase, a tab, and its "
        "class, or O for no entity.",
    ),
]
Engine = Annotated[
    str,
    typer.Option(
        metavar="|".join(ENGINES),
        help="Where to tag. local: on this machine. spark: on Apache Spark, from Parquet to a folder "
        "of Parquet (the last FILE, or --output). An interrupted job continues where it stopped.",
    ),
]
Master = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Spark's master, such as spark://host:7077 or local[4]. Without it, local[*]: all cores "
        "of this machine.",
    ),
]
MaxCharacters = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=1_000_000_000,
        metavar="N",
        help="Do not tag longer texts, but put them in quarantine (--engine spark) [default: 10000000].",
        show_default=False,
    ),
]
NerKey = Annotated[
    str | None,
    typer.Option(
        metavar="|".join(NER_KEYS),
        rich_help_panel=OUTPUT,
        help="The key of tags in CoNLL-U's MISC; spacy convert reads NE and name [default: the input's own, "
        "or NER].",
    ),
]
