"""A linear-chain CRF with the usual hand-made features: python-crfsuite, L-BFGS."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pycrfsuite

from peers.columns import as_iob2, sentences


def features(words: Sequence[str]) -> list[list[str]]:
    """CRFsuite's own NER tutorial, without parts of speech: word, endings, case, neighbours."""
    rows = []
    for i, word in enumerate(words):
        row = ["bias", f"lower={word.lower()}", f"-3={word[-3:]}", f"-2={word[-2:]}"]
        row += [f"upper={word.isupper()}", f"title={word.istitle()}", f"digit={word.isdigit()}"]
        for step in (-1, 1):
            if 0 <= i + step < len(words):
                near = words[i + step]
                row += [f"{step}:lower={near.lower()}", f"{step}:title={near.istitle()}"]
                row.append(f"{step}:upper={near.isupper()}")
            else:
                row.append(f"{step}:end")
        rows.append(row)
    return rows


def train(text: Path, model: Path) -> None:
    """Train as the tutorial does: c1 1.0, c2 0.001, 50 iterations."""
    trainer = pycrfsuite.Trainer(verbose=False)
    for sentence in sentences(text):
        words = [fields[0] for fields in sentence]
        trainer.append(features(words), as_iob2([fields[-1] for fields in sentence]))
    trainer.set_params({"c1": 1.0, "c2": 1e-3, "max_iterations": 50})
    trainer.train(str(model))


def tag(model: Path, text: Path, out: Path) -> None:
    """Write each word with its tag."""
    tagger = pycrfsuite.Tagger()
    tagger.open(str(model))
    with open(out, "w", encoding="utf-8") as file:
        for sentence in sentences(text):
            words = [fields[0] for fields in sentence]
            tags = tagger.tag(features(words))
            file.write("".join(f"{w} {t}\n" for w, t in zip(words, tags, strict=True)) + "\n")


if __name__ == "__main__":
    {"train": train, "tag": tag}[sys.argv[1]](*map(Path, sys.argv[2:]))
