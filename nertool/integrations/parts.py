"""Tag Parquet in parts. Any process can tag any part, even twice: it writes the same file.

A part is a range of rows of one input file, and becomes one file of the output:

  out.parquet/part-00000.parquet   the first rows with their new columns, in the input's order; …
  out.parquet/_nertool.json        what the parts are made from: model, options, and the input's files
  out.parquet/_SUCCESS             written when all parts are there

A part's file gets its name when it is complete. So the parts that are there after an interruption are kept,
and only the rest is tagged.
"""

from __future__ import annotations

import glob
import json
import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, NamedTuple

from nertool.errors import CorpusError, OutputError
from nertool.integrations.arrow import ColumnNames, RowTagger, tagged_schema

PART_BYTES = 16 << 20  # bytes of text in a part, uncompressed: about half a minute's work of a core
_PART_ROWS = 1 << 17  # rows in a part, at most
_MOST_PARTS = 64  # parts of one row group, at most, since each part reads it from its beginning
_BATCH = 4096  # rows read at a time
_GROUP_BYTES = 64 << 20  # bytes in a row group of the output
PLAN, SUCCESS, COUNTS = "_nertool.json", "_SUCCESS", b"nertool"


class Part(NamedTuple):
    """A range of rows of one row group of a file.

    first, rows: its first row and its number of rows. name: the name of the part's output file.
    """

    name: str
    path: str
    row_group: int
    first: int
    rows: int


class Plan(NamedTuple):
    """All parts of an input.

    schema: the input's. identity: what the parts' content depends on, other than the settings.
    """

    parts: list[Part]
    schema: Any
    identity: dict[str, Any]


def file_system(place: str) -> tuple[Any, str]:
    """Return pyarrow's file system for a path or URI (file, s3, gs, abfss, hdfs), and the path in it.

    Errors: CorpusError if pyarrow has no file system for it.
    """
    from pyarrow import ArrowInvalid, fs

    if "://" not in place:
        return fs.LocalFileSystem(), os.path.abspath(place)
    scheme, _, rest = place.partition("://")
    try:
        found = fs.FileSystem.from_uri(f"{'s3' if scheme == 's3a' else scheme}://{rest}")
    except (ArrowInvalid, OSError, ImportError) as error:
        raise CorpusError(
            f"{place}: found no file system for it ({_line(error)}); expected a path that every executor "
            "sees, or a URI that pyarrow reads: file, s3, gs, abfss, hdfs"
        ) from None
    return found[0], found[1]


def plan_parts(inputs: Iterable[str], names: ColumnNames, part_bytes: int = PART_BYTES) -> Plan:
    """Divide Parquet files, and folders of them, into parts.

    Errors: CorpusError naming a file that is missing or damaged, or whose columns differ from the first
    file's.
    """
    import pyarrow.parquet

    parts: list[Part] = []
    files: list[list[Any]] = []
    schema = first_file = None
    for place in inputs:
        for path, size, changed in _files(place):
            with _reading(path), _opened(path) as file:
                footer = pyarrow.parquet.read_metadata(file)
                own = footer.schema.to_arrow_schema().remove_metadata()
            if schema is None:
                schema, first_file = own, path
                names.check(schema.names)
            elif not own.equals(schema):
                raise CorpusError(
                    f"{path}: found other columns than in {first_file} ({_difference(own, schema)}), "
                    "expected the same; tag them separately"
                )
            files.append([path, size, changed])
            for group in range(footer.num_row_groups):
                parts += _cut(footer.row_group(group), group, path, names, part_bytes)
    if schema is None:
        raise CorpusError(
            f"found no Parquet file in {', '.join(inputs)}, expected files ending in .parquet"
        )
    parts = parts or [Part("", files[0][0], -1, 0, 0)]  # an empty part gives the output a schema
    width = max(5, len(str(len(parts))))  # padded, so that sorting the names sorts the parts
    named = [part._replace(name=f"part-{i:0{width}}.parquet") for i, part in enumerate(parts)]
    return Plan(named, schema, {"files": files, "part_bytes": part_bytes})


def _cut(group: Any, number: int, path: str, names: ColumnNames, part_bytes: int) -> list[Part]:
    """Divide a row group into parts of about part_bytes bytes of text."""
    columns = [group.column(i) for i in range(group.num_columns)]
    size = sum(
        column.total_uncompressed_size
        for column in columns
        if column.path_in_schema == names.text or column.path_in_schema.startswith(f"{names.text}.")
    )
    rows = group.num_rows
    # Repeated texts are stored once, so the number of rows counts, too.
    many = max(1, min(_MOST_PARTS, max(-(-size // part_bytes), -(-rows // _PART_ROWS)), rows))
    bounds = [rows * i // many for i in range(many + 1)] if rows else [0]
    return [
        Part("", path, number, bounds[i], bounds[i + 1] - bounds[i]) for i in range(len(bounds) - 1)
    ]


def _files(place: str) -> Iterator[tuple[str, int, int]]:
    """Yield (path, size, modification time) of the Parquet files of a path; a folder's files sorted by
    name."""
    from pyarrow import fs

    system, path = file_system(place)
    info = _info(system, path, place)
    if info.type == fs.FileType.NotFound and "://" not in place and glob.has_magic(place):
        for match in sorted(glob.glob(place, recursive=True)):
            yield from _files(match)
        return
    if info.type == fs.FileType.NotFound:
        raise CorpusError(f"{place}: no such file or folder, expected Parquet")
    found = [info]
    if info.type == fs.FileType.Directory:
        inside = system.get_file_info(fs.FileSelector(path, recursive=True))
        found = sorted((i for i in inside if _is_data(i, path)), key=lambda i: i.path)
    prefix = "" if "://" not in place else place.partition("://")[0] + "://"
    for entry in found:
        yield prefix + entry.path, entry.size, entry.mtime_ns or 0


def _is_data(info: Any, folder: str) -> bool:
    """Tell whether a file of a folder is data. Names that start with _ or . are metadata."""
    inside = info.path[len(folder) :].split("/")
    return (
        info.is_file
        and info.path.endswith((".parquet", ".parq", ".pq"))
        and not any(name.startswith(("_", ".")) for name in inside)
    )


def tag_part(
    part: Part, schema: Any, output: str, rows: RowTagger, names: ColumnNames
) -> dict[str, int]:
    """Tag a part and write its file; return the counts of rows, entities and quarantined rows.

    schema: the input's. Errors: CorpusError for an input that can't be read; OutputError.
    """
    system, folder = file_system(output)
    aside, path = f"{folder}/.{uuid.uuid4().hex}.new", f"{folder}/{part.name}"
    rows.counts = {"rows": 0, "entities": 0}
    tagged = (piece for batch in _rows_of(part) for piece in rows.tag(batch, names))
    try:
        with system.open_output_stream(aside) as out:
            _write_rows(tagged, tagged_schema(schema, names), out, rows.counts)
        try:
            system.move(aside, path)
        except OSError:  # on some systems, if another attempt at the same part was faster
            if not system.get_file_info(path).is_file:
                raise
            _remove(system, aside)
    except OSError as error:
        _remove(system, aside)
        raise OutputError(f"{output}: {_line(error)}") from None
    except BaseException:
        _remove(system, aside)
        raise
    return rows.counts


def _write_rows(batches: Iterable[Any], schema: Any, out: Any, counts: dict[str, int]) -> None:
    """Write batches as Parquet, in row groups of bounded size, with the final counts in the footer."""
    import pyarrow
    import pyarrow.parquet

    with pyarrow.parquet.ParquetWriter(out, schema, compression="zstd") as writer:
        held: list[Any] = []
        size = 0
        for batch in batches:
            held.append(batch)
            size += batch.nbytes
            if size > _GROUP_BYTES:
                writer.write_table(pyarrow.Table.from_batches(held, schema))
                held, size = [], 0
        writer.write_table(pyarrow.Table.from_batches(held, schema))
        writer.add_key_value_metadata({COUNTS: json.dumps(counts).encode()})


def _rows_of(part: Part) -> Iterator[Any]:
    """Yield a part's rows as record batches."""
    import pyarrow.parquet

    if part.row_group < 0:
        return
    with _reading(part.path), _opened(part.path) as source:
        file = pyarrow.parquet.ParquetFile(source)
        at, end = 0, part.first + part.rows
        for batch in file.iter_batches(_BATCH, row_groups=[part.row_group]):
            a, b = max(part.first - at, 0), min(end - at, batch.num_rows)
            if a < b:
                yield batch.slice(a, b - a).replace_schema_metadata(None)
            at += batch.num_rows
            if at >= end:
                return


def begin(output: str, plan: Plan, settings: dict[str, Any]) -> dict[str, dict[str, int]] | None:
    """Create an output folder, or check an existing one.

    Return the counts of each finished part by its name, or None if the output is complete (_SUCCESS is
    there). settings: what the entities depend on besides the input. Errors: CorpusError for a folder that
    holds other files, or parts of another model, input or options; OutputError.
    """
    from pyarrow import fs

    system, folder = file_system(output)
    asked = {**plan.identity, "settings": settings}
    digest = sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    info = _info(system, folder, output)
    if info.type not in (fs.FileType.NotFound, fs.FileType.Directory):
        raise CorpusError(f"{output}: found a file, expected a new folder; choose another name")
    there = []
    if info.type == fs.FileType.Directory:
        there = [i.base_name for i in system.get_file_info(fs.FileSelector(folder))]
    if not there or there == [PLAN]:  # new, or left by a job that ended before its first part
        try:
            system.create_dir(folder, recursive=True)
            _write(system, f"{folder}/{PLAN}", {"format": "nertool parts", "of": digest, **asked})
        except OSError as error:
            raise OutputError(f"{output}: {_line(error)}") from None
        return {}
    if PLAN not in there:
        raise CorpusError(
            f"{output}: already there, expected a new or empty folder; choose another name"
        )
    _check_same(system, f"{folder}/{PLAN}", digest, asked, output)
    if SUCCESS in there:
        return None
    for name in there:
        if name.startswith(".") and name.endswith(".new"):  # of a part that was never finished
            _remove(system, f"{folder}/{name}")
    names = set(there)
    done = [part.name for part in plan.parts if part.name in names]
    return {name: _counts(system, f"{folder}/{name}") for name in done}


def _check_same(system: Any, path: str, digest: str, asked: dict[str, Any], output: str) -> None:
    try:
        with system.open_input_stream(path) as file:
            kept = json.loads(file.read())
        same = kept["of"] == digest
    except (OSError, ValueError, KeyError, TypeError):
        raise CorpusError(
            f"{output}: found a damaged {PLAN}; delete the folder, or choose another name"
        ) from None
    if not same:
        files, settings = kept.get("files"), kept.get("settings") or {}
        changed = ["the input's files"] if files != asked["files"] else []
        changed += sorted(k for k, v in asked["settings"].items() if settings.get(k) != v)
        raise CorpusError(
            f"{output}: found parts that were made from something else ({', '.join(changed) or 'settings'}); "
            "choose another name, or delete the folder"
        )


def finish(output: str, plan: Plan) -> None:
    """Mark an output as complete. Errors: OutputError, also if a part is missing."""
    from pyarrow import fs

    system, folder = file_system(output)
    try:
        there = {i.base_name for i in system.get_file_info(fs.FileSelector(folder))}
        lost = [part.name for part in plan.parts if part.name not in there]
        if lost:
            raise OutputError(
                f"{output}: {lost[0]} is gone, expected {len(plan.parts):,} parts; is {output} a folder that "
                "all executors and this machine share? run the command again"
            )
        with system.open_output_stream(f"{folder}/{SUCCESS}"):
            pass
    except OSError as error:
        raise OutputError(f"{output}: {_line(error)}") from None


def _counts(system: Any, path: str) -> dict[str, int]:
    """Return the counts that were stored when a part was tagged."""
    import pyarrow.parquet

    with _reading(path), system.open_input_file(path) as file:
        raw = (pyarrow.parquet.read_metadata(file).metadata or {}).get(COUNTS, b"{}")
    return {str(key): int(n) for key, n in json.loads(raw).items()}


def _write(system: Any, path: str, value: dict[str, Any]) -> None:
    with system.open_output_stream(f"{path}.new") as out:
        out.write(json.dumps(value, indent=1).encode())
    system.move(f"{path}.new", path)


def _remove(system: Any, path: str) -> None:
    try:
        system.delete_file(path)
    except OSError:
        return


def _opened(place: str) -> Any:
    system, path = file_system(place)
    return system.open_input_file(path)


def _info(system: Any, path: str, place: str) -> Any:
    try:
        return system.get_file_info(path)
    except OSError as error:
        raise CorpusError(f"{place}: can't be read: {_line(error)}") from None


@contextmanager
def _reading(path: str) -> Iterator[None]:
    """Turn errors of reading into a CorpusError that names the file."""
    from pyarrow import ArrowException

    try:
        yield
    except OSError as error:
        raise CorpusError(f"{path}: can't be read: {_line(error)}") from None
    except ArrowException as error:
        raise CorpusError(f"{path}: damaged, or no Parquet file ({_line(error)})") from None


def _difference(own: Any, first: Any) -> str:
    for mine, other in zip(own, first, strict=False):
        if mine != other:
            return f"{mine.name}: {mine.type} and {other.name}: {other.type}"[:150]
    return f"{len(own)} and {len(first)} columns"


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
