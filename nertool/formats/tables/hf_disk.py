"""A folder as save_to_disk of the library `datasets` writes it: Arrow files, and JSON that describes them.

```
mine/dataset_info.json
mine/state.json
mine/data-00000-of-00001.arrow
```

load_from_disk reads it. nertool needs the extra `arrow` (pyarrow) for it, but not the library itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nertool.corpus.annotated import Annotated
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading, Record
from nertool.errors import CorpusError
from nertool.formats.base import Pieces, Writing
from nertool.formats.json.text import dump
from nertool.formats.tables.arrow import load_arrow
from nertool.formats.tables.features import features_of, metadata_of
from nertool.formats.tables.parquet import of_tokens, records_of
from nertool.formats.tables.rows import table

STATE, INFO, PARTS = "state.json", "dataset_info.json", "dataset_dict.json"
_DATA = "data-00000-of-00001.arrow"


def detect_path(path: Path) -> str | None:
    """Recognise a folder with the state of a dataset, or with a list of its splits."""
    if (path / STATE).is_file() and (path / INFO).is_file():
        return "a folder of datasets.save_to_disk"
    return "a folder of a DatasetDict" if (path / PARTS).is_file() else None


def read(path: Path, source: str, reading: Reading, ledger: Ledger) -> Iterator[Record]:
    """Yield each row of the folder's Arrow files, in the order in which the folder lists them.

    Errors: CorpusError for a folder of several splits, which it names, and for missing or damaged files.
    """
    pa = load_arrow()
    if (path / PARTS).is_file():
        parts = _json(path / PARTS).get("splits")
        names = [str(part) for part in parts] if isinstance(parts, list) else []
        example = f"; name one of them, such as {path / names[0]}" if names else ""
        raise CorpusError(
            f"{path}: found a DatasetDict with the parts {', '.join(names) or '(none)'}, expected one "
            f"dataset{example}"
        )
    state = _json(path / STATE)
    if state.get("_indices_data_files"):
        raise CorpusError(
            f"{path}: found a selection of rows kept apart from them, as an early version of datasets "
            "wrote it; expected plain rows; load it with datasets and save it again"
        )
    files = state.get("_data_files")
    file_names = [
        entry.get("filename") if isinstance(entry, dict) else None for entry in files or ()
    ]
    features = _json(path / INFO).get("features")
    for name in file_names:
        file = path / str(name)
        if not isinstance(name, str) or Path(name).name != name or not file.is_file():
            raise CorpusError(
                f"{path / STATE}: names the file {name}, which is not there; expected all of the folder"
            )
        try:
            with pa.memory_map(str(file)) as mapped, pa.ipc.open_stream(mapped) as stream:
                schema = stream.schema
                if isinstance(features, dict) and not features_of(schema):
                    schema = schema.with_metadata(metadata_of(features))
                yield from records_of(schema, stream, str(file), reading, ledger)
        except (pa.ArrowException, OSError) as error:
            raise CorpusError(
                f"{file}: damaged, or no Arrow file ({' '.join(str(error).split())[:200]})"
            ) from None


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CorpusError(
            f"{path}: not JSON that can be read ({' '.join(str(error).split())[:100]}); expected a folder "
            "of datasets.save_to_disk"
        ) from None
    return value if isinstance(value, dict) else {}


def _without_text(piece: Annotated) -> bool:
    records = piece.corpus.records
    return of_tokens(piece) or records is None or not records.own_text


def write(pieces: Pieces, writing: Writing, ledger: Ledger, folder: Path) -> None:
    """Write a dataset of one Arrow file: a table of texts with entities, or a table of tokens with tags.

    The latter is written if the input is such a table, or has no text of its own.
    """
    pa = load_arrow()
    with (
        table(pieces, writing, ledger, _without_text) as (schema, batches),
        pa.OSFile(str(folder / _DATA), "wb") as file,
        pa.ipc.new_stream(file, schema) as out,
    ):
        for batch in batches:
            out.write_batch(batch)
    with (folder / _DATA).open("rb") as written:
        # The library names its cached results by the fingerprint: different data need a different one.
        fingerprint = hashlib.file_digest(written, "sha256").hexdigest()[:16]
    features = _all_features(schema)
    state: dict[str, Any] = {
        "_data_files": [{"filename": _DATA}],
        "_fingerprint": fingerprint,
        "_format_columns": None,
        "_format_kwargs": {},
        "_format_type": None,
        "_output_all_columns": False,
        "_split": None,
    }
    info = {"citation": "", "description": "", "features": features, "homepage": "", "license": ""}
    for name, value in ((STATE, state), (INFO, info)):
        (folder / name).write_text(dump(value) + "\n", encoding="utf-8", newline="")


def _all_features(schema: Any) -> dict[str, Any]:
    """Return the feature of each column, because the library needs all of them."""
    known = features_of(schema)
    return {field.name: known.get(field.name) or _feature(field.type) for field in schema}


def _feature(kind: Any) -> Any:
    """Return the feature of an Arrow type, as the library would infer it."""
    pa = load_arrow()
    if pa.types.is_struct(kind):
        fields = [kind.field(i) for i in range(kind.num_fields)]
        return {field.name: _feature(field.type) for field in fields}
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        # For a list of objects, [inner] is used: the library's Sequence would make an object of lists.
        inner = _feature(kind.value_type)
        plain = "_type" in inner if isinstance(inner, dict) else False
        return {"feature": inner, "_type": "Sequence"} if plain else [inner]
    names = {
        "double": "float64", "float": "float32", "halffloat": "float16",
        "date32[day]": "date32", "date64[ms]": "date64",
    }  # fmt: skip
    name = str(kind)
    return {"dtype": names.get(name, name), "_type": "Value"}
