"""Phrases that are always, or never, an entity: `nertool predict --rules FILE`.

A file of rules has a phrase and a class on each line, separated by a tab. The class O means "no entity":

    Acme Rocket Boots   PRODUCT
    may                 O

inputs/phrases.py describes how phrases are found. The tags of a phrase's words are fixed before decoding. So
decoding takes them into account for the words around, and an entity by a rule has a probability of nearly 1.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from nertool.corpus.columnar import Ids, Offsets, ranges
from nertool.corpus.ledger import counted
from nertool.corpus.schemes import TagSpans, tags_of
from nertool.errors import CorpusError, did_you_mean
from nertool.inputs.phrases import PhraseLists, Places, read_lines, ways_to_cut
from nertool.inputs.text import Text
from nertool.network.activations import Array

OUTSIDE = "O"
_NEVER = -1e4  # the score of a tag that a rule excludes


class Rules:
    """Phrases with their classes, and a count of the phrases found."""

    def __init__(self, labels: list[str], scheme: str, tags: list[str]) -> None:
        """Start without phrases. labels, tags: those of the model; scheme: the scheme of these tags."""
        self.labels, self.scheme, self.tags = labels, scheme, tags
        self.phrases = PhraseLists()
        self._found = 0

    def add(self, words: list[str], label: str) -> str | None:
        """Add a phrase; return its previous class, or None if it is new."""
        number = -1 if label == OUTSIDE else self.labels.index(label)
        before = self.phrases.add(words, number)
        return before if before is None else OUTSIDE if before < 0 else self.labels[before]

    def take_found(self) -> int:
        """Return the number of phrases found since the last call."""
        found, self._found = self._found, 0
        return found

    def matches(self, text: Text) -> list[tuple[int, int, int]]:
        """Return (start, end, number) of each phrase in a text, in order.

        number: the index of the class in labels, −1 for O.
        """
        found = self.phrases.find(text)
        return list(zip(*(column.tolist() for column in found), strict=True))

    def fix(self, scores: Array, text: Text) -> Array:
        """Return the scores (N, T), in which tags that the rules exclude are so low that none is chosen."""
        starts, ends, numbers = self.phrases.find(text)
        self._found += len(starts)
        if not len(starts):
            return scores
        scores = np.array(scores)
        named = numbers >= 0
        spans = TagSpans(
            starts[named], ends[named], numbers[named].astype(np.int32), list(self.labels)
        )
        tag_ids: Ids = tags_of(spans, text.sentence_starts, self.tags, self.scheme)
        inside = ranges(starts, ends - starts)
        scores[inside] = _NEVER
        scores[inside, tag_ids[inside]] = 0.0
        if self.scheme != "bioes":
            self._end_phrases(scores, spans, text.sentence_starts, inside)
        return scores

    def _end_phrases(
        self, scores: Array, spans: TagSpans, sentence_starts: Offsets, inside: Places
    ) -> None:
        """Exclude tags next to a phrase that would make it longer.

        These are tags of the same class after it, and with the scheme io also before it.
        """
        going_on = "{}" if self.scheme == "io" else "I-{}"
        tags = np.array([self.tags.index(going_on.format(label)) for label in self.labels])
        tags = tags[spans.labels]
        sides = [(spans.ends, spans.ends)]  # the token, and the boundary between it and the phrase
        if self.scheme == "io":
            sides.append((spans.starts - 1, spans.starts))
        for tokens, boundaries in sides:
            free = ~np.isin(boundaries, sentence_starts) & ~np.isin(tokens, inside)
            scores[tokens[free], tags[free]] = _NEVER


def read_rules(
    path: Path,
    labels: list[str],
    scheme: str,
    tags: list[str],
    report: Callable[[str], None] = lambda line: None,
) -> Rules:
    """Read a file of rules. Errors: CorpusError with file:line for a line that is not a rule."""
    rules = Rules(labels, scheme, tags)
    known = [*labels, OUTSIDE]
    lines, comments = read_lines(path)
    for place, line in lines:
        phrase, tab, label = line.rpartition("\t")
        phrase, label = phrase.strip(), label.strip()
        ways = ways_to_cut(phrase)
        if not tab or not ways:
            raise CorpusError(
                f"{place}: found {line[:60]!r}, expected a phrase, a tab, and a class or O"
            )
        if label not in known:
            near = did_you_mean(label[:80], known) or f"; it knows {', '.join(labels)}"
            if phrase in known:
                near = "; the phrase comes first, then a tab and the class"
            raise CorpusError(f"{place}: the model knows no class {label[:80]!r}{near}")
        for words in ways:
            before = rules.add(words, label)
            if before not in (None, label):
                raise CorpusError(
                    f"{place}: found {phrase[:60]!r} as {label}, and before as {before}"
                )
    if not lines:
        raise CorpusError(
            f"{path}: found no rule, expected lines: a phrase, a tab, and a class or O"
        )
    if comments:
        report(
            f"{path}: {counted(comments, 'comments')} left out (lines that begin with a hash and a blank)"
        )
    return rules
