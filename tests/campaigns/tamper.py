"""Damage a model in every way that does not renew its sums: it must be refused, never loaded as if whole.

Bits flipped in each file, bytes cut off and added, values of the header edited, keys deleted, lines of a
vocabulary moved, and files exchanged with those of a model of another seed.

python -m tests.campaigns.tamper --count 1500
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

from tests.campaigns.common import Tally, run_campaign, trained


def campaign(tally: Tally, count: int, seed: int, folder: Path) -> None:
    """Load one damaged copy after the other; also the prepared inputs and the checkpoint of a run."""
    from nertool.errors import NertoolError
    from nertool.files.sealed import SealedFolder
    from nertool.model.load import load_model
    from nertool.training.checkpoint import ARRAYS, HEADER
    from nertool.training.preparation.store import load_prepared

    run = trained(folder / "a")
    other = trained(folder / "b", 6, "seed: 2\n")

    def checkpoint(path: Path) -> None:
        with SealedFolder(path) as opened:
            opened.header(HEADER)
            opened.arrays(ARRAYS)

    readers: dict[str, Callable[[Path], object]] = {
        "best": load_model,
        "prepared": lambda path: load_prepared(path, None, "nertool prepare"),
        "last": checkpoint,
    }
    rng = random.Random(seed)
    copy = folder / "copy"
    for i in range(count):
        part = ("best", "best", "prepared", "last")[i % 4]
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(run / part, copy)
        how = damage(copy, other / part, rng)
        try:
            readers[part](copy)
        except NertoolError as error:
            message = str(error)
            told = message.startswith(str(copy)) and "\n" not in message
            tally.count("" if told else f"{part}: {how}: unclear: {message}")
        except BaseException as error:
            tally.count(f"{part}: {how}: {type(error).__name__}: {error}")
        else:
            tally.count(f"{part}: {how}: loaded in silence")


def damage(folder: Path, other: Path, rng: random.Random) -> str:
    """Damage one file of a folder so that its bytes are others; return what was done."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    path = rng.choice(files)
    before = path.read_bytes()
    while path.exists() and path.read_bytes() == before:
        how = rng.choice((_flip, _flip, _flip, _cut, _grow, _swap, _edit, _move, _remove))
        if how is _swap:
            path.write_bytes(
                (other / path.name).read_bytes() if (other / path.name).exists() else before
            )
        else:
            how(path, rng)
    return f"{how.__name__.lstrip('_')} {path.name}"


def _flip(path: Path, rng: random.Random) -> None:
    raw = bytearray(path.read_bytes())
    raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    path.write_bytes(raw)


def _cut(path: Path, rng: random.Random) -> None:
    raw = path.read_bytes()
    path.write_bytes(raw[: rng.randrange(len(raw))])


def _grow(path: Path, rng: random.Random) -> None:
    path.write_bytes(path.read_bytes() + rng.choice((b"\n", b"\0", b"x\n", b" ")))


def _swap(path: Path, rng: random.Random) -> None:
    """Stand for the other model's file."""


def _remove(path: Path, rng: random.Random) -> None:
    path.unlink()


def _edit(path: Path, rng: random.Random) -> None:
    """Change a value, or delete a key, somewhere in a JSON header, and write it in the same style."""
    if path.suffix != ".json":
        return
    value = json.loads(path.read_text(encoding="utf-8"))
    node = value
    while True:
        key = rng.choice(list(node)) if isinstance(node, dict) else rng.randrange(len(node))
        inner = node[key]
        if isinstance(inner, dict | list) and inner and rng.random() < 0.7:
            node = inner
            continue
        break
    if rng.random() < 0.4:
        del node[key]
    elif isinstance(inner, bool):
        node[key] = not inner
    elif isinstance(inner, int | float):
        node[key] = rng.choice((inner + 1, -inner, 0, 1e308))
    else:
        node[key] = rng.choice((None, "x", [], 1, "../a"))
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _move(path: Path, rng: random.Random) -> None:
    """Exchange two lines."""
    lines = path.read_bytes().split(b"\n")
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[i], lines[j] = lines[j], lines[i]
    path.write_bytes(b"\n".join(lines))


if __name__ == "__main__":
    run_campaign("tamper", __doc__, 1500, campaign)
