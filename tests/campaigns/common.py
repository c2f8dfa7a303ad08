"""What the campaigns share: tries and survivals counted and printed, a small corpus, models trained on it."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NERTOOL = [sys.executable, "-m", "nertool"]
ENVIRONMENT = {
    **os.environ,
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
}

_MOST_SHOWN = 20  # failures


class Tally:
    """Tries, how many of them were survived, and the first that was not."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.tries = self.survived = 0
        self.first = ""
        self._begun = time.monotonic()

    def count(self, failure: str) -> None:
        """Count a try; failure: what went wrong, empty if nothing did."""
        self.tries += 1
        self.survived += not failure
        if failure and self.tries - self.survived <= _MOST_SHOWN:
            print(f"{self.name}: try {self.tries}: {failure}", file=sys.stderr, flush=True)
        if failure and not self.first:
            self.first = f"try {self.tries}: {failure}"

    def end(self) -> int:
        """Print the result; return the exit code."""
        seconds = time.monotonic() - self._begun
        print(f"{self.name}: {self.tries:,} tries, {self.survived:,} survived, {seconds:.0f} s")
        if self.first:
            print(f"  first failure: {self.first}")
        return 0 if self.tries and self.survived == self.tries else 1


def run_campaign(
    name: str, about: str | None, count: int, campaign: Callable[[Tally, int, int, Path], None]
) -> None:
    """Run a campaign as the command line asks, and end the process.

    campaign(tally, count, seed, folder) does `count` tries in an empty folder. Tools that need more
    options have their own main().
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--count", type=int, default=count, help="tries [default: %(default)s]")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    tally = Tally(name)
    with tempfile.TemporaryDirectory(prefix="nertool-campaign-") as folder:
        campaign(tally, options.count, options.seed, Path(folder))
    sys.exit(tally.end())


SENTENCES = [
    "Ada/B-PER Lovelace/I-PER met/O Charles/B-PER Babbage/I-PER in/O London/B-LOC ./O",
    "The/O museums/O in/O Paris/B-LOC are/O amazing/O to/O see/O ./O",
    "Siemens/B-ORG hired/O Ada/B-PER in/O Berlin/B-LOC ./O",
    "Charles/B-PER left/O London/B-LOC for/O New/B-LOC York/I-LOC ./O",
    "It/O rained/O all/O day/O ./O",
    "New/B-ORG York/I-ORG Times/I-ORG reporters/O flew/O to/O Paris/B-LOC ./O",
]
TEXT = (
    "Ada Lovelace met Charles Babbage in London.\n"
    "It rained in Paris; Siemens moved to New York, and Ada went home to Berlin.\n"
)


def write_corpus(folder: Path, epochs: int = 6, more: str = "") -> Path:
    """Write a labelled text, vectors and a config that trains in a second; return the config's path."""
    import random

    rng = random.Random(0)

    def conll(sentences: list[str]) -> str:
        return "".join(
            "".join(" ".join(item.rsplit("/", 1)) + "\n" for item in line.split()) + "\n"
            for line in sentences
        )

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "train.conll").write_text(conll(SENTENCES * 3))
    (folder / "dev.conll").write_text(conll(SENTENCES[:4]))
    words = sorted({item.rsplit("/", 1)[0].lower() for line in SENTENCES for item in line.split()})
    rows = (" ".join([word, *(f"{rng.gauss(0, 1):.4f}" for _ in range(8))]) for word in words)
    (folder / "vectors.txt").write_text("".join(row + "\n" for row in rows))
    config = folder / "config.yaml"
    config.write_text(
        "corpus: {train: train.conll, dev: dev.conll}\n"
        "vectors: {path: vectors.txt}\n"
        "features: {caps: 2, affixes: 2, memory: true}\n"
        f"training: {{epochs: {epochs}, batch_size: 16, alpha: 0.1}}\n{more}"
    )
    return config


def run(
    *arguments: str | Path, environment: Mapping[str, str] | None = None, timeout: float = 300
) -> subprocess.CompletedProcess[bytes]:
    """Run the command line in a process of its own."""
    return subprocess.run(
        [*NERTOOL, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout,
        env={**ENVIRONMENT, **(environment or {})},
        check=False,
    )


def trained(folder: Path, epochs: int = 6, more: str = "", *options: str) -> Path:
    """Train a model on the small corpus; return its run folder."""
    config = write_corpus(folder, epochs, more)
    done = run("train", config, "--run-dir", folder / "run", *options)
    assert done.returncode == 0, done.stderr.decode()
    return folder / "run"


def faults_told(stderr: bytes) -> str:
    """Return what must never be on stderr, or nothing: a traceback, a report of a fault of nertool."""
    for sign in (
        b"Traceback",
        b"this is a fault of nertool",
        b"Exception ignored",
        b"RuntimeWarning",
    ):
        if sign in stderr:
            at = stderr.find(sign)
            return stderr[at : at + 600].decode("utf-8", "replace")
    return ""


def forked(work: Callable[[], object], stderr: Path | None = None) -> int:
    """Start work in a forked process, which saves the time of imports; return its process number.

    It exits as the work's SystemExit says, with 0 if there is none, with 70 after another exception.
    """
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        if stderr is not None:
            descriptor = os.open(stderr, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(descriptor, 2)
            os.dup2(descriptor, 1)
        work()
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def main_of(*arguments: str | Path) -> Callable[[], None]:
    """Return work for forked(): a command line."""

    def work() -> None:
        from nertool.cli import main

        sys.argv = ["nertool", *map(str, arguments)]
        main()

    return work


def exit_code(pid: int) -> int:
    """Wait for a process; return its exit code, a signal's number negative."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def import_all() -> None:
    """Import what commands import, so that forked processes need not."""
    import importlib

    os.environ["OPENBLAS_NUM_THREADS"] = (
        "1"  # before numpy is there: no threads when processes fork
    )
    for name in ("numpy", "yaml", "tqdm", "gensim.models", "nertool.training.run", "nertool.cli.app",
                 "nertool.predict.run", "nertool.training.recipe", "nertool.cli.training.train",
                 "nertool.evaluation.tables", "nertool.training.summary"):  # fmt: skip
        importlib.import_module(name)


def content_of(folder: Path) -> dict[str, bytes]:
    """Return the content of every file below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
