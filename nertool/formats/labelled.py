"""Labelled text for training and measuring, as a config says that it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from nertool.config.records import CorpusConfig
from nertool.corpus.columnar import Corpus
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.errors import CorpusError
from nertool.formats.opening import Opened
from nertool.formats.read import read_corpus, read_opened


def reading_of(settings: CorpusConfig) -> Reading:
    """Return how a config wants labelled text to be read. Columns that are not set are looked for."""
    columns = settings.token_column, settings.tag_column
    if columns == (0, -1):  # what a config of an earlier version holds where nothing was set
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
        needs_labels=True,
    )


def read_labelled(
    path: Path, format_name: str, reading: Reading, ledger: Ledger, report: Callable[[str], None]
) -> Corpus:
    """Read a labelled text, in any format, without documents that hold no word.

    Errors: CorpusError with file:line; also for a text without any label.
    """
    return _labelled(read_corpus(path, format_name, reading, ledger, report))


def read_labelled_opened(
    opened: Opened, reading: Reading, ledger: Ledger, report: Callable[[str], None]
) -> Corpus:
    """Read an opened labelled text, as read_labelled."""
    return _labelled(read_opened(opened, reading, ledger, report))


def _labelled(corpus: Corpus) -> Corpus:
    if not corpus.tags:
        raise CorpusError(
            f"{corpus.source}: found no labels here ({corpus.layout}), expected labelled text"
        )
    return replace(corpus, document_starts=np.unique(corpus.document_starts))
