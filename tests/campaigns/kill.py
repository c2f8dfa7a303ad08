"""Kill a training (SIGKILL): before each of its renames, and at random moments. It is resumed, and must
end with the same model, byte for byte; no unfinished file may stay.

python -m tests.campaigns.kill --count 120
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.campaigns.common import (
    Tally,
    content_of,
    exit_code,
    forked,
    import_all,
    main_of,
    run_campaign,
    write_corpus,
)

_RENAMES = ("rename", "replace")


def campaign(tally: Tally, count: int, seed: int, folder: Path) -> None:
    """Kill before each rename in turn, then at random moments, until so many tries are made."""
    import_all()
    config = write_corpus(folder)
    run_dir, told = folder / "run", folder / "stderr"
    train: list[str | Path] = ["train", config, "--run-dir", run_dir]
    counted = folder / "count"
    began = time.monotonic()
    assert exit_code(forked(_dying(main_of(*train), 0, counted), told)) == 0, told.read_text()
    seconds = time.monotonic() - began
    renames = len(counted.read_text())
    print(f"kill: a training has {renames} renames and takes {seconds:.2f} s", flush=True)
    expected = content_of(run_dir / "best")
    rng = random.Random(seed)
    for i in range(count):
        shutil.rmtree(run_dir)
        if i < min(renames, count * 2 // 3):
            pid = forked(_dying(main_of(*train), i + 1, counted), told)
        else:
            pid = forked(main_of(*train), told)
            time.sleep(rng.uniform(0, seconds * 1.1))
            os.kill(pid, signal.SIGKILL)
        ended = exit_code(pid)
        how = f"before rename {i + 1}" if i < renames else "at random"
        again = [*train, "--resume"] if (run_dir / "config.yaml").exists() else train
        if not (ended == 0 and content_of(run_dir / "best") == expected):
            code = exit_code(forked(main_of(*again), told))
            if code != 0:
                tally.count(f"{how}: resuming ended with {code}: {told.read_text()[-500:]}")
                continue
        left = [
            str(path) for path in folder.rglob(".*") if ".new" in path.name or ".old" in path.name
        ]
        found = content_of(run_dir / "best")
        wrong = sorted(name for name in expected | found if expected.get(name) != found.get(name))
        tally.count(
            f"{how}: other bytes in {wrong}" if wrong else f"{how}: left {left}" if left else ""
        )


def _dying(work: Callable[[], None], at: int, counted: Path) -> Callable[[], None]:
    """Return work that kills itself before its at-th rename (0: never), and counts them in a file."""

    def dies() -> None:
        from nertool.files import folders

        done = 0
        counted.write_text("")

        def before() -> None:
            nonlocal done
            done += 1
            if done == at:
                os.kill(os.getpid(), signal.SIGKILL)
            with counted.open("a") as file:
                file.write("r")

        def counting(function: Callable[..., Any]) -> Callable[..., Any]:
            def counts(*arguments: Any, **named: Any) -> Any:
                before()
                return function(*arguments, **named)

            return counts

        for name in _RENAMES:
            setattr(os, name, counting(getattr(os, name)))
        folders.exchange = counting(folders.exchange)
        work()

    return dies


if __name__ == "__main__":
    run_campaign("kill", __doc__, 120, campaign)
