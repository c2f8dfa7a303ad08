"""brat's stand-off annotation: the text is in x.txt, and its entities are in x.ann.

```
T1<tab>PER 0 12<tab>Ada Lovelace
T2<tab>LOC 23 29<tab>London
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count, pairwise
from pathlib import Path
from typing import Any, NamedTuple

from nertool.corpus.annotated import RecordView, by_document, views
from nertool.corpus.columnar import Span
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading, Record
from nertool.errors import CorpusError
from nertool.files.encodings import read_text
from nertool.formats.base import Pieces, Writing
from nertool.formats.standoff.units import taken_in_characters
from nertool.formats.writable import with_labels

_NAME = re.compile(r"[\w.-]+(?:/[\w.-]+)*")
_NOT_IN_LABEL = re.compile(r"\s+")
_HALF = re.compile("[\ud800-\udfff]")
_LINE = re.compile(r"[^\r\n]+")


def brat_texts(path: Path) -> list[Path]:
    """List the .txt files of a folder, sorted, also those that only an .ann file implies. For the path of one
    file of a pair, list its .txt file."""
    if path.is_dir():
        return sorted(
            {p.with_suffix(".txt") for p in path.rglob("*.ann")} | set(path.rglob("*.txt"))
        )
    return [path.with_suffix(".txt")]


def detect_path(path: Path) -> str | None:
    """Recognise a folder that contains .ann files, or one file of a pair of .txt and .ann."""
    if path.is_dir():
        one = next(path.rglob("*.ann"), None)
        return None if one is None else "a folder of brat's .txt and .ann"
    pair = path.suffix == ".ann" or (path.suffix == ".txt" and path.with_suffix(".ann").is_file())
    return "brat's .txt and .ann" if pair else None


def read(path: Path, source: str, reading: Reading, ledger: Ledger) -> Iterator[Record]:
    """Yield the text of each pair below a path. Errors: CorpusError with the .ann file and line."""
    for text_path in brat_texts(path):
        if not text_path.with_suffix(".ann").is_file() and path.is_dir() and reading.labelled:
            ledger.refuse(str(text_path), "texts without an .ann file beside them")
            continue
        ann_path = text_path.with_suffix(".ann")
        text = _decoded(text_path, "the text that its .ann file labels", reading.encoding)
        name = text_path.relative_to(path) if path.is_dir() else Path(text_path.name)
        spans: list[Span] = []
        labelled = reading.labelled or (reading.gold and ann_path.is_file())
        if labelled and ann_path.is_file():
            try:
                spans = _entities(ann_path, text, reading, ledger)
            except CorpusError as error:
                if reading.labelled:
                    raise
                ledger.refuse(str(ann_path), "labels that can't be read", str(error))
                labelled = False
        fields = {"id": name.with_suffix("").as_posix()}
        yield Record(
            text,
            1,
            spans if labelled else None,
            fields=fields,
            lined=True,
            place=str(ann_path),
        )


def _decoded(path: Path, what: str, encoding: str | None) -> str:
    try:
        with open(path, "rb") as stream:
            return read_text(stream, encoding, str(path))
    except FileNotFoundError:
        raise CorpusError(f"{path}: no such file, expected {what}") from None


class _Line(NamedTuple):
    """The line of an entity. place: file:line. parts: (start, end) of each part. own: the entity's text."""

    place: str
    line: str
    label: str
    parts: list[tuple[int, int]]
    own: str | None


def _entities(path: Path, text: str, reading: Reading, ledger: Ledger) -> list[Span]:
    """Read the entities of an .ann file. Errors: CorpusError with its line."""
    rows = enumerate(_decoded(path, "its labels", reading.encoding).split("\n"), 1)
    parsed = (_parsed(line.rstrip("\r"), f"{path}:{number}", ledger) for number, line in rows)
    lines = [line for line in parsed if line is not None]
    # One entry for each part of each entity, from which the unit of the offsets is detected.
    entries: list[dict[str, Any]] = [
        {"start": start, "end": end, **({"text": line.own} if len(line.parts) == 1 else {})}
        for line in lines
        for start, end in line.parts
    ]
    found = iter(taken_in_characters(entries, text, reading, str(path), ledger))
    spans: list[Span] = []
    for line in lines:
        entries = [next(found) for _ in line.parts]
        parts = [(entry["start"], entry["end"]) for entry in entries]
        spans += _entity(line._replace(parts=parts), text, reading, ledger)
    return spans


def _parsed(line: str, place: str, ledger: Ledger) -> _Line | None:
    """Read a line such as `T1<TAB>PER 0 12<TAB>Ada Lovelace`. None for other lines, which are counted."""
    if not line or line.isspace():
        return None
    if not line.startswith("T"):
        ledger.refuse(place, "lines of relations, events, attributes and notes", line)
        return None
    cells = line.split("\t")
    label, _, places = cells[1].partition(" ") if len(cells) > 1 else ("", "", "")
    try:
        pairs = [[int(number) for number in part.split()] for part in places.split(";")]
        if not label or not all(len(pair) == 2 for pair in pairs):
            raise ValueError
    except ValueError:
        raise CorpusError(
            f"{place}: expected an entity such as T1<tab>PER 0 12<tab>Ada Lovelace; correct the line"
        ) from None
    parts = sorted((start, end) for start, end in pairs)
    return _Line(place, line, label, parts, cells[2] if len(cells) > 2 else None)


def _entity(read: _Line, text: str, reading: Reading, ledger: Ledger) -> list[Span]:
    """Return an entity as a list of one span in characters, or an empty list if it is left out."""
    place, line, label, parts, own = read
    start, end = parts[0][0], parts[-1][1]
    if not 0 <= start < end <= len(text):
        raise CorpusError(
            f"{place}: found an entity at {start}–{end}, expected places within the text's "
            f"{len(text)} characters"
        )
    gaps = [text[a[1] : b[0]] for a, b in pairwise(parts)]
    if any(gap.strip("\r\n") for gap in gaps):
        if reading.misaligned == "error":
            raise CorpusError(
                f"{place}: found an entity in {len(parts)} parts, expected one part; misaligned: snap takes "
                "all from the first to the last, drop leaves it out"
            )
        if reading.misaligned == "drop":
            ledger.refuse(place, "entities in several parts", line)
            return []
        ledger.alter(place, "entities in several parts, merged into one", line)
    elif len(parts) == 1 and own is not None and own.split() != text[start:end].split():
        raise CorpusError(
            f'{place}: found the entity "{own}" at {start}–{end}, where the text has '
            f'"{" ".join(text[start:end].split())}"; expected places in characters (are the line ends the '
            "same?); where they count something else, say what by --offsets (corpus.offsets)"
        )
    return [Span(start, end, label)]


def write(pieces: Pieces, writing: Writing, ledger: Ledger, folder: Path) -> None:
    """Write each document as a pair of .txt and .ann into a folder.

    The files are named by the documents' ids, or by numbers if an id is not a valid file name. The texts of a
    document are joined with line ends.
    """
    number = 0
    taken: set[str] = set()
    further: dict[str, int] = {}  # for names of several documents: the next number to try
    for given in pieces:
        piece = by_document(with_labels(given, _NOT_IN_LABEL, ledger))
        for view in views(piece):
            number += 1
            given_id = view.fields.get("id")
            name = own = "" if given_id is None else str(given_id)
            if not _NAME.fullmatch(name) or ".." in name:
                name = f"{number:05}"
            if name in taken:
                free = next(i for i in count(further.get(name, 2)) if f"{name}-{i}" not in taken)
                further[name] = free + 1
                name = f"{name}-{free}"
            if name != own != "":
                place = f"{piece.corpus.source}, record {view.number}"
                ledger.alter(place, "ids that are no names of files, or double", f"{own} → {name}")
            taken.add(name)
            path = folder / f"{name}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            if _HALF.search(view.text):
                place = f"{piece.corpus.source}, record {view.number}"
                ledger.alter(place, "halves of surrogate pairs, which UTF-8 can't hold", view.text)
            path.write_bytes(_HALF.sub("\ufffd", view.text).encode("utf-8"))
            rows = _HALF.sub("\ufffd", "".join(_rows(view, 0, 1)))
            path.with_suffix(".ann").write_text(rows, encoding="utf-8", newline="")


def _rows(view: RecordView, base: int, number: int) -> list[str]:
    """Return a record's entities as lines of an .ann file.

    base: the position of the record in the text file. number: the number of the first entity.
    """
    rows = []
    for i, entity in enumerate(view.entities, number):
        text = view.text[entity.start : entity.end]
        # brat requires that an entity across a line end is written as one part for each line.
        parts = [(m.start(), m.end()) for m in _LINE.finditer(text)]
        start = base + entity.start
        places = ";".join(f"{start + a} {start + b}" for a, b in parts)
        shown = " ".join(text[a:b] for a, b in parts).replace("\t", " ")
        rows.append(f"T{i}\t{entity.label} {places}\t{shown}\n")
    return rows


def write_beside(pieces: Pieces, ledger: Ledger, marked: bool) -> Iterator[str]:
    """Yield the lines of the .ann file for a file of running text.

    Each record has its position in that file in the field `offset`. marked: whether the file begins with a
    byte-order mark, which brat counts as a character.
    """
    number = 1
    for given in pieces:
        for view in views(with_labels(given, _NOT_IN_LABEL, ledger), tokens=False):
            yield from _rows(view, int(marked) + view.fields["offset"], number)
            number += len(view.entities)
