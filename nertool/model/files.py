"""The files of a model: their names, and opening them in a folder, a run folder or one file.

model.json             format and version, the resolved config, classes and tags, provenance; the
                       SHA-256 of every other file, and its own
model.safetensors      the networks' arrays; read through a memory map, and unable to run code
vectors.N.safetensors  the N-th file of vectors, as training started from it
vocabulary.N.txt       its words (after the special rows), one a line
memory.txt             the words of the memory's rows, where there is a memory
gazetteers.txt         the phrases of the gazetteers, list after list, where there are any

The vectors are kept once for all networks that share them; of each network only the rows that
training could meet are kept besides. Rows may be compressed (vectors/rows/rows.py): then a table is several
arrays, and word lists are packed, as vocabulary.N.txt.gz.

x.nertool is an uncompressed zip file of such a folder, and is read in place.

Everything is written into a folder aside, flushed to disk, and then put in place by renaming.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nertool.errors import ModelError
from nertool.files.folders import present
from nertool.files.sealed import Bytes, SealedFolder, rewrite_header, rewritten_header
from nertool.files.sealed_zip import SealedZip, is_zip, write_sealed_zip

FORMAT, VERSION = "nertool model", 3
WITHOUT_SUMS = 2  # the version before there were sums: still read
WITH_COMPRESSED = 4  # the version with compressed rows, which older releases cannot read
HEADER, ARRAYS, REMEMBERED = "model.json", "model.safetensors", "memory.txt"
STAGES = ("first_stage", "members")
ONE_FILE = ".nertool"  # ends the name of a model in one file

_OTHERS = re.compile(r"vectors\.\d+\.safetensors|(vocabulary\.\d+|memory|gazetteers)\.txt(\.gz)?")


def vectors_name(i: int) -> str:
    """Name the file of the i-th vectors."""
    return f"vectors.{i}.safetensors"


def vocabulary_name(i: int) -> str:
    """Name the file with the words of the i-th vectors."""
    return f"vocabulary.{i}.txt"


def file_sum(path: Path) -> str:
    """Return a file's SHA-256."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def open_model(path: Path, verify: bool = True) -> SealedFolder:
    """Open the files of a model folder, of a run's best model, or of a model in one file; use it in a `with`.

    Errors: ModelError where there is no model.
    """
    if path.is_file() and (path.suffix == ONE_FILE or is_zip(path)):
        return SealedZip(path, HEADER, verify)
    return SealedFolder(model_folder(path), verify)


def pack_model(path: Path, target: Path) -> None:
    """Copy a model's files into one file, as they are. Errors: ModelError, OutputError."""
    with open_model(path) as opened:
        write_sealed_zip(target, _files_of(opened, opened.header(HEADER)))


def _files_of(opened: SealedFolder, header: Mapping[str, Any]) -> dict[str, Bytes]:
    """Return the bytes of the files that belong to a model, the header first; checked if they have sums."""
    names = [HEADER, *sorted(name for name in opened.sizes() if _belongs(name) and name != HEADER)]
    return {name: opened.checked(name) if name != HEADER else opened.read(name) for name in names}


def _belongs(name: str) -> bool:
    return name in (HEADER, ARRAYS) or bool(_OTHERS.fullmatch(name))


def model_folder(path: Path) -> Path:
    """Return the folder that holds the model itself: `path`, or the best model of a run folder."""
    for folder in (present(path), present(path / "best")):
        if (folder / HEADER).is_file():
            return folder
    if not path.exists():
        raise ModelError(
            f"{path}: no such folder, expected a model or a run folder (nertool train makes one)"
        )
    if not path.is_dir():
        raise ModelError(
            f"{path}: found a file, expected a model or run folder (nertool train makes one), or a model in "
            f"one file ({ONE_FILE}; nertool pack makes one)"
        )
    unfinished = (path / "last").is_dir() or (path / "prepared").is_dir()
    hint = "training has not finished an epoch yet" if unfinished else "nertool train makes one"
    raise ModelError(f"{path}: found no {HEADER} in it or in its best/, expected a model; {hint}")


def link_or_copy(source: Path, target: Path) -> None:
    """Give a file a second name, or copy it where the file system cannot link."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def set_provenance(path: Path, key: str, value: Any) -> None:
    """Write an entry of provenance into a saved model's header; at every moment there is a whole one."""
    with open_model(path) as opened:
        header = opened.header(HEADER)
        header["provenance"][key] = value
        if isinstance(opened, SealedZip):
            files = _files_of(opened, header)
            write_sealed_zip(path, {**files, HEADER: rewritten_header(header)})
            return
    rewrite_header(opened.path / HEADER, header)
