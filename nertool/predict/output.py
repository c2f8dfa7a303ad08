"""Results before they are written: stored until they are complete, and joined with others."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, groupby
from pathlib import Path
from typing import BinaryIO, TypeVar

from nertool.catalogue import Format
from nertool.corpus.ledger import Ledger
from nertool.errors import CorpusError
from nertool.formats.base import Writing
from nertool.formats.conll.rows import sign_name
from nertool.formats.write import written
from nertool.predict.tag import OutputColumns, Tagged

Item = TypeVar("Item")


class UnreadableError(Exception):
    """An error of an input that can't be read, as opposed to an output that can't be written."""

    def __init__(self, path: Path, error: CorpusError | OSError) -> None:
        super().__init__(str(error))
        self.path, self.error = path, error


def guarded(path: Path, items: Iterator[Item] | None) -> Iterator[Item] | None:
    """Yield items, and turn errors of the iterator into an UnreadableError of `path`."""
    if items is None:
        return None

    def _items(iterator: Iterator[Item]) -> Iterator[Item]:
        while True:
            try:
                item = next(iterator)
            except StopIteration:
                return
            except (CorpusError, OSError) as error:
                raise UnreadableError(path, error) from None
            yield item

    return _items(items)


def kept_in(file: BinaryIO, tagged: Tagged) -> Tagged:
    """Write a complete result to a temporary file, and return a result that is read from that file.

    The file has no name, so no other program can change the data that pickle reads.
    """
    number = 0
    for item in tagged.texts if tagged.texts is not None else tagged.pieces or ():
        pickle.dump(item, file)
        number += 1
    file.seek(0)
    items = (pickle.load(file) for _ in range(number))
    if tagged.texts is not None:
        return tagged._replace(texts=items)
    return tagged._replace(pieces=items)


def joined_texts(results: Iterator[Tagged], ledger: Ledger) -> Iterator[str]:
    """Yield the text of all results.

    Consecutive results in one format go through one writer, which makes them one list, table or page. The
    first of them determines how they are written. A line break is added after an input that ends without one.

    Errors: CorpusError for rows of an input that have other columns than those of the inputs before it.
    """
    last = ""
    for key, group in groupby(_with_equal_columns(results), key=_writer_of):
        if key is None:
            streams: Iterable[Iterable[str]] = (result.texts or () for result in group)
        else:
            first = next(group)
            form, writing = first.format, first.writing
            pieces = chain.from_iterable(result.pieces or () for result in chain([first], group))
            streams = [written(form, pieces, writing, ledger)]
        for texts in streams:
            if last and not last.endswith("\n"):
                last = "\n"
                yield last
            for text in texts:
                last = text or last
                yield text


def _with_equal_columns(results: Iterator[Tagged]) -> Iterator[Tagged]:
    """Yield results in CoNLL columns as long as all have the same columns. Errors: CorpusError."""
    before: OutputColumns | None = None
    for result in results:
        own = result.columns
        if own is not None:
            if before is None:
                before = own
            same = before.delimiter is None or own.delimiter in (None, before.delimiter)
            if own.width != before.width or not same:
                raise CorpusError(
                    f"{own.source}: found rows that get {_described(own)}, expected {_described(before)} as "
                    f"in {before.source}, because one output has one layout; give --out-dir, or another "
                    "format by --to"
                )
            if before.delimiter is None:
                before = own
        yield result


def _described(columns: OutputColumns) -> str:
    sign = "" if columns.delimiter is None else f" separated by {sign_name(columns.delimiter)}"
    return f"{columns.width} columns{sign}"


def _writer_of(result: Tagged) -> tuple[Format, Writing] | None:
    """Return a key: results with equal keys share a writer. The key is None for a result of texts.

    Whether an input has document marks is part of the key only for formats that can have them.
    """
    if result.texts is not None:
        return None
    heads = result.format.name in ("conll", "inline")
    return result.format, result.writing if heads else replace(result.writing, marks=None)
