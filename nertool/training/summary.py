"""The summary after training: the most frequent errors on dev, and an example sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nertool.corpus.columnar import Corpus, Span
from nertool.corpus.schemes import TagSpans
from nertool.evaluation.comparison import Comparison, compare_tags
from nertool.evaluation.errors.kinds import confusions, describe_pair, findings_of
from nertool.evaluation.matching import sentence_of
from nertool.model.load import load_model
from nertool.tagging.analyse import analyse
from nertool.tagging.compiled import CompiledTagger
from nertool.training.preparation.store import Prepared
from nertool.training.refit import unfitted_model

_SHORTEST, _LONGEST = 5, 24  # tokens of an example sentence
_PLAIN = re.compile(r"[\w.,;:'’%&/-]+")  # words of letters, digits and usual punctuation


@dataclass(frozen=True)
class Example:
    """A sentence with the entities that the model found in it. Offsets count the sentence's tokens."""

    words: list[str]
    entities: list[Span]


def compare_on_dev(run_dir: Path, prepared: Prepared) -> Comparison | None:
    """Compare the predictions of the model that dev chose with dev's gold tags; None without a dev part."""
    dev = prepared.dev
    if dev is None:
        return None
    model = load_model(unfitted_model(run_dir))
    decoded = analyse(CompiledTagger(model), dev.text)
    corpus = Corpus(
        source="dev",
        words=dev.words,
        word_ids=dev.word_ids,
        tags=dev.gold_tags,
        tag_ids=dev.gold_ids,
        sentence_starts=dev.sentence_starts,
        document_starts=dev.document_starts,
        line_numbers=np.zeros(len(dev.word_ids), dtype=np.int32),
    )
    return compare_tags(corpus, decoded.tag_ids, model.tags)


def common_errors(comparison: Comparison, shown: int = 3) -> list[str]:
    """Describe the most frequent confusions, a line each, with the first case of each."""
    findings = findings_of(comparison)
    lines = []
    for gold, predicted, kind, n in confusions(findings)[:shown]:
        first = next(f for f in findings if (*f.labels, f.kind) == (gold, predicted, kind))
        lines.append(
            f"{n:,} × {gold} → {predicted} ({kind}), such as {describe_pair(comparison, first)}"
        )
    return lines


def example_of(comparison: Comparison) -> Example | None:
    """Choose an example sentence of readable length; None if no sentence has such a length.

    A sentence of plain words is preferred, then one in which the model finds many classes, then one that it
    tags right, then a short one.
    """
    corpus, starts = comparison.corpus, comparison.corpus.sentence_starts
    lengths = np.diff(starts)
    plain = np.array([_PLAIN.fullmatch(word) is not None for word in corpus.words] or [False])
    odd = np.concatenate([[0], np.cumsum(~plain[corpus.word_ids])])[starts]
    found, gold = (_by_sentence(side, starts) for side in (comparison.predicted, comparison.gold))
    usable = np.flatnonzero((lengths >= _SHORTEST) & (lengths <= _LONGEST)).tolist()
    if not usable:
        return None

    def value(i: int) -> tuple[bool, int, bool, int]:
        classes = len({span.label for span in found[i]})
        return (not odd[i + 1] - odd[i], classes, found[i] == gold[i], -int(lengths[i]))

    best = max(usable, key=value)
    first, end = int(starts[best]), int(starts[best + 1])
    return Example(
        [corpus.words[i] for i in corpus.word_ids[first:end].tolist()],
        [Span(span.start - first, span.end - first, span.label) for span in found[best]],
    )


def _by_sentence(spans: TagSpans, starts: np.ndarray) -> Sequence[list[Span]]:
    out: list[list[Span]] = [[] for _ in range(len(starts) - 1)]
    sentences = sentence_of(spans.starts, starts).tolist()
    for i, span in zip(sentences, spans.as_list(), strict=True):
        out[i].append(span)
    return out
