"""Count what an output format can't hold, so that a command can report what was left out.

Writers count their changes to single words, labels and ids. This module counts the losses that follow from
the format as a whole, by the field `keeps` of its record in catalogue.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from nertool.catalogue import Format
from nertool.corpus.annotated import Annotated, documents_of_records
from nertool.corpus.columnar import Corpus, Records
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import DOCUMENT, GOLD
from nertool.formats.base import WEBANNO_GAP, WEBANNO_LAYER, Pieces, Writing
from nertool.formats.tables.features import numbered_columns
from nertool.formats.tables.rows import own_schema, tag_column

_EXACT = ("jsonl", "json", "parquet", "hf-disk")  # hold tokens only if Writing.exact is set
_EMPTY = ("hf", "hf-parquet", "gliner", "brat", "pubtator")  # can hold a text without a word
_JOINED = ("brat", "pubtator")  # join all texts of a document


def counted_losses(
    pieces: Pieces, to: Format, writing: Writing, ledger: Ledger
) -> Iterator[Annotated]:
    """Pass pieces on to a writer, and count what the format can't hold."""
    for piece in pieces:
        _count_losses(piece, to, writing, ledger)
        yield piece


def _count_losses(piece: Annotated, to: Format, writing: Writing, ledger: Ledger) -> None:
    """Count what an output format can't hold of a piece."""
    corpus = piece.corpus
    place = corpus.place(0) if corpus.tokens else corpus.source
    records = corpus.records
    if records is None:
        other = corpus.tokens * max(0, corpus.columns - 2)
        ledger.leave_out(place, "cells of other columns", number=other)
        ledger.leave_out(place, "comment lines", number=corpus.comments)
    else:
        _count_fields(corpus, records, to, place, ledger)
    if not to.reads:
        return  # the output, such as a page or a table of entities, is never read again
    exact = writing.exact or to.name not in _EXACT or _in_tokens(piece, to)
    redone = "detected again when the file is read" + (
        "" if exact else "; predict --tokens keeps them"
    )
    if ("tokens" not in to.keeps or not exact) and (records is None or not records.tokenized):
        ledger.leave_out(place, f"token boundaries ({redone})", number=corpus.tokens)
    if ("sentences" not in to.keeps or not exact) and (records is None or records.own_sentences):
        single = corpus.documents if to.name in _JOINED else _single(corpus, writing)
        number = max(0, corpus.sentences - single)
        ledger.leave_out(place, f"sentence boundaries ({redone})", number=number)
    if records is not None:
        _count_texts(corpus, records, to, place, ledger)
        if records.own_text:
            _count_gaps(corpus, records, to, place, ledger)
    _count_documents(corpus, to, writing, place, ledger)


def _in_tokens(piece: Annotated, to: Format) -> bool:
    """Tell whether the output is a table of tokens, as the writers of Parquet and hf-disk decide it."""
    if to.extra != "arrow":
        return False
    records = piece.corpus.records
    without_text = records is None or not records.own_text
    return (without_text and to.name == "hf-disk") or tag_column(own_schema(piece)) is not None


def _single(corpus: Corpus, writing: Writing) -> int:
    """Count the texts that have a word. The beginning of each is also a sentence boundary."""
    records = corpus.records
    if records is not None:
        return int((np.diff(records.starts) > 0).sum())
    one = corpus.documents == 1 if writing.by_sentence is None else writing.by_sentence
    return corpus.sentences if one else corpus.documents


def _count_fields(corpus: Corpus, records: Records, to: Format, place: str, ledger: Ledger) -> None:
    """Count the values of fields, which records have besides text and labels, that the format can't hold."""
    if records.arrow_schema and to.extra != "arrow":
        for name in numbered_columns(records.arrow_schema):
            number = sum(fields.get(name) is not None for fields in records.fields)
            ledger.leave_out(place, f"names of the numbers in the column {name}", number=number)
    if "fields" in to.keeps:
        return
    ids = "ids" in to.keeps or not to.reads
    counts: Counter[str] = Counter()
    # In formats where only documents have ids, the writer takes the id of the document's first text.
    one_a_document = to.name in ("inline", "xml", "bioc", "brat", "pubtator")
    before, first = -1, None
    documents = documents_of_records(corpus).tolist()
    for fields, document in zip(records.fields, documents, strict=True):
        if document != before:
            before, first = document, fields.get("id")
        for key, value in fields.items():
            if value is None or (key == DOCUMENT and type(value) is int):
                continue
            if key == GOLD and "gold" in to.keeps:
                continue
            if key in (WEBANNO_GAP, WEBANNO_LAYER) and to.name == "webanno":
                continue
            if key == "id" and (
                records.numbered or (ids and (not one_a_document or value == first))
            ):
                continue
            if to.name == "inline" and key == "part" and value in ("train", "dev", "test"):
                continue
            counts[key] += 1
    for key, number in counts.items():
        gap = "blanks between sentences of WebAnno TSV (their number)"
        what = gap if key == WEBANNO_GAP else f"values of the field {key}"
        ledger.leave_out(place, what, number=number)


def _count_texts(corpus: Corpus, records: Records, to: Format, place: str, ledger: Ledger) -> None:
    """Count texts without a word, and text boundaries within a document."""
    if "texts" in to.keeps:
        return
    sentences = np.diff(records.starts)
    if to.name not in _EMPTY:
        ledger.leave_out(place, "texts without a word", number=int((sentences == 0).sum()))
    merged = records.own_text and to.name in _JOINED
    if ((sentences > 1).any() or merged) and len(records.texts) > corpus.documents:
        number = len(records.texts) - corpus.documents
        ledger.leave_out(place, "text boundaries within a document", number=number)


def _count_documents(
    corpus: Corpus, to: Format, writing: Writing, place: str, ledger: Ledger
) -> None:
    """Count document boundaries, or the lost information that several texts are one document."""
    if "documents" in to.keeps:
        return
    if "texts" not in to.keeps:
        ledger.leave_out(place, "document boundaries", number=corpus.documents - 1)
        return
    records = corpus.records
    texts = _single(corpus, writing) if records is None else len(records.texts)
    if records is None and to.name != "csv":
        return  # each text is a document
    what = "links between the texts of a document"
    ledger.leave_out(place, what, number=texts - corpus.documents)


def _count_gaps(corpus: Corpus, records: Records, to: Format, place: str, ledger: Ledger) -> None:
    """Count the gaps between words that the output changes.

    Unchanged are only single spaces within a sentence, and single line ends between sentences.
    """
    if {"text", "texts"} <= to.keeps or to.name in _JOINED:
        return
    starts, ends = records.token_starts, records.token_ends
    firsts = corpus.sentence_starts[:-1]
    if "text" not in to.keeps and len(starts) > 1:
        within = np.ones(len(starts), dtype=bool)
        within[firsts] = False
        at = np.flatnonzero(within)
        odd = starts[at] - ends[at - 1] != 1
        number = int(odd.sum()) + _other_blanks(corpus, records, at[~odd])
        what = "places where words touch or have other blanks between them than one space"
        ledger.leave_out(place, what, number=number)
    number = 0
    for text, (a, b) in zip(records.texts, pairwise(records.starts.tolist()), strict=True):
        bounds = corpus.sentence_starts[a : b + 1].tolist()
        if len(bounds) < 2:
            continue
        number += starts[bounds[0]] != 0
        number += ends[bounds[-1] - 1] != len(text)
        for at_token in bounds[1:-1]:
            number += text[ends[at_token - 1] : starts[at_token]] != "\n"
    what = "blanks around sentences (there is one sentence a line or a row)"
    ledger.leave_out(place, what, number=int(number))


def _other_blanks(corpus: Corpus, records: Records, tokens: NDArray[np.int64]) -> int:
    """Count the tokens, of the given token numbers, whose preceding character is not a space."""
    number = 0
    bounds = corpus.sentence_starts[records.starts].tolist()
    for text, (a, b) in zip(records.texts, pairwise(bounds), strict=True):
        if not text or (text.isascii() and not any(sign in text for sign in "\n\t\r\v\f")):
            continue
        some = tokens[np.searchsorted(tokens, a) : np.searchsorted(tokens, b)]
        number += sum(text[at] != " " for at in (records.token_starts[some] - 1).tolist())
    return number
