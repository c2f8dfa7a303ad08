"""Read the sentences of a text in any format as lists of words. Labels are ignored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from nertool.corpus.blocks import decode_lines
from nertool.corpus.build import build_corpus, count
from nertool.corpus.columnar import Corpus
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.formats.conll.parse import parse_conll
from nertool.formats.opening import Report, open_text
from nertool.formats.read import batches

_BATCH = 1 << 20  # characters that are split into sentences at a time


def read_sentences(
    path: Path, format_name: str, reading: Reading, ledger: Ledger, report: Report
) -> Iterator[list[str]]:
    """Yield each sentence of a file, a folder or standard input (`-`) as a list of words.

    Raw text is split into sentences and words as `predict` does. Text that is not in columns is read in
    pieces, so that memory stays bounded. Errors: CorpusError.
    """
    reading = replace(reading, labelled=False)
    with open_text(path, format_name, reading) as opened:
        if opened.why:
            report(f"{opened.source}: read as {opened.why}")
        if opened.in_columns:
            columns = opened.columns(reading, report)
            skipped = ledger if reading.pass_over_faulty else None
            lines = decode_lines(opened.whole, opened.source)
            corpus = parse_conll(lines, columns, opened.source, skipped=skipped)
            count(corpus, ledger)
            yield from _sentences(corpus)
            return
        ledger.read["files"] += 1
        for records in batches(opened.records(reading, ledger), _BATCH):
            corpus = build_corpus(records, opened.source, opened.format.title, reading, ledger)
            count(corpus, ledger, files=0)
            yield from _sentences(corpus)


def _sentences(corpus: Corpus) -> Iterator[list[str]]:
    words = [corpus.words[i] for i in corpus.word_ids.tolist()]
    for start, end in pairwise(corpus.sentence_starts.tolist()):
        if end > start:
            yield words[start:end]
