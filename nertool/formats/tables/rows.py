"""Convert annotated text to rows of a table, in one of two layouts, with the table's schema.

A table of texts has the columns of a JSON object: the record's fields, `text`, `entities` and, if they are
wanted, the positions of `tokens` and `sentences`. A table of tokens has the columns of Hugging Face's token
classification: `tokens`, and `ner_tags` as numbers. The names of the numbers are in the schema's metadata.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from typing import Any

from nertool.corpus.annotated import Annotated, RecordView
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import GOLD
from nertool.formats.base import Pieces, Writing, record_views
from nertool.formats.json.hf import sentence_rows
from nertool.formats.json.objects import (
    SPAN_KEYS,
    TAG_KEYS,
    WORD_KEYS,
    entity_objects,
    plain_object,
)
from nertool.formats.tables.arrow import Row, load_arrow, spooled, written_types
from nertool.formats.tables.features import (
    METADATA,
    Numbering,
    class_names,
    features_of,
    metadata_of,
    with_class_names,
)

_OF_TEXTS = ("text", "tokens", "sentences", "ner_tags")
InTokens = Callable[[Annotated], bool]


def tag_column(schema: Any) -> str | None:
    """Return the column of tags of a table of tokens, or None for a table of texts."""
    pa = load_arrow()
    kinds = {field.name: field.type for field in schema}
    words = next((name for name in WORD_KEYS if name in kinds), None)
    if "text" in kinds or words is None:
        return None
    if not _is_list(pa, kinds[words]) or not _is_text(pa, kinds[words].value_type):
        return None
    return next((name for name in TAG_KEYS if _is_list(pa, kinds.get(name))), "ner_tags")


def _is_list(pa: Any, kind: Any) -> bool:
    return kind is not None and (pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _is_text(pa: Any, kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def own_schema(piece: Annotated) -> Any:
    """Return the schema of the table from which a piece was read. Empty if it was not read from a table."""
    pa = load_arrow()
    raw = piece.corpus.records.arrow_schema if piece.corpus.records is not None else b""
    return pa.ipc.read_schema(pa.py_buffer(raw)) if raw else pa.schema([])


@contextmanager
def table(
    pieces: Pieces, writing: Writing, ledger: Ledger, in_tokens: InTokens
) -> Iterator[tuple[Any, Iterator[Any]]]:
    """Yield the schema of a table and its batches.

    in_tokens: a function that decides, from the first piece, whether to write a table of tokens with tags or
    one of texts with entities.
    """
    pa = load_arrow()
    stream = iter(pieces)
    first = next(stream, None)
    every = chain([] if first is None else [first], stream)
    schema = pa.schema([]) if first is None else own_schema(first)
    source = "" if first is None else first.corpus.source
    layout = (
        _Tokens(schema, writing, ledger)
        if first is not None and in_tokens(first)
        else _Texts(schema, writing, ledger)
    )

    def alter(what: str, where: str) -> None:
        ledger.alter(source, what, where)

    with spooled(layout.rows(every), layout.types, layout.columns, alter) as (found, batches):
        features = {name: f for name, f in layout.features().items() if name in found.names}
        other = {k: v for k, v in (schema.metadata or {}).items() if k not in (METADATA, b"pandas")}
        told = found.with_metadata({**other, **metadata_of(features)} or None)
        yield told, (batch.replace_schema_metadata(told.metadata) for batch in batches)


class _Texts:
    """The layout of a table of texts with entities."""

    def __init__(self, schema: Any, writing: Writing, ledger: Ledger) -> None:
        pa = load_arrow()
        self._writing = writing
        written = written_types(pa)
        if not writing.exact:
            written = {k: v for k, v in written.items() if k not in ("tokens", "sentences")}
        kinds = {field.name: field.type for field in schema}
        labels = next((k for k in SPAN_KEYS if _is_list(pa, kinds.get(k))), None)
        if labels is not None:
            kinds[GOLD] = kinds.pop(labels)
        self.types = {**kinds, **written}
        self._features = features_of(schema)
        always = ["text", "entities", *(["tokens", "sentences"] if writing.exact else [])]
        self.columns = [*(name for name in kinds if name not in (*always, GOLD)), *always]

    def rows(self, pieces: Pieces) -> Iterator[Row]:
        for view in record_views(pieces, self._writing, tokens=self._writing.exact):
            row = plain_object(view, self._writing.exact)
            if "marginals" in row and view.extras:
                row["marginals"] = [_pairs(sentence) for sentence in row["marginals"]]
            if isinstance(row.get(GOLD), list):
                row[GOLD] = [_as_object(entry) for entry in row[GOLD]]
            yield row

    def features(self) -> dict[str, Any]:
        return {k: v for k, v in self._features.items() if k not in ("text", "entities", GOLD)}


def _pairs(sentence: Any) -> Any:
    """Convert each token's distribution from an object to a list of tags with their probabilities.

    An object would not do, because a table needs the same keys in all rows.
    """
    return [[{"tag": tag, "probability": p} for tag, p in token.items()] for token in sentence]


def _as_object(entry: Any) -> Any:
    """Convert [start, end, label] to an object, because all entries of a table's list have one type."""
    if isinstance(entry, list) and len(entry) == 3:
        return dict(zip(("start", "end", "label"), entry, strict=True))
    return entry


class _Tokens:
    """The layout of a table of tokens with tags."""

    def __init__(self, schema: Any, writing: Writing, ledger: Ledger) -> None:
        pa = load_arrow()
        self._ledger = ledger
        self._features = features_of(schema)
        kinds = {field.name: field.type for field in schema}
        if (
            tag_column(schema) is None
        ):  # a table of texts: its columns with these names hold positions
            kinds = {k: v for k, v in kinds.items() if k not in (*_OF_TEXTS, *SPAN_KEYS, GOLD)}
        self._words = next((name for name in WORD_KEYS if name in kinds), "tokens")
        self._tags = tag_column(schema) or "ner_tags"
        kind = kinds.get(self._tags)
        names = class_names(self._features.get(self._tags))
        # A table with tags by name, or by numbers whose names are unknown, gets tags by name.
        numbered = kind is None or bool(names)
        self._numbering = Numbering(names, writing.scheme) if numbered else None
        self._writing = writing
        if self._numbering is not None:
            self._writing = replace(writing, scheme=self._numbering.scheme)
        self._of_table = kind is not None
        self._gold = False  # whether some row has the field `gold`
        self.types = {**kinds, self._words: kinds.get(self._words, pa.list_(pa.string()))}
        if kind is not None:
            self.types[GOLD] = kind
            self.types["entities"] = written_types(pa)["entities"]
        if kind is None or not (numbered or _is_text(pa, kind.value_type)):
            self.types[self._tags] = pa.list_(pa.int64() if numbered else pa.string())
        self.columns = list(dict.fromkeys([*kinds, self._words, self._tags]))

    def rows(self, pieces: Pieces) -> Iterator[Row]:
        for piece in pieces:
            if self._numbering is not None:
                self._numbering.add(piece.spans.label_names)
            for row, view in sentence_rows([piece], self._writing, self._ledger):
                words, tags = row.pop("tokens"), row.pop("ner_tags")
                if self._numbering is not None:
                    tags = self._numbering.numbers(tags)
                    if _is_tags(row.get(GOLD)):
                        self._gold = True
                        row[GOLD] = self._numbering.numbers_of_any(row[GOLD])
                row |= {self._words: words, self._tags: tags}
                if view.predicted and self._of_table:
                    row["entities"] = _entities_in_tokens(view)
                yield row

    def features(self) -> dict[str, Any]:
        if self._numbering is None:
            return self._features
        named = with_class_names(self._features.get(self._tags), self._numbering.names)
        gold = {GOLD: named} if self._of_table or self._gold else {}
        return {**self._features, self._tags: named, **gold}


def _is_tags(value: Any) -> bool:
    """Tell whether a value is a list of tags by name."""
    return isinstance(value, list) and all(isinstance(tag, str) for tag in value)


def _entities_in_tokens(view: RecordView) -> list[dict[str, Any]]:
    """Return a prediction's entities with their probabilities, and offsets in tokens only."""
    return [
        {key: entry for key, entry in entity.items() if key not in ("start", "end")}
        for entity in entity_objects(view)
    ]
