"""Find the files that a path means: the file itself, those of a folder, or those that match a pattern."""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Sequence
from pathlib import Path

from nertool.catalogue import AUTO, Format, find_format
from nertool.errors import CorpusError
from nertool.formats.opening import detect_path

STDIN = Path("-")


def format_of_path(path: Path, format_name: str) -> Format | None:
    """Return the format of an input that consists of several files, such as a brat folder.

    None for a single file, and for a folder of separate inputs.
    """
    if path == STDIN:
        return None
    if format_name == AUTO:
        return detect_path(path)[0]
    known = find_format(format_name)
    return known if known.container == "folder" else None


def is_model_folder(path: Path) -> bool:
    """Tell whether a path is the folder of a model, or of a run, which contains models."""
    return any((path / name / "model.json").is_file() for name in ("", "best", "last"))


def below(folder: Path) -> list[Path]:
    """Return all files below a folder, sorted by path. Hidden ones are left out."""
    found = []
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not hidden:
            found.append(path)
    return found


def is_pattern(path: Path) -> bool:
    """Tell whether a path is a pattern: it contains *, ? or [, and no file has this name."""
    return any(sign in str(path) for sign in "*?[") and not path.exists()


def matches(pattern: Path) -> list[Path]:
    """Return the files that match a pattern, sorted. `**` matches any folders. Errors: CorpusError if no
    file matches."""
    found = sorted(m for m in map(Path, glob.glob(str(pattern), recursive=True)) if m.is_file())
    if not found:
        raise CorpusError(f"{pattern}: found no file that matches, expected one or more")
    return found


def inputs_of(paths: Sequence[Path], format_name: str = AUTO) -> list[Path]:
    """Return the inputs that paths mean, in order and without duplicates.

    A folder means the files below it, unless its format makes it one input (brat, for example).
    Errors: CorpusError for a pattern without a match, a folder without files, and the folder of a model.
    """
    found: list[Path] = []
    for path in paths:
        if is_pattern(path):
            found += matches(path)
        elif path.is_dir() and format_of_path(path, format_name) is None:
            if is_model_folder(path):
                raise CorpusError(f"{path}: found the folder of a model, expected labelled texts")
            own = below(path)
            if not own:
                raise CorpusError(f"{path}: found no file in this folder, expected labelled texts")
            found += own
        else:
            found.append(path)  # if it does not exist, opening it raises the error
    return _once(found, format_name)


def _once(paths: Sequence[Path], format_name: str) -> list[Path]:
    """Return one path for each input. A pair of .txt and .ann is one input, as is a file with two names."""
    seen: dict[Path, Path] = {}
    for path in paths:
        if path == STDIN:
            seen.setdefault(path, path)
            continue
        true_path = path.resolve()
        pair = not path.is_dir() and format_of_path(path, format_name) is not None
        seen.setdefault(true_path.with_suffix("") if pair else true_path, path)
    return list(seen.values())


def files_of(paths: Sequence[Path], format_name: str = AUTO) -> list[Path]:
    """Return every file that is read for these paths, in order. An input may consist of several files."""
    files: list[Path] = []
    for path in inputs_of(paths, format_name):
        if path.is_dir():
            files += below(path)
        elif path != STDIN and format_of_path(path, format_name) is not None:
            files += sorted(own for own in path.parent.iterdir() if own.stem == path.stem)
        else:
            files.append(path)
    return files


def texts_hash(paths: Sequence[Path], format_name: str = AUTO) -> str | None:
    """Return the SHA-256 of the file that is read for these paths. For several files: that of their hashes.

    None if a file is missing. Its reader then reports the error.
    """
    hashes = [file_hash(file) for file in files_of(paths, format_name)]
    if len(hashes) == 1 or None in hashes:
        return hashes[0] if len(hashes) == 1 else None
    return hashlib.sha256("\n".join(map(str, hashes)).encode()).hexdigest()


def file_hash(path: Path) -> str | None:
    """Return a file's SHA-256, or None if it can't be read. Its reader then reports the error."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
