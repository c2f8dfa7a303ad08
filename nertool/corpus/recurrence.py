"""Do the same rare words come back nearby? It tells running text from sentences in random order."""

from __future__ import annotations

import numpy as np

from nertool.corpus.columnar import Corpus

_RARE = 5  # sentences: a word of more says little of what a passage is about
_NEARBY = 10  # sentences before, and as many after


def recurrence(corpus: Corpus) -> float:
    """Measure how often a rare word recurs within 10 sentences of its document, beyond chance.

    A rare word is one of 2 to 5 sentences. Chance is the share that would recur if the sentences stood in
    random order. The result is (share − chance) / (1 − chance), as Cohen's kappa corrects an agreement:
    about 0 for sentences in random order (tweets, samples of single sentences), 1 where every rare
    word recurs nearby, and 0 where there are too few sentences to tell.

    Example: 0.26 for the training part of CoNLL-2003, whose documents are marked.
    """
    S = corpus.sentences
    if S <= 2 * _NEARBY + 1 or not corpus.words:
        return 0.0
    sentences = np.repeat(np.arange(S), np.diff(corpus.sentence_starts))
    # Each word once for each sentence that it is in, sentence by sentence of each word.
    pairs = np.unique(corpus.word_ids.astype(np.int64) * S + sentences)
    words, sentences = pairs // S, pairs % S
    counts = np.bincount(words, minlength=len(corpus.words))[words]
    rare = (counts >= 2) & (counts <= _RARE)
    words, sentences, counts = words[rare], sentences[rare], counts[rare]
    if not len(words):
        return 0.0
    documents = np.searchsorted(corpus.document_starts, sentences, side="right")
    follows = (np.diff(words) == 0) & (np.diff(documents) == 0) & (np.diff(sentences) <= _NEARBY)
    recurs = np.append(follows, False) | np.append(False, follows)
    apart = 1 - 2 * _NEARBY / (S - 1)  # the probability that another sentence is not nearby
    chance = float(np.mean(1 - apart ** (counts - 1)))
    return (float(recurs.mean()) - chance) / (1 - chance)
