"""Kill the process that started workers (SIGKILL): no worker may stay, in training, a sweep or tagging.

python -m tests.campaigns.orphans --count 20
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

from tests.campaigns.common import (
    ENVIRONMENT,
    NERTOOL,
    TEXT,
    Tally,
    run_campaign,
    trained,
    write_corpus,
)

_PATIENCE = 8.0  # seconds in which all workers must have ended: of these the pool's own 5 are for tidying up


def campaign(tally: Tally, count: int, seed: int, folder: Path) -> None:
    """Kill each kind of command in turn, at a random moment after its workers began."""
    model = trained(folder / "model")
    text = folder / "long.txt"
    text.write_text(TEXT * 300_000)
    config = write_corpus(folder / "many", 10_000, "network: {members: 2}\n")
    ways = [
        ["predict", model, text, "--workers", "2", "--to", "jsonl"],
        ["train", config, "--workers", "2", "--overwrite", "--run-dir", folder / "run"],
        ["train", config, "--workers", "2", "--overwrite", "--run-dir", folder / "run",
         "--set", "first_stage.folds=2", "--set", "first_stage.epochs=10000"],
        ["sweep", config, "--seeds", "2", "--workers", "2"],
        ["corpus", "suspects", folder / "many" / "train.conll", "--config", config,
         "--folds", "2", "--workers", "2"],
    ]  # fmt: skip
    rng = random.Random(seed)
    for i in range(count):
        command = [*NERTOOL, *map(str, ways[i % len(ways)])]
        tally.count(_kill_one(command, rng.uniform(0, 0.5)))


def _kill_one(command: list[str], later: float) -> str:
    parent = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=ENVIRONMENT,
        start_new_session=True,
    )  # fmt: skip
    assert parent.stdout is not None
    try:
        end = time.monotonic() + 60
        while len(workers := _group(parent.pid) - {parent.pid}) < 2:
            if time.monotonic() > end or parent.poll() is not None:
                return f"{command[3:5]}: no two workers began"
            time.sleep(0.02)
        time.sleep(later)
        parent.kill()
        parent.wait()
        end = time.monotonic() + _PATIENCE
        while (left := _group(parent.pid)) and time.monotonic() < end:
            time.sleep(0.02)
        return f"{command[3:5]}: {len(left)} of {len(workers)} live on" if left else ""
    finally:
        parent.stdout.close()
        for pid in _group(parent.pid):
            os.kill(pid, signal.SIGKILL)
        parent.wait()


def _group(session: int) -> set[int]:
    """Return the living processes of a session."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[3]) == session and fields[0] != "Z":
                found.add(int(entry.name))
    return found


if __name__ == "__main__":
    run_campaign("orphans", __doc__, 20, campaign)
