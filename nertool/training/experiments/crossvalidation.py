"""Cross-validation: tag each part of a labelled text with a model that was trained on all other parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nertool.config.records import Config
from nertool.corpus.columnar import Corpus, ranges
from nertool.corpus.parts.hold_out import has_documents, take_sentences
from nertool.corpus.schemes import spans_of, tag_names
from nertool.decoding.decoded import Decoded
from nertool.decoding.viterbi import decode, lattice
from nertool.errors import TrainingError
from nertool.evaluation.scores import count_spans
from nertool.model.calibrate import correct_entities, fit_temperature
from nertool.tagging.annotate import text_of_corpus
from nertool.training.experiments.in_memory import single_network, trained_on
from nertool.training.parallel.pool import Piece, Send, run_pieces

BLOCK = 10  # sentences that stay together if documents are not marked


def fold_of_sentences(corpus: Corpus, folds: int, seed: int) -> NDArray[np.int64]:
    """Assign a text's documents, or blocks of sentences if documents are not marked, to folds: (S,).

    Errors: TrainingError if there are fewer of them than folds.
    """
    S = corpus.sentences
    if has_documents(corpus):
        unit = np.repeat(np.arange(corpus.documents), np.diff(corpus.document_starts))
    else:
        unit = np.arange(S) // max(1, min(BLOCK, S // (2 * folds)))
    n = int(unit[-1]) + 1
    if n < folds:
        raise TrainingError(
            f"{corpus.source}: found {n:,} documents or sentences, expected at least {folds}, one for each "
            "fold; choose fewer --folds"
        )
    dealt = np.random.default_rng([seed, 11]).permutation(np.arange(n) % folds)
    return np.asarray(dealt[unit])


def crossvalidated(
    config: Config,
    corpus: Corpus,
    folds: int,
    workers: int,
    report: Callable[[str], None] = lambda line: None,
) -> tuple[Decoded, list[str], list[str]]:
    """Tag a text with models that have not seen it; return the decoded text, the labels and the tags.

    The result's tag_ids index the tags. Its temperature is fitted on these predictions. A class that a fold's
    training text lacks is never predicted in that fold. Errors: as in training.
    """
    config = single_network(config)
    gold = spans_of(corpus.tag_ids, corpus.tags, corpus.sentence_starts)
    labels = gold.label_names
    tags = tag_names(labels, config.decoding.scheme)
    fold = fold_of_sentences(corpus, folds, config.seed)
    bare = replace(corpus, records=None)
    pieces = [Piece(str(k), _tag_fold, (config, bare, fold, k, tags)) for k in range(folds)]
    scores = np.zeros((corpus.tokens, len(tags)), dtype=np.float32)
    lengths = np.diff(corpus.sentence_starts)
    for done, (name, found) in enumerate(run_pieces(pieces, workers), 1):
        own = fold == int(name)
        scores[ranges(corpus.sentence_starts[:-1][own], lengths[own])] = found
        report(f"fold {done} of {folds}: {int(lengths[own].sum()):,} tokens tagged")
    allowed = lattice(tags, config.decoding.scheme)
    starts = corpus.sentence_starts
    tag_ids = decode(scores, starts, config.decoding.method, allowed)
    spans = spans_of(tag_ids, tags, starts)
    decoded = Decoded(scores, tag_ids, starts, spans, allowed)
    decoded = replace(decoded, temperature=fit_temperature(decoded, correct_entities(spans, gold)))
    right = sum(c.correct for c in count_spans(gold, spans).values())
    total = len(gold) + len(spans)
    report(f"F1 of the folds' models on held-out text: {200 * right / max(total, 1):.1f} %")
    return decoded, labels, tags


_IMPOSSIBLE = -1e4  # the score of a tag that a fold's model does not know


def _tag_fold(
    config: Config, corpus: Corpus, fold: NDArray[np.int64], k: int, tags: list[str], send: Send
) -> None:
    """Train on all folds but the k-th; send the k-th fold's scores for these tags."""
    with trained_on(config, take_sentences(corpus, fold != k)) as tagger:
        own = tagger.scores(text_of_corpus(take_sentences(corpus, fold == k)))
        scores = np.full((len(own), len(tags)), _IMPOSSIBLE, dtype=np.float32)
        scores[:, [tags.index(tag) for tag in tagger.model.tags]] = own
        send(scores)
