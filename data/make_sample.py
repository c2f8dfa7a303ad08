"""Make the sample's CoNLL files and word vectors from their sources. Run it from anywhere.

    python data/make_sample.py                      # data/*/source/*.txt → data/*/{train,dev,test}.conll
    python data/make_sample.py glove.6B.50d.bin     # … and data/sample/vectors.bin from the full vectors

The vectors are the 30,000 most frequent of GloVe 6B's, and all others that a word of the samples
would find (as written, in lower case, with digits as 0 or #).
"""

import subprocess
import sys
from pathlib import Path

import numpy as np

from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.formats.read import read_corpus
from nertool.inputs.encoder import SPECIAL_ROWS, Encoder
from nertool.vectors.files.load import load_vectors

DATA = Path(__file__).resolve().parent
SAMPLES = ("sample", "support")
PARTS = ("train", "dev", "test")
MOST_FREQUENT = 30_000


def make_parts(sample: str) -> None:
    """Convert a sample's sources, document by document, into the file of each part."""
    sources = sorted((DATA / sample / "source").glob("*.txt"))
    for part in PARTS:
        subprocess.run(
            [
                *(sys.executable, "-m", "nertool", "corpus", "convert", *map(str, sources)),
                *("--from", "inline", "--part", part),
                *("--output", str(DATA / sample / f"{part}.conll")),
            ],
            check=True,
        )


def make_vectors(full_path: Path) -> None:
    """Write the subset as word2vec binary: a header, then each word, a blank and its float32 values."""
    full = load_vectors(full_path)
    encoder = Encoder(full.words, [])
    keep = set(range(MOST_FREQUENT))
    for sample in SAMPLES:
        for part in PARTS:
            corpus = read_corpus(DATA / sample / f"{part}.conll", "conll", Reading(), Ledger())
            keep |= {row - SPECIAL_ROWS for row in map(encoder.vector_row, corpus.words)}
    rows = np.array(sorted(row for row in keep if row >= 0))
    with open(DATA / "sample" / "vectors.bin", "wb") as out:
        out.write(b"%d %d\n" % (len(rows), full.matrix.shape[1]))
        for row in rows:
            out.write(
                full.words[row].encode() + b" " + full.matrix[row].astype("<f4").tobytes() + b"\n"
            )
    print(f"vectors.bin: {len(rows):,} of {len(full.words):,} words")


if __name__ == "__main__":
    for name in SAMPLES:
        make_parts(name)
    if len(sys.argv) > 1:
        make_vectors(Path(sys.argv[1]))
