"""Measure whether rare words recur nearby, which distinguishes running text from shuffled sentences."""

from __future__ import annotations

import numpy as np

from nertool.corpus.columnar import Corpus

_RARE = 5  # sentences; a word in more of them says little about the topic of a passage
_NEARBY = 10  # sentences before, and the same number after


def recurrence(corpus: Corpus) -> float:
    """Measure how often a rare word recurs within 10 sentences of its document, beyond chance.

    A rare word is one that is in 2 to 5 sentences. Chance is the share that would recur if the sentences were
    in random order. The result is (share − chance) / (1 − chance), the same correction as in Cohen's kappa.
    It is about 0 for sentences in random order (tweets, samples of single sentences), 1 if every rare word
    recurs nearby, and 0 for a text of too few sentences.

    Example: 0.26 for the training part of CoNLL-2003, whose documents are marked.
    """
    S = corpus.sentences
    if S <= 2 * _NEARBY + 1 or not corpus.words:
        return 0.0
    sentences = np.repeat(np.arange(S), np.diff(corpus.sentence_starts))
    # The distinct pairs (word, sentence), sorted by word, then by sentence.
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
