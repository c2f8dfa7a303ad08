"""Scores as JSON for programs and as a table for people."""

from __future__ import annotations

from typing import Any

from nertool.evaluation.scores import Counts, Scores


def as_dict(scores: Scores) -> dict[str, Any]:
    """Return the measures as fractions of 1, ready for JSON; null where one is undefined."""

    def measures(counts: Counts) -> dict[str, Any]:
        return {
            "precision": counts.precision,
            "recall": counts.recall,
            "f1": counts.f1,
            "support": counts.gold,
        }

    return {
        **measures(scores.overall),
        "accuracy": scores.accuracy,
        "tokens": scores.tokens,
        "sentences": scores.sentences,
        "types": {label: measures(counts) for label, counts in scores.types.items()},
    }


def as_table(measures: dict[str, Any]) -> str:
    """Return as_dict's measures in percent: a row a class, and one for all."""

    def percent(share: float | None) -> str:
        return f"{'–':>9}" if share is None else f"{100 * share:9.2f}"

    rows = [*measures["types"].items(), ("overall", measures)]
    width = max(len(label) for label, _ in rows)
    lines = [f"{'':{width}} precision    recall        F1  entities"]
    for label, row in rows:
        shares = " ".join(percent(row[key]) for key in ("precision", "recall", "f1"))
        lines.append(f"{label:{width}} {shares} {row['support']:9,}")
    right = (
        ""
        if measures["accuracy"] is None
        else f", {100 * measures['accuracy']:.2f} % of them tagged right"
    )
    tokens, sentences = (
        f"{measures[noun]:,} {noun if measures[noun] != 1 else noun[:-1]}"
        for noun in ("tokens", "sentences")
    )
    lines.append(f"{tokens} in {sentences}{right}")
    return "\n".join(lines)
