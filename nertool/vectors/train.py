"""Train word vectors on sentences: from co-occurrence counts (cooccurrence.py), or by gensim.

gensim has word2vec (Mikolov et al. 2013), and fastText (Bojanowski et al. 2017), which also learns vectors of
parts of words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.errors import VectorsError
from nertool.vectors.cooccurrence import count_vectors
from nertool.vectors.files.fasttext import most_used
from nertool.vectors.subwords import FASTTEXT, Parts, Subwords

WORD2VEC, FASTTEXT_KIND, PPMI = KINDS = ("word2vec", "fasttext", "ppmi")


@dataclass(frozen=True)
class Settings:
    """Settings of training.

    kind: one of KINDS. width: d. window: the number of words on either side. min_count: rarer words get no
    vector. negative: the number of negative samples. phrases: join words that often occur together. lower:
    convert words to lower case. seed: with one worker, the same seed gives the same result. subwords: the
    number of rows of parts of words to keep, the most used ones (fastText). ppmi has one epoch, and no
    negative samples, workers or seed.
    """

    kind: str = "word2vec"
    width: int = 50
    epochs: int = 5
    window: int = 5
    min_count: int = 3
    negative: int = 5
    phrases: bool = False
    lower: bool = False
    workers: int = 1
    seed: int = 1
    subwords: int = 0


class Learned(NamedTuple):
    """V words, the most frequent first, with their vectors (V, d).

    subwords: the rows of parts of words, if requested.
    """

    words: list[str]
    matrix: NDArray[np.float32]
    subwords: Subwords | None = None


class _Restarted:
    """Sentences that can be iterated over several times, as gensim needs: each time `read` is called."""

    def __init__(self, read: Callable[[], Iterable[Sequence[str]]], lower: bool) -> None:
        self._read, self._lower = read, lower

    def __iter__(self) -> Iterator[list[str]]:
        for sentence in self._read():
            yield [word.lower() for word in sentence] if self._lower else list(sentence)


def train_vectors(
    read: Callable[[], Iterable[Sequence[str]]],
    settings: Settings,
    on_epoch: Callable[[int], None] = lambda epoch: None,
) -> Learned:
    """Train word vectors on sentences.

    read: a function that returns the sentences as lists of words; it is called for each pass. on_epoch:
    called with the number of each finished epoch. Errors: VectorsError if no word is frequent enough.
    """
    from gensim.models import FastText, Word2Vec
    from gensim.models.callbacks import CallbackAny2Vec

    too_few = VectorsError("found no word, expected text")
    if settings.min_count > 1:
        too_few = VectorsError(
            f"found no word that occurs {settings.min_count} times, expected some; give more text, or a "
            "smaller min_count (vectors train --min-count)"
        )

    class Progress(CallbackAny2Vec):  # type: ignore[misc]  # gensim has no stubs
        def __init__(self) -> None:
            self.done = 0

        def on_epoch_end(self, model: object) -> None:
            self.done += 1
            on_epoch(self.done)

    sentences: Iterable[list[str]] = _Restarted(read, settings.lower)
    if settings.phrases:
        from gensim.models.phrases import Phrases

        phraser = Phrases(sentences, min_count=max(5, settings.min_count), threshold=10.0).freeze()
        plain = sentences
        sentences = _Restarted(lambda: (phraser[sentence] for sentence in plain), False)
    if settings.kind == PPMI:
        words, matrix = count_vectors(
            lambda: sentences, settings.width, settings.window, settings.min_count
        )
        if not words:
            raise too_few
        on_epoch(1)
        return Learned(words, matrix)
    model = {WORD2VEC: Word2Vec, FASTTEXT_KIND: FastText}[settings.kind](
        vector_size=settings.width,
        window=settings.window,
        min_count=settings.min_count,
        negative=settings.negative,
        sg=1,
        workers=settings.workers,
        seed=settings.seed,
        epochs=settings.epochs,
    )
    model.build_vocab(sentences)
    if not len(model.wv):
        raise too_few
    model.train(
        sentences,
        total_examples=model.corpus_count,
        epochs=settings.epochs,
        callbacks=[Progress()],
    )
    words = list(model.wv.index_to_key)
    matrix = np.array(model.wv.vectors, dtype=np.float32)
    if not settings.subwords:
        return Learned(words, matrix)
    rows = model.wv.vectors_ngrams
    parts = Parts(FASTTEXT, model.wv.min_n, model.wv.max_n, len(rows))
    table = Subwords(rows, np.arange(len(rows), dtype=np.int32), parts)
    return Learned(words, matrix, most_used(table, words, settings.subwords))
