"""Send a model to other machines: one file, sent once per machine, and loaded once per process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from nertool.api.tagger import PathLike, Tagger, load
from nertool.errors import ModelError
from nertool.files.sealed import FILES
from nertool.model.files import HEADER, ONE_FILE, open_model, pack_model
from nertool.model.save import save_model

_KEPT = 2  # taggers that a process keeps: a job has one model, a session perhaps two


class Shipped(NamedTuple):
    """A model for other processes.

    path: its path, or the file's name if it is packed. digest: what identifies it. packed: whether it is a
    file that `pack` made.
    """

    path: str
    digest: str
    packed: bool


def digest_of(path: Path) -> str:
    """Return the digest that identifies a model.

    It is the SHA-256 of the header, which contains the hashes of all other files. For an old model without
    these hashes it covers the bytes of all files. Errors: ModelError.
    """
    with open_model(path) as opened:
        header = opened.header(HEADER)
        total = sha256(opened.read(HEADER))
        if FILES not in header:  # a model of an old version
            for name in sorted(opened.sizes()):
                total.update(name.encode())
                total.update(opened.read(name))
        return total.hexdigest()


def pack(model: Tagger | PathLike, folder: Path) -> Shipped:
    """Write a model as one file into a folder. An existing file of the same model is kept.

    The file is named by the model's digest. Errors: ModelError if the path is not a model.
    """
    if isinstance(model, Tagger):
        file = folder / f"tagger-{id(model)}{ONE_FILE}"
        save_model(model.model, file)
        try:
            return pack(file, folder)
        finally:
            file.unlink()
    path = Path(model)
    digest = digest_of(path)
    target = folder / f"nertool-{digest[:16]}{ONE_FILE}"
    if not target.exists():
        pack_model(path, target)
    return Shipped(str(target), digest, packed=True)


_loaded: OrderedDict[str, Tagger] = OrderedDict()
_lock = threading.Lock()


def tagger_of(shipped: Shipped) -> Tagger:
    """Return the tagger of a shipped model. A process loads each model once.

    Errors: ModelError for a model that is damaged, or that has changed since it was shipped.
    """
    with _lock:
        if shipped.digest not in _loaded:
            path = Path(shipped.path)
            if not shipped.packed and digest_of(path) != shipped.digest:
                raise ModelError(
                    f"{path}: found another model than when the job began; leave a model alone while jobs "
                    "use it"
                )
            _loaded[shipped.digest] = load(path)
            while len(_loaded) > _KEPT:
                _loaded.popitem(last=False)
        _loaded.move_to_end(shipped.digest)
        return _loaded[shipped.digest]
