"""Word vectors from files of raw or labelled text: each is cut into words once, and read in every epoch."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.errors import VectorsError
from nertool.files.output import scratch_file
from nertool.formats.sentences import read_sentences
from nertool.vectors.subwords import Subwords
from nertool.vectors.train import PPMI, WORD2VEC, Settings, train_vectors

_SHORT = 1_000_000  # tokens of a text up to which neighbours are counted


class Trained(NamedTuple):
    """Vectors (V, d) of V words; tokens: of the text that they were trained on; settings: how they were
    trained; subwords: the rows of parts of words, if they were asked for."""

    words: list[str]
    matrix: NDArray[np.float32]
    tokens: int
    settings: Settings
    subwords: Subwords | None = None


def settings_for(tokens: int, width: int, seed: int) -> Settings:
    """Return the settings that suit a text of so many tokens, for vectors that a recogniser starts from.

    docs/vectors.md has the figures: the neighbours on either side say most of a word's class.
    """
    if tokens <= _SHORT:
        return Settings(PPMI, width, epochs=1, window=1, min_count=1, seed=seed)
    return Settings(WORD2VEC, width, min_count=2, seed=seed)


def train_on_texts(
    texts: Sequence[Path],
    form: str,
    reading: Reading | Callable[[Path], Reading],
    settings: Settings | Callable[[int], Settings],
    ledger: Ledger,
    report: Callable[[str], None],
    on_epoch: Callable[[int, int], None] = lambda epoch, of: None,
) -> Trained:
    """Train vectors on texts, cut into words as predict cuts them.

    form: their format, or auto. reading: how they are read, which may depend on the file. settings: they may
    be a function of the number of tokens. on_epoch: told each epoch that is done, and of how many.
    Errors: CorpusError, VectorsError.
    """
    with scratch_file() as raw:
        cut = io.TextIOWrapper(raw, encoding="utf-8", errors="surrogatepass", newline="\n")
        tokens = 0
        for path in texts:
            how = reading(path) if callable(reading) else reading
            for sentence in read_sentences(path, form, how, ledger, report):
                tokens += len(sentence)
                cut.write("\t".join(sentence) + "\n")
        own = settings(tokens) if callable(settings) else settings

        def read() -> Iterator[list[str]]:
            cut.seek(0)
            return (line.rstrip("\n").split("\t") for line in cut)

        try:
            words, matrix, subwords = train_vectors(
                read, own, lambda epoch: on_epoch(epoch, own.epochs)
            )
        except VectorsError as error:
            raise VectorsError(f"{', '.join(map(str, texts))}: {error}") from None
        cut.detach()
        return Trained(words, matrix, tokens, own, subwords)
