"""`nertool vectors convert`: convert a file of word vectors to another kind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nertool.cli.common.options import MAX_WORDS, check_choice, note
from nertool.cli.common.reading_options import with_reading_options
from nertool.cli.vectors.shared import (
    DTYPES,
    Dtype,
    Limit,
    Output,
    Trust,
    VectorsPath,
    WordsPath,
    check_not_the_input,
    count_words,
)

if TYPE_CHECKING:
    from nertool.formats.labelled import ReadingOptions
    from nertool.vectors.files.load import WordVectors

TARGETS = ("nertool", "word2vec", "text", "glove")


@with_reading_options(labelled=False)
def convert(
    vectors: VectorsPath,
    output: Output,
    to: Annotated[
        str,
        typer.Option(
            metavar="|".join(TARGETS),
            help="The kind of file. nertool: nertool's compact file. word2vec: word2vec's binary format. "
            "text: word2vec's text format. glove: the same without a header.",
        ),
    ] = "nertool",
    dtype: Dtype = "float32",
    limit: Limit = None,
    trust: Trust = False,
    words: WordsPath = None,
    subwords_of: Annotated[
        list[Path] | None,
        typer.Option(
            "--subwords-of",
            metavar="FILE",
            help="Compose vectors for words of this text that the file lacks (fastText, floret; "
            "repeatable).",
        ),
    ] = None,
    subwords: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=MAX_WORDS,
            metavar="N",
            help="Keep the N most frequent subwords. Training and tagging then compose vectors for "
            "words that the file lacks (fastText, floret).",
        ),
    ] = None,
    *,
    options: ReadingOptions,
) -> None:
    """Convert a file of word vectors.

    It reads word2vec, GloVe, fastText (.vec and .bin), floret, gensim's own files and numpy arrays.

    Examples:
        nertool vectors convert glove.6B.50d.txt --dtype float16 -o glove.vectors
        nertool vectors convert cc.de.300.bin --limit 200000 --subwords 100000 --dtype int8 -o de.vectors
    """
    check_choice("--to", to, TARGETS)
    check_choice("--dtype", dtype, DTYPES)
    if dtype != "float32" and to != "nertool":
        raise typer.BadParameter(
            f"--dtype {dtype}: only nertool's own files store it; leave out --to {to}"
        )
    check_not_the_input(vectors, output)

    from nertool.corpus.ledger import Ledger
    from nertool.vectors.files.sources import load_any

    if subwords is not None and to != "nertool":
        raise typer.BadParameter(
            f"--subwords: only nertool's own files store parts of words; leave out --to {to}"
        )
    extra = count_words(subwords_of or [], options, Ledger())
    loaded = load_any(vectors, limit, trust, words, list(extra), subwords)
    for line in loaded.notes:
        note(line)
    _write(output, loaded, to, dtype, {"source": vectors.name})
    note(
        f"{output}: {len(loaded.words):,} words of width {loaded.matrix.shape[1]} ({loaded.format})"
    )


def _write(path: Path, vectors: WordVectors, to: str, dtype: str, source: dict[str, str]) -> None:
    from nertool.errors import VectorsError

    if to == "nertool":
        from nertool.vectors.compact import write_compact

        write_compact(path, vectors.words, vectors.matrix, dtype, source, vectors.subwords)
        return
    if not vectors.words:
        raise VectorsError(
            f"{path}: found no word to write, expected some: a floret table has parts of words alone; add "
            "--subwords-of TEXT, or write nertool's own file"
        )
    from nertool.vectors.files.write import write_text, write_word2vec

    if to == "word2vec":
        write_word2vec(path, vectors.words, vectors.matrix)
    else:
        write_text(path, vectors.words, vectors.matrix, header=to == "text")
