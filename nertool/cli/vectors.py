"""`nertool vectors`: describe, prune, convert and train word vectors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nertool.cli.common.account import ReportPath, account
from nertool.cli.common.options import (
    MAX_WORDS,
    AsJson,
    check_choice,
    note,
    print_json,
)
from nertool.cli.common.reading_options import with_reading_options
from nertool.cli.common.verbosity import is_quiet

if TYPE_CHECKING:
    from nertool.corpus.ledger import Ledger
    from nertool.formats.labelled import ReadingOptions
    from nertool.vectors.files.load import WordVectors

DTYPES = ("float32", "float16", "int8")
TARGETS = ("nertool", "word2vec", "text", "glove")

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
        counts = _counts([path], options, Ledger())
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
    case = "lower case alone" if result["case"] == "lower" else "upper and lower case"
    share = f"{100 * result['share_with_capitals']:.1f} %"
    yield f"  letters: {case} ({share} of the frequent words have capitals)"
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
    _not_the_input(vectors, output)

    from nertool.vectors.compact import file_size, write_compact
    from nertool.vectors.prune import prune as pruned

    with account(report, output, *(corpus or [])) as ledger:
        counts = _counts(corpus or [], options, ledger)
    kept = pruned(vectors, counts, 0 if top is None else top)
    for line in kept.notes:
        note(line)
    source = {"source": vectors.name, "sha256": kept.sha256}
    write_compact(output, kept.words, kept.matrix, dtype, source, kept.subwords)
    note(
        f"{output}: kept {len(kept.words):,} of {kept.rows_read:,} words ({dtype}, "
        f"{file_size(output) / 1e6:.1f} MB of {file_size(vectors) / 1e6:.1f} MB)"
    )


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
            help="Keep the N most used parts of words. Training and tagging then compose vectors for words "
            "that the file lacks (fastText, floret).",
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
    _not_the_input(vectors, output)

    from nertool.corpus.ledger import Ledger
    from nertool.vectors.files.sources import load_any

    if subwords is not None and to != "nertool":
        raise typer.BadParameter(
            f"--subwords: only nertool's own files store parts of words; leave out --to {to}"
        )
    extra = _counts(subwords_of or [], options, Ledger())
    loaded = load_any(vectors, limit, trust, words, list(extra), subwords)
    for line in loaded.notes:
        note(line)
    _write(output, loaded, to, dtype, {"source": vectors.name})
    note(
        f"{output}: {len(loaded.words):,} words of width {loaded.matrix.shape[1]} ({loaded.format})"
    )


@with_reading_options(labelled=False)
def train(
    texts: Annotated[list[Path], typer.Argument(metavar="TEXT", help="Raw or labelled texts.")],
    output: Output,
    kind: Annotated[
        str,
        typer.Option(
            metavar="word2vec|fasttext|ppmi",
            help="The algorithm. fasttext also learns from parts of words. ppmi counts neighbours, for short "
            "texts.",
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
            help="Keep the N most used parts of words, so that training and tagging compose vectors of words "
            "that the text lacks (fasttext).",
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

    The text is divided into words as predict divides it.

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


def _counts(paths: Sequence[Path], options: ReadingOptions, ledger: Ledger) -> dict[str, int]:
    """Count the words of some texts."""
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


def _not_the_input(source: Path, output: Path) -> None:
    import os

    if os.path.realpath(source) == os.path.realpath(output):
        raise typer.BadParameter(
            f"--output: {output} is the file that is read; choose another name"
        )
