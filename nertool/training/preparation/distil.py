"""Distillation: a student learns from a teacher's probabilities (Hinton, Vinyals and Dean 2015).

The target y of a token is no longer one-hot but the teacher's distribution q over the tags. On labelled text
the target is a mixture of both, (1 − λ) y + λ q, with λ = distillation.share. Nothing else changes: the rows
of y still add up to 1, so ∂J/∂s is still (p − y) / B, and the rest of the chain follows from it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nertool.config.records import Config
from nertool.corpus.columnar import Corpus, Ids
from nertool.corpus.ledger import Ledger, counted
from nertool.corpus.parts.hold_out import join
from nertool.corpus.record import Reading
from nertool.corpus.schemes import TagSpans, spans_of, split_tag, tag_names, tags_of
from nertool.decoding.adjust import softmax
from nertool.errors import CorpusError, ModelError
from nertool.formats.read import read_corpus
from nertool.model.load import load_model
from nertool.model.model import Model
from nertool.network.activations import Array
from nertool.tagging.analyse import analyse
from nertool.tagging.annotate import text_of_corpus
from nertool.tagging.compiled import CompiledTagger

Report = Callable[[str], None]


def distilled(
    config: Config, train: Corpus | None, report: Report, ledger: Ledger
) -> tuple[Corpus, NDArray[np.float16]]:
    """Return the labelled text followed by the texts of distillation.texts, and the targets of all tokens.

    train: the labelled text, or None if there is none. Targets are (N, T) float16, over the tags of the
    teacher's classes and the text's. Unlabelled text gets the tags that the teacher predicts. Labelled text
    gets them for the classes that the teacher knows and the text has no entity of. Errors: ModelError for a
    teacher that does not fit; CorpusError for text that cannot be read.
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
    names = [] if train is None else labels_of(train)
    check_teacher(config, model, names)
    labels = sorted({*model.labels, *names})
    tagger, tags = CompiledTagger(model), tag_names(labels, scheme)
    parts, targets = [], []
    if train is not None:
        labelled, y = mixed_targets(tagger, train, settings.share, tags)
        parts.append(labelled)
        targets.append(y)
    for path in settings.texts or ():
        corpus = read_unlabelled(config, path, report, ledger)
        tag_ids, q = teach(tagger, corpus)
        parts.append(replace(corpus, tags=model.tags, tag_ids=tag_ids))
        targets.append(_widened(q, model.tags, tags).astype(np.float16))
        report(
            f"distillation: {counted(corpus.tokens, 'tokens')}, "
            f"{counted(len(spans_of(tag_ids, model.tags, corpus.sentence_starts)), 'entities')} "
            f"in {path} ({corpus.layout}), tagged by {settings.teacher}"
        )
    return with_labels(join(parts), labels), np.concatenate(targets)


def check_teacher(config: Config, model: Model, names: Sequence[str]) -> None:
    """Refuse a teacher for unlabelled text if it lacks a class of the labelled text, `names`.

    Its targets would teach that the unlabelled text has no entity of this class. Errors: ModelError.
    """
    unknown = [name for name in names if name not in model.labels]
    if unknown and config.distillation.texts:
        raise ModelError(
            f"{config.distillation.teacher}: found a teacher of {', '.join(model.labels)}, which does not "
            f"know {unknown[0]}, a class of the training text; choose the classes with corpus.labels, leave "
            "distillation.texts out, or train the teacher on this class, too"
        )


def labels_of(corpus: Corpus) -> list[str]:
    """Return the classes that a labelled text has entities of."""
    spans = spans_of(corpus.tag_ids, corpus.tags, corpus.sentence_starts)
    return [spans.label_names[i] for i in np.unique(spans.labels)]


def with_labels(corpus: Corpus, labels: Sequence[str]) -> Corpus:
    """Return a labelled text whose tags, in IOB2, include those of the given classes."""
    spans = spans_of(corpus.tag_ids, corpus.tags, corpus.sentence_starts)
    tags = tag_names(sorted({*labels, *spans.label_names}), "iob2")
    tag_ids = tags_of(spans, corpus.sentence_starts, tags, "iob2")
    return replace(corpus, tags=tags, tag_ids=tag_ids)


def mixed_targets(
    tagger: CompiledTagger, train: Corpus, share: float, tags: Sequence[str]
) -> tuple[Corpus, NDArray[np.float16]]:
    """Return a labelled text with the kept classes' entities added, and its targets (N, T).

    The targets are (1 − λ) y + λ q, with λ = share; λ = 0 in an entity of a class that the teacher lacks.
    Kept classes are those that the teacher knows and the text has no entity of. Outside of the text's own
    entities, y has the teacher's probabilities for the tags of these classes instead of a single 1.
    """
    model = tagger.model
    scheme = model.config.decoding.scheme
    present = labels_of(train)
    kept = [label for label in model.labels if label not in present]
    spans = spans_of(train.tag_ids, train.tags, train.sentence_starts)
    own = tags_of(spans, train.sentence_starts, tags, scheme)
    y = np.eye(len(tags), dtype=np.float32)[own]
    if not share and not kept:
        return train, y.astype(np.float16)
    tag_ids, q = teach(tagger, train)
    q = _widened(q, model.tags, tags)
    outside = own == 0
    if kept:
        of_kept = np.array([split_tag(tag)[1] in kept for tag in tags])
        y[np.ix_(outside, of_kept)] = q[np.ix_(outside, of_kept)]
        y[outside, 0] = 1 - y[outside][:, of_kept].sum(axis=1)
        found = spans_of(tag_ids, model.tags, train.sentence_starts)
        train = _with_entities(train, spans, found, kept, outside)
    unknown = np.array(
        [bool(label := split_tag(tag)[1]) and label not in model.labels for tag in tags]
    )
    weight = np.where(unknown[own], 0.0, share)[:, None]
    return train, np.asarray((1 - weight) * y + weight * q, dtype=np.float16)


def with_entities_of(model: Model, corpus: Corpus, kept: Sequence[str]) -> Corpus:
    """Return a labelled text, in IOB2, with the entities of the classes `kept` that a model finds in it,
    if they overlap none of its own."""
    spans = spans_of(corpus.tag_ids, corpus.tags, corpus.sentence_starts)
    own = tags_of(spans, corpus.sentence_starts, tag_names(spans.label_names, "iob2"), "iob2")
    tag_ids, _ = teach(CompiledTagger(model), corpus)
    found = spans_of(tag_ids, model.tags, corpus.sentence_starts)
    return _with_entities(corpus, spans, found, kept, own == 0)


def _with_entities(
    train: Corpus, spans: TagSpans, found: TagSpans, kept: Sequence[str], outside: NDArray[np.bool_]
) -> Corpus:
    """Add the teacher's entities of the kept classes to a text, if they overlap none of its own."""
    # before[i]: the number of tokens before i that are in an entity of the text
    before = np.concatenate([[0], np.cumsum(~outside)])
    added = [
        span
        for span in found.as_list()
        if span.label in kept and before[span.start] == before[span.end]
    ]
    entities = sorted([*spans.as_list(), *added])
    names = sorted({*spans.label_names, *kept})
    tags = tag_names(names, "iob2")
    together = TagSpans(
        np.array([span.start for span in entities], dtype=np.int64),
        np.array([span.end for span in entities], dtype=np.int64),
        np.array([names.index(span.label) for span in entities], dtype=np.int32),
        names,
    )
    return replace(train, tags=tags, tag_ids=tags_of(together, train.sentence_starts, tags, "iob2"))


def _widened(q: Array, of: Sequence[str], tags: Sequence[str]) -> Array:
    """Expand a distribution (N, ·) over some of the tags to all tags, (N, T), with zeros."""
    wide = np.zeros((len(q), len(tags)), dtype=np.float32)
    wide[:, [tags.index(tag) for tag in of]] = q
    return wide


def teach(tagger: CompiledTagger, corpus: Corpus) -> tuple[Ids, Array]:
    """Return the teacher's predicted tags, (N,), and its calibrated distribution q over its tags, (N, T)."""
    text = text_of_corpus(corpus, tagger.document_tokens)
    decoded = analyse(tagger, text)
    return decoded.tag_ids, softmax(decoded.calibrated_scores)


def read_unlabelled(config: Config, path: Path, report: Report, ledger: Ledger) -> Corpus:
    """Read a text and ignore any labels in it, as `nertool predict` does."""
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
