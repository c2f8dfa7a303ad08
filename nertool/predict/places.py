"""Which files are meant, and where each one's output goes: globs, folders, mirrored trees."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from nertool.catalogue import find_format
from nertool.errors import CorpusError
from nertool.files.packed import SUFFIXES


class Input(NamedTuple):
    """A path to read, and its place below an output folder."""

    path: Path
    place: Path


def expand(named: Sequence[str], folders: bool, brat: bool = False) -> list[Input]:
    """Return the files that are meant, each once, in the order named; a folder's by name, hidden ones not.

    A name with *, ? or [ that is no file's is a pattern (** for any folders). folders: whether
    folders may be named; brat: whether a folder is one input. Errors: CorpusError for a pattern
    that fits nothing, and for a folder that may not be named.
    """
    found: list[Input] = []
    loose: list[Path] = []
    for name in named:
        path = Path(name)
        if name == "-" or path.is_file() or (brat and path.is_dir()):
            loose.append(path)
        elif path.is_dir():
            if not folders:
                raise CorpusError(
                    f"{path}: found a folder, expected a file; give --out-dir to tag a folder's files"
                )
            files = [file for file in sorted(path.rglob("*")) if file.is_file()]
            own = [(file, file.relative_to(path)) for file in files]
            found += [
                Input(file, place)
                for file, place in own
                if not any(part.startswith(".") for part in place.parts)
            ]
        elif any(sign in name for sign in "*?["):
            matches = [Path(match) for match in sorted(glob.glob(name, recursive=True))]
            matches = [match for match in matches if match.is_file()]
            if not matches:
                raise CorpusError(f"{name}: found no file of such a name, expected one or more")
            loose += matches
        else:
            loose.append(path)  # opening it says what is wrong
    files = [path for path in loose if str(path) != "-"]
    parent = (
        Path(os.path.commonpath([path.absolute().parent for path in files])) if files else Path()
    )
    for path in loose:
        place = Path("stdin") if str(path) == "-" else path.absolute().relative_to(parent)
        found.append(Input(path, place))
    return list({entry.path: entry for entry in found}.values())


def output_path(out_dir: Path, entry: Input, to: str | None) -> Path:
    """Return where an input's output goes: its own place, with the format's ending added where it lacks.

    What came packed stays packed.
    """
    place = entry.place
    packed = place.suffix if place.suffix in SUFFIXES else ""
    bare = place.with_suffix("") if packed else place
    ending = find_format(to).ending if to else bare.suffix
    if bare.suffix != ending:
        bare = bare.with_name(bare.name + ending)
    if to == "parquet":
        packed = ""  # packed within
    return out_dir / bare.with_name(bare.name + packed)


def check_places(places: Sequence[Path], inputs: Sequence[Input]) -> None:
    """Make sure that no two outputs fall together, and that none replaces an input.

    Errors: CorpusError naming the two.
    """
    taken: dict[Path, Path] = {}
    read = {entry.path.absolute() for entry in inputs}
    for place, entry in zip(places, inputs, strict=True):
        if place in taken:
            raise CorpusError(
                f"{entry.path}: its output {place} is that of {taken[place]}, too; tag one without the other"
            )
        if place.absolute() in read:
            raise CorpusError(
                f"{place}: found an input, expected a new file; choose another --out-dir"
            )
        taken[place] = entry.path
