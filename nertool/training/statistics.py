"""Statistics of a training text, by which the recipe `auto` chooses."""

from __future__ import annotations

from dataclasses import dataclass

from nertool.config.records import Config
from nertool.corpus.ledger import Ledger
from nertool.corpus.parts.hold_out import why_not_documents
from nertool.corpus.recurrence import recurrence
from nertool.corpus.schemes import spans_of
from nertool.inputs.encoder import Encoder, coverage
from nertool.training.preparation.encode import read_part
from nertool.vectors.files.load import load_vectors

# Recurrence is 0.25 to 0.45 in abstracts, articles, news and contracts, 0.12 in threads of tweets, and 0.00
# in single tweets and in sentences that were drawn at random.
RUNNING = 0.2


@dataclass(frozen=True)
class Statistics:
    """The numbers that the recipe reads.

    documents: 0 if they can't be used, and then no_documents says why. coverage: the share of the training
    tokens that have a vector, or None without vectors. has_dev: whether there is a dev part. recurrence: how
    often rare words recur nearby (corpus/recurrence.py).
    """

    tokens: int
    documents: int
    classes: int
    entities: int
    coverage: float | None
    has_dev: bool = True
    no_documents: str = "documents are not marked"
    recurrence: float = 0.0

    @property
    def runs_on(self) -> bool:
        """Whether neighbouring sentences belong together although no documents are marked."""
        return not self.documents and self.recurrence >= RUNNING


def statistics(config: Config) -> Statistics:
    """Compute the statistics of the training text and the vectors that a config names.

    Errors: CorpusError and VectorsError with their place; OSError is passed on.
    """
    assert config.corpus.train is not None
    train = read_part(config, config.corpus.train, "train", _silent, Ledger())
    spans = spans_of(train.tag_ids, train.tags, train.sentence_starts)
    no_documents = why_not_documents(train)
    covered = None
    if config.vectors.path:
        words = load_vectors(config.vectors.path, config.vectors.limit).words
        covered = coverage(Encoder(words, []), train).share
    return Statistics(
        tokens=train.tokens,
        documents=0 if no_documents else train.documents,
        classes=len(spans.label_names),
        entities=len(spans),
        coverage=covered,
        has_dev=config.corpus.dev is not None,
        no_documents=no_documents or "",
        recurrence=recurrence(train),
    )


def _silent(line: str) -> None:
    """Ignore a finding: it is reported when the text is encoded."""
