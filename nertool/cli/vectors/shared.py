"""Options and functions that the commands on word vectors share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nertool.cli.common.options import MAX_WORDS, note

if TYPE_CHECKING:
    from nertool.corpus.ledger import Ledger
    from nertool.formats.labelled import ReadingOptions

DTYPES = ("float32", "float16", "int8")

VectorsPath = Annotated[
    Path, typer.Argument(metavar="VECTORS", help="A file of word vectors, of any kind.")
]
Output = Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The file to write.")]
Corpora = Annotated[
    list[Path] | None,
    typer.Option(
        "--corpus", metavar="FILE", help="A text, labelled or raw, in any format (repeatable)."
    ),
]
Dtype = Annotated[
    str,
    typer.Option(
        metavar="|".join(DTYPES),
        help="How values are stored. float16 takes half the space of float32, int8 a quarter.",
    ),
]
Limit = Annotated[
    int | None,
    typer.Option(min=1, max=MAX_WORDS, metavar="N", help="Read only the first N words."),
]
Trust = Annotated[
    bool,
    typer.Option("--trust", help="Read gensim's own files, which are pickles and could run code."),
]
WordsPath = Annotated[
    Path | None,
    typer.Option("--words", metavar="FILE", help="The words of a .npy array: one on each line."),
]


def count_words(paths: Sequence[Path], options: ReadingOptions, ledger: Ledger) -> dict[str, int]:
    """Count the words of texts."""
    from collections import Counter

    counts: Counter[str] = Counter()
    if paths:
        from nertool.corpus.record import Reading
        from nertool.formats.sentences import read_sentences

        reading = options.reading(Reading())
        for path in paths:
            for sentence in read_sentences(path, options.format_name, reading, ledger, note):
                counts.update(sentence)
    return counts


def check_not_the_input(source: Path, output: Path) -> None:
    """Refuse an output that is the input. Errors: typer.BadParameter."""
    import os

    if os.path.realpath(source) == os.path.realpath(output):
        raise typer.BadParameter(
            f"--output: {output} is the file that is read; choose another name"
        )
