"""Tag Arrow record batches: a column of texts in, and a column of entities added.

Spark, Ray Data and Dask can run it in each of their tasks. It needs the extra `arrow`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nertool.api.tagger import PathLike, Tagger, Thresholds, details_of, load
from nertool.corpus.record import Record
from nertool.errors import CorpusError

MOST_CHARACTERS = 10_000_000  # characters of one text
_ROWS, _CHARACTERS = 1024, 1 << 18  # rows and characters tagged together, at most


@dataclass(frozen=True)
class ColumnNames:
    """The names of the columns that are read and added.

    text: the column of texts; `a.b` is the field b of a struct a. entities, quarantine: the columns that are
    added at the end.
    """

    text: str = "text"
    entities: str = "entities"
    quarantine: str = "quarantine"

    def check(self, columns: list[str], case_sensitive: bool = True) -> None:
        """Check the names against a table's columns.

        Errors: CorpusError if a column name occurs twice, if the column of texts is missing, and if the names
        of new columns are taken.
        """

        def alike(name: str) -> list[str]:
            fold = (lambda n: n) if case_sensitive else str.casefold
            return [column for column in columns if fold(column) == fold(name)]

        twice = sorted({column for column in columns if len(alike(column)) > 1})
        if twice:
            raise CorpusError(
                f"found several columns named {', '.join(twice)[:200]}, expected distinct names; rename them"
            )
        if not alike(self.text) and not alike(self.text.partition(".")[0]):
            shown = ", ".join(columns[:20]) + (", …" if len(columns) > 20 else "")
            raise CorpusError(
                f"found no column {self.text}, expected one of {shown or 'some columns'}; "
                "name the column of texts (text_col, --text-field)"
            )
        for option, name in (("entities_col", self.entities), ("quarantine_col", self.quarantine)):
            if alike(name):
                raise CorpusError(
                    f"found a column named {name} already; choose another name for the new one ({option})"
                )
        if self.entities == self.quarantine:
            raise CorpusError(
                f"found the name {self.entities} for both new columns; choose two (quarantine_col)"
            )


def entity_type() -> Any:
    """Return the Arrow type of the column of entities: a list of structs.

    start and end count characters (Unicode code points) of the row's text; end is exclusive.
    """
    pa = _arrow()
    fields = [
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("label", pa.string()),
        ("text", pa.string()),
        ("probability", pa.float64()),
    ]
    return pa.list_(pa.struct(fields))


def tagged_schema(schema: Any, names: ColumnNames) -> Any:
    """Return a schema with the two new columns at its end. Errors: CorpusError, as in ColumnNames.check."""
    pa = _arrow()
    names.check(schema.names)
    schema = schema.append(pa.field(names.entities, entity_type()))
    return schema.append(pa.field(names.quarantine, pa.string()))


def tag_arrow_batches(
    batches: Iterable[Any],
    tagger: Tagger | PathLike,
    text_col: str = "text",
    *,
    entities_col: str = "entities",
    quarantine_col: str = "quarantine",
    threshold: Thresholds = 0.0,
    language: str = "en",
    max_characters: int = MOST_CHARACTERS,
) -> Iterator[Any]:
    """Yield pyarrow record batches with two more columns. Rows keep their order, and other columns are
    unchanged.

    - batches: record batches of one schema.
    - tagger: a Tagger, or a model's path.
    - text_col: the column of texts; `a.b` is the field b of a struct a.
    - entities_col: the name of the new column, a list of structs: start, end (characters), label, text,
      probability.
    - quarantine_col: the name of the new column with the reason why a row could not be tagged. Its entities
      are null then. The reason is null for all other rows. Reasons: null text, not a string, not UTF-8,
      longer than max_characters, any error in tagging.
    - threshold, language: as in a Tagger's call.

    Large batches are yielded in several pieces. Errors: CorpusError for columns that are missing, or whose
    names are taken.
    """
    names = ColumnNames(text_col, entities_col, quarantine_col)
    tagger = tagger if isinstance(tagger, Tagger) else load(tagger)
    rows = RowTagger(tagger, threshold, language, max_characters)
    for batch in batches:
        yield from rows.tag(batch, names)


class RowTagger:
    """Tags the rows of record batches, and counts rows, entities, and quarantined rows by reason in
    `counts`."""

    def __init__(
        self, tagger: Tagger, threshold: Thresholds, language: str, max_characters: int
    ) -> None:
        self.tagger, self.language, self.max_characters = tagger, language, max_characters
        self.details = details_of(threshold)
        self.counts: dict[str, int] = {"rows": 0, "entities": 0}

    def tag(self, batch: Any, names: ColumnNames) -> Iterator[Any]:
        """Yield a batch with the new columns, in pieces of bounded size."""
        pa = _arrow()
        schema = tagged_schema(batch.schema, names)
        texts, reasons = self._texts(_column(batch, names.text))
        lengths = np.array([0 if text is None else len(text) for text in texts], dtype=np.int64)
        for a, b in _stretches(lengths):
            entities = self._entities(texts[a:b], reasons, a)
            quarantine = pa.array([reasons.get(i) for i in range(a, b)], pa.string())
            columns = [column.slice(a, b - a) for column in batch.columns]
            yield pa.RecordBatch.from_arrays([*columns, entities, quarantine], schema=schema)
        self.counts["rows"] += len(texts)
        for reason in reasons.values():
            kind = f"quarantined: {reason.partition(':')[0]}"
            self.counts[kind] = self.counts.get(kind, 0) + 1

    def _texts(self, column: Any) -> tuple[list[str | None], dict[int, str]]:
        """Return each row's text, None for rows that can't be tagged, and the reasons by row number."""
        reasons: dict[int, str] = {}
        texts: list[str | None] = []
        for i, value in enumerate(_values(column)):
            reason = self._reason(value)
            if reason:
                reasons[i] = reason
            texts.append(None if reason else value)
        return texts, reasons

    def _reason(self, value: Any) -> str | None:
        if value is None:
            return "null text"
        if isinstance(value, bytes):
            return "not UTF-8"
        if not isinstance(value, str):
            return f"not a string: found {getattr(value, 'name', type(value).__name__)}"
        if len(value) > self.max_characters:
            return f"too long: {len(value):,} characters, at most {self.max_characters:,} (max_characters)"
        return None

    def _entities(self, texts: list[str | None], reasons: dict[int, str], first: int) -> Any:
        """Return the column of entities of rows. A row that can't be tagged gets a reason in `reasons`."""
        try:
            return self._tagged(texts)
        except Exception as error:
            if len(texts) > 1:  # find the row that fails
                pa = _arrow()
                each = (self._entities([text], reasons, first + i) for i, text in enumerate(texts))
                return pa.concat_arrays(list(each))
            if isinstance(error, MemoryError):  # the machine's fault, not the row's: the task fails
                raise
            said = " ".join(str(error).split())[:200]
            reasons[first] = f"failed: {type(error).__name__}: {said}"
            return self._tagged([None])

    def _tagged(self, texts: list[str | None]) -> Any:
        pa = _arrow()
        good = [i for i, text in enumerate(texts) if text is not None]
        records = [Record(texts[i] or "", 1, lined=True) for i in good]
        of_row = np.zeros(len(texts), dtype=np.int64)
        values: list[Any] = [[], [], [], [], []]
        if records:
            piece = self.tagger._annotated(records, self.details, self.language)
            spans, laid_out = piece.spans, piece.corpus.records
            assert laid_out is not None
            assert piece.probabilities is not None
            bounds = np.searchsorted(spans.starts, piece.corpus.sentence_starts[laid_out.starts])
            of_row[good] = np.diff(bounds)
            starts = laid_out.token_starts[spans.starts]
            ends = laid_out.token_ends[spans.ends - 1]
            which = np.repeat(good, np.diff(bounds)).tolist()
            cut = [
                (texts[i] or "")[a:b]
                for i, a, b in zip(which, starts.tolist(), ends.tolist(), strict=True)
            ]
            labels = [spans.label_names[label] for label in spans.labels.tolist()]
            values = [starts, ends, labels, cut, piece.probabilities]
        self.counts["entities"] += len(values[0])
        kind = entity_type()
        fields = list(kind.value_type)
        arrays = [pa.array(v, field.type) for v, field in zip(values, fields, strict=True)]
        structs = pa.StructArray.from_arrays(arrays, fields=fields)
        offsets = np.concatenate([[0], np.cumsum(of_row)]).astype(np.int32)
        missing = np.array([text is None for text in texts], dtype=bool)
        return pa.ListArray.from_arrays(
            pa.array(offsets, pa.int32()), structs, kind, mask=pa.array(missing)
        )


def _stretches(lengths: Any) -> Iterator[tuple[int, int]]:
    """Yield ranges of rows that are tagged together. No rows give one empty range."""
    a = total = 0
    for i, length in enumerate(lengths.tolist()):
        if i > a and (total + length > _CHARACTERS or i - a == _ROWS):
            yield a, i
            a, total = i, 0
        total += length
    yield a, len(lengths)


class _OfType:
    """The value of a row in a column that does not hold texts: the name of the column's type."""

    def __init__(self, name: str) -> None:
        self.name = name


def _column(batch: Any, name: str) -> Any:
    """Return a column by its name, or a struct's field by its path."""
    pa = _arrow()
    import pyarrow.compute as pc

    if name in batch.schema.names:
        return batch.column(name)
    first, _, path = name.partition(".")
    column = batch.column(first)
    for field in path.split("."):
        kind = column.type
        if not pa.types.is_struct(kind) or field not in [
            kind.field(i).name for i in range(kind.num_fields)
        ]:
            raise CorpusError(f"found no field {field} of the column {name}, in {_short(kind)}")
        column = pc.struct_field(column, field)
    return column


def _values(column: Any) -> list[Any]:
    """Return a column's values: str, bytes if they are not UTF-8, None, or other values if they are not
    texts."""
    pa = _arrow()
    is_ = pa.types
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if is_.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if is_.is_null(kind) or is_.is_union(kind):
        return list(column.to_pylist())
    texts = (is_.is_string, is_.is_large_string, is_.is_string_view)
    raws = (is_.is_binary, is_.is_large_binary, is_.is_binary_view, is_.is_fixed_size_binary)
    if any(test(kind) for test in texts):
        try:
            return list(column.to_pylist())
        except UnicodeDecodeError:
            column = column.cast(pa.large_string()).view(pa.large_binary())
    elif not any(test(kind) for test in raws):
        other = _OfType(_short(kind))
        return [other if known else None for known in column.is_valid().to_pylist()]
    return [None if raw is None else _decoded(raw) for raw in column.to_pylist()]


def _decoded(raw: bytes) -> str | bytes:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw


def _short(kind: Any) -> str:
    return str(kind) if len(str(kind)) <= 60 else f"{str(kind)[:57]}…"


def _arrow() -> Any:
    try:
        import pyarrow
    except ImportError:
        raise CorpusError(
            "tagging of Arrow batches needs pyarrow; install it with: pip install 'nertool[arrow]'"
        ) from None
    return pyarrow
