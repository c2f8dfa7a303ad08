"""`nertool evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nertool.cli.options import AsJson, ModelPath, note, print_json
from nertool.files import open_input

Column = Annotated[
    int | None,
    typer.Option(help="The column, from 0; -1 is the last [default: as the model was trained]"),
]


def evaluate(
    model: ModelPath,
    corpus: Annotated[
        Path,
        typer.Argument(metavar="CORPUS", help="A labelled text in CoNLL columns; - for stdin."),
    ],
    token_column: Column = None,
    tag_column: Column = None,
    as_json: AsJson = False,
) -> None:
    """Tag a labelled text, and compare: precision, recall, F1 and accuracy, as conlleval counts them."""
    from nertool.corpus.conll import Columns, decode_lines, parse_conll
    from nertool.corpus.schemes import keep_labels
    from nertool.evaluation.report import as_dict, as_table
    from nertool.tagging.evaluate import evaluate_corpus
    from nertool.tagging.storage import load_model

    loaded = load_model(model)
    settings = loaded.config.corpus
    columns = Columns(
        settings.token_column if token_column is None else token_column,
        settings.tag_column if tag_column is None else tag_column,
        settings.comment,
    )
    with open_input(corpus) as (stream, source):
        labelled = parse_conll(decode_lines(stream, source), columns, source)
    if settings.labels:
        labelled = keep_labels(labelled, settings.labels, note)
    measures = as_dict(evaluate_corpus(loaded, labelled, note))
    if as_json:
        print_json(measures)
    else:
        print(as_table(measures))
