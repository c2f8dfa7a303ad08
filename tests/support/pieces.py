"""Pieces of work for the pool's tests, in a module of their own, so that their processes import nothing
else."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nertool.errors import ModelError
from nertool.files.folders import replacing_folder

Send = Callable[[Any], None]


def count(name: str, n: int, send: Send) -> None:
    for i in range(n):
        send((name, i))


def tell(send: Send) -> None:
    """Send the properties that a piece's process is promised to have."""
    threads = {k: v for k, v in os.environ.items() if k.endswith("_NUM_THREADS")}
    blocked = signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    send((os.getpid(), threads, blocked))


def refuse(send: Send) -> None:
    raise ModelError("a/b.c: found d, expected e")


def leave(send: Send) -> None:
    """End normally, but send no result."""
    os._exit(0)


def run_full(send: Send) -> None:
    raise OSError(28, "No space left on device", "some/file")


def run_out(send: Send) -> None:
    raise MemoryError


def die(send: Send) -> None:
    send("going")
    time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGKILL)


def linger(path: Path, send: Send) -> None:
    """Write the process's number, whole or not at all, and run for longer than any test waits."""
    aside = path.with_suffix(".aside")
    aside.write_text(str(os.getpid()))
    aside.replace(path)
    send("begun")
    time.sleep(120)


def write(path: Path, send: Send) -> None:
    """Begin to write a folder, and take long."""
    with replacing_folder(path) as aside:
        (aside / "half").touch()
        send("begun")
        time.sleep(120)


def overlap(folder: Path, name: str, send: Send) -> None:
    """Send how many pieces are running while this one is."""
    mark = folder / name
    mark.touch()
    time.sleep(0.3)
    send(len(list(folder.iterdir())))
    mark.unlink()
