"""Find gold labels that are probably wrong, because models trained on other text contradict them.

The idea is confident learning (Northcutt et al. 2021): a label is suspect if a calibrated model, trained on
other text, gives another label a much higher probability. Suspects of each kind of contradiction are ranked
by this margin. Then the kinds are interleaved, since spurious labels have the widest margins and would come
before all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Corpus, Span
from nertool.corpus.schemes import spans_of
from nertool.decoding.decoded import Decoded
from nertool.decoding.probabilities import tag_probabilities
from nertool.evaluation.comparison import Comparison, compare_tags
from nertool.evaluation.errors.kinds import (
    MISSED,
    NOTHING,
    WRONG_BOUNDARY,
    Finding,
    errors_of,
    findings_of,
)
from nertool.evaluation.errors.table import context
from nertool.evaluation.evaluate import span_probabilities_of


@dataclass(frozen=True)
class Suspect:
    """A place where the gold label may be wrong.

    finding: the gold and the predicted entity; gold is None if the model predicts an entity where no gold
    entity is. margin: p_model − p_gold, −1 to 1. p_gold, p_model: the probability of the gold and of the
    predicted side.
    """

    finding: Finding
    margin: float
    p_gold: float
    p_model: float


def suspects_of(
    corpus: Corpus, decoded: Decoded, labels: list[str], tags: list[str], scheme: str
) -> tuple[Comparison, list[Suspect]]:
    """Rank the places where a decoded text contradicts the gold labels, the most probable mistakes first.

    decoded: the output of models that were not trained on these labels. If one side has no entity, its
    probability is the smallest P(O) among the tokens of the other side's entity.
    """
    gold_spans = spans_of(corpus.tag_ids, corpus.tags, corpus.sentence_starts)
    comparison = compare_tags(
        corpus,
        decoded.tag_ids,
        tags,
        decoded.probabilities(),
        span_probabilities_of(decoded, labels, tags, scheme, gold_spans),
    )
    outside: NDArray[np.float64] = tag_probabilities(decoded.sums())[:, 0]

    def least_outside(span: Span) -> float:
        return float(outside[span.start : span.end].min())

    out = []
    for finding in errors_of(findings_of(comparison)):
        gold, predicted = finding.gold, finding.predicted
        if gold is None:
            assert predicted is not None
            p_gold, p_model = least_outside(predicted), finding.probability or 0.0
        elif predicted is None:
            p_gold, p_model = finding.gold_probability or 0.0, least_outside(gold)
        else:
            p_gold, p_model = finding.gold_probability or 0.0, finding.probability or 0.0
        out.append(Suspect(finding, p_model - p_gold, p_gold, p_model))
    return comparison, in_turns(out)


# A label where the models find nothing is often a mistake, so this kind comes twice in a round. Measured by
# benchmarks/suspects.py: recall in the first 150 is 0.60; ordered by the margin alone, it is 0.45.
_TURNS = {MISSED: 2}


def in_turns(suspects: Sequence[Suspect]) -> list[Suspect]:
    """Order suspects: sort those of each kind of contradiction, then interleave the kinds.

    The sort key is the margin. If only the boundary differs, it is the ratio of the probabilities, since both
    entities share most tokens. Equal suspects stay in text order.
    """
    by_kind: dict[str, list[Suspect]] = {}
    for suspect in suspects:
        by_kind.setdefault(suspect.finding.kind, []).append(suspect)
    placed: list[tuple[float, float, Suspect]] = []
    for kind, own in by_kind.items():
        by_ratio = kind == WRONG_BOUNDARY
        own.sort(key=lambda suspect: -(_log_ratio(suspect) if by_ratio else suspect.margin))
        turns = _TURNS.get(kind, 1)
        placed += [((i + 1) / turns, -suspect.margin, suspect) for i, suspect in enumerate(own)]
    return [suspect for _, _, suspect in sorted(placed, key=lambda place: place[:2])]


def _log_ratio(suspect: Suspect) -> float:
    return log(max(suspect.p_model, 1e-9)) - log(max(suspect.p_gold, 1e-9))


def suspect_row(comparison: Comparison, suspect: Suspect, rank: int) -> dict[str, Any]:
    """Return a suspect as a dictionary, for JSON or a table."""
    finding = suspect.finding
    sides = [
        None if span is None else (comparison.text(span.start, span.end), span.label)
        for span in (finding.gold, finding.predicted)
    ]
    gold, model = (side or (None, NOTHING) for side in sides)
    return {
        "rank": rank,
        "place": comparison.place(finding.start),
        "kind": finding.kind,
        "gold_label": gold[1],
        "gold": gold[0],
        "model_label": model[1],
        "model": model[0],
        "p_gold": round(suspect.p_gold, 4),
        "p_model": round(suspect.p_model, 4),
        "margin": round(suspect.margin, 4),
        "context": context(comparison, finding),
    }
