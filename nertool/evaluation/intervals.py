"""Bootstrap confidence intervals of precision, recall and F1 (Efron 1979).

Whole documents are resampled with replacement, or sentences if there are few documents. Entities of one
document are not independent, so resampling entities would give intervals that are too narrow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nertool.evaluation.comparison import Comparison, units_of
from nertool.evaluation.measures import marks_of

Floats = NDArray[np.float64]

LEAST_DOCUMENTS = 20  # with fewer documents, sentences are resampled
SAMPLES = 2000
LEVEL = 0.95
_BLOCK = 1 << 22  # numbers drawn at a time, to bound memory

RIGHT_GOLD, RIGHT_PREDICTED, GOLD, PREDICTED = range(4)


@dataclass(frozen=True)
class UnitCounts:
    """Counts of entities in each unit.

    counts (U, K + 1, 4) float64: by unit, then all classes together and each of the K classes, then correct
    gold entities, correct predicted entities, gold entities and predicted entities (see measures.Marks).
    labels: the K classes. unit: sentence or document.
    """

    counts: Floats
    labels: tuple[str, ...]
    unit: str


def unit_of(comparison: Comparison) -> str:
    """Return the unit to resample: document if there are at least LEAST_DOCUMENTS, else sentence."""
    return "document" if comparison.corpus.documents >= LEAST_DOCUMENTS else "sentence"


def unit_counts(comparison: Comparison, mode: str, unit: str) -> UnitCounts:
    """Count the correct, gold and predicted entities of each class in each unit."""
    gold, predicted = comparison.gold, comparison.predicted
    marks = marks_of(mode, gold, predicted)
    of_token, U = units_of(comparison.corpus, unit)
    K = len(gold.label_names)
    counts = np.zeros((U, K + 1, 4))
    sides = (
        (gold, marks.gold, RIGHT_GOLD, GOLD),
        (predicted, marks.predicted, RIGHT_PREDICTED, PREDICTED),
    )
    for spans, right, right_column, column in sides:
        cells = of_token[spans.starts] * K + spans.labels
        counts[:, 1:, right_column] = np.bincount(cells, right, U * K).reshape(U, K)
        counts[:, 1:, column] = np.bincount(cells, minlength=U * K).reshape(U, K)
    counts[:, 0] = counts[:, 1:].sum(axis=1)
    return UnitCounts(counts, tuple(gold.label_names), unit)


def measures_of(totals: Floats) -> Floats:
    """Return precision, recall and F1 (…, 3) from counts (…, 4); NaN if one is undefined."""
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = totals[..., RIGHT_PREDICTED] / totals[..., PREDICTED]
        recall = totals[..., RIGHT_GOLD] / totals[..., GOLD]
        both = totals[..., GOLD] + totals[..., PREDICTED]
        # By class, a mode that ignores classes can count different entities as correct on both sides.
        same = totals[..., RIGHT_GOLD] == totals[..., RIGHT_PREDICTED]
        mean = np.where(precision + recall > 0, 2 * precision * recall / (precision + recall), 0.0)
        f1 = np.where(same, 2 * totals[..., RIGHT_GOLD] / both, mean)
    return np.stack([precision, recall, f1], axis=-1)


def resampled(counts: Floats, samples: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Yield the totals (B, …) of bootstrap samples, in blocks of B samples.

    Each sample is U units, drawn with replacement from counts (U, …).
    """
    U = len(counts)
    flat = counts.reshape(U, -1)
    step = max(1, _BLOCK // max(U, 1))
    for first in range(0, samples, step):
        n = min(step, samples - first)
        drawn = rng.multinomial(U, np.full(U, 1 / U), size=n)
        yield (drawn @ flat).reshape(n, *counts.shape[1:])


def bootstrap_intervals(
    units: UnitCounts, seed: int = 0, samples: int = SAMPLES, level: float = LEVEL
) -> Floats:
    """Return percentile intervals (K + 1, 3, 2): for precision, recall and F1, the lower and upper end.

    An interval is NaN if the measure is undefined for the text, or for more than 1 − level of the samples.
    """
    rng = np.random.default_rng(seed)
    drawn = np.concatenate(
        [measures_of(totals) for totals in resampled(units.counts, samples, rng)]
    )  # (B, K + 1, 3)
    tail = (1 - level) / 2
    known = np.isfinite(drawn)
    enough = known.mean(axis=0) >= level
    low, high = np.quantile(np.where(known, drawn, 0.0), [tail, 1 - tail], axis=0)
    for k, m in zip(*np.nonzero(enough & ~known.all(axis=0)), strict=True):
        low[k, m], high[k, m] = np.quantile(drawn[known[:, k, m], k, m], [tail, 1 - tail])
    enough &= np.isfinite(measures_of(units.counts.sum(axis=0)))
    return np.where(enough[..., None], np.stack([low, high], axis=-1), np.nan)


def intervals_as_dict(
    comparison: Comparison, mode: str, unit: str | None = None, seed: int = 0
) -> dict[str, Any]:
    """Return the intervals of all measures for JSON. An undefined interval is None."""
    units = unit_counts(comparison, mode, unit or unit_of(comparison))
    found = bootstrap_intervals(units, seed)

    def row(k: int) -> dict[str, Any]:
        return {
            name: None if np.isnan(found[k, i, 0]) else [float(x) for x in found[k, i]]
            for i, name in enumerate(("precision", "recall", "f1"))
        }

    return {
        "level": LEVEL,
        "unit": units.unit,
        "units": len(units.counts),
        "samples": SAMPLES,
        **row(0),
        "types": {label: row(k + 1) for k, label in enumerate(units.labels)},
    }
