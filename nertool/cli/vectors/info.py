"""`nertool vectors info`: describe a file of word vectors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nertool.cli.common.options import AsJson, print_json
from nertool.cli.common.reading_options import with_reading_options
from nertool.cli.vectors.shared import Corpora, Limit, Trust, VectorsPath, WordsPath, count_words

if TYPE_CHECKING:
    from nertool.formats.labelled import ReadingOptions


@with_reading_options(labelled=False)
def info(
    vectors: VectorsPath,
    corpus: Corpora = None,
    like: Annotated[
        str | None, typer.Option(metavar="WORD", help="Show the words nearest to this one.")
    ] = None,
    limit: Limit = None,
    trust: Trust = False,
    words: WordsPath = None,
    *,
    options: ReadingOptions,
    as_json: AsJson = False,
) -> None:
    """Describe a file of word vectors: its size, spelling, norms and nearest words.

    With --corpus, it also says how many words of a text have a vector.

    Examples:
        nertool vectors info glove.6B.50d.txt --like paris --corpus train.conll
    """
    from nertool.config.records import Config
    from nertool.corpus.ledger import Ledger
    from nertool.vectors.files.sources import load_any
    from nertool.vectors.info import describe, known_words, nearest, reasons

    loaded = load_any(vectors, limit, trust, words)
    described = {"file": str(vectors), "format": loaded.format} | describe(
        loaded.words, loaded.matrix
    )
    described["notes"] = list(loaded.notes)
    table = loaded.subwords
    described["subwords"] = 0 if table is None else len(table.rows)
    result: dict[str, Any] = dict(described)
    if like is not None:
        result["nearest"] = nearest(loaded.words, loaded.matrix, like)
    vocabulary = {word: i for i, word in enumerate(loaded.words)}
    result["coverage"] = []
    for path in corpus or []:
        counts = count_words([path], options, Ledger())
        known = known_words(vocabulary, counts, Config().vectors.lookup, table)
        result["coverage"].append(
            {
                "text": str(path),
                "tokens": known.tokens,
                "share": None if known.share is None else round(known.share, 4),
                "steps": known.steps,
                "further_steps": known.more,
                "unknown": known.unknown[:20],
                "reasons": reasons(known, described),
            }
        )
    if as_json:
        print_json(result)
    else:
        print("\n".join(_info_lines(result, like)))


def _info_lines(result: dict[str, Any], like: str | None) -> Iterator[str]:
    norms = result["norms"]
    yield f"{result['file']}: {result['format']}, {result['words']:,} words of width {result['width']}"
    case = "lower case only" if result["case"] == "lower" else "upper and lower case"
    share = f"{100 * result['share_with_capitals']:.1f} %"
    yield f"  case: {case} ({share} of the frequent words have capitals)"
    yield f"  norms: {norms['least']} to {norms['largest']}, median {norms['median']}"
    if result["subwords"]:
        yield f"  parts of words: {result['subwords']:,} rows, which compose vectors of further words"
    for line in [*result["notes"], *(finding["message"] for finding in result["findings"])]:
        yield f"  {line}"
    if like is not None:
        found = result["nearest"]
        shown = ", ".join(f"{word} {cosine:.2f}" for word, cosine in found or [])
        yield f"  nearest to {like}: {shown or 'no vector for it'}"
    for text in result["coverage"]:
        share = "no token" if text["share"] is None else f"{100 * text['share']:.1f} % of"
        steps = ", ".join(f"{count:,} {step}" for step, count in text["steps"].items() if count)
        yield f"{text['text']}: {share} {text['tokens']:,} tokens have a vector ({steps})"
        if text["unknown"]:
            shown = ", ".join(f"{word} ({count:,})" for word, count in text["unknown"][:8])
            yield f"  unknown most often: {shown}"
        for step, count in text["further_steps"].items():
            yield f"  {count:,} more would have one with the step {step} in vectors.lookup"
        for reason in text["reasons"]:
            yield f"  {reason}"
