"""CoNLL-U: ten columns divided by tabs, with the entity's tag in MISC, as NER=B-PER.

```
# newdoc
1<tab>Ada<tab>_<tab>_<tab>_<tab>_<tab>_<tab>_<tab>_<tab>NER=B-PER
2<tab>met<tab>_<tab>_<tab>_<tab>_<tab>_<tab>_<tab>_<tab>_
```
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from nertool.corpus.annotated import views, with_records
from nertool.corpus.blocks import decode_lines, is_blank
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading, Record
from nertool.errors import CorpusError
from nertool.formats.base import Pieces, Writing, tags_in
from nertool.formats.head import Head
from nertool.formats.writable import LINE_SIGNS, check_labels, with_labels, with_words

WIDTH = 10
_TOKEN_NUMBER = re.compile(r"\d+\Z")
_OTHER_NUMBER = re.compile(r"\d+[-.]\d+\Z")  # a word of several tokens, or an empty node
_ROW = re.compile(r"\d+(?:[-.]\d+)?\t")
_NER = re.compile(r"(?:^|\|)(?:NER|ner|NE|name)=([^|]*)")
NOT_IN_LABEL = re.compile(r"[|\t\n\r]+|^\s+|\s+$")
_COMMENT = re.compile(r"#\s*([\w ]+?)\s*=\s*(.*)")


def detect(head: Head) -> str | None:
    """Recognise rows of ten columns divided by tabs, the first a number."""
    rows = head.rows
    if not rows or not all(row.count("\t") == WIDTH - 1 and _ROW.match(row) for row in rows):
        return None
    return "CoNLL-U"


def read(stream: BinaryIO, source: str, reading: Reading, ledger: Ledger) -> Iterator[Record]:
    """Yield each sentence as a record, as read_conllu."""
    return read_conllu(decode_lines(stream, source), source, reading.labelled)


def read_conllu(
    lines: Iterable[str], source: str, labelled: bool = True, first_line: int = 1
) -> Iterator[Record]:
    """Yield each sentence as a record; its text is put together as SpaceAfter=No says.

    Lines of ranges (1-2) and of empty nodes (1.1) hold no token. Errors: CorpusError with
    file:line for a row that is none of CoNLL-U.
    """
    words: list[str] = []
    tags: list[str] = []
    places: list[tuple[int, int]] = []
    numbers: list[int] = []
    fields: dict[str, Any] = {}
    at, first, goes_on, new_document = 0, first_line, False, True
    parts: list[str] = []

    def record() -> Record:
        return Record(
            "".join(parts).rstrip(" "),
            first,
            tags=(tags or ["O"] * len(words)) if labelled else None,
            tokens=places,
            fields=fields,
            goes_on=goes_on,
            token_lines=numbers,
        )

    for number, line in enumerate(lines, first_line):
        if is_blank(line):
            if words:
                goes_on = not new_document
                yield record()
                new_document = False
            words, tags, places, numbers, fields, parts = [], [], [], [], {}, []
            at, first = 0, number + 1
            continue
        if line.startswith("#"):
            named = _COMMENT.match(line)
            if line.removeprefix("#").strip().startswith("newdoc"):
                new_document = True
            if named and named[1] != "text":
                fields[named[1]] = named[2]
            continue
        cells = line.split("\t")
        if len(cells) != WIDTH or not (
            _TOKEN_NUMBER.match(cells[0]) or _OTHER_NUMBER.match(cells[0])
        ):
            raise CorpusError(
                f"{source}:{number}: found {len(cells)} columns, the first {cells[0][:20]!r}; expected the "
                "10 columns of CoNLL-U, divided by tabs, the first a number; mend the line"
            )
        if not _TOKEN_NUMBER.match(cells[0]):
            continue
        word, misc = cells[1], cells[9]
        if not word or word.isspace():
            raise CorpusError(
                f"{source}:{number}: found an empty word, expected a token; mend the line"
            )
        found = _NER.search(misc)
        words.append(word)
        tags.append(found[1] if found else "O")
        places.append((at, at + len(word)))
        numbers.append(number)
        gap = "" if "SpaceAfter=No" in misc.split("|") else " "
        parts += (word, gap)
        at += len(word) + len(gap)
    if words:
        goes_on = not new_document
        yield record()


def with_ner(line: str, tag: str) -> str:
    """Return a token's line with a tag in its MISC, in place of the one that stands there."""
    cells = line.split("\t")
    entries = [e for e in cells[9].split("|") if e not in ("", "_") and not _NER.fullmatch(e)]
    if tag != "O":
        entries.append(f"NER={tag}")
    cells[9] = "|".join(entries) or "_"
    return "\t".join(cells)


def write(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Write a sentence a block, its text and fields as comments before it."""
    for given in pieces:
        piece = with_labels(given, NOT_IN_LABEL, ledger)
        check_labels(piece, writing.scheme)
        piece = with_words(piece, LINE_SIGNS, " ", ledger)
        corpus = with_records(piece.corpus, by_sentence=False)
        tags = tags_in(piece, writing.scheme, ledger)
        before = None
        for view in views(piece._replace(corpus=corpus)):
            if view.document != before:
                yield "# newdoc\n"
                before = view.document
            for key, entry in view.fields.items():
                if isinstance(entry, str | int | float) and "\n" not in str(entry):
                    yield f"# {key} = {entry}\n"
            for start, end in view.sentences:
                rows = []
                for i in range(start, end):
                    tag = tags[view.first + i]
                    misc = [] if tag == "O" else [f"NER={tag}"]
                    if i + 1 < end and view.places[i][1] == view.places[i + 1][0]:
                        misc.append("SpaceAfter=No")
                    cells = (str(i - start + 1), view.words[i], *"_" * 7, "|".join(misc) or "_")
                    rows.append("\t".join(cells) + "\n")
                yield "".join(rows) + "\n"
