"""Statistics of a corpus: its size, lengths of sentences and entities, and entities by class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nertool.corpus.parts.part import CorpusPart
from nertool.corpus.schemes import rows_by_label

_LENGTHS = (1, 2, 3, 4)  # lengths of entities in words; longer ones are counted together


def stats(part: CorpusPart) -> dict[str, Any]:
    """Return a part's statistics for JSON: sizes, lengths, and entities by class and length."""
    corpus, spans = part.corpus, part.spans
    lengths = np.diff(corpus.sentence_starts)
    widths = spans.ends - spans.starts
    labels = {}
    for label, own in zip(spans.label_names, rows_by_label(spans), strict=True):
        if len(own):
            phrases = {
                part.surface(*span) for span in zip(spans.starts[own], spans.ends[own], strict=True)
            }
            labels[label] = {
                "entities": len(own),
                "distinct": len(phrases),
                "per_1000_tokens": round(1000 * len(own) / max(1, corpus.tokens), 2),
                "by_length": by_length(widths[own].tolist()),
            }
    return {
        "name": part.name,
        "layout": corpus.layout,
        "scheme": part.scheme,
        "documents": corpus.documents,
        "sentences": corpus.sentences,
        "tokens": corpus.tokens,
        "word_forms": len(corpus.words),
        "entities": len(spans),
        "tokens_in_entities": int(widths.sum()),
        "sentence_length": {
            "mean": round(float(lengths.mean()), 1) if len(lengths) else None,
            "median": float(np.median(lengths)) if len(lengths) else None,
            "longest": int(lengths.max(initial=0)),
        },
        "labels": labels,
    }


def by_length(widths: Sequence[int]) -> dict[str, int]:
    """Count entities by their length in words: 1 to 4, and 5+."""
    counts = {str(n): sum(w == n for w in widths) for n in _LENGTHS}
    return {**counts, "5+": sum(w > _LENGTHS[-1] for w in widths)}


def as_text(numbers: dict[str, Any]) -> str:
    """Format a part's statistics, as `stats` returns them, as a text with a table."""
    n = numbers
    lengths = n["sentence_length"]
    lines = [
        f"{n['name']}: {n['tokens']:,} tokens, {n['word_forms']:,} word forms, {n['sentences']:,} sentences "
        f"(mean {lengths['mean']}, longest {lengths['longest']}), {n['documents']:,} documents, "
        f"{n['entities']:,} entities; {n['scheme']}"
    ]
    if n["labels"]:
        width = max(5, *(len(label) for label in n["labels"]))
        heads = ("entities", "distinct", "per 1,000", "1 word", "2", "3", "4", "5+")
        lines.append(f"  {'':{width}}" + "".join(f"{head:>10}" for head in heads))
        for label, row in n["labels"].items():
            cells = (
                row["entities"],
                row["distinct"],
                row["per_1000_tokens"],
                *row["by_length"].values(),
            )
            lines.append(f"  {label:{width}}" + "".join(f"{cell:>10,}" for cell in cells))
    return "\n".join(lines)
