"""WebAnno TSV 3, as INCEpTION exports it: a row a token, its places, and a column for each feature.

```
#FORMAT=WebAnno TSV 3.3
#T_SP=de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity|identifier|value

#Text=Ada Lovelace met me.
1-1<tab>0-3<tab>Ada<tab>*[1]<tab>PER[1]
1-2<tab>4-12<tab>Lovelace<tab>*[1]<tab>PER[1]
1-3<tab>13-16<tab>met<tab>_<tab>_
```

The classes are the feature `value` of the layer NamedEntity, or the last feature of the first layer of
spans. Places count UTF-16 units, so tokens are found in the sentence's #Text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from nertool.corpus.annotated import views, with_records
from nertool.corpus.ledger import Ledger, pass_over
from nertool.corpus.record import Reading, Record, joined
from nertool.errors import CorpusError
from nertool.formats.base import Pieces, Writing
from nertool.formats.head import Head
from nertool.formats.plain.lines import numbered_lines
from nertool.formats.writable import with_labels

LAYER = "de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity"
_ROW = re.compile(r"(\d+)-(\d+)(\.\d+)?\Z")
_VALUE = re.compile(r"(.*?)(?:\[(\d+)\])?\Z", re.DOTALL)
_NOT_A_LABEL = re.compile(r"^\*$")  # a star alone is an entity without a class
_ESCAPE = re.compile(r"\\(.)")
_SPECIAL = re.compile(r"([\\\[\]|_;*]|->)")


def detect(head: Head) -> str | None:
    """Recognise the line with which such a file begins."""
    return "WebAnno TSV 3" if head.begin.startswith("#FORMAT=WebAnno TSV 3") else None


def read(stream: BinaryIO, source: str, reading: Reading, ledger: Ledger) -> Iterator[Record]:
    """Yield each sentence as a record; the file is one document.

    Annotations of parts of a token, entities without a class and those stacked on others are counted.
    Errors: CorpusError with file:line.
    """
    layers: list[tuple[str, list[str]]] = []
    column: int | None = None
    text: str | None = None
    rows: list[tuple[str, str, int]] = []
    goes_on = False
    for number, line, _ in numbered_lines(stream, source):
        place = f"{source}:{number}"
        if line.startswith("#T_"):
            kind, _, rest = line.partition("=")
            name, *features = rest.split("|")
            layers.append((f"{kind}={name}", features or [""]))
        elif line.startswith("#Text="):
            more = _unescaped(line.removeprefix("#Text="))
            text = more if text is None else f"{text}\n{more}"
        elif not line.strip():
            for record in _records(rows, text, source, reading, ledger, goes_on):
                yield record
                goes_on = True
            rows, text = [], None
        elif line.startswith("#"):
            continue
        else:
            cells = line.split("\t")
            if len(cells) < 3 or not _ROW.match(cells[0]):
                raise CorpusError(
                    f"{place}: found {line[:40]!r}, expected a row such as 1-1<tab>0-3<tab>Ada; mend it"
                )
            if "." in cells[0]:
                if any(cell not in ("_", "") for cell in cells[3:]):
                    ledger.refuse(place, "annotations of a part of a token", line)
                continue
            column = _column(layers) if column is None else column
            tag = cells[column] if column < len(cells) else "_"
            rows.append((cells[2], tag, number))
    yield from _records(rows, text, source, reading, ledger, goes_on)


def _column(layers: list[tuple[str, list[str]]]) -> int:
    """Return the column of the classes: of NamedEntity's value, or of the first layer of spans."""
    at, first = 3, None
    for name, features in layers:
        if name.startswith("#T_SP"):
            own = at + (features.index("value") if "value" in features else len(features) - 1)
            if name.endswith("NamedEntity"):
                return own
            first = own if first is None else first
        at += len(features)
    return 3 if first is None else first


def _records(
    rows: list[tuple[str, str, int]],
    text: str | None,
    source: str,
    reading: Reading,
    ledger: Ledger,
    goes_on: bool,
) -> Iterator[Record]:
    """Yield the record of a sentence, unless it has no rows or is left out."""
    try:
        if rows:
            yield _record(rows, text, source, reading, ledger, goes_on)
    except CorpusError as fault:
        place = f"{source}:{rows[0][2]}"
        pass_over(fault, place, reading.pass_over_faulty, ledger, "sentences with a faulty row")


def _record(
    rows: list[tuple[str, str, int]],
    text: str | None,
    source: str,
    reading: Reading,
    ledger: Ledger,
    goes_on: bool,
) -> Record:
    words = [word for word, _, _ in rows]
    own_text = text is not None
    places: list[tuple[int, int]] = []
    if text is not None:
        at = 0
        flat = re.sub(r"[\t\r\n]", " ", text)
        for word, _, number in rows:
            start = flat.find(word, at)
            if start < 0:
                raise CorpusError(
                    f'{source}:{number}: found the token "{word}", which the sentence\'s #Text lacks; '
                    "mend the line"
                )
            at = start + len(word)
            places.append((start, at))
    else:
        text, places = joined(words)
    tags = ["O"] * len(rows)
    before = ""
    for i, (_, cell, number) in enumerate(rows):
        values = [] if cell in ("_", "") else re.split(r"(?<!\\)\|", cell)
        for value in values[1:]:
            ledger.refuse(f"{source}:{number}", "entities stacked on another", value)
        value = values[0] if values else ""
        found = _VALUE.match(value)
        assert found is not None
        label = _unescaped(found[1])
        if value and label in ("*", ""):
            ledger.refuse(f"{source}:{number}", "entities without a class", value)
            value = ""
        if value:
            # PER[3] on neighbours is one entity; PER without a number is one by itself.
            tags[i] = f"I-{label}" if found[2] and value == before else f"B-{label}"
        before = value
    numbers = [number for _, _, number in rows]
    return Record(
        text,
        numbers[0],
        tags=tags if reading.with_labels else None,
        tokens=places,
        goes_on=goes_on,
        own_text=own_text,
        token_lines=numbers,
    )


def _unescaped(text: str) -> str:
    signs = {"n": "\n", "t": "\t", "r": "\r"}
    return _ESCAPE.sub(lambda match: signs.get(match[1], match[1]), text)


def write(pieces: Pieces, writing: Writing, ledger: Ledger) -> Iterator[str]:
    """Write all sentences as one document, with INCEpTION's own layer of named entities."""
    yield f"#FORMAT=WebAnno TSV 3.3\n#T_SP={LAYER}|identifier|value\n\n"
    sentence, base, number = 0, 0, 0
    for given in pieces:
        piece = with_labels(given, _NOT_A_LABEL, ledger)
        corpus = with_records(piece.corpus, by_sentence=False)
        for view in views(piece._replace(corpus=corpus)):
            entity_of = {i: e for e in view.entities for i in range(e.token_start, e.token_end)}
            for start, end in view.sentences:
                sentence += 1
                first, last = view.places[start][0], view.places[end - 1][1]
                text = view.text[first:last]
                shown = text.replace("\\", "\\\\").replace("\t", "\\t").replace("\r", "\\r")
                shown = shown.replace("\n", "\\n")
                yield f"\n#Text={shown}\n"
                for i, entity in ((i, entity_of.get(i)) for i in range(start, end)):
                    a, b = view.places[i]
                    word = re.sub(r"[\t\r\n]", " ", view.text[a:b])
                    if word != view.text[a:b]:
                        place = corpus.place(view.first + i)
                        ledger.alter(place, "words with tabs or line ends, written with blanks")
                    cells = "_\t_"
                    if entity is not None:
                        number += i == entity.token_start
                        label = _SPECIAL.sub(r"\\\1", entity.label)
                        for sign, escape in (("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
                            label = label.replace(sign, escape)
                        cells = f"*[{number}]\t{label}[{number}]"
                    begin = base + _units(text[: a - first])
                    units = f"{begin}-{begin + _units(view.text[a:b])}"
                    yield f"{sentence}-{i - start + 1}\t{units}\t{word}\t{cells}\t\n"
                base += _units(text) + 1


def _units(text: str) -> int:
    """Return a text's length in UTF-16 units, as Java counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
