"""Phrases that are always, or never, an entity: `nertool predict --rules FILE`.

A file of rules has a phrase and a class a line, divided by a tab; the class O stands for "no entity":

    Acme Rocket Boots   PRODUCT
    may                 O

inputs/phrases.py says how phrases are found. The tags of a phrase's words are fixed before a sequence is
chosen: the words around it are tagged in view of them, and an entity by a rule has a probability of nearly 1.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nertool.corpus.columnar import Ids, ranges
from nertool.corpus.schemes import TagSpans, tags_of
from nertool.corpus.tokens import tokenize
from nertool.errors import CorpusError, did_you_mean
from nertool.files.safe import open_input
from nertool.inputs.phrases import PhraseLists
from nertool.inputs.text import Text
from nertool.network.activations import Array

OUTSIDE = "O"
_NEVER = -1e4  # the score of a tag that a rule excludes


class Rules:
    """Phrases, and the class of each; found: how many were met since that was last asked."""

    def __init__(self, labels: list[str], scheme: str, tags: list[str]) -> None:
        """labels, tags: the model's; scheme: of its tags."""
        self.labels, self.scheme, self.tags = labels, scheme, tags
        self.phrases = PhraseLists()
        self._found = 0

    def add(self, words: list[str], label: str) -> str | None:
        """Add a phrase; return the class that it had before, None if it is new."""
        number = -1 if label == OUTSIDE else self.labels.index(label)
        before = self.phrases.add(words, number)
        return before if before is None else OUTSIDE if before < 0 else self.labels[before]

    def take_found(self) -> int:
        """Return how many phrases were met since this was last asked."""
        found, self._found = self._found, 0
        return found

    def matches(self, text: Text) -> list[tuple[int, int, int]]:
        """Return (start, end, number of the class; −1 for none) of each phrase in a text, in order."""
        found = self.phrases.find(text)
        return list(zip(*(column.tolist() for column in found), strict=True))

    def fix(self, scores: Array, text: Text) -> Array:
        """Return the scores (N, T) with every tag excluded that the rules don't allow."""
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
        if self.scheme == "iob2":
            # An I behind a phrase would make it longer; where a sentence starts there is none.
            behind = ends[named & (ends < len(scores))]
            labels = numbers[named & (ends < len(scores))]
            going_on = np.array([self.tags.index(f"I-{label}") for label in self.labels])
            free = ~np.isin(behind, inside)
            scores[behind[free], going_on[labels[free]]] = _NEVER
        return scores


def read_rules(path: Path, labels: list[str], scheme: str, tags: list[str]) -> Rules:
    """Read a file of rules. Errors: CorpusError with file:line for a line that is none."""
    rules = Rules(labels, scheme, tags)
    known = [*labels, OUTSIDE]
    read = 0
    with open_input(path) as (stream, source):
        for n, raw in enumerate(stream.read().split(b"\n"), 1):
            place = f"{source}:{n}"
            try:
                line = raw.decode("utf-8-sig" if n == 1 else "utf-8").rstrip("\r\n")
            except UnicodeDecodeError:
                raise CorpusError(f"{place}: expected UTF-8 text") from None
            if not line.strip() or line.startswith("#"):
                continue
            phrase, tab, label = line.rpartition("\t")
            phrase, label = phrase.strip(), label.strip()
            words = [phrase[start:end] for start, end in tokenize(phrase)]
            if not tab or not words:
                raise CorpusError(
                    f"{place}: found {line[:60]!r}, expected a phrase, a tab, and a class or O"
                )
            if label not in known:
                near = did_you_mean(label[:80], known) or f"; it knows {', '.join(labels)}"
                if phrase in known:
                    near = "; the phrase comes first, then a tab and the class"
                raise CorpusError(f"{place}: the model knows no class {label[:80]!r}{near}")
            read += 1
            before = rules.add(words, label)
            if before not in (None, label):
                raise CorpusError(
                    f"{place}: found {phrase[:60]!r} as {label}, and before as {before}"
                )
    if not read:
        raise CorpusError(
            f"{path}: found no rule, expected lines: a phrase, a tab, and a class or O"
        )
    return rules
