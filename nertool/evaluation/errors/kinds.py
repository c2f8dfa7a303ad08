"""Classify errors by their kind, and count them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nertool.corpus.columnar import Span
from nertool.evaluation.comparison import Comparison
from nertool.evaluation.matching import best_matching, overlapping_pairs, sentence_of

CORRECT = "correct"
MISSED = "missed"
SPURIOUS = "spurious"
WRONG_TYPE = "wrong type"
WRONG_BOUNDARY = "wrong boundary"
WRONG_BOTH = "wrong type and boundary"
KINDS = (MISSED, SPURIOUS, WRONG_TYPE, WRONG_BOUNDARY, WRONG_BOTH)
NOTHING = "nothing"  # the label of a side without an entity


@dataclass(frozen=True)
class Finding:
    """A gold entity, a predicted entity, or an overlapping pair of them.

    kind: CORRECT or one of KINDS. sentence: the index of the sentence. probability: of the predicted entity.
    gold_probability: the model's probability of the gold entity.
    """

    kind: str
    sentence: int
    gold: Span | None
    predicted: Span | None
    probability: float | None = None
    gold_probability: float | None = None

    @property
    def start(self) -> int:
        """The first token of either entity."""
        return min(span.start for span in (self.gold, self.predicted) if span)

    @property
    def labels(self) -> tuple[str, str]:
        """The gold and the predicted label; NOTHING for a missing entity."""
        gold, predicted = (s.label if s else NOTHING for s in (self.gold, self.predicted))
        return gold, predicted


def findings_of(comparison: Comparison) -> list[Finding]:
    """List all entities of both sides in text order. Overlapping entities are matched one to one.

    An entity that overlaps others, but is matched with none of them, is missed or spurious.
    """
    gold, predicted = comparison.gold.as_list(), comparison.predicted.as_list()
    pairs = best_matching(
        overlapping_pairs(comparison.gold, comparison.predicted), label_first=True
    )
    partner = dict(zip(pairs.gold.tolist(), pairs.predicted.tolist(), strict=True))
    alone = sorted(set(range(len(predicted))) - set(partner.values()))
    rows: list[tuple[int | None, int | None]] = [(g, partner.get(g)) for g in range(len(gold))]
    rows += [(None, p) for p in alone]
    spans = [(None if g is None else gold[g], None if p is None else predicted[p]) for g, p in rows]
    firsts = np.array([min(s.start for s in pair if s) for pair in spans], dtype=np.int64)
    sentences = sentence_of(firsts, comparison.corpus.sentence_starts).tolist()
    ours, theirs = comparison.probabilities, comparison.gold_probabilities
    out = []
    for i in np.argsort(firsts, kind="stable").tolist():
        (g, p), (one, other) = rows[i], spans[i]
        out.append(
            Finding(
                kind_of(one, other),
                sentences[i],
                one,
                other,
                None if ours is None or p is None else float(ours[p]),
                None if theirs is None or g is None else float(theirs[g]),
            )
        )
    return out


def kind_of(gold: Span | None, predicted: Span | None) -> str:
    """Return the kind of a pair of overlapping entities, or of one entity if the other is None."""
    if predicted is None:
        return MISSED
    if gold is None:
        return SPURIOUS
    bounds = (gold.start, gold.end) == (predicted.start, predicted.end)
    if gold.label == predicted.label:
        return CORRECT if bounds else WRONG_BOUNDARY
    return WRONG_TYPE if bounds else WRONG_BOTH


def errors_of(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings that are not correct."""
    return [finding for finding in findings if finding.kind != CORRECT]


def by_kind(findings: Sequence[Finding]) -> dict[str, int]:
    """Count the errors of each kind."""
    counts = Counter(finding.kind for finding in findings)
    return {kind: counts[kind] for kind in KINDS}


def confusions(findings: Sequence[Finding]) -> list[tuple[str, str, str, int]]:
    """Count errors by (gold label, predicted label, kind), the most frequent first."""
    counts = Counter((*finding.labels, finding.kind) for finding in errors_of(findings))
    return [(*key, n) for key, n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]


def confusion_matrix(findings: Sequence[Finding], labels: Sequence[str]) -> list[list[int]]:
    """Count entities by gold label (rows) and predicted label (columns).

    The last row and column are for no entity. Pairs with different boundaries count, too.
    """
    number = {label: i for i, label in enumerate([*labels, NOTHING])}
    out = [[0] * len(number) for _ in number]
    for finding in findings:
        gold, predicted = finding.labels
        out[number[gold]][number[predicted]] += 1
    return out


def differences(comparison: Comparison, shown: int = 5) -> list[tuple[str, int, list[str]]]:
    """Return the pairs that other modes count as correct, or partly correct, and conlleval does not.

    For each such mode: its name, the number of these pairs, and descriptions of the most frequent ones.
    """
    findings = findings_of(comparison)
    more = {
        "exact-boundary": (WRONG_TYPE,),
        "partial": (WRONG_TYPE, WRONG_BOUNDARY, WRONG_BOTH),
        "type": (WRONG_BOUNDARY,),
    }
    out = []
    for mode, kinds in more.items():
        chosen = [finding for finding in findings if finding.kind in kinds]
        counts: Counter[str] = Counter()
        places: dict[str, str] = {}
        for finding in chosen:
            phrase = describe_pair(comparison, finding)
            counts[phrase] += 1
            places.setdefault(phrase, comparison.place(finding.start))
        lines = [
            f"{phrase} ({n} times, first at {places[phrase]})"
            if n > 1
            else f"{phrase} ({places[phrase]})"
            for phrase, n in counts.most_common(shown)
        ]
        out.append((mode, len(chosen), lines))
    return out


def describe_pair(comparison: Comparison, finding: Finding) -> str:
    """Return the gold and the predicted entity of a finding as text."""
    sides = [
        f'"{comparison.text(span.start, span.end)}" {span.label}' if span else NOTHING
        for span in (finding.gold, finding.predicted)
    ]
    return f"{sides[0]} → {sides[1]}"
