"""Entities of a column of texts, for pandas and polars. Neither is imported unless its frame is given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nertool.api.tagger import PathLike, Tagger, Thresholds, load

COLUMNS = ("text", "label", "start", "end", "probability")


def tag_column(
    frame: Any,
    column: str,
    tagger: Tagger | PathLike,
    *,
    key: str | None = None,
    workers: int = 1,
    threshold: Thresholds = 0.0,
) -> Any:
    """Find the entities in a column of texts; return a frame of the same library with one row per entity.

    - frame: a DataFrame of pandas or polars.
    - column: the name of the column of texts. A missing value has no entities.
    - tagger: a Tagger, or the path of a model.
    - key: the column that identifies the rows. The result has it as its first column. With None, the first
      column is `row`: the index (pandas) or the row number (polars).
    - workers, threshold: as in Tagger.pipe.

    The other columns of the result are text, label, start, end (in characters) and probability. Raises
    TypeError for another kind of frame, or for values that are not texts, and KeyError for a missing column.
    """
    library = type(frame).__module__.partition(".")[0]
    if library not in ("pandas", "polars") or not hasattr(frame, "columns"):
        raise TypeError(f"found a {type(frame).__name__}, expected a DataFrame of pandas or polars")
    for name in (column, *([] if key is None else [key])):
        if name not in frame.columns:
            raise KeyError(
                f"found no column {name!r}, expected one of {', '.join(map(str, frame.columns))}"
            )
    name = "row" if key is None else key
    if name in COLUMNS:
        raise ValueError(
            f"found the key {name!r}, which is the name of a column of entities; rename it"
        )
    tagger = tagger if isinstance(tagger, Tagger) else load(tagger)
    texts = frame[column].to_list() if library == "polars" else frame[column].tolist()
    keys = _keys(frame, key, library)
    documents = tagger.pipe(_texts(texts, column), workers=workers, threshold=threshold)
    rows = [
        (row, e.text, e.label, e.start, e.end, e.probability)
        for row, document in zip(keys, documents, strict=True)
        for e in document
    ]
    return _frame(rows, name, frame, key, library)


def _texts(values: list[Any], column: str) -> Iterator[str]:
    """Yield texts, the empty one for a missing value."""
    for number, value in enumerate(values):
        missing = value is None or value != value or type(value).__name__ == "NAType"
        if not missing and not isinstance(value, str):
            raise TypeError(
                f"column {column}, row {number}: found a {type(value).__name__}, expected a text"
            )
        yield "" if missing else value


def _keys(frame: Any, key: str | None, library: str) -> list[Any]:
    if key is not None:
        return list(frame[key].to_list() if library == "polars" else frame[key].tolist())
    return list(range(len(frame))) if library == "polars" else list(frame.index)


def _frame(
    rows: list[tuple[Any, ...]], name: str, frame: Any, key: str | None, library: str
) -> Any:
    """Return rows as a frame whose columns have the same types with and without rows."""
    columns = {column: [row[i] for row in rows] for i, column in enumerate((name, *COLUMNS))}
    if library == "polars":
        import polars

        of_key = polars.Int64 if key is None else frame.schema[key]
        kinds = (of_key, polars.String, polars.String, polars.Int64, polars.Int64, polars.Float64)
        return polars.DataFrame(columns, schema=dict(zip((name, *COLUMNS), kinds, strict=True)))
    import pandas

    out = pandas.DataFrame(columns)
    of_rows = frame.index.dtype if key is None else frame[key].dtype
    types = {"start": "int64", "end": "int64", "probability": "float64"}
    if getattr(frame.index, "nlevels", 1) == 1 or key is not None:
        types[name] = of_rows
    return out.astype(types)
