"""Read labelled text for training and evaluation, with the options of a config or a command."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from nertool.catalogue import AUTO
from nertool.config.inputs import CorpusConfig
from nertool.corpus.columnar import Corpus
from nertool.corpus.ledger import Ledger, counted
from nertool.corpus.parts.hold_out import join
from nertool.corpus.record import DOCUMENT, Reading
from nertool.corpus.schemes import find_scheme
from nertool.errors import CorpusError
from nertool.formats.opening import Opened
from nertool.formats.paths import STDIN, inputs_of
from nertool.formats.read import read_corpus, read_opened

_MOST_TOLD = 20  # the maximum number of notes on how files were read: more would hide the rest


def reading_of(settings: CorpusConfig) -> Reading:
    """Return the options of reading labelled text that a config sets. Columns that it does not set are
    detected."""
    columns = settings.token_column, settings.tag_column
    if columns == (0, -1):  # the defaults in configs of an earlier version: nothing was set
        columns = None, None
    return Reading(
        token_column=columns[0],
        tag_column=columns[1],
        delimiter=settings.delimiter,
        comment=settings.comment,
        tag_names=settings.tag_names or (),
        text_field=settings.text_field,
        language=settings.language,
        misaligned=settings.misaligned,
        pass_over_faulty=settings.on_error == "skip",
        offsets=settings.offsets,
        class_name=settings.class_name,
        outside=settings.outside,
        encoding=settings.encoding,
        needs_labels=True,
    )


@dataclass(frozen=True)
class ReadingOptions:
    """The options of reading that a user gave on the command line. None: not given.

    The names are those of Reading. predicted_column: the column of predicted tags, in a file with both gold
    and predicted tags.
    """

    format_name: str = AUTO
    token_column: int | str | None = None
    tag_column: int | str | None = None
    predicted_column: int | str | None = None
    delimiter: str | None = None
    comment: str | None = None
    tag_names: tuple[str, ...] | None = None
    text_field: str | None = None
    language: str | None = None
    misaligned: str | None = None
    on_error: str | None = None
    offsets: str | None = None
    class_name: str | None = None
    outside: str | None = None
    encoding: str | None = None

    def reading(self, usual: Reading) -> Reading:
        """Return `usual` with the options that the user gave in place of its own."""
        names = {f.name for f in fields(Reading)} & {f.name for f in fields(self)}
        said = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        if self.on_error is not None:
            said["pass_over_faulty"] = self.on_error == "skip"
        return replace(usual, **said)


def read_labelled(
    paths: Path | Sequence[Path],
    format_name: str,
    reading: Reading,
    ledger: Ledger,
    report: Callable[[str], None],
) -> Corpus:
    """Read a labelled text in any format. Documents without a word are left out.

    paths: a file, a folder or a pattern, or several of them, which are joined to one text. Each file begins
    a new document. Errors: CorpusError with file:line, also for a file without labels.
    """
    named = [paths] if isinstance(paths, Path) else list(paths)
    inputs = inputs_of(named, format_name)
    if len(inputs) == 1:
        return _labelled(read_corpus(inputs[0], format_name, reading, ledger, report), report)
    if STDIN in inputs:
        raise CorpusError("-: found standard input among several texts, expected files")
    told: list[str] = []
    parts = [
        _labelled(read_corpus(path, format_name, reading, ledger, told.append), told.append)
        for path in inputs
    ]
    for line in told[:_MOST_TOLD]:
        report(line)
    if len(told) > _MOST_TOLD:
        report(f"and {len(told) - _MOST_TOLD:,} more notes of the {len(inputs):,} files")
    schemes = {find_scheme(part.tag_ids, part.tags, part.sentence_starts) for part in parts}
    return join(parts, None if len(schemes) == 1 else "iob2")


def read_labelled_opened(
    opened: Opened, reading: Reading, ledger: Ledger, report: Callable[[str], None]
) -> Corpus:
    """Read a labelled text that is already open. See read_labelled."""
    return _labelled(read_opened(opened, reading, ledger, report), report)


def _labelled(corpus: Corpus, report: Callable[[str], None]) -> Corpus:
    if not corpus.tags:
        raise CorpusError(
            f"{corpus.source}: found no labels here ({corpus.layout}), expected labelled text"
        )
    corpus = replace(corpus, document_starts=np.unique(corpus.document_starts))
    divided, first = _divided_documents(corpus)
    if divided:
        report(
            f"WARNING: {corpus.place(first)}: found records of {counted(divided, 'documents')} (by the field "
            f"{DOCUMENT}) apart from each other, expected them side by side: each run of records is read as "
            "a document of its own; sort the records by document"
        )
    return corpus


def _divided_documents(corpus: Corpus) -> tuple[int, int]:
    """Count the documents whose records are apart from each other; return also the first such token."""
    if corpus.records is None:
        return 0, 0
    starts = corpus.records.starts
    runs = np.searchsorted(corpus.document_starts, starts[:-1], side="right")
    first_run: dict[object, int] = {}
    apart: dict[object, int] = {}  # its first record that is apart
    for i, own in enumerate(corpus.records.fields):
        name = own.get(DOCUMENT)
        if starts[i] == starts[i + 1] or not isinstance(name, str | int) or name == "":
            continue
        if first_run.setdefault(name, runs[i]) != runs[i]:
            apart.setdefault(name, i)
    if not apart:
        return 0, 0
    return len(apart), int(corpus.sentence_starts[starts[min(apart.values())]])
