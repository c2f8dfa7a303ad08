"""OpenNLP's training text: one tokenised sentence per line, entities between <START:class> and <END>.

```
<START:person> Ada Lovelace <END> met me in <START:location> London <END> .
It rained .

<START:person> Charles <END> left .
```

A blank line ends a document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from nertool.corpus.annotated import views, with_records
from nertool.corpus.columnar import Span
from nertool.corpus.ledger import Ledger, pass_over
from nertool.corpus.record import Reading, Record, joined
from nertool.errors import CorpusError
from nertool.formats.base import Pieces, Writing
from nertool.formats.head import Head
from nertool.formats.plain.lines import numbered_lines
from nertool.formats.writable import with_labels, with_words

_START = re.compile(r"<START(?::([^>\s]+))?>")
# Limited in length, so that the search does not look far ahead from each "<START:".
_SHORT = re.compile(r"<START(?::[^>\s]{1,200})?>")
_NOT_IN_LABEL = re.compile(r"[>\s]+")
_NOT_IN_WORD = re.compile(r"\s+")
_GLUED = re.compile(r"<START(?::[^>\s]+)?>.")
_SIGN = re.compile(r"^<(?=(?:START(?::[^>\s]+)?|END)>$)")  # a word that would be read as a mark


def detect(head: Head) -> str | None:
    """Recognise a text with an opening and a closing mark."""
    marked = _SHORT.search(head.text) and "<END>" in head.text
    return "OpenNLP's <START:class> … <END>" if marked else None


def read(stream: BinaryIO, source: str, reading: Reading, ledger: Ledger) -> Iterator[Record]:
    """Yield each line as a record. A mark without a class has OpenNLP's class `default`.

    Errors: CorpusError with file:line for a mark without its partner.
    """
    goes_on = False
    for number, line, _ in numbered_lines(stream, source):
        place = f"{source}:{number}"
        try:
            words, found = _parts(line, place)
        except CorpusError as fault:
            pass_over(fault, place, reading.pass_over_faulty, ledger, "lines that can't be read")
            continue
        if not words:
            goes_on = False
            continue
        text, places = joined(words)
        spans = [Span(places[a][0], places[b - 1][1], name) for a, b, name in found]
        yield Record(text, number, spans, tokens=places, goes_on=goes_on, own_text=False)
        goes_on = True


def _parts(line: str, place: str) -> tuple[list[str], list[tuple[int, int, str]]]:
    """Return a line's words, and its entities as (first word, end, class), half-open."""
    words: list[str] = []
    found: list[tuple[int, int, str]] = []
    label: str | None = None
    first = 0
    for word in line.split():
        opening = _START.fullmatch(word)
        if opening and label is None:
            label, first = opening[1] or "default", len(words)
        elif word == "<END>" and label is not None and len(words) > first:
            found.append((first, len(words), label))
            label = None
        elif opening or word == "<END>" or _GLUED.match(word):
            raise CorpusError(
                f"{place}: found {word} where it has no partner or no blank beside it, expected "
                "<START:class> words <END>; correct the line"
            )
        else:
            words.append(word)
    if label is not None:
        raise CorpusError(
            f"{place}: found <START:{label}> without <END> in its line; correct the line"
        )
    return words, found


def write(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Write one sentence per line, with a blank line between documents."""
    first = True
    for given in pieces:
        piece = with_words(with_labels(given, _NOT_IN_LABEL, ledger), _NOT_IN_WORD, "_", ledger)
        piece = with_words(piece, _SIGN, "", ledger)
        corpus = with_records(piece.corpus, by_sentence=False)
        words = corpus.words
        before = None
        for view in views(piece._replace(corpus=corpus)):
            if view.document != before:
                yield "" if first else "\n"
                before, first = view.document, False
            opens = {e.token_start: f"<START:{e.label}>" for e in view.entities}
            closes = {e.token_end for e in view.entities}
            ids = corpus.word_ids[view.first : view.first + len(view.words)].tolist()
            for start, end in view.sentences:
                out: list[str] = []
                for i in range(start, end):
                    if i in opens:
                        out.append(opens[i])
                    out.append(words[ids[i]])
                    if i + 1 in closes:
                        out.append("<END>")
                yield " ".join(out) + "\n"
