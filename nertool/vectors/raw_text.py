"""Word vectors from files of raw or labelled text: each is cut into words once, and read in every epoch."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.errors import VectorsError
from nertool.files.output import scratch_file
from nertool.formats.sentences import read_sentences
from nertool.vectors.train import Settings, train_vectors

_WORDS_TRAINED = 6_000_000  # words that training reads in all, if the text is short
_LEAST_EPOCHS, _MOST_EPOCHS = 5, 30


class Trained(NamedTuple):
    """Vectors (V, d) of V words; tokens and epochs: of the text that they were trained on."""

    words: list[str]
    matrix: NDArray[np.float32]
    tokens: int
    epochs: int


def epochs_for(tokens: int) -> int:
    """Return how often a text of so many tokens is read: a short one more often."""
    return min(_MOST_EPOCHS, max(_LEAST_EPOCHS, _WORDS_TRAINED // max(1, tokens)))


def train_on_texts(
    texts: Sequence[Path],
    form: str,
    reading: Reading,
    settings: Settings,
    ledger: Ledger,
    report: Callable[[str], None],
    on_epoch: Callable[[int, int], None] = lambda epoch, of: None,
) -> Trained:
    """Train vectors on texts, cut into words as predict cuts them.

    form: their format, or auto. settings: epochs 0 stands for as many as suit the text's length. on_epoch:
    told each epoch that is done, and of how many. Errors: CorpusError, VectorsError.
    """
    with scratch_file() as raw:
        cut = io.TextIOWrapper(raw, encoding="utf-8", errors="surrogatepass", newline="\n")
        tokens = 0
        for path in texts:
            for sentence in read_sentences(path, form, reading, ledger, report):
                tokens += len(sentence)
                cut.write("\t".join(sentence) + "\n")
        epochs = settings.epochs or epochs_for(tokens)

        def read() -> Iterator[list[str]]:
            cut.seek(0)
            return (line.rstrip("\n").split("\t") for line in cut)

        try:
            words, matrix = train_vectors(
                read, replace(settings, epochs=epochs), lambda epoch: on_epoch(epoch, epochs)
            )
        except VectorsError as error:
            raise VectorsError(f"{', '.join(map(str, texts))}: {error}") from None
        cut.detach()
        return Trained(words, matrix, tokens, epochs)
