"""Speed of reading text: CPU time for CoNLL columns, JSON lines, plain text and CoNLL-U.

With --old TREE, a checkout of another version, both trees take turns. The table then has the ratio of their
speeds (old time / new time; above 1 means that the new one is faster), as the median of the pairs.

  python benchmarks/reading.py --old ../nertool-before
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent))
from record import DATA

ROOT = Path(__file__).resolve().parents[1]
FORMATS = {"CoNLL": "conll", "JSON lines": "jsonl", "plain text": "txt", "CoNLL-U": "conllu"}
# Each run reads once to warm up. Then it prints the CPU time of the reads.
READ = """
import sys, time
from pathlib import Path
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.formats.read import read_corpus
path, labelled, repeats = Path(sys.argv[1]), sys.argv[2] == "labelled", int(sys.argv[3])
for i in range(repeats + 1):
    corpus = read_corpus(path, "auto", Reading(labelled=labelled), Ledger())
    if i == 0:
        begun = time.process_time()
print(time.process_time() - begun, corpus.tokens)
"""


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--old", type=Path, help="a checkout to compare with")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3, help="reads in a run")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = written(DATA / "conll2003" / "train.txt", Path(folder))
        print("| format | tokens a second | old / new time |\n|---|---:|---:|")
        for name, path in files.items():
            new, old = [], []
            for _ in range(options.pairs):
                if options.old is not None:
                    old.append(seconds(options.old, path, options.repeats)[0])
                new.append(seconds(ROOT, path, options.repeats))
            speed = median(tokens * options.repeats / time for time, tokens in new)
            pairs = zip(old, new, strict=False)
            ratio = f"{median(a / b for a, (b, _) in pairs):.2f}" if old else ""
            print(f"| {name} | {speed:,.0f} | {ratio} |", flush=True)


def written(source: Path, folder: Path) -> dict[str, Path]:
    """Write a corpus in all formats; return the files."""
    files = {name: folder / f"text.{ending}" for name, ending in FORMATS.items()}
    run = [sys.executable, "-m", "nertool", "corpus", "convert", str(source), "-o"]
    for name in ("CoNLL", "JSON lines", "CoNLL-U"):
        subprocess.run([*run, str(files[name])], check=True, cwd=ROOT, stderr=subprocess.DEVNULL)
    sentences = source.read_text(encoding="utf-8").split("\n\n")
    words = ([row.split(" ")[0] for row in part.split("\n") if row] for part in sentences)
    text = "\n".join(" ".join(sentence).replace(" .", ".") for sentence in words if sentence)
    files["plain text"].write_text(text.replace("-DOCSTART-", "\n"), encoding="utf-8")
    return files


def seconds(tree: Path, path: Path, repeats: int) -> tuple[float, int]:
    """Return the CPU time of reading a file `repeats` times with a tree's code, and the number of its
    tokens."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "OPENBLAS_NUM_THREADS": "1"}
    labelled = "text" if path.suffix == ".txt" else "labelled"
    command = [sys.executable, "-c", READ, str(path), labelled, str(repeats)]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=path.parent, env=environment
    )
    time, tokens = done.stdout.split()
    return float(time), int(tokens)


if __name__ == "__main__":
    main()
