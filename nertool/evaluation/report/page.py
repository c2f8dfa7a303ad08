"""Render the report of an evaluation as one HTML page: measures, charts, and the text with its errors."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from nertool.evaluation.comparison import Comparison
from nertool.evaluation.errors.details import SHOWN, Details
from nertool.evaluation.errors.kinds import (
    CORRECT,
    KINDS,
    Finding,
    by_kind,
    confusion_matrix,
    confusions,
)
from nertool.evaluation.report.charts import HEIGHT, WIDTH, class_charts, run_curves
from nertool.pages.page import render
from nertool.pages.palette import class_names

TEMPLATES = Path(__file__).parent / "templates"


def report_page(
    measures: dict[str, Any], details: Details, title: str, log: Sequence[dict[str, Any]] = ()
) -> str:
    """Return the HTML of the report.

    measures: as for JSON, with "intervals" (see intervals.intervals_as_dict). log: the epochs of the run.
    """
    comparison = details.comparison
    labels = comparison.gold.label_names
    classes = class_names(labels)
    matrix = confusion_matrix(details.findings, labels)
    return render(
        "report.html",
        TEMPLATES,
        title=title,
        measures=measures,
        labels=labels,
        classes=classes,
        matrix=matrix,
        row_sums=[max(sum(row), 1) for row in matrix],
        kinds=by_kind(details.findings),
        confusions=confusions(details.findings)[:SHOWN],
        slices=details.slices,
        documents=details.documents[:SHOWN],
        charts=class_charts(comparison, classes),
        curves=run_curves(log),
        epochs=[record["epoch"] for record in log],
        width=WIDTH,
        height=HEIGHT,
        text=text_for_script(comparison, details.findings, classes),
    )


def text_for_script(
    comparison: Comparison, findings: Sequence[Finding], classes: dict[str, str]
) -> dict[str, Any]:
    """Return the sentences for the page's script.

    A sentence is [place, words, gold entities, predicted entities]. An entity is [start, end, label,
    probability or null, kind], in tokens of the sentence. An entity that continues in the next sentence is
    cut at the end of its first one.
    """
    corpus, starts = comparison.corpus, comparison.corpus.sentence_starts
    number = {label: i for i, label in enumerate(comparison.gold.label_names)}
    kind_number = {kind: i for i, kind in enumerate((CORRECT, *KINDS))}
    words = corpus.words
    bounds = starts.tolist()
    ids = corpus.word_ids.tolist()
    sentences: list[list[Any]] = []
    for first, end in pairwise(bounds):
        place = comparison.place(first) if first < end else ""
        sentences.append([place, [words[i] for i in ids[first:end]], [], []])
    for finding in findings:
        for side, span, p in (
            (2, finding.gold, finding.gold_probability),
            (3, finding.predicted, finding.probability),
        ):
            if span is None:
                continue
            i = bisect_right(bounds, span.start) - 1
            sentences[i][side].append(
                [
                    span.start - bounds[i],
                    min(span.end, bounds[i + 1]) - bounds[i],
                    number[span.label],
                    None if p is None else round(p, 4),
                    kind_number[finding.kind],
                ]
            )
    return {
        "labels": [[label, classes[label]] for label in comparison.gold.label_names],
        "kinds": [CORRECT, *KINDS],
        "sentences": [sentence for sentence in sentences if sentence[1]],
    }


def read_log(run_dir: Path) -> list[dict[str, Any]]:
    """Return the epochs in a run folder's log.jsonl; [] if it has none, as in a run of several networks."""
    path = run_dir / "log.jsonl"
    if not path.is_file():
        return []
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
