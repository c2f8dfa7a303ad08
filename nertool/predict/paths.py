"""Which files are the inputs, and where each one's output goes: patterns, folders, mirrored trees.

Paths are compared by the files that they lead to, not by how they are written.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from nertool.catalogue import AUTO, FORMATS, Format, find_format
from nertool.errors import CorpusError
from nertool.files.packed import SUFFIXES
from nertool.formats.paths import STDIN, below, format_of_path, is_pattern, matches


class Input(NamedTuple):
    """A path to read. relative: where its output goes below an output folder. format: its format, if a
    path of that format is more than one file (a folder, or a text with its annotation beside it)."""

    path: Path
    relative: Path
    format: Format | None = None

    @property
    def files(self) -> list[Path]:
        """The files that are read."""
        if self.path == STDIN:
            return []
        if self.format is None:
            return [self.path]
        if self.path.is_dir():
            return [file for file in self.path.rglob("*") if file.is_file()]
        return [file for file in self.path.parent.iterdir() if file.stem == self.path.stem]


def expand(
    named: Sequence[str], format_name: str, folders: bool, beside: bool = False
) -> list[Input]:
    """Return the inputs that are meant, each once, in the order named.

    A folder stands for the files below it, by name and without hidden ones, unless it is one input by
    its format (brat). A name with *, ? or [ that is no file's is a pattern (** for any folders).
    folders: whether folders of files may be named. beside: brat's folders, too, stand for the texts in
    them, beside which outputs are written. Errors: CorpusError for a pattern without a match,
    and for a folder where none may be named.
    """
    inputs: list[Input] = []
    single: list[tuple[Path, Format | None]] = []
    for name in named:
        path = Path(name)
        of_folder = format_of_path(path, format_name)
        if beside and path.is_dir() and of_folder is not None and of_folder.name == "brat":
            of_folder = None
        if path.is_dir() and of_folder is None:
            if not folders:
                raise CorpusError(
                    f"{path}: found a folder, expected a file; predict --out-dir tags a folder's files"
                )
            below = _below(path, format_name)
            inputs += [e for e in below if not (beside and e.path.suffix == ".ann")]
        elif is_pattern(path):
            single += [(match, format_of_path(match, format_name)) for match in matches(path)]
        else:
            _refuse_text(name, path)
            single.append((path, of_folder))  # if it isn't there, opening it says so
    inputs += _beside_each_other(single)
    if beside:  # a text is an input by itself, though an .ann file may stand there already
        inputs = [e._replace(format=None) if e.path.suffix == ".txt" else e for e in inputs]
    return list({_identity(entry): entry for entry in reversed(inputs)}.values())[::-1]


def _refuse_text(name: str, path: Path) -> None:
    """Refuse what is no path but a text, and say how to tag it. Errors: CorpusError."""
    words = len(name.split())
    is_name = path.suffix[1:].isalnum() and (words < 4 or len(path.parts) > 1)  # my long name.txt
    if words > 1 and path != STDIN and not os.path.lexists(path) and not is_name:
        shown = name if len(name) <= 60 else f"{name[:57]}..."
        raise CorpusError(
            f'"{shown}": no such file; to tag this text itself, give it on standard input: '
            "echo 'text' | nertool predict MODEL -"
        )


def _below(folder: Path, format_name: str) -> Iterator[Input]:
    for path in below(folder):
        yield Input(path, path.relative_to(folder), format_of_path(path, format_name))


def _beside_each_other(single: Sequence[tuple[Path, Format | None]]) -> Iterator[Input]:
    """Yield paths named one by one; below an output folder they keep the folders that they don't share."""
    true_paths = [_without_links_to_folders(path) for path, _ in single]
    files = [path.parent for path in true_paths if path != STDIN]
    shared = os.path.commonpath(files) if files else ""
    for (path, known), true_path in zip(single, true_paths, strict=True):
        relative = Path("stdin") if path == STDIN else true_path.relative_to(shared)
        yield Input(path, relative, known)


def _without_links_to_folders(path: Path) -> Path:
    """Return a path without links and `..` in its folders; its own name stays."""
    if path == STDIN:
        return path
    if path.name in ("", ".."):
        return Path(os.path.realpath(path))
    return Path(os.path.realpath(path.parent)) / path.name


def _identity(entry: Input) -> Path:
    path = _without_links_to_folders(entry.path)
    return path if entry.format is None or path.is_dir() else path.with_suffix("")


def output_path(out_dir: Path, entry: Input, format_name: str, to: Format | None) -> Path:
    """Return where an input's output goes: the input's relative path, with the ending of the output's
    format added if it is missing. What came packed stays packed, if the output is text."""
    relative = entry.relative
    if is_beside(entry, to):
        return out_dir / relative.with_suffix(".ann")
    packed = relative.suffix if relative.suffix in SUFFIXES else ""
    bare = relative.with_suffix("") if packed else relative
    ending = _ending(entry, bare, format_name) if to is None else ending_of(to)
    if bare.suffix != ending:
        bare = bare.with_name(bare.name + ending)
    if to is not None and to.container != "text":
        packed = ""
    return out_dir / bare.with_name(bare.name + packed)


def is_beside(entry: Input, to: Format | None) -> bool:
    """Tell whether an input is one text, whose output is an .ann file beside it, as brat has it."""
    text = entry.path.suffix == ".txt" and not entry.path.is_dir()
    return text and to is not None and to.name == "brat"


def ending_of(to: Format) -> str:
    """Return how names of outputs in a format end; a folder's has the format's name."""
    return to.ending or f".{to.name}"


def may_be_binary(entry: Input) -> bool:
    """Tell whether an input may be of a format that is written as bytes or as a folder, by its own format
    or its name."""
    endings = {known.ending for known in FORMATS if known.container == "binary"}
    own = entry.format
    folder = own is not None and find_format(own.written_as).container != "text"
    return folder or entry.path.suffix in endings


def _ending(entry: Input, bare: Path, format_name: str) -> str:
    """Return the ending of an output in the format that the input's own format is written as."""
    known = entry.format
    if known is None and format_name != AUTO:
        known = find_format(format_name)
    if known is None:
        known = next((k for k in FORMATS if k.reads and k.ending == bare.suffix != ""), None)
    if known is None or known.written_as == known.name:
        return bare.suffix
    other = find_format(known.written_as).ending
    return other if other != known.ending else bare.suffix


def check_outputs(outputs: Sequence[Path], inputs: Sequence[Input], out_dir: Path | None) -> None:
    """Make sure that no output replaces an input, that no two outputs are one file, and that none lies
    outside out_dir, whatever `..` and links the paths hold.

    out_dir: None for one output for all inputs. Errors: CorpusError naming the two.
    """
    read = {os.path.realpath(file): file for entry in inputs for file in entry.files}
    written: dict[str, Path] = {}
    for i, output in enumerate(outputs):
        true_path = os.path.realpath(output)
        source = inputs[i].path if out_dir else output
        if out_dir is not None and not is_inside(output, out_dir):
            raise CorpusError(
                f"{output}: found a place outside {out_dir} (through a link), expected one inside; "
                "choose another --out-dir"
            )
        if true_path in written:
            raise CorpusError(
                f"{source}: its output {output} is that of {written[true_path]}, too; "
                "tag one without the other"
            )
        same = read.get(true_path) or _same_file(output, read.values())
        if same is not None:
            option = "--output" if out_dir is None else "--out-dir"
            raise CorpusError(
                f"{output}: found an input, expected a new file; choose another {option}"
            )
        written[true_path] = source


def is_inside(path: Path, folder: Path) -> bool:
    """Tell whether a path leads to something below a folder, with all links followed."""
    top, true_path = os.path.realpath(folder), os.path.realpath(path)
    return true_path != top and os.path.commonpath([top, true_path]) == top


def _same_file(output: Path, files: Iterable[Path]) -> Path | None:
    """Return the file that an output is by another name: a hard link, or in other case on some systems."""
    if not output.is_file():
        return None
    return next((file for file in files if file.exists() and output.samefile(file)), None)
