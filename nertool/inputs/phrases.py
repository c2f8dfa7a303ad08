"""Lists of phrases, and the search for them in a text: for rules and gazetteers.

A phrase in lower case matches in any case. Other phrases match only as written. Invisible characters are
ignored. In each list, matches are taken from left to right, the longest first. Matches of one list do not
overlap.

A list is two trees of words, one for each kind of phrase. A kernel follows a tree from each position of a
text. Without the kernel, all positions go down a tree together: the edges are sorted numbers (node, word),
so that a step of all positions is one search. A position is dropped when the next word is in no phrase
except as its first word. The numbers of a word type in the trees are computed once.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Ids
from nertool.corpus.invisible import normal_form
from nertool.corpus.tokens import tokenize
from nertool.errors import CorpusError
from nertool.files.safe import open_input
from nertool.inputs.text import Text
from nertool.inputs.word_types import WordTypes
from nertool.kernels.phrases import WordTree, longest_phrases

_MOST_CACHED = 1 << 20  # the greatest number of word types in the cache

Places = NDArray[np.int64]


class Found(NamedTuple):
    """Phrases in a text, in order.

    starts, ends (n,): the tokens from starts to ends − 1; numbers (n,): the number given to each phrase.
    """

    starts: Places
    ends: Places
    numbers: Places


_NOTHING = Found(*(np.empty(0, dtype=np.int64),) * 3)


class _Tree:
    """A tree of words. Node 0 is the root."""

    def __init__(self) -> None:
        self.edges: dict[tuple[int, int], int] = {}
        self.ends: dict[int, int] = {}  # the number of the phrase that ends in a node
        self._arrays: _Arrays | None = None

    def add(self, words: Sequence[int], number: int) -> int | None:
        """Add a phrase; return its previous number, or None if it is new."""
        self._arrays = None
        node, edges = 0, self.edges
        for word in words:
            node = edges.setdefault((node, word), len(edges) + 1)
        before = self.ends.get(node)
        self.ends[node] = number
        return before

    def arrays(self, words: int) -> _Arrays:
        """Return the tree as arrays. words: the number of words in the shared numbering."""
        if self._arrays is None or len(self._arrays.first) != words + 1:
            self._arrays = _arrays_of(self, words)
        return self._arrays


class _Arrays(NamedTuple):
    """A tree as arrays.

    first (words + 1,): the node to which a word leads from the root, 0 for none; later (words + 1,): whether
    a word occurs in a phrase after the first position; keys (edges,): node << 32 | word, ascending; nodes
    (edges,): the node to which each edge leads; maybe: by a hash of the key, False if there is no such edge;
    ends (nodes,): whether a phrase ends in a node; numbers (nodes,): its number; paths: the tree in the form
    of the kernel. Words in no phrase have the number −1, which is the last entry of first and later.
    """

    first: NDArray[np.int32]
    later: NDArray[np.bool_]
    keys: Places
    nodes: NDArray[np.int32]
    maybe: NDArray[np.bool_]
    ends: NDArray[np.bool_]
    numbers: Places
    paths: WordTree


def _arrays_of(tree: _Tree, words: int) -> _Arrays:
    pairs = np.array(list(tree.edges), dtype=np.int64).reshape(-1, 2)
    nodes = np.array(list(tree.edges.values()), dtype=np.int32)
    at_root = pairs[:, 0] == 0
    first = np.zeros(words + 1, dtype=np.int32)
    first[pairs[at_root, 1]] = nodes[at_root]
    later = np.zeros(words + 1, dtype=bool)
    later[pairs[~at_root, 1]] = True
    keys = pairs[~at_root, 0] << 32 | pairs[~at_root, 1]
    order = np.argsort(keys)
    maybe = np.zeros(1 << min(24, 4 + max(6, len(keys).bit_length())), dtype=bool)
    maybe[_hash(keys, len(maybe))] = True
    ends = np.zeros(len(nodes) + 1, dtype=bool)
    numbers = np.zeros(len(nodes) + 1, dtype=np.int64)
    last = np.fromiter(tree.ends.keys(), dtype=np.int64, count=len(tree.ends))
    ends[last] = True
    numbers[last] = np.fromiter(tree.ends.values(), dtype=np.int64, count=len(tree.ends))
    keys, nodes = keys[order], nodes[~at_root][order]
    offsets = np.searchsorted(keys, np.arange(len(ends) + 1, dtype=np.int64) << 32)
    paths = WordTree(first[:-1], offsets, (keys & 0xFFFFFFFF).astype(np.int32), nodes, ends)
    return _Arrays(first, later, keys, nodes, maybe, ends, numbers, paths)


def _hash(keys: Places, size: int) -> Places:
    """Return a hash in 0 … size − 1 of each key. size is a power of two."""
    mixed = keys.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return (mixed >> np.uint64(64 - (size.bit_length() - 1))).astype(np.int64)


class PhraseLists:
    """Lists of phrases, identified by their index. All lists share one numbering of words."""

    def __init__(self, lists: int = 1) -> None:
        self._words: dict[str, int] = {}
        self._trees = [(_Tree(), _Tree()) for _ in range(lists)]  # as written, in any letters
        self._cached: dict[str, tuple[int, int]] = {}
        self._last: tuple[WordTypes | None, Ids] = (None, np.empty((0, 2), dtype=np.int32))

    def __len__(self) -> int:
        return len(self._trees)

    def add(self, words: Sequence[str], number: int = 0, into: int = 0) -> int | None:
        """Add a phrase to the list `into`; return its previous number there, or None if it is new."""
        words = [normal_form(word) for word in words]
        in_any_letters = words == [word.lower() for word in words]
        if any(word not in self._words for word in words):
            self._cached, self._last = {}, (None, np.empty((0, 2), dtype=np.int32))
        ids = [self._words.setdefault(word, len(self._words)) for word in words]
        return self._trees[into][in_any_letters].add(ids, number)

    def find(self, text: Text, of: int = 0) -> Found:
        """Return the phrases of the list `of` in a text."""
        return self.find_all(text, (of,))[0]

    def find_all(self, text: Text, lists: Sequence[int] | None = None) -> list[Found]:
        """Return the phrases of each list in a text."""
        chosen = range(len(self)) if lists is None else lists
        if not len(text.word_ids) or not self._words:
            return [_NOTHING for _ in chosen]
        types, word_ids = self._numbers_in(text)
        last = np.zeros(len(word_ids), dtype=bool)  # whether a token is the last of its sentence
        last[text.sentence_starts[1:] - 1] = True
        out = []
        for i in chosen:
            both = [
                _longest(tree.arrays(len(self._words)), types, kind, word_ids, last)
                for kind, tree in enumerate(self._trees[i])
                if tree.edges
            ]
            out.append(_apart(both) if both else _NOTHING)
        return out

    def _numbers_in(self, text: Text) -> tuple[Ids, Ids]:
        """Return the numbers (types, 2) of word types and each token's type (N,).

        The two columns are for the word as written and in lower case; −1 means that it is in no phrase.
        """
        words = text.words
        if isinstance(words, WordTypes):
            # WordTypes only grow, so only the new words need numbers.
            known = self._last[1] if self._last[0] is words else self._last[1][:0]
            if len(known) < len(words):
                known = np.concatenate([known, self._numbers_of(words[len(known) :])])
                self._last = (words, known)
            return known, text.word_ids
        if len(words) <= len(text.word_ids):
            return self._numbers_of(words), text.word_ids
        types, word_ids = np.unique(text.word_ids, return_inverse=True)
        return self._numbers_of([words[i] for i in types.tolist()]), word_ids.astype(np.int32)

    def _numbers_of(self, words: Sequence[str]) -> Ids:
        cached, known = self._cached, self._words
        if len(cached) > _MOST_CACHED:
            self._cached = cached = {}
        out = []
        for word in words:
            numbers = cached.get(word)
            if numbers is None:
                normal = normal_form(word)
                numbers = cached[word] = (known.get(normal, -1), known.get(normal.lower(), -1))
            out.append(numbers)
        return np.array(out, dtype=np.int32).reshape(-1, 2)


def _longest(tree: _Arrays, types: Ids, kind: int, word_ids: Ids, last: NDArray[np.bool_]) -> Found:
    """Return the longest phrase that starts at each position, if there is one.

    types (types, 2): the result of _numbers_in; kind: the column to use, 0 as written, 1 in lower case.
    """
    found = longest_phrases(tree.paths, types, kind, word_ids, last)
    if found is not None:
        starts, ends, nodes = found.T
        return Found(starts, ends, tree.numbers[nodes])
    return _longest_by_steps(tree, types[:, kind], word_ids, last)


def _longest_by_steps(tree: _Arrays, types: Ids, word_ids: Ids, last: NDArray[np.bool_]) -> Found:
    """Return the same as the kernel longest_phrases. All positions go down the tree together."""
    if len(types) > len(word_ids):  # the list has word types of other texts, too
        types, word_ids = types[word_ids], np.arange(len(word_ids), dtype=np.int32)
    starts = np.flatnonzero((tree.first[types] > 0)[word_ids])
    later = tree.later[types]
    node = tree.first[types[word_ids[starts]]]
    ends, numbers = np.zeros(len(starts), dtype=np.int64), np.zeros(len(starts), dtype=np.int64)
    live, length = np.arange(len(starts)), 1
    while len(live):
        ended = tree.ends[node]
        at = live[ended]
        ends[at] = starts[at] + length
        numbers[at] = tree.numbers[node[ended]]
        end = starts[live] + length  # the next word, if the sentence has one
        going = np.flatnonzero(~last[end - 1])
        going = going[later[word_ids[end[going]]]]
        keys = node[going].astype(np.int64) << 32 | types[word_ids[end[going]]]
        likely = np.flatnonzero(tree.maybe[_hash(keys, len(tree.maybe))])
        going, keys = going[likely], keys[likely]
        place = np.minimum(np.searchsorted(tree.keys, keys), max(0, len(tree.keys) - 1))
        hit = tree.keys[place] == keys if len(tree.keys) else np.zeros(len(keys), dtype=bool)
        live, node = live[going[hit]], tree.nodes[place[hit]]
        length += 1
    found = ends > 0
    return Found(starts[found], ends[found], numbers[found])


def _apart(both: list[Found]) -> Found:
    """Return phrases that do not overlap: from left to right, the longest at each start, if it is free."""
    found = both[0]
    if len(both) > 1:
        found = Found(*(np.concatenate(column) for column in zip(*both, strict=True)))
        order = np.lexsort((-found.ends, found.starts))  # ties: phrases as written come first
        found = Found(*(column[order] for column in found))
    if not len(found.starts):
        return found
    # A phrase that starts after the ends of all earlier ones begins a group of overlapping phrases.
    reach = np.maximum.accumulate(found.ends)
    begins = np.concatenate([[True], found.starts[1:] >= reach[:-1]])
    kept = begins.copy()
    starts, ends = found.starts.tolist(), found.ends.tolist()
    free = 0
    for i in np.flatnonzero(~begins | ~np.append(begins[1:], True)).tolist():
        kept[i] = begins[i] or starts[i] >= free
        if kept[i]:
            free = ends[i]
    return Found(*(column[kept] for column in found))


def read_lines(path: Path) -> tuple[list[tuple[str, str]], int]:
    """Return the lines of a file of phrases, each with its file:line, and the number of comments.

    Empty lines and comments are left out. A comment begins with "# " (a hash and a blank); "#NYC" is a
    phrase. Errors: CorpusError with file:line for bytes that are not UTF-8.
    """
    lines, comments = [], 0
    with open_input(path) as (stream, source):
        for n, raw in enumerate(stream.read().split(b"\n"), 1):
            try:
                line = raw.decode("utf-8-sig" if n == 1 else "utf-8").rstrip("\r")
            except UnicodeDecodeError:
                raise CorpusError(
                    f"{source}:{n}: found bytes that are not UTF-8, expected UTF-8 text; convert the file, "
                    "for example by iconv -f latin1 -t utf-8"
                ) from None
            if line.rstrip() == "#" or line.startswith(("# ", "#\t")):
                comments += 1
            elif line.strip():
                lines.append((f"{source}:{n}", line))
    return lines, comments


def ways_to_cut(phrase: str) -> list[list[str]]:
    """Return the ways to cut a phrase into words.

    The first way is that of running text. The second cuts only at blanks, as a text with given tokens may do
    (C++, rock'n'roll). If both are the same, there is one way. If there is no word, the result is empty.
    """
    usual = [phrase[start:end] for start, end in tokenize(phrase)]
    ways = [usual, phrase.split()] if usual else []
    return ways[:1] if len(ways) > 1 and ways[0] == ways[1] else ways
