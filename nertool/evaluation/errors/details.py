"""The details of an evaluation: errors, confusions, and measures on slices of the entities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from nertool.evaluation.comparison import Comparison
from nertool.evaluation.errors.kinds import Finding, by_kind, confusions, errors_of, findings_of
from nertool.evaluation.errors.seen import Seen
from nertool.evaluation.errors.slices import Slice, by_document, slices_of, slices_table
from nertool.evaluation.errors.table import error_rows
from nertool.model.model import Model

SHOWN = 10  # confusions, and documents


@dataclass(frozen=True)
class Details:
    """The details of an evaluation.

    findings: all entities of both sides. slices: the counts of each slice. documents: the position and counts
    of each document, those with the most errors first.
    """

    comparison: Comparison
    findings: Sequence[Finding]
    slices: dict[str, dict[str, Slice]]
    documents: Sequence[tuple[str, Slice]]
    seen: Seen | None
    model: Model | None

    @property
    def errors(self) -> list[Finding]:
        """The findings that are not correct."""
        return errors_of(self.findings)

    def error_rows(self) -> Iterator[dict[str, Any]]:
        """Yield each error as a dictionary with the keys table.COLUMNS."""
        return error_rows(self.comparison, self.findings, self.seen, self.model)

    def as_dict(self) -> dict[str, Any]:
        """Return counts of errors, confusions, slices and documents for JSON, without the single errors."""
        return {
            "errors": by_kind(self.findings),
            "confusions": [
                {"gold": gold, "predicted": predicted, "kind": kind, "count": n}
                for gold, predicted, kind, n in confusions(self.findings)
            ],
            "slices": {
                name: {part: found.as_dict() for part, found in parts.items()}
                for name, parts in self.slices.items()
            },
            "documents": [
                {"place": place, **found.as_dict()} for place, found in self.documents[:SHOWN]
            ],
        }

    def as_text(self) -> str:
        """Return the kinds of errors, the most frequent confusions, slices and documents as text."""
        lines = [
            "",
            "errors: " + ", ".join(f"{n:,} {k}" for k, n in by_kind(self.findings).items()),
        ]
        lines += ["", "most frequent confusions (gold → predicted)"]
        lines += confusion_lines(self.findings, SHOWN)
        lines += ["", slices_table(self.slices)]
        if self.documents:
            lines += ["", "documents with the most errors"]
            for place, found in self.documents[:3]:
                wrong = found.gold + found.predicted - 2 * found.correct
                lines.append(f"  {wrong:4,} missed or wrong, {found.gold:,} entities: {place}")
        return "\n".join(lines)


def confusion_lines(findings: Sequence[Finding], shown: int) -> list[str]:
    """Return a line for each of the most frequent confusions."""
    rows = confusions(findings)[:shown]
    return [f"{n:6,} × {gold} → {predicted} ({kind})" for gold, predicted, kind, n in rows]


def details_of(comparison: Comparison, seen: Seen | None, model: Model | None) -> Details:
    """Compute the details of a comparison. seen, model: None if they are not known."""
    return Details(
        comparison,
        findings_of(comparison),
        slices_of(comparison, seen, model),
        by_document(comparison),
        seen,
        model,
    )
