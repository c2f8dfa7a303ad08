"""Parquet: rows with the same columns as JSON objects. Needs the extra `arrow` (pyarrow, 50 MB).

A table of tokens with numbered tags, as the library datasets writes it, is written as such again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from io import BytesIO
from typing import Any, BinaryIO

from nertool.corpus.annotated import Annotated
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import GOLD, Reading, Record
from nertool.errors import CorpusError
from nertool.formats.base import Pieces, Writing
from nertool.formats.head import Head
from nertool.formats.json.objects import record_or_none
from nertool.formats.tables.arrow import ROWS, load_arrow
from nertool.formats.tables.features import (
    METADATA,
    class_names,
    features_of,
    metadata_of,
    with_class_names,
)
from nertool.formats.tables.rows import InTokens, own_schema, table, tag_column

_GROUP = 1 << 16  # rows, or
_GROUP_BYTES = 1 << 25  # bytes, of which a group of rows consists


def detect(head: Head) -> str | None:
    """Recognise the four bytes with which a Parquet file begins."""
    return "Parquet" if head.raw.startswith(b"PAR1") else None


def read(stream: BinaryIO, source: str, reading: Reading, ledger: Ledger) -> Iterator[Record]:
    """Yield each row as a record; numbered tags take the names that Hugging Face keeps in the file.

    The file is held in memory as it is on disk. Errors: CorpusError if it is no Parquet file.
    """
    pa = load_arrow()
    try:
        file = pa.parquet.ParquetFile(BytesIO(stream.read()))
        yield from records_of(file.schema_arrow, file.iter_batches(ROWS), source, reading, ledger)
    except (pa.ArrowException, OSError) as error:
        raise CorpusError(
            f"{source}: damaged, or no Parquet file ({' '.join(str(error).split())[:200]})"
        ) from None


def records_of(
    schema: Any, batches: Iterable[Any], source: str, reading: Reading, ledger: Ledger
) -> Iterator[Record]:
    """Yield each row of a table as a record that knows the table's columns. Numbered tags take the names
    that the schema's metadata has, or those that were given, which a prediction then keeps."""
    key = tag_column(schema)
    features = features_of(schema)
    if key is not None:
        names = reading.tag_names or class_names(features.get(key))
        reading = replace(reading, tag_names=names)
        numbered = key in schema.names and not class_names(features.get(key))
        if names and numbered and "string" not in str(schema.field(key).type):
            features = {**features, key: with_class_names(features.get(key), names)}
            told = {**(schema.metadata or {}), **metadata_of(features)}
            schema = schema.with_metadata(told)
    gold_names = class_names(features.get(GOLD))
    if METADATA not in (schema.metadata or {}):
        schema = schema.remove_metadata()
    raw = schema.serialize().to_pybytes()
    before: dict[str, Any] | None = None
    number = 0
    for batch in batches:
        for row in batch.to_pylist():
            number += 1
            value = {key: entry for key, entry in row.items() if entry is not None}
            if gold_names and isinstance(value.get(GOLD), list):
                value[GOLD] = [
                    gold_names[tag] if tag in range(len(gold_names)) else tag for tag in value[GOLD]
                ]
            place = f"{source}:#{number}"
            record = record_or_none(value, number, place, reading, ledger, before)
            if record is not None:
                before = record.fields
                yield record._replace(arrow_schema=raw)


def of_tokens(piece: Annotated) -> bool:
    """Tell whether a piece's records are rows of a table of tokens."""
    return tag_column(own_schema(piece)) is not None


def write(pieces: Pieces, writing: Writing, ledger: Ledger, stream: BinaryIO) -> None:
    """Write each record as a row: its fields, text and entities, and its tokens' places; or its tokens and
    tags, if it is a row of such a table."""
    write_table(pieces, writing, ledger, stream, of_tokens)


def write_table(
    pieces: Pieces, writing: Writing, ledger: Ledger, stream: BinaryIO, in_tokens: InTokens
) -> None:
    """Write the rows in groups of some ten thousand. in_tokens: as in rows.table."""
    pa = load_arrow()
    with (
        table(pieces, writing, ledger, in_tokens) as (schema, batches),
        pa.parquet.ParquetWriter(stream, schema, compression="zstd") as writer,
    ):
        group: list[Any] = []
        for batch in batches:
            group.append(batch)
            rows, size = sum(b.num_rows for b in group), sum(b.nbytes for b in group)
            if rows >= _GROUP or size >= _GROUP_BYTES:
                writer.write_table(pa.Table.from_batches(group, schema))
                group = []
        if group:
            writer.write_table(pa.Table.from_batches(group, schema))
