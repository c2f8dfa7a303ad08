"""The files of a model: their names, and how to open them in a folder, a run folder or one file.

model.json             format and version, the resolved config, classes and tags, provenance; the
                       SHA-256 of every other file, and its own
model.safetensors      the networks' arrays, read through a memory map; the format can't run code
vectors.N.safetensors  the N-th file of vectors, as they were before training
vocabulary.N.txt       its words (after the special rows), one on each line
memory.txt             the words of the memory's rows, if there is a memory
gazetteers.txt         the phrases of the gazetteers, list after list, if there are any

Vectors that several networks share are stored once. In addition, each network has its trained vectors, only
of the rows that training could use. Rows may be compressed (vectors/rows/rows.py). Then a table is several
arrays, and word lists are compressed too, as vocabulary.N.txt.gz.

A file x.nertool is an uncompressed zip file of such a folder. It is read without unpacking.

All files are written into a temporary folder and flushed to disk. The folder is then renamed.
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
WITHOUT_SUMS = 2  # the version without SHA-256 sums, which can still be read
WITH_COMPRESSED = 4  # the version with compressed rows, which older releases cannot read
HEADER, ARRAYS, REMEMBERED = "model.json", "model.safetensors", "memory.txt"
STAGES = ("first_stage", "members")
ONE_FILE = ".nertool"  # the file extension of a model in one file

_OTHERS = re.compile(r"vectors\.\d+\.safetensors|(vocabulary\.\d+|memory|gazetteers)\.txt(\.gz)?")


def vectors_name(i: int) -> str:
    """Return the name of the i-th file of vectors."""
    return f"vectors.{i}.safetensors"


def vocabulary_name(i: int) -> str:
    """Return the name of the file with the words of the i-th file of vectors."""
    return f"vocabulary.{i}.txt"


def file_sum(path: Path) -> str:
    """Return a file's SHA-256."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def open_model(path: Path, verify: bool = True) -> SealedFolder:
    """Open the files of a model folder, of a run's best model, or of a model in one file.

    The result is a context manager. verify: compare the files with their SHA-256. Errors: ModelError if
    there is no model.
    """
    if path.is_file() and (path.suffix == ONE_FILE or is_zip(path)):
        return SealedZip(path, HEADER, verify)
    return SealedFolder(model_folder(path), verify)


def pack_model(path: Path, target: Path) -> None:
    """Copy a model's files unchanged into one file. Errors: ModelError, OutputError."""
    with open_model(path) as opened:
        write_sealed_zip(target, _files_of(opened, opened.header(HEADER)))


def _files_of(opened: SealedFolder, header: Mapping[str, Any]) -> dict[str, Bytes]:
    """Return the bytes of a model's files, the header first. Files with a SHA-256 are checked."""
    names = [HEADER, *sorted(name for name in opened.sizes() if _belongs(name) and name != HEADER)]
    return {name: opened.checked(name) if name != HEADER else opened.read(name) for name in names}


def _belongs(name: str) -> bool:
    return name in (HEADER, ARRAYS) or bool(_OTHERS.fullmatch(name))


def model_folder(path: Path) -> Path:
    """Return the folder of the model: `path`, or the best model of a run folder. Errors: ModelError."""
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
    """Link `target` to a file, or copy the file if the file system has no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def set_provenance(path: Path, key: str, value: Any) -> None:
    """Write an entry of provenance into a saved model's header, which is complete at every moment."""
    with open_model(path) as opened:
        header = opened.header(HEADER)
        header["provenance"][key] = value
        if isinstance(opened, SealedZip):
            files = _files_of(opened, header)
            write_sealed_zip(path, {**files, HEADER: rewritten_header(header)})
            return
    rewrite_header(opened.path / HEADER, header)
