"""Parquet: rows with the same columns as JSON objects. Needs the extra `arrow` (pyarrow, 50 MB).

A table of tokens with numbered tags, as the library `datasets` writes it, is written in the same layout
again.
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

_GROUP = 1 << 16  # the number of rows at which a row group is written, or
_GROUP_BYTES = 1 << 25  # the number of bytes


def detect(head: Head) -> str | None:
    """Recognise the first four bytes of a Parquet file."""
    return "Parquet" if head.raw.startswith(b"PAR1") else None


def read(stream: BinaryIO, source: str, reading: Reading, ledger: Ledger) -> Iterator[Record]:
    """Yield each row as a record. Numbered tags get the names in Hugging Face's metadata of the file.

    The whole compressed file is held in memory. Errors: CorpusError if it is not a valid Parquet file.
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
    """Yield each row of a table as a record with the table's schema.

    Numbered tags get the names of reading.tag_names, or else those in the schema's metadata. Given names are
    stored in the schema, so that a prediction keeps them.
    """
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
    """Tell whether a piece was read from a table of tokens."""
    return tag_column(own_schema(piece)) is not None


def write(pieces: Pieces, writing: Writing, ledger: Ledger, stream: BinaryIO) -> None:
    """Write each record as a row with its fields, text, entities and the positions of its tokens.

    If the input is a table of tokens, write each sentence as a row with its tokens and tags.
    """
    write_table(pieces, writing, ledger, stream, of_tokens)


def write_table(
    pieces: Pieces, writing: Writing, ledger: Ledger, stream: BinaryIO, in_tokens: InTokens
) -> None:
    """Write the rows in groups of _GROUP rows or _GROUP_BYTES bytes. in_tokens: as in rows.table."""
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
