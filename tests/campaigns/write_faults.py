"""Let writes fail, one alone (EIO) or one and all that follow, as on a full disk (ENOSPC), in each command
that writes: exit code 1, one line that names a place, no traceback, no half-written file under an output's
name.

Needs a C compiler and Linux (LD_PRELOAD of faults.c).

python -m tests.campaigns.write_faults --count 400
"""

from __future__ import annotations

import errno
import random
import shutil
import subprocess
from itertools import zip_longest
from pathlib import Path

from tests.campaigns.common import (
    TEXT,
    Tally,
    content_of,
    faults_told,
    run,
    run_campaign,
    trained,
)


def campaign(tally: Tally, count: int, seed: int, folder: Path) -> None:
    """Count each command's writes, then fail at some of each command's, in random order, so many in all."""
    library = folder / "faults.so"
    source = Path(__file__).with_name("faults.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", source, "-o", library, "-ldl"], check=True)
    data = folder / "data"
    model = trained(data)
    (data / "text.txt").write_text(TEXT * 20)
    (data / "more.txt").write_text(TEXT)
    out = folder / "out"
    train, dev, vectors = (data / name for name in ("train.conll", "dev.conll", "vectors.txt"))
    commands: dict[str, list[str | Path]] = {
        "train": ["train", data / "config.yaml", "--run-dir", out / "run"],
        "train twice": ["train", data / "config.yaml", "--run-dir", out / "run", "--refit"],
        "predict": ["predict", model, data / "text.txt", "-o", out / "tagged.jsonl", "--to", "jsonl"],
        "predict, skip": ["predict", model, data / "text.txt", data / "more.txt", "--on-error", "skip",
                          "-o", out / "tagged.html", "--to", "html"],
        "predict into a folder": ["predict", model, data / "text.txt", data / "more.txt", "--on-error",
                                  "skip", "--out-dir", out / "tagged"],
        "convert": ["corpus", "convert", train, "--to", "jsonl", "-o", out / "a.jsonl.gz"],
        "convert to brat": ["corpus", "convert", train, "--to", "brat", "-o", out / "brat"],
        "split": ["corpus", "split", train, "--by-sentence", "-o", out / "parts"],
        "suspects": ["corpus", "suspects", train, "--config", data / "config.yaml", "--folds", "2",
                     "--workers", "1", "-o", out / "suspects.jsonl"],
        "evaluate": ["evaluate", model, dev, "--html", out / "report.html", "--errors",
                     out / "errors.tsv", "--report", out / "account.tsv"],
        "explain": ["explain", model, "Ada met Paris", "--word", "1", "--html", out / "why.html"],
        "prune": ["vectors", "prune", vectors, "--top", "5", "-o", out / "small.vectors"],
        "convert vectors": ["vectors", "convert", vectors, "--to", "word2vec", "-o", out / "v.bin"],
        "train vectors": ["vectors", "train", data / "text.txt", "-o", out / "v.vectors",
                          "--epochs", "1", "--min-count", "1"],
        "init": ["init", out / "project"],
        "lesson": ["lesson", "init", out / "lesson"],
    }  # fmt: skip
    usual = {"LD_PRELOAD": str(library), "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(out)}
    rng = random.Random(seed)
    tries: list[list[tuple[str, int, int]]] = []
    complete: dict[str, dict[str, bytes]] = {}
    for name, command in commands.items():
        _fresh(out)
        counted = folder / "count"
        counted.unlink(missing_ok=True)
        done = run(
            *command,
            environment=usual
            | {"NERTOOL_FAULT_DIR": str(out), "NERTOOL_FAULT_COUNT": str(counted)},
        )
        assert done.returncode == 0, (name, done.stderr.decode())
        complete[name] = content_of(out)
        writes = int(counted.read_text())
        print(f"write_faults: {name}: {writes} writes", flush=True)
        numbers = (errno.ENOSPC, errno.EIO)
        own = [(name, at, number) for at in range(1, writes + 1) for number in numbers]
        tries.append(rng.sample(own, len(own)))
    in_turn = [one for several in zip_longest(*tries) for one in several if one is not None]
    for name, at, number in in_turn[:count]:
        _fresh(out)
        fault = {"NERTOOL_FAULT_DIR": str(out), "NERTOOL_FAULT_AT": str(at)}
        fault |= {"NERTOOL_FAULT_ERRNO": str(number)}
        if number == errno.ENOSPC:
            fault["NERTOOL_FAULT_ALL"] = "1"
        done = run(*commands[name], environment=usual | fault)
        failure = _failure(done, content_of(out), complete[name], name)
        tally.count(failure and f"{name}, {errno.errorcode[number]} at write {at}: {failure}")


def _fresh(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()


def _failure(
    done: subprocess.CompletedProcess[bytes],
    found: dict[str, bytes],
    complete: dict[str, bytes],
    name: str,
) -> str:
    """Say what is wrong with how a command ended; empty if nothing is."""
    if told := faults_told(done.stderr):
        return told
    half = [
        path
        for path, content in found.items()
        if path in complete and not path.startswith(("run/", ".")) and content != complete[path]
        and not path.startswith("lesson/")
    ]  # fmt: skip
    if half:
        return f"half-written: {half}"
    lines = done.stderr.decode("utf-8", "replace").splitlines()
    if done.returncode == 0:
        # A flush of a folder may fail in silence: not every file system has it.
        missing = complete.keys() - found.keys()
        return f"exit code 0, without {missing}" if missing else ""
    said = [line for line in lines if line.startswith("nertool: ")]
    if done.returncode != 1 or len(said) != 1:
        return f"exit code {done.returncode}: {lines[-3:]}"
    if "No space left" not in said[0] and "Input/output error" not in said[0]:
        return f"another reason: {said[0]}"
    if "/" not in said[0] or "could not be read" in done.stderr.decode("utf-8", "replace"):
        return f"no place, or the input's: {said[0]}"
    return ""


if __name__ == "__main__":
    run_campaign("write_faults", __doc__, 400, campaign)
