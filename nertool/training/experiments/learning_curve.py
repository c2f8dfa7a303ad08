"""Learning curves: F1 on dev of networks that are trained on growing parts of the text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nertool.config.records import Config
from nertool.corpus.columnar import Corpus
from nertool.corpus.ledger import Ledger
from nertool.corpus.parts.hold_out import has_documents, hold_out, take_sentences
from nertool.corpus.schemes import spans_of
from nertool.errors import CorpusError, TrainingError
from nertool.evaluation.evaluate import compare_with_model
from nertool.training.experiments.in_memory import single_network, trained_on
from nertool.training.parallel.pool import Piece, Send, run_pieces
from nertool.training.preparation.encode import Report, read_parts

HELD_OUT = 0.2  # share of a text without dev
BLOCK = 10  # sentences that stay together if documents are not marked
LEAST_SENTENCES = 40
LEAST_BATCH = 64


@dataclass(frozen=True)
class Point:
    """A training: its share of the text, its seed, the amount of text, and F1 on dev."""

    share: float
    seed: int
    sentences: int
    tokens: int
    entities: int
    f1: float


def curve_parts(config: Config, report: Report, ledger: Ledger) -> tuple[Corpus, Corpus]:
    """Read the training text and dev. Without dev, hold out a share of the text.

    Errors: CorpusError for a text that is too small to be divided.
    """
    train, dev = read_parts(config, report, ledger)
    if train is None:
        raise CorpusError("corpus.train is not set, expected the path of a labelled text")
    if dev is None:
        train, dev = hold_out(train, HELD_OUT, config.seed)
        report(f"dev: held out of the text: {dev.sentences:,} sentences")
    if train.sentences < LEAST_SENTENCES or not dev.sentences:
        raise CorpusError(
            f"{train.source}: found {train.sentences:,} sentences to train on, expected at least "
            f"{LEAST_SENTENCES}: of fewer, no parts can be compared"
        )
    if not len(spans_of(dev.tag_ids, dev.tags, dev.sentence_starts)):
        raise CorpusError(f"{dev.source}: found no entity in dev, expected some to measure F1 on")
    return train, dev


def shares_of(sizes: int) -> list[float]:
    """Return `sizes` shares of a text: each is twice the one before, and the last is 1."""
    return [2.0 ** (i - sizes + 1) for i in range(sizes)]


def learning_curve(
    config: Config,
    train: Corpus,
    dev: Corpus,
    shares: Sequence[float],
    seeds: int,
    workers: int,
    report: Callable[[str], None] = lambda line: None,
) -> list[Point]:
    """Train one network on each share of the text with each seed; return the points by share and seed.

    The parts of a seed are nested. They consist of documents, or of blocks of sentences if documents are not
    marked, in an order of their own for each seed. A small part has smaller batches, so that it gets about as
    many steps. Errors: as in training; TrainingError for a part without an entity.
    """
    bare, dev_bare = replace(train, records=None), replace(dev, records=None)
    pieces = []
    for seed in range(config.seed, config.seed + seeds):
        order = sentence_order(train, seed)
        for share in reversed(
            shares
        ):  # the longest first, so that no worker waits for them at the end
            own = single_network(config, seed)
            batch = own.training.batch_size
            smaller = min(batch, max(LEAST_BATCH, round(share * batch)))
            own = replace(own, training=replace(own.training, batch_size=smaller))
            kept = order < np.ceil(share * train.sentences)
            pieces.append(
                Piece(f"{share:g} {seed}", _measure, (own, bare, kept, dev_bare, share, seed))
            )
    points: list[Point] = []
    for _, point in run_pieces(pieces, workers):
        points.append(point)
        report(
            f"{len(points)}/{len(pieces)}  {point.sentences:,} sentences, seed {point.seed}: "
            f"dev F1 {100 * point.f1:.1f}"
        )
    return sorted(points, key=lambda point: (point.share, point.seed))


def sentence_order(corpus: Corpus, seed: int) -> NDArray[np.int64]:
    """Return each sentence's rank in a random order of the documents, or blocks of sentences: (S,)."""
    S = corpus.sentences
    if has_documents(corpus):
        unit = np.repeat(np.arange(corpus.documents), np.diff(corpus.document_starts))
    else:
        unit = np.arange(S) // max(1, min(BLOCK, S // 200))
    shuffled = np.random.default_rng([seed, 13]).permutation(int(unit[-1]) + 1)
    order = np.argsort(shuffled[unit], kind="stable")
    place = np.empty(S, dtype=np.int64)
    place[order] = np.arange(S)
    return place


def _measure(
    config: Config,
    train: Corpus,
    kept: NDArray[np.bool_],
    dev: Corpus,
    share: float,
    seed: int,
    send: Send,
) -> None:
    """Train on a part, and send the point."""
    part = take_sentences(train, kept)
    entities = len(spans_of(part.tag_ids, part.tags, part.sentence_starts))
    if not entities:
        raise TrainingError(
            f"{train.source}: found no entity in {part.sentences:,} sentences, the smallest part; choose "
            "fewer --sizes"
        )
    with trained_on(config, part) as tagger:
        f1 = compare_with_model(tagger, dev)[0].scores.f1
    send(Point(share, seed, part.sentences, part.tokens, entities, f1))


def by_share(points: Sequence[Point]) -> Iterator[list[Point]]:
    """Yield the points of each share, in ascending order of the shares."""
    for share in sorted({point.share for point in points}):
        yield [point for point in points if point.share == share]
