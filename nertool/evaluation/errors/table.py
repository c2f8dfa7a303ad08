"""Write errors to a file: as rows for a spreadsheet, or as JSON objects."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from nertool.evaluation.comparison import Comparison
from nertool.evaluation.errors.kinds import Finding, errors_of
from nertool.evaluation.errors.seen import Seen
from nertool.evaluation.errors.slices import unknown_tokens
from nertool.model.model import Model

COLUMNS = (
    "place", "kind", "gold_label", "gold", "predicted_label", "predicted", "probability",
    "gold_probability", "in_training", "unknown_words", "context",
)  # fmt: skip


def error_rows(
    comparison: Comparison, findings: Sequence[Finding], seen: Seen | None, model: Model | None
) -> Iterator[dict[str, Any]]:
    """Yield each error as a dictionary with the keys COLUMNS. A value is None if it is missing or unknown.

    context: the sentence, with the gold entity in [ ] and the predicted one in { }. in_training: whether the
    gold entity, or else the predicted one, occurs in the training text. unknown_words: the number of tokens
    of both entities without a vector.
    """
    unknown = unknown_tokens(comparison, model) if model is not None else None
    for finding in errors_of(findings):
        gold, predicted = finding.gold, finding.predicted
        span = gold or predicted
        assert span is not None
        text = comparison.text(span.start, span.end)
        covered = {i for s in (gold, predicted) if s for i in range(s.start, s.end)}
        yield {
            "place": comparison.place(finding.start),
            "kind": finding.kind,
            "gold_label": gold and gold.label,
            "gold": gold and comparison.text(gold.start, gold.end),
            "predicted_label": predicted and predicted.label,
            "predicted": predicted and comparison.text(predicted.start, predicted.end),
            "probability": _rounded(finding.probability),
            "gold_probability": _rounded(finding.gold_probability),
            "in_training": seen and seen.status(text, span.label),
            "unknown_words": None if unknown is None else sum(unknown[i] for i in covered),
            "context": context(comparison, finding),
        }


def _rounded(p: float | None) -> float | None:
    return None if p is None else round(p, 6)


def context(comparison: Comparison, finding: Finding) -> str:
    """Return the sentence of a finding, with the gold entity in [ ] and the predicted one in { }."""
    starts = comparison.corpus.sentence_starts
    first, end = int(starts[finding.sentence]), int(starts[finding.sentence + 1])
    for span in (finding.gold, finding.predicted):
        end = max(end, span.end) if span else end
    words = [comparison.corpus.words[i] for i in comparison.corpus.word_ids[first:end].tolist()]
    marks = [(s, pair) for s, pair in ((finding.predicted, "{}"), (finding.gold, "[]")) if s]
    # The shorter entity first, so that its brackets are inside those of the longer one.
    for span, pair in sorted(marks, key=lambda mark: mark[0].end - mark[0].start):
        words[span.start - first] = pair[0] + words[span.start - first]
        words[span.end - 1 - first] += pair[1]
    return " ".join(words)


def as_jsonl(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    """Yield each error as a line of JSON."""
    for row in rows:
        yield json.dumps(row, ensure_ascii=False) + "\n"


def as_tsv(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    """Yield a header line, then each error as a line with tabs between cells. A value of None is empty."""
    yield "\t".join(COLUMNS) + "\n"
    for row in rows:
        cells = ("" if row[name] is None else str(row[name]) for name in COLUMNS)
        yield "\t".join(" ".join(cell.split()) for cell in cells) + "\n"
