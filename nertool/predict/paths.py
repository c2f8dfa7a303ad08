"""The paths of inputs and outputs: patterns, folders, and output folders with the same tree.

Paths are compared by the files that they lead to, with links followed.
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
    """A path to read.

    relative: the path of its output below an output folder; format: its format, if an input of that format
    is more than one file (a folder, or a text with an annotation file).
    """

    path: Path
    relative: Path
    format: Format | None = None

    @property
    def files(self) -> list[Path]:
        """The files to read."""
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
    """Return the inputs for the given names, each once, in order.

    A folder means all files below it, sorted by name, without hidden ones, unless its format makes it one
    input (brat). A name with *, ? or [ that is not a file is a pattern, in which ** matches any folders.
    folders: whether folders of files are allowed; beside: a brat folder also means the texts in it, and
    outputs are written next to copies of these. Errors: CorpusError for a pattern without a match, and for a
    folder if folders are not allowed.
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
            single.append((path, of_folder))  # opening it raises an error if it does not exist
    inputs += _beside_each_other(single)
    if beside:  # a text is an input by itself, even if it already has an .ann file
        inputs = [e._replace(format=None) if e.path.suffix == ".txt" else e for e in inputs]
    return list({_identity(entry): entry for entry in reversed(inputs)}.values())[::-1]


def _refuse_text(name: str, path: Path) -> None:
    """Refuse a text that is given in place of a path, and say how to tag it. Errors: CorpusError."""
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
    """Yield the inputs for single paths. Their relative paths begin below the folder that all share."""
    true_paths = [_without_links_to_folders(path) for path, _ in single]
    files = [path.parent for path in true_paths if path != STDIN]
    shared = os.path.commonpath(files) if files else ""
    for (path, known), true_path in zip(single, true_paths, strict=True):
        relative = Path("stdin") if path == STDIN else true_path.relative_to(shared)
        yield Input(path, relative, known)


def _without_links_to_folders(path: Path) -> Path:
    """Return a path with links and `..` in its folders resolved. A link in its last part is kept."""
    if path == STDIN:
        return path
    if path.name in ("", ".."):
        return Path(os.path.realpath(path))
    return Path(os.path.realpath(path.parent)) / path.name


def _identity(entry: Input) -> Path:
    path = _without_links_to_folders(entry.path)
    return path if entry.format is None or path.is_dir() else path.with_suffix("")


def output_path(out_dir: Path, entry: Input, format_name: str, to: Format | None) -> Path:
    """Return the path of an input's output in out_dir.

    It is the input's relative path. The file extension of the output's format is added if it is missing. The
    output of a compressed input is compressed, too, if it is text.
    """
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
    """Return whether an input is a single text whose output is brat's .ann file."""
    text = entry.path.suffix == ".txt" and not entry.path.is_dir()
    return text and to is not None and to.name == "brat"


def ending_of(to: Format) -> str:
    """Return the file extension of outputs in a format. For a folder, it is the format's name."""
    return to.ending or f".{to.name}"


def may_be_binary(entry: Input) -> bool:
    """Return whether an input's output may be bytes or a folder, judged by the input's format or name."""
    endings = {known.ending for known in FORMATS if known.container == "binary"}
    own = entry.format
    folder = own is not None and find_format(own.written_as).container != "text"
    return folder or entry.path.suffix in endings


def _ending(entry: Input, bare: Path, format_name: str) -> str:
    """Return the file extension of an output in the format that the input's own format is written as."""
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
    """Check that no output replaces an input, that all outputs differ, and that they are inside out_dir.

    Links and `..` are followed. out_dir: None if there is one output for all inputs. Errors: CorpusError,
    which names both paths.
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
    """Return whether a path leads to something below a folder, with all links followed."""
    top, true_path = os.path.realpath(folder), os.path.realpath(path)
    return true_path != top and os.path.commonpath([top, true_path]) == top


def _same_file(output: Path, files: Iterable[Path]) -> Path | None:
    """Return the one of `files` that an output is under another name (such as a hard link), or None."""
    if not output.is_file():
        return None
    return next((file for file in files if file.exists() and output.samefile(file)), None)
