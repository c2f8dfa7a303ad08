"""Phrases that are always, or never, an entity: `nertool predict --rules FILE`.

A file of rules has a phrase and a class a line, divided by a tab; the class O stands for "no entity":

    Acme Rocket Boots   PRODUCT
    may                 O

A phrase that is written in lower case is found in any letters, another one as it is written; invisible
characters don't matter. The longest phrase wins. The tags of its words are fixed before a sequence is
chosen: the words around it are tagged in view of them, and an entity by a rule has a probability of
nearly 1.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Ids, ranges
from nertool.corpus.invisible import normal_form
from nertool.corpus.schemes import TagSpans, tags_of
from nertool.corpus.tokens import tokenize
from nertool.errors import CorpusError, did_you_mean
from nertool.files.safe import open_input
from nertool.inputs.text import Text
from nertool.network.activations import Array

OUTSIDE = "O"
_NEVER = -1e4  # the score of a tag that a rule excludes


class Phrases:
    """Phrases with a number each, found longest-first in a text of word ids.

    A tree of words: `edges` leads from a node and a word to a node, 0 being the root; `ends` has the number
    of the phrase that ends in a node. So a text takes a step a word, however many phrases there are.
    """

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.edges: dict[tuple[int, int], int] = {}
        self.ends: dict[int, int] = {}

    def add(self, words: list[str], number: int) -> int | None:
        """Add a phrase; return the number that it had before, None if it is new."""
        node = 0
        for word in words:
            key = (node, self.numbers.setdefault(word, len(self.numbers)))
            node = self.edges.setdefault(key, len(self.edges) + 1)
        before = self.ends.get(node)
        self.ends[node] = number
        return before

    def numbers_of(self, words: list[str]) -> NDArray[np.int64]:
        """Return each word's number, −1 for a word of no phrase: (n,)."""
        return np.array([self.numbers.get(word, -1) for word in words], dtype=np.int64)

    def longest(self, numbers: list[int], start: int, end: int) -> tuple[int, int] | None:
        """Return (end, phrase's number) of the longest phrase that starts with word `start` of a sentence."""
        node, found = 0, None
        for i in range(start, end):
            step = self.edges.get((node, numbers[i]))
            if step is None:
                break
            node = step
            if node in self.ends:
                found = i + 1, self.ends[node]
        return found

    def starts(self, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell of each number whether a phrase starts with it."""
        return np.array([(0, number) in self.edges for number in numbers.tolist()], dtype=bool)


class Rules:
    """Phrases, and the class of each; found: how many were met since that was last asked."""

    def __init__(self, labels: list[str], scheme: str, tags: list[str]) -> None:
        """labels, tags: the model's; scheme: of its tags."""
        self.labels, self.scheme, self.tags = labels, scheme, tags
        self.exact, self.any_case = Phrases(), Phrases()
        self._found = 0

    def add(self, words: list[str], label: str) -> str | None:
        """Add a phrase; return the class that it had before, None if it is new."""
        number = -1 if label == OUTSIDE else self.labels.index(label)
        words = [normal_form(word) for word in words]
        lower = [word.lower() for word in words]
        phrases = self.any_case if words == lower else self.exact
        before = phrases.add(words, number)
        return before if before is None else OUTSIDE if before < 0 else self.labels[before]

    def take_found(self) -> int:
        """Return how many phrases were met since this was last asked."""
        found, self._found = self._found, 0
        return found

    def matches(self, text: Text) -> list[tuple[int, int, int]]:
        """Return (start, end, number of the class; −1 for none) of each phrase in a text, in order."""
        kinds = []
        candidates = np.zeros(len(text.word_ids), dtype=bool)
        types, type_of = np.unique(
            text.word_ids, return_inverse=True
        )  # text.words may have many more
        words = [normal_form(text.words[i]) for i in types.tolist()]
        lower = [word.lower() for word in words]
        for phrases, known in ((self.exact, words), (self.any_case, lower)):
            numbers = phrases.numbers_of(known)
            candidates |= phrases.starts(numbers)[type_of]
            kinds.append((phrases, numbers[type_of].tolist()))
        positions = np.flatnonzero(candidates)
        sentence = np.searchsorted(text.sentence_starts, positions, side="right")
        found: list[tuple[int, int, int]] = []
        free = 0  # the first token that no phrase has taken
        ends = text.sentence_starts[sentence].tolist()
        for start, sentence_end in zip(positions.tolist(), ends, strict=True):
            if start < free:
                continue
            both = [phrases.longest(numbers, start, sentence_end) for phrases, numbers in kinds]
            matched = [match for match in both if match]
            if matched:
                free, number = max(matched, key=lambda match: match[0])
                found.append((start, free, number))
        return found

    def fix(self, scores: Array, text: Text) -> Array:
        """Return the scores (N, T) with every tag excluded that the rules don't allow."""
        found = self.matches(text)
        self._found += len(found)
        if not found:
            return scores
        scores = np.array(scores)
        starts, ends, numbers = (np.array(column) for column in zip(*found, strict=True))
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
                raise CorpusError(f"{place}: the model knows no class {label[:80]!r}{near}")
            before = rules.add(words, label)
            if before not in (None, label):
                raise CorpusError(
                    f"{place}: found {phrase[:60]!r} as {label}, and before as {before}"
                )
    return rules
