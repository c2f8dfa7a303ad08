"""A model on its way to other machines: one file, sent once to a machine, and loaded once by a process."""

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
    """A model for other processes. path: where it is, or, of a packed one, its file's name. digest: what
    it is told by. packed: whether it is a file that `pack` made."""

    path: str
    digest: str
    packed: bool


def digest_of(path: Path) -> str:
    """Return what tells a model from others: the SHA-256 of its header, which has the sums of all its files;
    of all its files' bytes where it has none. Errors: ModelError."""
    with open_model(path) as opened:
        header = opened.header(HEADER)
        total = sha256(opened.read(HEADER))
        if FILES not in header:  # a model of an old version
            for name in sorted(opened.sizes()):
                total.update(name.encode())
                total.update(opened.read(name))
        return total.hexdigest()


def pack(model: Tagger | PathLike, folder: Path) -> Shipped:
    """Write a model as one file into a folder; one that is there already is kept.

    The file is named by the model's digest. Errors: ModelError for what is no model.
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
    """Return the tagger of a shipped model; a process loads each model once.

    Errors: ModelError for a model that is damaged, or no longer the one that was shipped.
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
