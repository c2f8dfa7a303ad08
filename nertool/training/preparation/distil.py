"""Distillation: a student learns from a teacher's probabilities (Hinton, Vinyals and Dean 2015).

The target y of a token is no longer a single 1 but the teacher's distribution q over the tags. On labelled
text it is a mixture of both, (1 − λ) y + λ q, with λ = distillation.share. Nothing else changes: the rows
of y still add up to 1, so ∂J/∂s is still (p − y) / B, and the rest of the chain follows from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nertool.config.records import Config
from nertool.corpus.columnar import Corpus, Ids
from nertool.corpus.hold_out import join
from nertool.corpus.ledger import Ledger, counted
from nertool.corpus.record import Reading
from nertool.corpus.schemes import spans_of, tag_names, tags_of
from nertool.decoding.adjust import softmax
from nertool.errors import CorpusError, ModelError
from nertool.formats.read import read_corpus
from nertool.model.model import Model
from nertool.model.storage import load_model
from nertool.network.activations import Array
from nertool.tagging.analyse import analyse
from nertool.tagging.annotate import text_of_corpus
from nertool.tagging.compiled import CompiledTagger

Report = Callable[[str], None]


def distilled(
    config: Config, train: Corpus | None, report: Report, ledger: Ledger
) -> tuple[Corpus, NDArray[np.float16]]:
    """Return the labelled text with the unlabelled texts of distillation.texts behind it, and the targets
    of all their tokens, (N, T) float16, over the teacher's tags.

    train: the labelled text; None if there is none. Unlabelled text is given the tags that the teacher
    finds. Errors: ModelError for a teacher that does not fit; CorpusError for text that cannot be read.
    """
    settings = config.distillation
    assert settings.teacher is not None
    model = load_model(settings.teacher)
    scheme = model.config.decoding.scheme
    if scheme != config.decoding.scheme:
        raise ModelError(
            f"{settings.teacher}: found a teacher with decoding.scheme: {scheme}, expected "
            f"{config.decoding.scheme}; set decoding.scheme to the teacher's"
        )
    tagger = CompiledTagger(model)
    parts, targets = [], []
    if train is not None:
        check_teacher(config, model, train)
        parts.append(train)
        targets.append(mixed_targets(tagger, train, settings.share))
    for path in settings.texts or ():
        corpus = read_unlabelled(config, path, report, ledger)
        tag_ids, q = teach(tagger, corpus)
        parts.append(replace(corpus, tags=model.tags, tag_ids=tag_ids))
        targets.append(q.astype(np.float16))
        report(
            f"distillation: {counted(corpus.tokens, 'tokens')}, "
            f"{counted(len(spans_of(tag_ids, model.tags, corpus.sentence_starts)), 'entities')} "
            f"in {path} ({corpus.layout}), tagged by {settings.teacher}"
        )
    together = join(parts)
    # Of a class that the texts lack, too, there are tags: those of the teacher.
    spans = spans_of(together.tag_ids, together.tags, together.sentence_starts)
    tags = tag_names(model.labels, "iob2")
    tag_ids = tags_of(spans, together.sentence_starts, tags, "iob2")
    return replace(together, tags=tags, tag_ids=tag_ids), np.concatenate(targets)


def check_teacher(config: Config, model: Model, train: Corpus) -> None:
    """Make sure that the teacher knows the classes of the labelled text. Errors: ModelError."""
    names = spans_of(train.tag_ids, train.tags, train.sentence_starts).label_names
    unknown = [name for name in names if name not in model.labels]
    if unknown:
        raise ModelError(
            f"{config.distillation.teacher}: found a teacher of {', '.join(model.labels)}, which does not "
            f"know {unknown[0]}, a class of {train.source}; choose the classes with corpus.labels, or "
            "train the teacher on this text"
        )


def mixed_targets(tagger: CompiledTagger, train: Corpus, share: float) -> NDArray[np.float16]:
    """Return (1 − λ) y + λ q (N, T) for a labelled text, with λ = share."""
    model = tagger.model
    spans = spans_of(train.tag_ids, train.tags, train.sentence_starts)
    own = tags_of(spans, train.sentence_starts, model.tags, model.config.decoding.scheme)
    y = np.eye(len(model.tags), dtype=np.float32)[own]
    if share:
        y = np.asarray((1 - share) * y + share * teach(tagger, train)[1], dtype=np.float32)
    return y.astype(np.float16)


def teach(tagger: CompiledTagger, corpus: Corpus) -> tuple[Ids, Array]:
    """Return the tags that the teacher gives each token, (N,) of its own tags, and its calibrated
    distribution q over them, (N, T)."""
    text = text_of_corpus(corpus, tagger.document_tokens)
    decoded = analyse(tagger, text)
    return decoded.tag_ids, softmax(decoded.calibrated_scores)


def read_unlabelled(config: Config, path: Path, report: Report, ledger: Ledger) -> Corpus:
    """Read a text without looking at any labels, as `nertool predict` reads it."""
    settings = config.corpus
    reading = Reading(
        text_field=settings.text_field,
        language=settings.language,
        comment=settings.comment,
        pass_over_faulty=settings.on_error == "skip",
        labelled=False,
    )
    try:
        return read_corpus(path, "auto", reading, ledger, report)
    except CorpusError as error:
        raise CorpusError(f"{error} (distillation.texts)") from None
