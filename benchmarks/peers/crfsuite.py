"""A linear-chain CRF with the usual hand-written features: python-crfsuite, L-BFGS."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pycrfsuite

from peers.columns import as_iob2, sentences


def features(words: Sequence[str]) -> list[list[str]]:
    """Return the features of CRFsuite's NER tutorial, without parts of speech: word, suffixes, case,
    neighbours."""
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


_SIGNS = ((str.isupper, "X"), (str.isalpha, "x"), (str.isdigit, "0"))


def _shape(word: str) -> str:
    signs = (next((sign for is_, sign in _SIGNS if is_(c)), c) for c in word)
    return "".join(sign for sign, _ in groupby(signs))


def usual_features(words: Sequence[str]) -> list[list[str]]:
    """Return the usual features of CRF taggers.

    They are: word, affixes of 2 and 3, shape, title, upper and digit of the word and of one word on either
    side; word and shape of two words on either side; two bigrams of words.
    """
    looks = [
        (
            f"w={word}", f"p2={word[:2]}", f"p3={word[:3]}", f"s2={word[-2:]}", f"s3={word[-3:]}",
            f"shape={_shape(word)}", f"title={word.istitle()}", f"upper={word.isupper()}",
            f"digit={word.isdigit()}",
        )
        for word in words
    ]  # fmt: skip
    rows = []
    for i in range(len(words)):
        row = ["bias", *looks[i]]
        for step in (-2, -1, 1, 2):
            if not 0 <= i + step < len(words):
                row.append(f"{step}:end")
                continue
            look = looks[i + step]
            row += [f"{step}:{own}" for own in (look if abs(step) == 1 else (look[0], look[5]))]
        if i > 0:
            row.append(f"-1,0={words[i - 1]}|{words[i]}")
        if i + 1 < len(words):
            row.append(f"0,1={words[i]}|{words[i + 1]}")
        rows.append(row)
    return rows


class Template(NamedTuple):
    """of: a function that returns a sentence's features, a list per word. settings: those of L-BFGS."""

    of: Callable[[Sequence[str]], list[list[str]]]
    settings: dict[str, float]


TEMPLATES = {
    "tutorial": Template(features, {"c1": 1.0, "c2": 1e-3, "max_iterations": 50}),
    "usual": Template(usual_features, {"c1": 0.1, "c2": 0.01, "max_iterations": 120}),
}


def train(text: Path, model: Path, template: str = "tutorial") -> None:
    """Train with a template's features and settings."""
    of, settings = TEMPLATES[template]
    trainer = pycrfsuite.Trainer(verbose=False)
    for sentence in sentences(text):
        words = [fields[0] for fields in sentence]
        trainer.append(of(words), as_iob2([fields[-1] for fields in sentence]))
    trainer.set_params(settings)
    trainer.train(str(model))


def tag(model: Path, text: Path, out: Path, template: str = "tutorial") -> None:
    """Write each word with its predicted tag."""
    of = TEMPLATES[template].of
    tagger = pycrfsuite.Tagger()
    tagger.open(str(model))
    with open(out, "w", encoding="utf-8") as file:
        for sentence in sentences(text):
            words = [fields[0] for fields in sentence]
            tags = tagger.tag(of(words))
            file.write("".join(f"{w} {t}\n" for w, t in zip(words, tags, strict=True)) + "\n")


if __name__ == "__main__":
    command, first, second, *rest = sys.argv[1:]
    if command == "train":
        train(Path(first), Path(second), *rest)
    else:
        tag(Path(first), Path(second), Path(rest[0]), *rest[1:])
