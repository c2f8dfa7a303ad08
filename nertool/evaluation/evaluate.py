"""Evaluate a model on a labelled text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Corpus
from nertool.corpus.ledger import counted
from nertool.corpus.schemes import TagSpans, find_scheme, spans_of, tag_names, tags_of
from nertool.decoding.decoded import Decoded
from nertool.errors import did_you_mean
from nertool.evaluation.comparison import Comparison, compare_tags
from nertool.evaluation.matching import overlapping_pairs
from nertool.evaluation.scores import Scores
from nertool.inputs.encoder import Coverage, coverage
from nertool.model.calibrate import calibration_error, temperature_of
from nertool.model.model import Model
from nertool.tagging.analyse import analyse
from nertool.tagging.annotate import text_of_corpus
from nertool.tagging.compiled import CompiledTagger

Floats = NDArray[np.float64]


def compare_with_model(
    tagger: CompiledTagger,
    corpus: Corpus,
    report: Callable[[str], None] = lambda line: None,
    gold_probabilities: bool = False,
) -> tuple[Comparison, Floats]:
    """Tag a labelled text, and return the comparison with the gold labels.

    Also returns the probabilities (m,) of the predicted entities before calibration. Labels that the model
    does not know are reported, and their entities count as missed. gold_probabilities: also compute the
    probability of each gold entity.
    """
    model = tagger.model
    starts = corpus.sentence_starts
    report(
        f"{corpus.source}: {counted(corpus.tokens, 'tokens')}, "
        f"{counted(corpus.sentences, 'sentences')} "
        f"({corpus.layout}), tag scheme {find_scheme(corpus.tag_ids, corpus.tags, starts)}"
    )
    gold = spans_of(corpus.tag_ids, corpus.tags, starts)
    report_unknown_labels(model, corpus, gold, report)
    decoded = analyse(tagger, text_of_corpus(corpus))
    p = decoded.probabilities()
    raw = p if decoded.temperature == 1 else replace(decoded, temperature=1.0).probabilities()
    of_gold = None
    if gold_probabilities:
        scheme = model.config.decoding.scheme
        of_gold = span_probabilities_of(decoded, model.labels, model.tags, scheme, gold)
    return compare_tags(corpus, decoded.tag_ids, model.tags, p, of_gold), raw


def coverage_of(model: Model, corpus: Corpus) -> list[Coverage]:
    """Count the tokens found at each step of the lookup, for each file of vectors.

    Returns [] for a model that was trained from random vectors.
    """
    if not (model.config.vectors.path or model.config.vectors.raw_text):
        return []
    encoders = {id(member.encoder): member.encoder for member in model.members}
    return [coverage(encoder, corpus) for encoder in encoders.values()]


def report_unknown_labels(
    model: Model, corpus: Corpus, gold: TagSpans, report: Callable[[str], None]
) -> None:
    """Report a warning for each gold label that the model does not know."""
    for i, label in enumerate(gold.label_names):
        if label not in model.labels and (gold.labels == i).any():
            first = int(gold.starts[np.flatnonzero(gold.labels == i)[0]])
            report(
                f'WARNING: {corpus.place(first)}: the model does not know the label "{label}"; '
                f"missed for it: {counted(int((gold.labels == i).sum()), 'entities')}"
                f"{did_you_mean(label, model.labels)}"
            )


def span_probabilities_of(
    decoded: Decoded, labels: list[str], tags: list[str], scheme: str, spans: TagSpans
) -> Floats:
    """Return the probability of each given entity, (n,), also of entities that were not decoded.

    labels, tags, scheme: those of the model. An entity with another label has the probability 0.
    """
    known = np.array([name in labels for name in spans.label_names] or [False])[spans.labels]
    line = np.array([labels.index(n) if n in labels else -1 for n in spans.label_names] or [-1])
    own = TagSpans(
        spans.starts[known],
        spans.ends[known],
        line[spans.labels[known]].astype(np.int32),
        labels,
    )
    names = tag_names(labels, scheme)
    number = np.array([tags.index(name) for name in names], dtype=np.int32)
    tag_ids = number[tags_of(own, decoded.sentence_starts, names, scheme)]
    out = np.zeros(len(spans))
    out[known] = replace(decoded, tag_ids=tag_ids, spans=own).probabilities()
    return out


def correct_predictions(comparison: Comparison) -> NDArray[np.bool_]:
    """Tell for each predicted entity whether it is a gold entity with the same boundaries and class: (m,)."""
    pairs = overlapping_pairs(comparison.gold, comparison.predicted)
    right = np.zeros(len(comparison.predicted), dtype=bool)
    right[pairs.predicted[pairs.same_bounds & pairs.same_label]] = True
    return right


def calibration_of(model: Model, comparison: Comparison, raw: Sequence[Floats]) -> dict[str, Any]:
    """Return a model's temperature, and its expected calibration error before (raw) and after calibration."""
    correct = correct_predictions(comparison)
    assert comparison.probabilities is not None
    return {
        "temperature": round(temperature_of(model), 4),
        "entities": len(correct),
        "ece_before": calibration_error(np.concatenate(raw), correct),
        "ece_after": calibration_error(comparison.probabilities, correct),
    }


def evaluate_with_calibration(
    model: Model, corpus: Corpus, report: Callable[[str], None] = lambda line: None
) -> tuple[Scores, dict[str, Any]]:
    """Tag a labelled text; return its scores and the calibration of the model (see model/calibrate.py)."""
    comparison, raw = compare_with_model(CompiledTagger(model), corpus, report)
    return comparison.scores, calibration_of(model, comparison, [raw])
