"""Parquet: rows with the same columns as JSON objects. Needs the extra `arrow` (pyarrow, 50 MB)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any, BinaryIO

from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading, Record
from nertool.errors import CorpusError
from nertool.formats.base import Pieces, Writing, record_views
from nertool.formats.head import Head
from nertool.formats.json.objects import plain_object, record_or_none

_ROWS = 1024


def detect(head: Head) -> str | None:
    """Recognise the four bytes with which a Parquet file begins."""
    return "Parquet" if head.raw.startswith(b"PAR1") else None


def read(stream: BinaryIO, source: str, reading: Reading, ledger: Ledger) -> Iterator[Record]:
    """Yield each row as a record; numbered tags take the names that Hugging Face keeps in the file.

    The file is held in memory as it is on disk. Errors: CorpusError if it is no Parquet file.
    """
    pa, parquet = _arrow()
    try:
        table = parquet.ParquetFile(BytesIO(stream.read()))
        reading = _with_names(reading, table.schema_arrow)
        before: dict[str, Any] | None = None
        number = 0
        for batch in table.iter_batches(_ROWS):
            for row in batch.to_pylist():
                number += 1
                value = {key: entry for key, entry in row.items() if entry is not None}
                place = f"{source}:#{number}"
                record = record_or_none(value, number, place, reading, ledger, before)
                if record is not None:
                    before = record.fields
                    yield record
    except (pa.ArrowException, OSError) as error:
        raise CorpusError(
            f"{source}: damaged, or no Parquet file ({' '.join(str(error).split())[:200]})"
        ) from None


def _with_names(reading: Reading, schema: Any) -> Reading:
    """Take the names of numbered tags from the metadata of the datasets library, if they are there."""
    from dataclasses import replace

    raw = (schema.metadata or {}).get(b"huggingface")
    if reading.tag_names or raw is None:
        return reading
    try:
        features = json.loads(raw)["info"]["features"].values()
        names = next(f["feature"]["names"] for f in features if "names" in f.get("feature", {}))
        return replace(reading, tag_names=tuple(map(str, names)))
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration):
        return reading


def write(pieces: Pieces, writing: Writing, ledger: Ledger, stream: BinaryIO) -> None:
    """Write each record as a row: its fields, text and entities, and its tokens' places."""
    views = record_views(pieces, writing, tokens=writing.exact)
    write_rows((plain_object(view, writing.exact) for view in views), stream)


def write_rows(rows: Iterable[dict[str, Any]], stream: BinaryIO) -> None:
    """Write rows of the same keys, a thousand at a time; the first thousand show the columns' types.

    Errors: CorpusError for a later row that has other types.
    """
    pa, parquet = _arrow()
    writer = None
    schema = None
    piece: list[dict[str, Any]] = []

    def flush() -> None:
        nonlocal writer, schema
        try:
            keys = dict.fromkeys(key for row in piece for key in row)
            if schema is None:
                # The library would take the first row's keys for all.
                columns = {key: [row.get(key) for row in piece] for key in keys}
                table = pa.table(columns)
            elif extra := [key for key in keys if key not in schema.names]:
                raise ValueError(f'a key "{extra[0]}" that the first thousand lack')
            else:
                table = pa.Table.from_pylist(piece, schema=schema)
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise CorpusError(
                f"found records that make no table ({' '.join(str(error).split())[:150]}), expected "
                "the same kinds of values in all; write JSON lines instead"
            ) from None
        schema = table.schema
        writer = writer or parquet.ParquetWriter(stream, schema, compression="zstd")
        writer.write_table(table)
        piece.clear()

    for row in rows:
        piece.append(row)
        if len(piece) == _ROWS:
            flush()
    if piece or writer is None:
        flush()
    if writer is not None:
        writer.close()


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise CorpusError(
            "Parquet needs pyarrow; install it with: pip install 'nertool[arrow]'"
        ) from None
    return pyarrow, pyarrow.parquet
