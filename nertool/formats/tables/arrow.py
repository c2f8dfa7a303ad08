"""Write rows with any keys as an Arrow table with one schema, which is known only after the last row.

pyarrow (the extra `arrow`, 50 MB) is imported only when a table is read or written.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from nertool.errors import CorpusError
from nertool.formats.json.text import dump

ROWS = 1024  # rows that are converted to columns at a time

Row = dict[str, Any]
Alter = Callable[[str, str], None]  # takes what was altered, and where or how


def load_arrow() -> Any:
    """Import pyarrow. Errors: CorpusError that says how to install it."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise CorpusError(
            "Parquet and the folders of datasets need pyarrow; install it with: pip install 'nertool[arrow]'"
        ) from None
    return pyarrow


def written_types(pa: Any) -> dict[str, Any]:
    """Return the types of the columns that nertool itself writes.

    They do not depend on the rows. So tables of any texts can be concatenated, even if the texts of one have
    no entities.
    """
    entity = [
        ("start", pa.int64()), ("end", pa.int64()), ("label", pa.string()), ("text", pa.string()),
        ("token_start", pa.int64()), ("token_end", pa.int64()), ("probability", pa.float64()),
    ]  # fmt: skip
    of_tokens = [("token_start", pa.int64()), ("token_end", pa.int64()), ("label", pa.string())]
    tag = pa.struct([("tag", pa.string()), ("probability", pa.float64())])
    reading = [("probability", pa.float64()), ("entities", pa.list_(pa.struct(of_tokens)))]
    return {
        "text": pa.string(),
        "entities": pa.list_(pa.struct(entity)),
        "tokens": pa.list_(pa.list_(pa.int64())),
        "sentences": pa.list_(pa.int64()),
        "marginals": pa.list_(pa.list_(pa.list_(tag))),
        "n_best": pa.list_(pa.list_(pa.struct(reading))),
    }


@contextmanager
def spooled(
    rows: Iterable[Row], types: Mapping[str, Any], columns: Iterable[str], alter: Alter
) -> Iterator[tuple[Any, Iterator[Any]]]:
    """Yield the schema of rows with any keys, and their batches with that schema.

    types: the types of known columns. Other types are inferred from all rows, which a temporary file holds
    meanwhile. columns: the first columns in order, which exist even if no row has them. A column with values
    of several types becomes a column of strings, in which other values are written as JSON.
    """
    pa = load_arrow()
    known = dict(types)
    found: dict[str, Any] = {name: known.get(name) for name in columns}
    mixed: dict[str, None] = {}
    with tempfile.TemporaryFile() as file:
        lengths = []
        for piece in _pieces(rows):
            arrays = {}
            for name in dict.fromkeys(key for row in piece for key in row):
                values = [row.get(name) for row in piece]
                arrays[name] = _array(pa, name, values, known.get(name), mixed, alter)
                found[name] = _unified(pa, found.get(name), arrays[name].type)
                if found[name] is None:
                    mixed[name] = None
                if known.get(name) not in (None, found[name]):
                    del known[name]
            batch = pa.record_batch(list(arrays.values()), names=list(arrays))
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, batch.schema) as out:
                out.write_batch(batch)
            lengths.append(file.write(sink.getvalue()))
        for name in mixed:
            alter("columns with values of several kinds, written as strings", name)
        schema = pa.schema(
            [
                (name, pa.string() if name in mixed else _filled(pa, kind))
                for name, kind in found.items()
            ]
        )
        file.seek(0)
        batches = (pa.ipc.open_stream(file.read(n)).read_next_batch() for n in lengths)
        yield schema, (_of_schema(pa, batch, schema) for batch in batches)


def _pieces(rows: Iterable[Row]) -> Iterator[list[Row]]:
    piece = []
    for row in rows:
        piece.append(row)
        if len(piece) == ROWS:
            yield piece
            piece = []
    if piece:
        yield piece


def _array(
    pa: Any, name: str, values: list[Any], kind: Any, mixed: dict[str, None], alter: Alter
) -> Any:
    """Return values as an array of the type `kind`, or else of an inferred type.

    If the values have several types, they become strings, and the name is added to `mixed`.
    """
    for attempt in (kind, None):
        try:
            return pa.array(values, type=attempt)
        except UnicodeEncodeError:
            alter("halves of surrogate pairs, which UTF-8 can't hold, replaced by U+FFFD", name)
            return _array(pa, name, [_encodable(v) for v in values], kind, mixed, alter)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            continue
    mixed[name] = None
    return pa.array([_as_string(value) for value in values], type=pa.string())


def _as_string(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return dump(value)


def _encodable(value: Any) -> Any:
    """Replace lone surrogates in all strings of a value by U+FFFD. The lengths stay the same."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, dict):
        return {_encodable(key): _encodable(entry) for key, entry in value.items()}
    return [_encodable(entry) for entry in value] if isinstance(value, list | tuple) else value


def _unified(pa: Any, a: Any, b: Any) -> Any:
    """Return a type that can hold the values of both types, or None if there is none."""
    if a is None or a == b:
        return b
    schemas = [pa.schema([("", kind)]) for kind in (a, b)]
    try:
        return pa.unify_schemas(schemas, promote_options="permissive").field(0).type
    except (pa.ArrowException, TypeError):
        return None


def _filled(pa: Any, kind: Any) -> Any:
    """Replace the null type by string, also within a type.

    A column without any value, or with empty lists only, has the null type.
    """
    if kind is None or pa.types.is_null(kind):
        return pa.string()
    if pa.types.is_list(kind):
        return pa.list_(_filled(pa, kind.value_type))
    if pa.types.is_struct(kind):
        fields = [kind.field(i) for i in range(kind.num_fields)]
        return pa.struct([(field.name, _filled(pa, field.type)) for field in fields])
    return kind


def _of_schema(pa: Any, batch: Any, schema: Any) -> Any:
    """Return a batch with the columns of a schema. Columns that the batch lacks are null."""
    arrays = []
    for field in schema:
        at = batch.schema.get_field_index(field.name)
        if at < 0:
            arrays.append(pa.nulls(batch.num_rows, field.type))
        elif batch.column(at).type == field.type:
            arrays.append(batch.column(at))
        else:
            values = batch.column(at).to_pylist()
            if pa.types.is_string(field.type):
                values = [_as_string(value) for value in values]
            arrays.append(pa.array(values, type=field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def json_metadata(schema: Any, key: bytes) -> Any:
    """Return the JSON value under a key of a schema's metadata, or None if there is none."""
    try:
        return json.loads((schema.metadata or {})[key])
    except (KeyError, ValueError, RecursionError):
        return None
