"""Run all checks on a corpus: find errors and oddities in the data before training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nertool.corpus.build import entities_of
from nertool.corpus.columnar import Corpus, Interner
from nertool.corpus.parts.part import CorpusPart
from nertool.corpus.schemes import find_scheme
from nertool.doctor.check_labels import (
    ambiguous_phrases,
    classes,
    label_slips,
    missed_names,
    schemes_differ,
    transitions,
)
from nertool.doctor.check_text import copies, habits, leaks, odd_characters, outliers
from nertool.doctor.findings import Finding

CHECKS = (
    label_slips,
    transitions,
    schemes_differ,
    classes,
    copies,
    leaks,
    ambiguous_phrases,
    missed_names,
    odd_characters,
    outliers,
    habits,
)


def parts_of(corpora: Sequence[tuple[str, Corpus]]) -> list[CorpusPart]:
    """Make corpus parts that share one numbering of words.

    corpora: a name and a corpus for each file. The first is the training text.
    """
    words = Interner()
    parts = []
    for name, corpus in corpora:
        spans = entities_of(corpus)
        scheme = find_scheme(corpus.tag_ids, corpus.tags, corpus.sentence_starts)
        numbers = np.array([words[word] for word in corpus.words] or [0], dtype=np.int64)
        parts.append(CorpusPart(name, corpus, spans, scheme, numbers[corpus.word_ids], words))
    return parts


def check(parts: Sequence[CorpusPart]) -> list[Finding]:
    """Run all checks and return their findings, the serious ones first."""
    findings = [finding for check in CHECKS for finding in check(parts)]
    return sorted(findings, key=lambda finding: not finding.serious)
