"""Train word vectors on files of raw or labelled text, which are tokenised once and read in every epoch."""

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

_SHORT = 1_000_000  # tokens; up to this length vectors come from co-occurrence counts (PPMI)


class Trained(NamedTuple):
    """Vectors (V, d) of V words.

    tokens: the number of tokens in the training text. settings: the settings used. subwords: the rows of
    parts of words, if requested.
    """

    words: list[str]
    matrix: NDArray[np.float32]
    tokens: int
    settings: Settings
    subwords: Subwords | None = None


def settings_for(tokens: int, width: int, seed: int) -> Settings:
    """Return good settings for the initial vectors of a recogniser, given the number of tokens of the text.

    docs/vectors.md has the measurements: the direct neighbours are most informative about a word's class.
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
    """Train vectors on texts, which are tokenised as by `predict`.

    form: the format of the texts, or auto. reading: options for reading, or a function of the file.
    settings: settings of training, or a function of the number of tokens. on_epoch: called after each epoch
    with its number and the number of epochs. Errors: CorpusError, VectorsError.
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
