"""Format scores as JSON and as text tables."""

from __future__ import annotations

from typing import Any

from nertool.evaluation.measures import Ratios, macro
from nertool.evaluation.scores import Counts, Scores


def as_dict(scores: Scores) -> dict[str, Any]:
    """Return the measures for JSON as fractions of 1. An undefined one is None."""

    def measures(counts: Counts) -> dict[str, Any]:
        return {
            "precision": counts.precision,
            "recall": counts.recall,
            "f1": counts.f1,
            "support": counts.gold,
        }

    return {
        **measures(scores.overall),
        "macro": vars(macro({label: _ratios(counts) for label, counts in scores.types.items()})),
        "accuracy": scores.accuracy,
        "tokens": scores.tokens,
        "sentences": scores.sentences,
        "types": {label: measures(counts) for label, counts in scores.types.items()},
    }


def _ratios(counts: Counts) -> Ratios:
    return Ratios(counts.precision, counts.recall, counts.f1)


def percent(share: float | None, width: int = 9) -> str:
    """Format a share in percent, right-aligned; a dash for None."""
    return f"{'–':>{width}}" if share is None else f"{100 * share:{width}.2f}"


def as_table(measures: dict[str, Any]) -> str:
    """Format the result of as_dict as a table in percent: a row for each class, for all entities, and for the
    macro average (the mean over the classes for which a measure is defined)."""
    rows = [*measures["types"].items(), ("overall", measures)]
    if len(measures["types"]) > 1 and "macro" in measures:
        rows.append(("macro", measures["macro"]))
    width = max(len(label) for label, _ in rows)
    lines = [f"{'':{width}} precision    recall        F1  entities"]
    for label, row in rows:
        shares = " ".join(percent(row[key]) for key in ("precision", "recall", "f1"))
        support = f" {row['support']:9,}" if "support" in row else ""
        lines.append(f"{label:{width}} {shares}{support}")
    right = (
        ""
        if measures["accuracy"] is None
        else f", token accuracy {100 * measures['accuracy']:.2f} %"
    )
    tokens, sentences = (
        f"{measures[noun]:,} {noun if measures[noun] != 1 else noun[:-1]}"
        for noun in ("tokens", "sentences")
    )
    lines.append(f"{tokens} in {sentences}{right}")
    return "\n".join(lines)


def as_modes_table(modes: dict[str, dict[str, Any]]) -> str:
    """Format the measures of several modes (see measures.py) as a table with a row for each mode."""
    width = max(len(mode) for mode in modes)
    lines = [
        f"{'':{width}} precision    recall        F1  macro F1  correct  incorrect  partial  missed  "
        "spurious"
    ]
    for mode, found in modes.items():
        shares = " ".join(percent(found[key]) for key in ("precision", "recall", "f1"))
        n = found["counts"]
        lines.append(
            f"{mode:{width}} {shares} {percent(found['macro']['f1'])}  {n['correct']:7,}  "
            f"{n['incorrect']:9,}  {n['partial']:7,}  {n['missed']:6,}  {n['spurious']:8,}"
        )
    return "\n".join(lines)


def as_intervals_table(measures: dict[str, Any]) -> str:
    """Format the measures of each class with their intervals as a table.

    measures: the result of as_dict, with that of intervals_as_dict under "intervals".
    """
    found = measures["intervals"]
    rows = [
        *((label, measures["types"][label], found["types"][label]) for label in found["types"]),
        ("overall", measures, found),
    ]
    width = max(len(label) for label, _, _ in rows)
    names = ("precision", "recall", "f1")
    lines = [f"{'':{width}} {'precision':>22} {'recall':>22} {'F1':>22}"]
    for label, row, ranges in rows:
        cells = (f"{percent(row[name], 6)} {interval(ranges[name]):>15}" for name in names)
        lines.append(f"{label:{width}} {' '.join(cells)}")
    lines.append(
        f"{100 * found['level']:g} % intervals: bootstrap over {found['units']:,} {found['unit']}s, "
        f"{found['samples']:,} samples"
    )
    return "\n".join(lines)


def interval(found: list[float] | None) -> str:
    """Format an interval in percent; a dash for None."""
    return "–" if found is None else f"[{100 * found[0]:.2f}, {100 * found[1]:.2f}]"
