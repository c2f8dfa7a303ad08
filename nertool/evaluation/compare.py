"""Compare two models, or two tools, by paired significance tests on one labelled text.

The paired bootstrap resamples the sentences or documents of the text, and computes the difference in F1 for
each sample. Approximate randomisation (Noreen 1989; Yeh 2000) swaps the two systems' answers at random in
each sentence or document, and counts how often the difference is as large as the one observed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Span
from nertool.errors import CorpusError
from nertool.evaluation.comparison import Comparison
from nertool.evaluation.intervals import (
    LEVEL,
    UnitCounts,
    measures_of,
    resampled,
    unit_counts,
    unit_of,
)
from nertool.evaluation.matching import sentence_of

Floats = NDArray[np.float64]

SAMPLES = 10_000
F1 = 2


@dataclass(frozen=True)
class PairedTest:
    """The result of comparing two systems, a and b, on one text.

    a, b: their F1. low, high: the confidence interval of the difference b − a. p_bootstrap, p_randomisation:
    the two-sided p-values of both tests. Values are None if an F1 is undefined.
    """

    a: float | None
    b: float | None
    low: float | None
    high: float | None
    p_bootstrap: float | None
    p_randomisation: float | None

    @property
    def difference(self) -> float | None:
        """F1 of b minus F1 of a; None if one is undefined."""
        return None if self.a is None or self.b is None else self.b - self.a


def paired_tests(
    a: UnitCounts, b: UnitCounts, seed: int = 0, samples: int = SAMPLES
) -> dict[str, PairedTest]:
    """Test two systems' counts by unit. The keys of the result are "" for all classes, and each class."""
    labels = sorted({*a.labels, *b.labels})
    both = np.stack([_aligned(side, labels) for side in (a, b)], axis=1)  # (U, 2, K + 1, 4)
    f1 = measures_of(both.sum(axis=0))[..., F1]  # (2, K + 1)
    difference = f1[1] - f1[0]
    rng = np.random.default_rng(seed)
    drawn = np.concatenate([_differences(totals) for totals in resampled(both, samples, rng)])
    swapped = np.concatenate(
        [_differences(totals) for totals in _randomised(both, samples, rng)]
    )  # (B, K + 1)
    out = {}
    for k, label in enumerate(["", *labels]):
        known = drawn[np.isfinite(drawn[:, k]), k]
        if not np.isfinite(difference[k]) or len(known) < LEVEL * samples:
            sides = [float(x) if np.isfinite(x) else None for x in f1[:, k]]
            out[label] = PairedTest(sides[0], sides[1], None, None, None, None)
            continue
        low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        chance = swapped[np.isfinite(swapped[:, k]), k]
        out[label] = PairedTest(
            float(f1[0, k]),
            float(f1[1, k]),
            float(low),
            float(high),
            _p_value(known - difference[k], difference[k]),
            _p_value(chance, difference[k]),
        )
    return out


def _aligned(side: UnitCounts, labels: Sequence[str]) -> Floats:
    """Return the counts of a side with a column for each of these labels: (U, K + 1, 4)."""
    out = np.zeros((len(side.counts), len(labels) + 1, 4))
    out[:, 0] = side.counts[:, 0]
    for k, label in enumerate(side.labels):
        out[:, 1 + labels.index(label)] = side.counts[:, 1 + k]
    return out


def _differences(totals: Floats) -> Floats:
    """Return F1 of b minus F1 of a, (B, K + 1), from totals (B, 2, K + 1, 4)."""
    f1 = measures_of(totals)[..., F1]
    return np.asarray(f1[:, 1] - f1[:, 0])


def _randomised(both: Floats, samples: int, rng: np.random.Generator) -> Sequence[Floats]:
    """Return totals (B, 2, K + 1, 4) where the two sides of each unit are swapped with probability 1/2."""
    U = len(both)
    total = both.sum(axis=0)  # (2, K + 1, 4)
    gap = (both[:, 1] - both[:, 0]).reshape(U, -1)
    moved = np.flatnonzero(
        np.abs(gap).sum(axis=1) > 0
    )  # swapping changes nothing in the other units
    step = max(1, (1 << 22) // max(len(moved), 1))
    out = []
    for first in range(0, samples, step):
        n = min(step, samples - first)
        coins = rng.integers(0, 2, size=(n, len(moved)), dtype=np.int8).astype(np.float32)
        change = (coins @ gap[moved]).reshape(n, *total.shape[1:])
        out.append(np.stack([total[0] + change, total[1] - change], axis=1))
    return out


def _p_value(chance: Floats, found: float) -> float:
    """Return the share of random differences (B,) whose absolute value is at least that of the observed one.

    The observed one is included, so that p is never 0 (Davison and Hinkley 1997).
    """
    as_large = np.abs(chance) >= abs(found) - 1e-12
    return float((1 + as_large.sum()) / (1 + len(chance)))


@dataclass(frozen=True)
class DifferingSentence:
    """A sentence for which two systems predict different entities.

    gold, a, b: the gold entities and those of both systems, as text. errors_a, errors_b: the number of missed
    and wrong entities of each system.
    """

    place: str
    text: str
    gold: list[str]
    a: list[str]
    b: list[str]
    errors_a: int
    errors_b: int

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as a dictionary for JSON."""
        return dict(vars(self))


def differing_sentences(a: Comparison, b: Comparison) -> list[DifferingSentence]:
    """List the sentences with different predictions; those whose error counts differ most come first."""
    rows = [_by_sentence(side) for side in (a, b)]
    starts = a.corpus.sentence_starts
    out = []
    for i, (one, other) in enumerate(zip(*rows, strict=True)):
        if one[1] == other[1]:
            continue
        first, end = int(starts[i]), int(starts[i + 1])
        out.append(
            DifferingSentence(
                a.place(first), a.text(first, end), one[0], one[1], other[1], one[2], other[2]
            )
        )
    return sorted(out, key=lambda row: -abs(row.errors_a - row.errors_b))


def _by_sentence(comparison: Comparison) -> list[tuple[list[str], list[str], int]]:
    """Return, for each sentence, its gold and predicted entities as text, and the number missed or wrong."""
    starts = comparison.corpus.sentence_starts
    out: list[tuple[list[str], list[str], set[Span], set[Span]]]
    out = [([], [], set(), set()) for _ in range(len(starts) - 1)]
    for side, spans in enumerate((comparison.gold, comparison.predicted)):
        sentences = sentence_of(spans.starts, starts).tolist()
        for i, span in zip(sentences, spans.as_list(), strict=True):
            out[i][side].append(f"[{comparison.text(span.start, span.end)}]({span.label})")
            (out[i][2] if side == 0 else out[i][3]).add(span)
    return [(gold, found, len(one ^ other)) for gold, found, one, other in out]


def compare_systems(
    a: Comparison, b: Comparison, mode: str = "conlleval", unit: str | None = None, seed: int = 0
) -> tuple[dict[str, PairedTest], str, int]:
    """Return the tests of two systems on one text, the unit (sentence or document), and the number of units.

    Errors: CorpusError if the gold entities of the two comparisons differ.
    """
    unit = unit or unit_of(a)
    one, other = (unit_counts(side, mode, unit) for side in (a, b))
    if a.corpus.sentences != b.corpus.sentences or len(a.gold) != len(b.gold):
        raise CorpusError(
            f"{a.corpus.source}: found {len(a.gold):,} gold entities for A and {len(b.gold):,} for B, "
            "expected the same; the models were trained with other settings of corpus.labels, or columns"
        )
    return paired_tests(one, other, seed), unit, len(one.counts)
