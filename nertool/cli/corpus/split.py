"""`nertool corpus split`."""

from __future__ import annotations

import re
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nertool.cli.common.account import ReportPath, account
from nertool.cli.common.options import (
    MAX_SEED,
    note,
)
from nertool.cli.common.reading_options import with_reading_options

if TYPE_CHECKING:
    from nertool.formats.labelled import ReadingOptions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nertool.corpus.columnar import Corpus

    Ids = NDArray[Any]

PACKED = (".gz", ".bz2", ".xz", ".zst")  # the parts are written uncompressed
_BY_LINES = ("conll", "conllu", "jsonl", "inline")


@with_reading_options(misaligned="drop")
def split(
    path: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A labelled text in a format of lines; - for stdin."),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="FOLDER",
            help="A new folder, with one file for each part, such as train.conll.",
        ),
    ],
    options: ReadingOptions,
    parts: Annotated[
        str, typer.Option(metavar="NAME=SHARE,…", help="The names of the parts, and their shares.")
    ] = "train=0.8,dev=0.1,test=0.1",
    seed: Annotated[
        int, typer.Option(min=0, max=MAX_SEED, help="The seed of the random split.")
    ] = 1,
    by_sentence: Annotated[
        bool,
        typer.Option(
            "--by-sentence",
            help="Split by sentence, for texts that do not mark documents.",
        ),
    ] = False,
    report: ReportPath = None,
) -> None:
    """Split labelled text into parts, by document.

    Each part gets its share of the entities of every class. Lines are copied unchanged. A header that names
    columns is copied into every part.

    Examples:
        nertool corpus split all.conll -o parts
        nertool corpus split all.jsonl -o parts --parts train=0.9,dev=0.1 --seed 2
    """
    names, shares = _parts_of(parts)

    import numpy as np

    from nertool.corpus.blocks import read_blocks
    from nertool.corpus.build import entities_of
    from nertool.corpus.ledger import counted
    from nertool.corpus.parts.split import line_units, split_units
    from nertool.corpus.record import Reading
    from nertool.errors import CorpusError
    from nertool.files.encodings import as_utf8
    from nertool.files.folders import free_folder, replacing_folder
    from nertool.files.safe import open_input
    from nertool.formats.labelled import read_labelled_opened
    from nertool.formats.opening import open_stream
    from nertool.formats.read import with_labels_needed

    free_folder(output)
    with account(report, path) as ledger:
        reading = options.reading(Reading(misaligned="drop", needs_labels=True))
        with open_input(path) as (stream, source):
            raw = as_utf8(stream.read(), reading.encoding, source)
        reading = replace(reading, encoding=None)
        opened = open_stream(BytesIO(raw), source, options.format_name, reading)
        opened = with_labels_needed(opened)
        found = opened.format.name
        if found not in _BY_LINES:
            raise CorpusError(
                f"{source}: found {found}, expected a format in lines ({', '.join(_BY_LINES)}); "
                "first: nertool corpus convert --to jsonl"
            )
        corpus = read_labelled_opened(opened, reading, ledger, note)
        what = "sentences" if by_sentence else "documents"
        units = corpus.sentences if by_sentence else corpus.documents
        if units < len(names):
            raise CorpusError(
                f"{source}: found {counted(units, what)}, expected at least {len(names)}, one a part; "
                + ("name fewer --parts" if by_sentence else "or use --by-sentence")
            )
        spans = entities_of(corpus)
        part_of = split_units(corpus, spans, shares, seed, by_sentence)
        lines = [line for block in read_blocks(BytesIO(raw), source) for line in block.lines]
        part_of_line = part_of[line_units(corpus, lines, by_sentence)]
        suffix = _suffix(path, opened.format.ending)
        header = opened.columns(reading, lambda line: None).header if opened.in_columns else 0
        with replacing_folder(output) as folder:
            for i, name in enumerate(names):
                own = [lines[j] for j in np.flatnonzero(part_of_line == i)]
                if header and part_of_line[header - 1] != i:  # every part needs the columns' names
                    own.insert(0, lines[header - 1])
                text = "".join(f"{line}\n" for line in own)
                (folder / f"{name}{suffix}").write_text(text, encoding="utf-8", newline="")
        starts = (
            np.arange(corpus.sentences + 1) if by_sentence else np.unique(corpus.document_starts)
        )
        _warn_of_copies(corpus, starts, part_of, by_sentence)
        token_starts = corpus.sentence_starts[starts]
        unit_of = np.searchsorted(token_starts, spans.starts, side="right") - 1
        for i, name in enumerate(names):
            counts = np.bincount(
                spans.labels[part_of[unit_of] == i], minlength=len(spans.label_names)
            )
            shown = ", ".join(
                f"{label} {n:,}" for label, n in zip(spans.label_names, counts, strict=True)
            )
            tokens = int(np.diff(token_starts)[part_of == i].sum())
            note(
                f"{output / (name + suffix)}: {counted(int((part_of == i).sum()), what)}, "
                f"{counted(tokens, 'tokens')}; {shown}"
            )


def _suffix(path: Path, ending: str) -> str:
    """Return the file extension of the parts: the input's own, without that of a compression."""
    while path.suffix.lower() in PACKED:
        path = path.with_suffix("")
    return path.suffix if path.suffix[1:].isalpha() else ending


def _warn_of_copies(corpus: Corpus, starts: Ids, part_of: Ids, by_sentence: bool) -> None:
    """Warn of documents that are in several parts, as copies or with their sentences divided between the
    parts.

    starts: (units + 1,) the first sentence of each unit, and the end.
    """
    import numpy as np

    from nertool.corpus.parts.overlap import copies_apart

    what = "sentences" if by_sentence else "documents"
    copies = copies_apart(corpus, corpus.sentence_starts[starts].tolist(), part_of)
    if copies:
        note(
            f"WARNING: {copies:,} {what} stand in more than one part, as copies of one another: scores on "
            "dev and test will be too high; nertool corpus check lists them"
        )
    if by_sentence and corpus.documents > 1:
        edges = np.unique(corpus.document_starts)
        divided = sum(
            len(set(part_of[a:b].tolist())) > 1
            for a, b in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
        )
        if divided:
            note(
                f"WARNING: {divided:,} of {len(edges) - 1:,} documents are divided between the parts: names "
                "of the test part are known from training; leave out --by-sentence"
            )


def _parts_of(text: str) -> tuple[list[str], list[float]]:
    names, shares = [], []
    for entry in text.split(","):
        name, equals, share = entry.strip().partition("=")
        try:
            value = float(share)
        except ValueError:
            value = 0.0
        if (
            not equals
            or not re.fullmatch(r"\w[\w-]*", name)
            or not 0 < value < float("inf")
            or name in names
        ):
            raise typer.BadParameter(
                f"--parts: found {entry.strip()}, expected names and shares, such as train=0.8,dev=0.2"
            )
        names.append(name)
        shares.append(value)
    return names, shares
