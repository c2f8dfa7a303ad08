"""Compute the measures on slices of the entities: by length, seen in training, with unknown words, …"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nertool.corpus.columnar import Span
from nertool.evaluation.comparison import Comparison, units_of
from nertool.evaluation.errors.seen import NEVER, OTHER_CLASS, SEEN, Seen
from nertool.evaluation.matching import sentence_of
from nertool.evaluation.measures import ratios
from nertool.model.model import Model

_LENGTHS = ("1 token", "2 tokens", "3 tokens", "4 or more tokens")
_TIMES = ("0 times", "once", "2 to 5 times", "6 to 20 times", "more than 20 times")
_SENTENCES = ("up to 10 tokens", "11 to 20 tokens", "21 to 40 tokens", "more than 40 tokens")
_WORDS = ("all words known", "an unknown word")


@dataclass(frozen=True)
class Slice:
    """The number of correct, gold and predicted entities in a part of all entities."""

    correct: int
    gold: int
    predicted: int

    def as_dict(self) -> dict[str, Any]:
        """Return the measures for JSON. An undefined one is None."""
        found = ratios(self.correct, self.gold, self.predicted)
        return {**vars(found), "support": self.gold, "predicted": self.predicted}


def unknown_tokens(comparison: Comparison, model: Model) -> list[bool]:
    """Tell for each token (N,) whether no step of the lookup finds its word in any file of vectors."""
    encoders = {id(m.encoder): m.encoder for m in model.members}.values()
    words = comparison.corpus.words
    steps = [encoder.steps_of(words) for encoder in encoders]
    unknown = np.array([not any(found) for found in zip(*steps, strict=True)] or [False])
    return list(unknown[comparison.corpus.word_ids].tolist())


def slices_of(
    comparison: Comparison, seen: Seen | None, model: Model | None
) -> dict[str, dict[str, Slice]]:
    """Return each division of the entities, by name, with its slices.

    Gold and predicted entities are assigned to a slice independently, each by its own words and boundaries.
    Divisions that need `seen` or `model` are left out if these are None.
    """
    lengths = np.diff(comparison.corpus.sentence_starts).tolist()
    starts = comparison.corpus.sentence_starts

    def sentence_length(spans: Sequence[Span]) -> list[str]:
        firsts = np.array([span.start for span in spans], dtype=np.int64)
        return [_binned(lengths[i], _SENTENCES, (10, 20, 40)) for i in sentence_of(firsts, starts)]

    divisions: dict[str, tuple[Sequence[str], Callable[[Sequence[Span]], list[str]]]] = {}
    divisions["entity's length"] = (
        _LENGTHS,
        lambda spans: [_binned(s.end - s.start, _LENGTHS, (1, 2, 3)) for s in spans],
    )
    divisions["sentence's length"] = (_SENTENCES, sentence_length)
    if seen is not None:
        divisions["in the training text"] = (
            (SEEN, OTHER_CLASS, NEVER),
            lambda spans: [seen.status(comparison.text(s.start, s.end), s.label) for s in spans],
        )
        divisions["its words an entity of the training text"] = (
            _TIMES,
            lambda spans: [
                _binned(seen.times(comparison.text(s.start, s.end)), _TIMES, (0, 1, 5, 20))
                for s in spans
            ],
        )
    if model is not None:
        unknown = np.cumsum([0, *unknown_tokens(comparison, model)])
        divisions["words without a vector"] = (
            _WORDS,
            lambda spans: [_WORDS[int(unknown[s.end] > unknown[s.start])] for s in spans],
        )
    return {name: _counted(comparison, *how) for name, how in divisions.items()}


def by_document(comparison: Comparison) -> list[tuple[str, Slice]]:
    """Return the position and counts of each document, those with the most errors first.

    Returns [] for a text with one document.
    """
    of_token, n = units_of(comparison.corpus, "document")
    if n < 2:
        return []
    firsts = np.searchsorted(of_token, np.arange(n)).tolist()
    parts = _counted(
        comparison,
        [str(i) for i in range(n)],
        lambda spans: [str(of_token[s.start]) for s in spans],
    )
    rows = [(comparison.place(firsts[int(i)]), part) for i, part in parts.items()]
    return sorted(rows, key=lambda row: -(row[1].gold + row[1].predicted - 2 * row[1].correct))


def _binned(value: int, names: Sequence[str], bounds: Sequence[int]) -> str:
    """Return the name of the first bin whose upper bound is at least the value."""
    return names[int(np.searchsorted(bounds, value))]


def _counted(
    comparison: Comparison, names: Sequence[str], part_of: Callable[[Sequence[Span]], list[str]]
) -> dict[str, Slice]:
    gold, predicted = comparison.gold.as_list(), comparison.predicted.as_list()
    correct = sorted(set(gold) & set(predicted))
    counts = [Counter(part_of(spans)) for spans in (correct, gold, predicted)]
    return {
        name: Slice(*(count[name] for count in counts))
        for name in names
        if any(count[name] for count in counts)
    }


def slices_table(slices: dict[str, dict[str, Slice]]) -> str:
    """Format the divisions as a table with a row for each slice."""
    from nertool.evaluation.tables import percent

    width = max((len(part) for parts in slices.values() for part in parts), default=0) + 2
    lines = [f"{'':{width}} precision    recall        F1  entities"]
    for name, parts in slices.items():
        lines.append(name)
        for part, found in parts.items():
            row = found.as_dict()
            shares = " ".join(percent(row[key]) for key in ("precision", "recall", "f1"))
            lines.append(f"  {part:{width - 2}} {shares} {row['support']:9,}")
    return "\n".join(lines)
