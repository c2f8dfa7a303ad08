"""CoNLL-U: ten columns separated by tabs, with tags in MISC as NER=B-PER, NE=B-PER or name=B-PER.

```
# newdoc
1<tab>Ada<tab>_<tab>_<tab>_<tab>_<tab>_<tab>_<tab>_<tab>NER=B-PER
2<tab>met<tab>_<tab>_<tab>_<tab>_<tab>_<tab>_<tab>_<tab>_
```
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, BinaryIO

from nertool.catalogue import NER_KEYS
from nertool.corpus.annotated import views, with_records
from nertool.corpus.blocks import Block, decode_lines, is_blank
from nertool.corpus.ledger import Ledger, pass_over
from nertool.corpus.record import DOCUMENT, Reading, Record
from nertool.corpus.schemes import split_tag
from nertool.errors import CorpusError
from nertool.formats.base import Pieces, Writing, tags_in
from nertool.formats.head import Head
from nertool.formats.json.text import dump
from nertool.formats.writable import LINE_SIGNS, check_labels, with_labels, with_words

WIDTH = 10
# A range is one token of the text that is several syntactic words: 1-2 du.
_RANGE = re.compile(r"(\d+)-(\d+)\Z")
_EMPTY_NODE = re.compile(r"\d+\.\d+\Z")
_ROW = re.compile(r"\d+(?:[-.]\d+)?\t")
_NER = re.compile(r"(?:^|\|)(?:(?:NER|ner)=([^|]*)|(?:NE|name)=(O|[BIESLU]-[^|]*))(?=\||$)")
NOT_IN_LABEL = re.compile(r"[|\t\n\r]+|^\s+|\s+$")
_COMMENT = re.compile(r"#\s*+(\w(?:[\w ]*\w)?)\s*=\s*(.*)")
_LINE_END = re.compile("[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")
_NEW_DOCUMENT = "newdoc id"


def ner_key(lines: Iterable[str]) -> str:
    """Return the key of the tags in lines of CoNLL-U. NER if no line has a tag."""
    for line in lines:
        cells = line.split("\t")
        found = _NER.search(cells[-1]) if len(cells) == WIDTH and "=" in cells[-1] else None
        if found:
            return found[0].lstrip("|").partition("=")[0]
    return NER_KEYS[0]


def detect(head: Head) -> str | None:
    """Recognise rows of ten columns separated by tabs, of which the first is a number."""
    rows = head.rows
    if not rows or not all(row.count("\t") == WIDTH - 1 and _ROW.match(row) for row in rows):
        return None
    return "CoNLL-U"


def read(stream: BinaryIO, source: str, reading: Reading, ledger: Ledger) -> Iterator[Record]:
    """Yield each sentence as a record. See read_conllu."""
    lines = decode_lines(stream, source)
    if not reading.pass_over_faulty:
        yield from read_conllu(lines, source, reading.with_labels, ledger=ledger)
        return
    goes_on = False
    for first, block in _blocks(lines):
        goes_on = goes_on and not any(map(_begins_document, block))
        try:
            records = list(read_conllu(block, source, reading.with_labels, first, ledger=ledger))
        except CorpusError as fault:
            pass_over(fault, f"{source}:{first}", True, ledger, "sentences with a faulty row")
            continue
        for record in records:
            yield record._replace(goes_on=goes_on)
            goes_on = True


def _blocks(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield (number of the first line, lines) for each sentence."""
    block: list[str] = []
    for number, line in enumerate(chain(lines, [""]), 1):
        if not is_blank(line):
            block.append(line)
        elif block:
            yield number - len(block), block
            block = []


class _Sentence:
    """A sentence that is being read. words: each token's word, line, tag, and whether a space follows."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.fields: dict[str, Any] = {}
        self.text: str | None = None
        self.words: list[tuple[str, int, str, bool]] = []
        # The open range: the number of its last word, its form, line, tag, whether a space follows, and the
        # index in `words` where its words begin.
        self.range: tuple[int, str, int, str, bool, int] | None = None

    def end_range(self, number: int) -> None:
        """Close the open range if the word with this number is its last."""
        if self.range is not None and number >= self.range[0]:
            self._close_range(*self.range[1:])
            self.range = None

    def _close_range(self, form: str, line: int, tag: str, blank: bool, begin: int) -> None:
        """Replace a range's words by its form, unless the words together are the form (can+not)."""
        own = self.words[begin:]
        if "".join(word for word, *_ in own) == form:
            parts = [(word, number, own_tag, False) for word, number, own_tag, _ in own]
            self.words[begin:] = [*parts[:-1], (*parts[-1][:3], blank)]
            return
        tag = tag if tag != "O" else _of_all([own_tag for _, _, own_tag, _ in own])
        self.words[begin:] = [(form, own[0][1], tag, blank)]

    def record(self, labelled: bool, goes_on: bool, source: str, ledger: Ledger | None) -> Record:
        places, at = list[tuple[int, int]](), 0
        for word, _, _, blank in self.words:
            end = at + len(word)
            places.append((at, end))
            at = end + blank
        text = "".join([word + " " if blank else word for word, _, _, blank in self.words])
        text = text.rstrip(" ")
        if self.text is not None and self.text != text:
            found = _places_in(self.text, [word for word, *_ in self.words])
            if found is not None:
                text, places = self.text, found
            elif ledger is not None:
                what = "sentences whose # text differs from their tokens, which are used"
                ledger.alter(f"{source}:{self.first}", what, self.text)
        return Record(
            text,
            self.first,
            tags=[tag for _, _, tag, _ in self.words] if labelled else None,
            tokens=places,
            fields=self.fields,
            goes_on=goes_on,
            token_lines=[line for _, line, _, _ in self.words],
        )


def _of_all(tags: list[str]) -> str:
    """Merge the tags of words that become one token. The first label counts; a begin or end mark is kept."""
    inside = [split_tag(tag) for tag in tags]
    label = next((label for _, label in inside if label), "")
    if not label:
        return "O"
    prefixes = [prefix for prefix, own in inside if own == label]
    begins, ends = prefixes[0] in "BS", prefixes[-1] in "ES"
    letter = {(True, True): "S", (True, False): "B", (False, True): "E"}.get((begins, ends), "I")
    return f"{letter}-{label}"


def _places_in(text: str, words: list[str]) -> list[tuple[int, int]] | None:
    """Return the positions (start, end) of words in a text with only whitespace between them, or None."""
    places, at = [], 0
    for word in words:
        start = text.find(word, at)
        if start < 0 or text[at:start].strip():
            return None
        at = start + len(word)
        places.append((start, at))
    return None if text[at:].strip() else places


def read_conllu(
    lines: Iterable[str],
    source: str,
    labelled: bool = True,
    first_line: int = 1,
    by_words: bool = False,
    ledger: Ledger | None = None,
) -> Iterator[Record]:
    """Yield each sentence as a record.

    Its text is that of the comment `# text`; without one, it is built from the tokens and SpaceAfter=No. A
    range (1-2 du) is one token, unless its words together are its form (can+not). Empty nodes (1.1) are no
    tokens. by_words: make a token of each word and ignore ranges, so that tags can be written into the words'
    lines. Errors: CorpusError with file:line for a row that is not valid CoNLL-U.
    """
    sentence, new_document = _Sentence(first_line), True
    for number, line in enumerate(chain(lines, [""]), first_line):
        if is_blank(line):
            if sentence.range is not None:
                raise CorpusError(
                    f"{source}:{sentence.range[2]}: found a range without all of its words, expected a row "
                    "for each; correct the lines"
                )
            if sentence.words:
                yield sentence.record(labelled, not new_document, source, ledger)
                new_document = False
            sentence = _Sentence(number + 1)
            continue
        if line.startswith("#"):
            named = _COMMENT.match(line)
            if _begins_document(line):
                new_document = True
            if named and named[1] == "text":
                sentence.text = None if by_words else named[2]
            elif named:
                sentence.fields[named[1]] = named[2]
            continue
        cells = line.split("\t")
        is_token = cells[0].isdecimal()
        span = None if is_token else _RANGE.match(cells[0])
        if len(cells) != WIDTH or not (is_token or span or _EMPTY_NODE.match(cells[0])):
            raise CorpusError(
                f"{source}:{number}: found {len(cells)} columns, the first {cells[0][:20]!r}; expected the "
                "10 columns of CoNLL-U, separated by tabs, the first a number; correct the line"
            )
        word, misc = cells[1], cells[9]
        found = _NER.search(misc) if misc != "_" else None
        tag = (found[1] or found[2] or "O") if found else "O"
        blank = "SpaceAfter=No" not in misc or "SpaceAfter=No" not in misc.split("|")
        if span and not by_words and word.strip():
            sentence.range = (int(span[2]), word, number, tag, blank, len(sentence.words))
        elif is_token:
            if not word or word.isspace():
                raise CorpusError(
                    f"{source}:{number}: found an empty word, expected a token; correct the line"
                )
            sentence.words.append((word, number, tag, blank))
            if sentence.range is not None:
                sentence.end_range(int(cells[0]))


def blank_faulty_sentences(block: Block, source: str, skipped: Ledger) -> Block:
    """Return a block of whole sentences with blank lines in place of each that has a faulty row.

    A comment that begins a document stays. The other lines keep their numbers. skipped: counts the sentences.
    """
    raw = block.lines
    bare = [line.removesuffix("\r") for line in raw]
    changed = False
    for first, lines in _blocks(bare):
        number = block.first + first - 1
        try:
            list(read_conllu(lines, source, False, number, by_words=True))
        except CorpusError as fault:
            pass_over(fault, f"{source}:{number}", True, skipped, "sentences with a faulty row")
            for i in range(first - 1, first - 1 + len(lines)):
                if not _begins_document(bare[i]):
                    raw[i], changed = raw[i][len(bare[i]) :], True
    if not changed:
        return block
    return block._replace(text="\n".join(raw) + "\n" * block.text.endswith("\n"))


def _begins_document(line: str) -> bool:
    """Tell whether a line is a comment that begins a document, such as `# newdoc id = a`."""
    return line.startswith("#") and line[1:].lstrip().startswith("newdoc")


def with_ner(line: str, tag: str, key: str = NER_KEYS[0]) -> str:
    """Return a token's line with a new tag in MISC. Any old tag is removed."""
    cells = line.split("\t")
    entries = [e for e in cells[9].split("|") if e not in ("", "_") and not _NER.fullmatch(e)]
    if tag != "O":
        entries.append(f"{key}={tag}")
    cells[9] = "|".join(entries) or "_"
    return "\t".join(cells)


def write(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Write each sentence as a block of rows, after comments with its text and fields."""
    key = writing.ner_key or NER_KEYS[0]
    for given in pieces:
        piece = with_labels(given, NOT_IN_LABEL, ledger)
        check_labels(piece, writing.scheme)
        piece = with_words(piece, LINE_SIGNS, " ", ledger)
        corpus = with_records(piece.corpus, by_sentence=False)
        tags = tags_in(piece, writing.scheme, ledger)
        before = None
        for view in views(piece._replace(corpus=corpus)):
            fields = dict(view.fields)
            name = fields.pop(_NEW_DOCUMENT, None)
            if view.document != before:
                yield "# newdoc\n" if name is None else f"# {_NEW_DOCUMENT} = {name}\n"
                before = view.document
            fields.pop("newdoc", None)
            for field, entry in fields.items():
                if field == DOCUMENT and type(entry) is int:
                    continue
                if isinstance(entry, str | int | float) and _COMMENT.fullmatch(
                    f"# {field} = {entry}"
                ):
                    yield f"# {field} = {entry}\n"
                elif entry is not None:
                    place = f"{corpus.source}, record {view.number}"
                    ledger.leave_out(place, f"values of the field {field}", dump(entry))
            for start, end in view.sentences:
                text = view.text[view.places[start][0] : view.places[end - 1][1]]
                if _LINE_END.search(text):
                    place = f"{corpus.source}, record {view.number}"
                    ledger.alter(place, "line ends within a sentence, written as blanks", text)
                    text = _LINE_END.sub(" ", text)
                if "text" not in fields:
                    yield f"# text = {text}\n"
                rows = []
                for i in range(start, end):
                    tag = tags[view.first + i]
                    misc = [] if tag == "O" else [f"{key}={tag}"]
                    if i + 1 < end and view.places[i][1] == view.places[i + 1][0]:
                        misc.append("SpaceAfter=No")
                    cells = (str(i - start + 1), view.words[i], *"_" * 7, "|".join(misc) or "_")
                    rows.append("\t".join(cells) + "\n")
                yield "".join(rows) + "\n"
