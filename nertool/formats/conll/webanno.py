"""WebAnno TSV 3, as INCEpTION exports it: a row for each token, and a column for each feature.

```
#FORMAT=WebAnno TSV 3.3
#T_SP=de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity|identifier|value

#Text=Ada Lovelace met me.
1-1<tab>0-3<tab>Ada<tab>*[1]<tab>PER[1]
1-2<tab>4-12<tab>Lovelace<tab>*[1]<tab>PER[1]
1-3<tab>13-16<tab>met<tab>_<tab>_
```

Source: the section "WebAnno TSV 3.3 File format" of INCEpTION's user guide. `_` means no annotation, and `*`
an annotation whose feature has no value. `PER[1]|LOC[2]` are two annotations of one token. `PER[1]` on
adjacent tokens is one entity. The row `1-3.1` is a part of token 1-3. Positions count UTF-16 units of the
document, so tokens are searched in the sentence's #Text. Any number of characters may lie between two
sentences; usually it is one line end.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import BinaryIO, NamedTuple

from nertool.corpus.annotated import views, with_records
from nertool.corpus.columnar import Span
from nertool.corpus.invisible import is_blank_text
from nertool.corpus.ledger import Ledger, pass_over
from nertool.corpus.record import Reading, Record, joined
from nertool.errors import CorpusError
from nertool.formats.base import WEBANNO_GAP, WEBANNO_LAYER, Pieces, Writing
from nertool.formats.conll.webanno_layers import DEFAULT, Chosen, Layer, chosen_column
from nertool.formats.head import Head
from nertool.formats.plain.lines import numbered_lines
from nertool.formats.writable import with_labels

_HEAD = "#FORMAT=WebAnno TSV 3.3\n#T_SP={}\n\n"
_ROW = re.compile(r"(\d+)-(\d+)(\.\d+)?\Z")
_PLACE = re.compile(r"(\d+)-(\d+)\Z")
_STACK = re.compile(r"(?:\\.|[^|])+", re.DOTALL)
_VALUE = re.compile(r"((?:\\.|[^\\]|\\\Z)*?)(?:\[(\d+)\])?\Z", re.DOTALL)
_NO_VALUE = re.compile(r"\*(\[\d+\])?\Z")
_NOT_A_LABEL = re.compile(r"^\*$")  # `*` alone is an entity without a class
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_JAVA = re.compile(r"\\u+([0-9a-fA-F]{4})")
_SPECIAL = re.compile(r"([\\\[\]|_;*]|->)")
_SIGNS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "b": "\b"}


class _Row(NamedTuple):
    """The row of a token, or of a part of one. cell: the cell of the classes. begin, end: positions in UTF-16
    units. number: the line."""

    word: str
    cell: str
    begin: int
    end: int
    part: bool
    number: int


class _Header(NamedTuple):
    """What all rows of a file share. old: whether it is TSV 3.1 or earlier, which uses Java's escapes."""

    source: str
    chosen: Chosen
    old: bool


def detect(head: Head) -> str | None:
    """Recognise the first line of such a file."""
    return "WebAnno TSV 3" if head.begin.startswith("#FORMAT=WebAnno TSV 3") else None


def read(stream: BinaryIO, source: str, reading: Reading, ledger: Ledger) -> Iterator[Record]:
    """Yield each sentence as a record. The file is one document.

    The classes are in the layer NamedEntity, or else in the first layer of spans that is not linguistic
    annotation: in its feature `value`, or else its last one. reading.tag_column names another layer or
    feature. Cells of the other columns, entities without a class, and entities that overlap a longer one are
    counted. An annotation of a part of a token is an entity with a boundary inside a token. Errors:
    CorpusError with file:line.
    """
    layers: list[Layer] = []
    header: _Header | None = None
    text: str | None = None
    rows: list[_Row] = []
    others: Counter[str] = Counter()
    going_on: set[tuple[str, str]] = (
        set()
    )  # entities that hold the last token of the previous sentence
    goes_on = old = False
    before: int | None = -1  # the end of the previous sentence, in UTF-16 units of the document
    for number, line, _ in chain(numbered_lines(stream, source), [(0, "", "")]):
        place = f"{source}:{number}"
        if line.startswith("#FORMAT="):
            old = line.rstrip().endswith((" 3.0", " 3.1"))
        elif line.startswith("#T_"):
            kind, _, rest = line.partition("=")
            name, *features = rest.split("|")
            column = layers[-1].column + len(layers[-1].features) if layers else 3
            layers.append(Layer(kind.removeprefix("#T_"), name, features or [""], column))
        elif line.startswith("#Text="):
            more = _unescaped(line.removeprefix("#Text="), old)
            text = more if text is None else f"{text}\n{more}"
        elif line.startswith("#Sentence.id="):
            others["identifiers of sentences"] += 1
        elif not line.strip():
            if rows and header is not None:
                try:
                    record, going_on = _record(rows, text, header, going_on, reading, ledger)
                    gap, before = _gap(record, rows, before)
                    fields = record.fields if gap == 1 else {**record.fields, WEBANNO_GAP: gap}
                    yield record._replace(goes_on=goes_on, fields=fields)
                    goes_on = True
                except CorpusError as fault:
                    first = f"{source}:{rows[0].number}"
                    what = "sentences with a faulty row"
                    pass_over(fault, first, reading.pass_over_faulty, ledger, what)
            rows, text = [], None
        elif not line.startswith("#"):
            if header is None:
                header = _Header(source, chosen_column(layers, reading.tag_column, place), old)
            cells = line.split("\t")
            rows.append(_row(cells, header.chosen.column, place, number))
            for at, (what, star_is_none) in header.chosen.others.items():
                cell = cells[at] if at < len(cells) else "_"
                for value in () if cell in ("_", "") else _STACK.findall(cell):
                    others[what] += not (star_is_none and _NO_VALUE.match(value))
    for what, count in others.items():
        ledger.leave_out(f"{source}:1", what, number=count)


def _row(cells: list[str], column: int, place: str, number: int) -> _Row:
    """Read the cells of a row. column: the column of the classes. Errors: CorpusError for an invalid row."""
    found = _ROW.match(cells[0]) if len(cells) >= 3 else None
    places = _PLACE.match(cells[1]) if found is not None else None
    if found is None or places is None:
        raise CorpusError(
            f"{place}: found {chr(9).join(cells)[:40]!r}, expected a row such as 1-1<tab>0-3<tab>Ada; fix it"
        )
    cell = cells[column] if column < len(cells) else "_"
    return _Row(cells[2], cell, int(places[1]), int(places[2]), found[3] is not None, number)


def _record(
    rows: Sequence[_Row],
    text: str | None,
    header: _Header,
    going_on: set[tuple[str, str]],
    reading: Reading,
    ledger: Ledger,
) -> tuple[Record, set[tuple[str, str]]]:
    """Return a sentence's record, and the entities that hold its last token: `going_on` of the next call."""
    own_text = text is not None
    if text is None:
        text, _ = joined([_unescaped(row.word, header.old) for row in rows if not row.part])
    units = _unit_places(rows, text, header)
    tokens = [
        (place, row)
        for place, row in zip(units, rows, strict=True)
        if not row.part and not is_blank_text(text[slice(*place)])
    ]
    spans = None
    if reading.with_labels:
        spans, going_on = _entities(rows, units, header, going_on, ledger)
    declared = header.chosen.declared
    return (
        Record(
            text,
            rows[0].number,
            spans,
            tokens=[place for place, _ in tokens],
            fields={} if declared in ("", DEFAULT) else {WEBANNO_LAYER: declared},
            own_text=own_text,
            token_lines=[row.number for _, row in tokens],
        ),
        going_on,
    )


def _gap(record: Record, rows: Sequence[_Row], before: int | None) -> tuple[int, int | None]:
    """Return the number of UTF-16 units between a sentence and the previous one, and the end of the sentence.

    before: the end of the previous sentence, -1 for the first sentence. The gap is 1 if the text is not
    known, or if positions do not increase through the document, as in files of other programs.
    """
    if not record.tokens or not record.own_text:
        return 1, None
    begin = rows[0].begin - _units(record.text[: record.tokens[0][0]])
    gap = begin - before if before is not None and before <= begin else 1
    return gap, begin + _units(record.text)


def _unit_places(rows: Sequence[_Row], text: str, header: _Header) -> list[tuple[int, int]]:
    """Return the position (start, end) of each row in the text, in characters.

    Tokens are searched in the text, because programs other than INCEpTION count positions differently. The
    position of a part follows from its offset within its token. Errors: CorpusError for a token that is not
    in the text.
    """
    flat = re.sub(r"[\t\r\n]", " ", text)
    found: list[tuple[int, int]] = []
    at = token_begin = token_end = units = 0
    for row in rows:
        if row.part:
            raw = text[token_begin:token_end].encode("utf-16-le", "surrogatepass")
            first, last = (2 * max(0, place - units) for place in (row.begin, row.end))
            a, b = (
                token_begin + len(raw[:n].decode("utf-16-le", "replace")) for n in (first, last)
            )
            word = _unescaped(row.word, header.old)
            if text[a:b] != word and (start := text.find(word, token_begin, token_end)) >= 0:
                a, b = start, start + len(word)
            found.append((a, b))
            continue
        # INCEpTION escapes characters in tokens as in the text; other programs don't.
        forms = {re.sub(r"[\t\r\n]", " ", _unescaped(row.word, header.old)), row.word}
        starts = sorted((flat.find(form, at), -len(form)) for form in forms if form)
        starts = [(start, length) for start, length in starts if start >= 0]
        if not starts:
            raise CorpusError(
                f'{header.source}:{row.number}: found the token "{row.word}", which the sentence\'s #Text '
                "lacks; correct the line"
            )
        start, length = starts[0]
        token_begin, token_end, units = start, start - length, row.begin
        at = token_end
        found.append((token_begin, token_end))
    return found


def _entities(
    rows: Sequence[_Row],
    units: Sequence[tuple[int, int]],
    header: _Header,
    going_on: set[tuple[str, str]],
    ledger: Ledger,
) -> tuple[list[Span], set[tuple[str, str]]]:
    """Return a sentence's flat entities, and the (number, class) of those that hold its last token.

    Adjacent rows with the same number and class are one entity. A value without a number is an entity by
    itself. Of overlapping entities the longest is used; of equally long ones, the first.
    """
    found: list[tuple[Span, int]] = []
    last: dict[
        tuple[str, str], tuple[int, int]
    ] = {}  # (number, class): index in `found`, last token
    token = -1
    for row, (start, end) in zip(rows, units, strict=True):
        token += not row.part
        place = f"{header.source}:{row.number}"
        for value in () if row.cell in ("_", "") else _STACK.findall(row.cell):
            match = _VALUE.match(value)
            assert match is not None
            raw, number = match[1], match[2] or ""
            key = (number, raw)
            if number and key in last and last[key][1] >= token - 1:
                i = last[key][0]
                if i >= 0:
                    span, line = found[i]
                    found[i] = (span._replace(end=max(span.end, end)), line)
                last[key] = (i, token)
                continue
            if raw == "*" or not _unescaped(raw).strip():
                ledger.refuse(place, "entities without a class", value)
                last[key] = (-1, token)
                continue
            if number and token == 0 and key in going_on:
                what = "entities across a sentence boundary, split at it"
                ledger.alter(place, what, value)
            last[key] = (len(found), token)
            found.append((Span(start, end, _unescaped(raw)), row.number))
    kept: list[Span] = []
    for span, line in sorted(found, key=lambda pair: pair[0].start - pair[0].end):
        if any(span.start < other.end and other.start < span.end for other in kept):
            ledger.refuse(f"{header.source}:{line}", "entities stacked on another", span.label)
        else:
            kept.append(span)
    return sorted(kept), {key for key, (_, at) in last.items() if key[0] and at == token}


def _unescaped(text: str, old: bool = False) -> str:
    if "\\" not in text:
        return text
    if old:
        text = _JAVA.sub(lambda match: chr(int(match[1], 16)), text)
    return _ESCAPE.sub(lambda match: _SIGNS.get(match[1], match[1]), text)


def write(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Write all sentences as one document, in the input's layer, or else in INCEpTION's NamedEntity."""
    declared, at_class, features = "", 0, 0
    sentence, number, end_of_text = 0, 0, -1
    for given in pieces:
        piece = with_labels(given, _NOT_A_LABEL, ledger)
        corpus = with_records(piece.corpus, by_sentence=False)
        for view in views(piece._replace(corpus=corpus)):
            own = view.fields.get(WEBANNO_LAYER)
            own = own if isinstance(own, str) and own.count("|") else DEFAULT
            if not declared:
                declared = own
                names = declared.split("|")[1:]
                features = len(names)
                at_class = names.index("value") if "value" in names else features - 1
                yield _HEAD.format(declared)
            elif own != declared:
                what = "sentences of another layer, written in that of the first"
                ledger.alter(corpus.place(view.first), what, own)
            gap = view.fields.get(WEBANNO_GAP)
            base = end_of_text + (gap if type(gap) is int and gap >= 0 else 1)
            entity_of = {i: e for e in view.entities for i in range(e.token_start, e.token_end)}
            for start, end in view.sentences:
                sentence += 1
                first, last = view.places[start][0], view.places[end - 1][1]
                text = view.text[first:last]
                at = base + _units(view.text[:first])
                yield f"\n#Text={_escaped(text)}\n"
                for i, entity in ((i, entity_of.get(i)) for i in range(start, end)):
                    a, b = view.places[i]
                    word = _escaped(view.text[a:b])
                    cells = ["_"] * features
                    if entity is not None:
                        number += i == entity.token_start
                        label = _escaped(_SPECIAL.sub(r"\\\1", entity.label), "")
                        cells = [f"*[{number}]"] * features
                        cells[at_class] = f"{label}[{number}]"
                    tabbed = "\t".join(cells)
                    begin = at + _units(text[: a - first])
                    units = f"{begin}-{begin + _units(view.text[a:b])}"
                    yield f"{sentence}-{i - start + 1}\t{units}\t{word}\t{tabbed}\t\n"
            if view.sentences:
                end_of_text = base + _units(view.text)
    if not declared:
        yield _HEAD.format(DEFAULT)


def _escaped(text: str, backslash: str = "\\") -> str:
    """Escape line ends and tabs as INCEpTION does, and backslashes unless `backslash` is empty."""
    text = text.replace(backslash, 2 * backslash) if backslash else text
    return text.replace("\t", "\\t").replace("\r", "\\r").replace("\n", "\\n")


def _units(text: str) -> int:
    """Return a text's length in UTF-16 units, as in Java."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
