"""`nertool vectors prune`: keep the words of a corpus and the most frequent ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from nertool.cli.common.account import ReportPath, account
from nertool.cli.common.options import MAX_WORDS, check_choice, note
from nertool.cli.common.reading_options import with_reading_options
from nertool.cli.vectors.shared import (
    DTYPES,
    Corpora,
    Dtype,
    Output,
    VectorsPath,
    check_not_the_input,
    count_words,
)

if TYPE_CHECKING:
    from nertool.formats.labelled import ReadingOptions


@with_reading_options(labelled=False)
def prune(
    vectors: VectorsPath,
    output: Output,
    corpus: Corpora = None,
    top: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=MAX_WORDS,
            metavar="N",
            help="Also keep the first N words, which are the most frequent ones.",
        ),
    ] = None,
    dtype: Dtype = "float32",
    *,
    options: ReadingOptions,
    report: ReportPath = None,
) -> None:
    """Reduce a file of word vectors to the words of a corpus and the most frequent words.

    The new file loads in milliseconds.

    Examples:
        nertool vectors prune glove.txt --corpus train.conll --top 50000 -o small.vectors
    """
    check_choice("--dtype", dtype, DTYPES)
    if not corpus and top is None:
        raise typer.BadParameter("prune keeps what you name: give --corpus FILE, --top N, or both")
    check_not_the_input(vectors, output)

    from nertool.vectors.compact import file_size, write_compact
    from nertool.vectors.prune import prune as pruned

    with account(report, output, *(corpus or [])) as ledger:
        counts = count_words(corpus or [], options, ledger)
    kept = pruned(vectors, counts, 0 if top is None else top)
    for line in kept.notes:
        note(line)
    source = {"source": vectors.name, "sha256": kept.sha256}
    write_compact(output, kept.words, kept.matrix, dtype, source, kept.subwords)
    note(
        f"{output}: kept {len(kept.words):,} of {kept.rows_read:,} words ({dtype}, "
        f"{file_size(output) / 1e6:.1f} MB of {file_size(vectors) / 1e6:.1f} MB)"
    )
