"""`nertool vectors train`: train word vectors on your own text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nertool.cli.common.account import ReportPath, account
from nertool.cli.common.options import MAX_WORDS, check_choice, note
from nertool.cli.common.reading_options import with_reading_options
from nertool.cli.common.verbosity import is_quiet
from nertool.cli.vectors.shared import Output

if TYPE_CHECKING:
    from nertool.corpus.ledger import Ledger
    from nertool.formats.labelled import ReadingOptions


@with_reading_options(labelled=False)
def train(
    texts: Annotated[list[Path], typer.Argument(metavar="TEXT", help="Raw or labelled texts.")],
    output: Output,
    kind: Annotated[
        str,
        typer.Option(
            metavar="word2vec|fasttext|ppmi",
            help="The algorithm. fasttext also learns from subwords. ppmi counts neighbouring words; "
            "it suits short texts.",
        ),
    ] = "word2vec",
    width: Annotated[
        int, typer.Option(min=1, max=2000, help="The number of values in a vector.")
    ] = 50,
    epochs: Annotated[int, typer.Option(min=1, max=1000, help="Passes over the text.")] = 5,
    window: Annotated[
        int, typer.Option(min=1, max=100, help="The number of words of context on either side.")
    ] = 5,
    min_count: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="Leave out words that occur less often.")
    ] = 3,
    phrases: Annotated[
        bool,
        typer.Option("--phrases", help="Join words that often occur together, such as New_York."),
    ] = False,
    lower: Annotated[
        bool, typer.Option("--lower", help="Convert the text to lower case first.")
    ] = False,
    subwords: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=MAX_WORDS,
            metavar="N",
            help="Keep the N most frequent subwords, so that training and tagging can compose vectors "
            "for words that the text lacks (fasttext).",
        ),
    ] = None,
    workers: Annotated[
        int,
        typer.Option(
            min=1,
            max=256,
            help="The number of threads. With more than one, results differ slightly.",
        ),
    ] = 1,
    seed: Annotated[
        int,
        typer.Option(
            min=0,
            max=2**32 - 1,
            help="The seed. The same seed gives the same vectors, with one thread.",
        ),
    ] = 1,
    *,
    options: ReadingOptions,
    report: ReportPath = None,
) -> None:
    """Train word vectors on your own text, with gensim.

    The text is tokenised as in predict.

    Examples:
        nertool vectors train mails/*.txt -o mails.vectors
    """
    check_choice("--kind", kind, ("word2vec", "fasttext", "ppmi"))
    if subwords is not None and kind != "fasttext":
        raise typer.BadParameter(
            "--subwords: only fastText has parts of words; add --kind fasttext"
        )

    from nertool.vectors.compact import write_compact
    from nertool.vectors.train import Settings

    epochs = 1 if kind == "ppmi" else epochs
    settings = Settings(
        kind, width, epochs, window, min_count, 5, phrases, lower, workers, seed, subwords or 0
    )
    with account(report, output, *texts) as ledger:
        words, matrix, _, _, parts = _trained(texts, options, ledger, settings)
    source = {"source": f"trained by nertool: {kind}"}
    write_compact(output, words, matrix, "float32", source, parts)
    note(f"{output}: {len(words):,} words of width {width}; the nearest of some frequent words:")
    from nertool.vectors.info import nearest

    for word in [word for word in words[:2000] if word.isalpha() and len(word) > 3][:5]:
        shown = ", ".join(other for other, _ in (nearest(words, matrix, word, 5) or []))
        note(f"  {word}: {shown}")


def _trained(texts: Sequence[Path], options: ReadingOptions, ledger: Ledger, settings: Any) -> Any:
    """Train on texts, with a progress bar."""
    from tqdm import tqdm

    from nertool.corpus.record import Reading
    from nertool.vectors.raw_text import train_on_texts

    with tqdm(total=settings.epochs, unit="epoch", disable=True if is_quiet() else None) as bar:

        def advance(epoch: int, of: int) -> None:
            bar.update(1)

        return train_on_texts(
            texts, options.format_name, options.reading(Reading()), settings, ledger, note, advance
        )
