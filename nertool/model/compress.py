"""Compression of a model: rows of its tables in fewer bytes, and fewer words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.files.wordlist import Words
from nertool.inputs.encoder import SPECIAL_ROWS, UNKNOWN, Encoder
from nertool.inputs.layout import MEMORY
from nertool.model.model import Member, Model
from nertool.network.objective import WEIGHTS
from nertool.vectors.rows.coded_rows import CENTROIDS, CodedRows, code_rows
from nertool.vectors.rows.compressed_rows import CompressedRows
from nertool.vectors.rows.rows import Rows, expanded, selected
from nertool.vectors.subwords import Composer

_FEWEST_ROWS = 64  # tables with fewer rows are not compressed: they would save little
_NARROW = 4  # up to this number of columns, float16 takes no more bytes than int8 with a scale for each row
CODES = "codes"  # rows of rare words are codes of a few bytes each, the others int8
MOST_FREQUENT = 10_000  # with codes: the default number of words with a row of int8
_KEY = "compressed"  # the entry of provenance
_EXACT = (*WEIGHTS, MEMORY)  # never int8: `train --from` needs the memory's exact shares
_HALVED = ("W", MEMORY)  # float16 with codes


class _Vectors(NamedTuple):
    """A compressed file of vectors, which networks may share.

    kept: the original row numbers of the rows that are left, or with codes of those that are int8.
    """

    encoder: Encoder
    L: Rows
    kept: NDArray[np.int64]


def compress_model(model: Model, dtype: str | None, top: int | None) -> Model:
    """Return a smaller model: without its rare words, and with its rows in another type.

    dtype: "float16", "int8" or "codes"; None leaves the type unchanged. top: the number of words to keep
    from the beginning of each file of vectors, which lists the most frequent words first; words whose
    vectors training changed are also kept; None keeps all words. With "codes" no word is removed: the rows
    of the other words become codes of a few bytes each, and W and the memory become float16. With the other
    types, W and the memory do not change. b, U, small tables and rows that are already compressed never
    change. Errors: ValueError for a value that float16 can't hold.
    """
    first_stage, members = (
        tuple(_without_unchanged(member) for member in stage)
        for stage in (model.first_stage, model.members)
    )
    everyone = (*first_stage, *members)
    smaller: dict[int, _Vectors] = {}
    for member in everyone:
        if id(member.encoder) not in smaller:
            changed = [own.rows for own in everyone if own.encoder is member.encoder]
            smaller[id(member.encoder)] = _smaller_vectors(member, changed, dtype, top)

    def compressed(member: Member) -> Member:
        encoder, L, kept = smaller[id(member.encoder)]
        parameters = {
            name: table if name in _EXACT else _smaller_table(table, dtype)
            for name, table in member.parameters.items()
        }
        for name in _HALVED if dtype == CODES else ():
            table = parameters.get(name)
            if isinstance(table, np.ndarray) and table.dtype == np.float32:
                parameters[name] = CompressedRows.of(table, "float16")
        return Member(encoder, L, np.searchsorted(kept, member.rows).astype(np.int32), parameters)

    words = max(len(member.L) - SPECIAL_ROWS for member in everyone)
    left = max(len(own.L) - SPECIAL_ROWS for own in smaller.values())
    before = model.provenance.get(_KEY) or {}
    told = {"rows": dtype or before.get("rows"), "words": left, "of": before.get("of", words)}
    return replace(
        model,
        members=tuple(compressed(member) for member in members),
        first_stage=tuple(compressed(member) for member in first_stage),
        provenance={**model.provenance, _KEY: told},
    )


def _without_unchanged(member: Member) -> Member:
    """Remove the rows that training did not change, which are those of words in dev only.

    If the vectors were not trained at all, no row is removed.
    """
    trained, start = member.parameters["L"], member.L[member.rows]
    changed = (expanded(trained) != start).any(axis=1)
    if not changed.any() or isinstance(trained, CodedRows):
        return member
    parameters = {**member.parameters, "L": selected(trained, np.flatnonzero(changed))}
    return member._replace(rows=member.rows[changed], parameters=parameters)


def _smaller_vectors(
    member: Member, changed: Sequence[NDArray[np.integer]], dtype: str | None, top: int | None
) -> _Vectors:
    """Compress a file of vectors.

    changed: for each network, the rows of L for which it has trained vectors. Errors: ValueError for `top`
    with rows that are codes already.
    """
    encoder, L = member.encoder, member.L
    if isinstance(L, CodedRows):
        if top is not None:
            raise ValueError(
                "the rows of its rare words are codes, in alphabetical order; compress the model before it"
            )
        return _Vectors(encoder, L, np.arange(len(L)))
    if dtype == CODES and top is None:
        top = MOST_FREQUENT
    first = len(L) if top is None else min(len(L), SPECIAL_ROWS + top)
    kept = np.unique(np.concatenate([np.arange(first), *changed]))
    if dtype == CODES and len(L) - len(kept) < CENTROIDS:  # too few to code: all are kept
        kept = np.arange(len(L))
    own = selected(L, kept)
    order = kept
    if dtype == CODES and len(kept) < len(L):
        rest = np.setdiff1d(np.arange(len(L)), kept, assume_unique=True)
        # In alphabetical order, the list of words compresses to two thirds of the size.
        rest = rest[np.argsort([encoder.words[row - SPECIAL_ROWS] for row in rest.tolist()])]
        order = np.concatenate([kept, rest])
        coded = L[rest].astype(np.float32)
        smaller: Rows = code_rows(CompressedRows.of(own, "int8"), coded)
    else:
        smaller = _smaller_table(own, dtype)
    if len(order) < len(L) or order is not kept:
        words = Words(encoder.words[row - SPECIAL_ROWS] for row in order[SPECIAL_ROWS:].tolist())
        clusters = encoder.clusters
        encoder = encoder.with_words(words, clusters=None if clusters is None else clusters[order])
    if encoder.composer is not None and dtype is not None:
        tables = [
            table.stored_as("int8" if dtype == CODES else dtype)
            for table in encoder.composer.tables
        ]
        base = smaller[np.array([UNKNOWN])][0]
        encoder = encoder.with_words(encoder.words, Composer(base, tables), encoder.clusters)
    return _Vectors(encoder, smaller, kept)


def _smaller_table(table: Rows, dtype: str | None) -> Rows:
    if dtype is None or len(table) < _FEWEST_ROWS or isinstance(table, CodedRows):
        return table
    kind = "int8" if dtype == CODES else dtype
    if kind == "float16" or table.shape[1] > _NARROW:
        return CompressedRows.of(table, kind)
    try:
        return CompressedRows.of(table, "float16")
    except ValueError:  # a value that float16 can't hold
        return table
