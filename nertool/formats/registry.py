"""All formats in one table: the reader and the writer of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

import numpy as np

from nertool.corpus.columnar import Corpus
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading, Record
from nertool.formats.base import OutputFormat
from nertool.formats.conll.conllu import read_conllu, write_conllu
from nertool.formats.conll.parse import decode_lines
from nertool.formats.conll.write import write_conll
from nertool.formats.json.doccano import write_doccano
from nertool.formats.json.hf import write_hf
from nertool.formats.json.jsonl import read_json_list, read_jsonl, write_json, write_jsonl
from nertool.formats.json.label_studio import read_label_studio, write_label_studio
from nertool.formats.json.prodigy import write_spacy
from nertool.formats.markup.inline import read_inline, write_inline
from nertool.formats.plain import read_lines, read_raw, read_text
from nertool.formats.standoff.spans import write_spans
from nertool.formats.tables.parquet import read_parquet

Reader = Callable[[BinaryIO, str, Reading, Ledger], Iterator[Record]]


RECORD_READERS: dict[str, tuple[Reader, str]] = {
    "jsonl": (read_jsonl, "JSON lines"),
    "json": (read_json_list, "a JSON list"),
    "label-studio": (read_label_studio, "Label Studio's JSON"),
    "parquet": (read_parquet, "Parquet"),
    "conllu": (
        lambda stream, source, reading, ledger: read_conllu(
            decode_lines(stream, source), source, reading.labelled
        ),
        "CoNLL-U",
    ),
    "inline": (
        lambda stream, source, reading, ledger: read_inline(
            decode_lines(stream, source), source, reading.part
        ),
        "inline annotation",
    ),
    "text": (
        lambda stream, source, reading, ledger: read_text(stream, source),
        "a sentence a line",
    ),
    "lines": (lambda stream, source, reading, ledger: read_lines(stream, source), "a text a line"),
    "raw": (lambda stream, source, reading, ledger: read_raw(stream, source), "running text"),
}


_ALL = frozenset({"text", "fields", "documents"})


WRITERS: dict[str, OutputFormat] = {
    "conll": OutputFormat(write_conll, frozenset({"documents"})),
    "conllu": OutputFormat(write_conllu, _ALL),
    "jsonl": OutputFormat(write_jsonl, _ALL),
    "json": OutputFormat(write_json, _ALL),
    "doccano": OutputFormat(write_doccano, _ALL),
    "spacy": OutputFormat(write_spacy, _ALL),
    "hf": OutputFormat(write_hf, frozenset({"fields", "documents"})),
    "label-studio": OutputFormat(write_label_studio, _ALL),
    "inline": OutputFormat(write_inline, frozenset({"documents"})),
    "spans": OutputFormat(write_spans, frozenset()),
}


def left_out(corpus: Corpus, to: str) -> list[str]:
    """Say what of a corpus an output format has no place for."""
    keeps = WRITERS[to].keeps if to in WRITERS else _ALL
    out = []
    records = corpus.records
    if records is not None:
        names = dict.fromkeys(key for fields in records.fields for key in fields)
        if names and "fields" not in keeps and to != "spans":
            out.append(f"the fields {', '.join(list(names)[:8])}")
        gaps = records.token_starts[1:] - records.token_ends[:-1]
        inside = np.ones(len(gaps), dtype=bool)
        inside[corpus.sentence_starts[1:-1] - 1] = False
        odd = int((gaps[inside] != 1).sum())
        if odd and "text" not in keeps and to in ("conll", "hf"):
            out.append("the text's own spacing")
        empty = sum(a == b for a, b in zip(records.starts, records.starts[1:], strict=False))
        if empty and to in ("conll", "inline", "hf", "conllu"):
            out.append(f"{empty:,} records without a word")
    return out
