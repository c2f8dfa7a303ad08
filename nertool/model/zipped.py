"""A model in a zip file: a model folder, or a folder with one in it, packed by any tool."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path, PurePosixPath

from nertool.errors import ModelError
from nertool.files.output import scratch_folder
from nertool.model.model import Model
from nertool.model.storage import HEADER, load_model

MOST_BYTES = 16 << 30  # of all files unpacked


def is_zip(path: Path) -> bool:
    """Tell whether a path is a zip file."""
    return path.is_file() and zipfile.is_zipfile(path)


def load_zip(path: Path, most_bytes: int = MOST_BYTES) -> Model:
    """Unpack a zip file into a temporary folder, and load the model in it.

    Only plain files beside the model's header are unpacked, by their bare names, so that no name leads
    elsewhere. Errors: ModelError for a file that is damaged or holds no model, or that unpacks to more
    than most_bytes.
    """
    with scratch_folder("nertool-model-") as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                _unpack(archive, path, folder, most_bytes)
        except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
            raise ModelError(f"{path}: damaged zip file ({error}); copy it again") from None
        # Arrays that are mapped stay there after their file's name is gone.
        return load_model(folder)


def _unpack(archive: zipfile.ZipFile, path: Path, folder: Path, most_bytes: int) -> None:
    members = {PurePosixPath(info.filename): info for info in archive.infolist()}
    headers = sorted((n for n in members if n.name == HEADER), key=lambda name: len(name.parts))
    # Of a run folder the best model; else the one that lies highest.
    best = [name for name in headers if name.parent.name == "best"]
    if not headers:
        raise ModelError(f"{path}: found no {HEADER} in it, expected the zip of a model folder")
    parent = (best or headers)[0].parent
    wanted = [(n, i) for n, i in members.items() if n.parent == parent and not i.is_dir()]
    total = sum(info.file_size for _, info in wanted)
    if total > most_bytes:
        raise ModelError(
            f"{path}: unpacks to {total:,} bytes, expected at most {most_bytes:,}; unpack it yourself "
            "if you trust it, and load the folder"
        )
    for name, info in wanted:
        with archive.open(info) as packed, open(folder / name.name, "wb") as out:
            shutil.copyfileobj(packed, out)
