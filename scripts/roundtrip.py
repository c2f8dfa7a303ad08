"""Round trips: a small text is written in every format, read back and compared, to find what is lost.

scripts/docs.py writes the result into docs/formats.md. tests/formats/test_losses.py compares it with the
account of `corpus convert`, for every pair of formats.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
from bisect import bisect_right
from pathlib import Path
from typing import Any

import numpy as np

from nertool.catalogue import Format
from nertool.corpus.annotated import Annotated, labelled, views, with_records
from nertool.corpus.columnar import Corpus
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import DOCUMENT, GOLD, Reading
from nertool.corpus.schemes import spans_of
from nertool.formats.base import Writing
from nertool.formats.losses import counted_losses
from nertool.formats.opening import open_text
from nertool.formats.read import read_opened, read_stream
from nertool.formats.registry import module_of

# Three documents: one with two texts, one with a text without words. Their tokens and sentences are given,
# and no rule would find them. They have whitespace of all kinds, and classes with several words.
TEXTS: list[dict[str, Any]] = [
    {
        "id": "a1", "document": 1, "source": "diary", "gold": [[1, 4, "PER"]],
        "text": " Ada  Lovelace,met\nCharles Babbage at 7p.m. in London. It rained ",
        "entities": [[1, 14, "PER"], [19, 34, "PER"], [47, 53, "LOC"]],
        "words": ["Ada", "Lovelace", ",", "met", "Charles", "Babbage", "at", "7", "p.m.", "in",
                  "London", ".", "It", "rained"],
        "sentences": [0, 4, 12],
    },
    {
        "id": "a2", "document": 1, "source": "diary", "gold": [],
        "text": "It rained. All day.\n\nLondon slept.",
        "entities": [[21, 27, "LOC"]],
        "words": ["It", "rained", ".", "All", "day", ".", "London", "slept", "."],
        "sentences": [0, 3, 6],
    },
    {
        "id": "b", "source": "press", "gold": [],
        "text": "The Times reads\tThe Hobbit.",
        "entities": [[0, 9, "ORG"], [16, 26, "work of art"]],
        "words": ["The", "Times", "reads", "The", "Hobbit", "."],
        "sentences": [0],
    },
    {"id": "c", "source": "press", "gold": [], "text": "", "entities": [], "words": [], "sentences": []},
]  # fmt: skip

# The aspects that are compared, each with the names of its losses in a command's account.
ASPECTS = {
    "text": ("places where words touch", "blanks around sentences", "line ends within a sentence",
             "line ends and tabs", "words with tabs"),
    "texts": ("text boundaries", "links between", "document boundaries"),
    "empty": ("texts without a word",),
    "documents": ("document boundaries", "links between"),
    "sentences": ("sentence boundaries", "text boundaries"),
    "tokens": ("token boundaries",),
    "entities": ("entities",),
    "classes": ("labels with signs",),
    "ids": ("values of the field id", "ids "),
    "fields": ("values of the field source", "values of the field document",
               "blanks between sentences of WebAnno TSV"),
    "gold": ("values of the field gold",),
    "scores": ("probabilities", "values of entities"),
}  # fmt: skip


def rich() -> Annotated:
    """Return the text with its entities."""
    lines = []
    for text in TEXTS:
        at, places = 0, []
        for word in text["words"]:
            start = text["text"].index(word, at)
            at = start + len(word)
            places.append([start, at])
        value = {key: entry for key, entry in text.items() if key != "words"}
        lines.append(json.dumps({**value, "tokens": places}))
    stream = io.BytesIO("\n".join(lines).encode())
    corpus = read_stream(stream, "rich", "jsonl", Reading(), Ledger(), lambda line: None)
    return labelled(corpus)


def written(
    piece: Annotated, to: Format, ledger: Ledger, writing: Writing | None = None
) -> bytes | Path:
    """Write a text in a format, in memory. For a folder's format, write a new folder and return its path."""
    writing = writing or Writing()
    pieces = counted_losses([piece], to, writing, ledger)
    write = module_of(to).write
    if to.container == "text":
        return "".join(write(pieces, writing, ledger)).encode()
    if to.container == "binary":
        out = io.BytesIO()
        write(pieces, writing, ledger, out)
        return out.getvalue()
    folder = Path(tempfile.mkdtemp())
    write(pieces, writing, ledger, folder)
    return folder


def read_back(data: bytes | Path, known: Format, ledger: Ledger) -> Corpus:
    """Read what `written` returned, in its format."""
    if isinstance(data, Path):
        with open_text(data, known.name) as opened:
            return read_opened(opened, Reading(), ledger, lambda line: None)
    return read_stream(
        io.BytesIO(data), known.name, known.name, Reading(), ledger, lambda line: None
    )


def aspects_of(piece: Annotated) -> dict[str, Any]:
    """Return each aspect of a text as a value that can be compared. Positions count non-blank characters."""
    corpus = with_records(piece.corpus)
    records = corpus.records
    assert records is not None
    owner = np.repeat(
        np.arange(len(records.texts)), np.diff(corpus.sentence_starts[records.starts])
    )
    base, before = [], 0
    for text in records.texts:
        base.append(before)
        before += len("".join(text.split()))

    def signs(record: int, place: int) -> int:
        return base[record] + len("".join(records.texts[record][:place].split()))

    places = [
        (signs(r, a), signs(r, b))
        for r, a, b in zip(owner.tolist(), records.token_starts.tolist(), records.token_ends.tolist(),
                           strict=True)
    ]  # fmt: skip
    firsts = corpus.sentence_starts[:-1].tolist()
    spans = piece.spans.as_list()
    gold: list[tuple[int, int, str]] = []
    for view in views(piece._replace(corpus=corpus)):
        r = view.number
        entries = view.fields.get(GOLD) or []
        if entries and isinstance(entries[0], str):
            tags = list(dict.fromkeys(entries))
            ids = np.array([tags.index(tag) for tag in entries], dtype=np.int32)
            found = spans_of(ids, tags, np.array([0, len(ids)])).as_list()
            entries = [(view.places[a][0], view.places[b - 1][1], label) for a, b, label in found]
        for entry in entries:
            keys = ("start", "end", "label")
            a, b, label = (entry[key] for key in keys) if isinstance(entry, dict) else entry
            gold.append((signs(r, a), signs(r, b), label))
    fields = {
        at: {key: _plain(value) for key, value in own.items() if value is not None}
        for at, own, n in zip(base, records.fields, np.diff(records.starts).tolist(), strict=True)
        if n
    }
    return {
        "text": _blanks(records.texts, base, inner=True),
        "borders": _blanks(records.texts, base, inner=False),
        "own_text": records.own_text,
        "texts": list(fields),
        "empty": len(records.texts) - len(fields),
        "documents": sorted({places[firsts[i]][0] for i in corpus.document_starts[:-1] if i < len(firsts)}),
        "sentences": [places[i][0] for i in firsts],
        "tokens": places,
        "entities": [(places[a][0], places[b - 1][1]) for a, b, _ in spans],
        "classes": [label for _, _, label in spans],
        "starts": sorted(fields),
        "ids": {(at, "id"): own["id"] for at, own in fields.items() if "id" in own and not records.numbered},
        "fields": {
            (at, key): value
            for at, own in fields.items()
            for key, value in own.items()
            if key not in ("id", GOLD, DOCUMENT)
        },
        "gold": sorted(gold),
    }  # fmt: skip


def _blanks(texts: list[str], base: list[int], inner: bool) -> set[tuple[int, str]]:
    """Return the blanks within texts (inner), or those at their boundaries.

    Each comes with the number of the character that follows. Within a text, words that touch have an empty
    blank between them.
    """
    out = set()
    for text, at in zip(texts, base, strict=True):
        for match in re.finditer(r"(\s*)(\S|\Z)", text):
            within = match.start() > 0 and match[2] != ""
            if within == inner and (match[1] or within):
                out.add((at, match[1]))
            at += 1
    return out


def _in_force(after: dict[str, Any], aspect: str, key: tuple[int, str]) -> Any:
    """Return a field's value at a position: that of its text, or else that of its document."""
    at, name = key
    starts = after["starts"]
    while (i := bisect_right(starts, at)) and (starts[i - 1], name) not in after[aspect]:
        at = starts[i - 1] - 1
    return after[aspect].get((starts[i - 1], name)) if i else None


def _plain(value: Any) -> str:
    """Return a value as a string. Formats that store only text can't distinguish 7 from "7"."""
    return value if isinstance(value, str) else json.dumps(value)


def lost(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return the aspects of a text that are different in another."""
    out = []
    for aspect, value in before.items():
        if isinstance(value, dict):
            kept = all(_in_force(after, aspect, key) == own for key, own in value.items())
        elif aspect in ("text", "texts") and not before["own_text"]:
            kept = True
        elif aspect == "text":
            kept = value <= after["text"]
            held = dict(after["borders"] | after["text"])
            kept = kept and all(blank in held.get(at, "") for at, blank in before["borders"])
        elif aspect == "texts":
            kept = value in (after["texts"], after["documents"], after["sentences"])
        else:
            kept = value == after[aspect] or aspect in ("starts", "own_text", "borders")
        if not kept:
            out.append(aspect)
    return out


def unsaid(aspects: list[str], ledger: Ledger) -> list[str]:
    """Return the lost aspects that an account does not name."""
    said = [*ledger.altered, *ledger.refused, *ledger.left_out]
    return [a for a in aspects if not any(what.startswith(ASPECTS[a]) for what in said)]


def row(to: Format) -> list[str]:
    """Return what a format keeps of the text, aspect by aspect, as cells of a table."""
    piece, ledger = rich(), Ledger()
    after = aspects_of(labelled(read_back(written(piece, to, ledger), to, Ledger())))
    before = aspects_of(piece)
    gone = lost(before, after)
    altered = [a for a in ASPECTS if any(what.startswith(ASPECTS[a]) for what in ledger.altered)]
    cells = []
    for aspect in ASPECTS:
        kept = "probabilities" in to.keeps if aspect == "scores" else aspect not in gone
        cell = "kept" if kept else "altered" if aspect in altered else "left out"
        if not kept and aspect == "ids" and _without(before, "texts", after):
            cell = "of documents"
        if not kept and aspect == "text" and _without(before, "sentences", after):
            cell = "in sentences"
        cells.append(cell)
    return cells


def _without(before: dict[str, Any], bounds: str, after: dict[str, Any]) -> bool:
    """Tell whether the loss is limited.

    bounds "texts": only ids of texts within a document are lost. bounds "sentences": only blanks between
    sentences are lost.
    """
    if bounds == "texts":
        own = {key: value for key, value in before["ids"].items() if key[0] in before["documents"]}
        return "ids" not in lost({**before, "ids": own}, after)
    starts = set(before["sentences"])
    inner = {(at, blank) for at, blank in before["text"] if at not in starts}
    return "text" not in lost({**before, "text": inner, "borders": set()}, after)
