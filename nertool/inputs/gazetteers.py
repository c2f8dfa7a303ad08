"""Gazetteers: lists of phrases, such as all cities, as a feature of a text's words.

inputs/phrases.py finds the phrases; each list marks their words as begin, inside, end or single. A mark is a
row of one trained table, four rows a list; row 0 is that of words outside of a list's phrases, and of the
paddings. So the network learns how far to trust each list.

A model keeps the phrases themselves, so that its folder stands alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from nertool.corpus.columnar import Ids, ranges
from nertool.corpus.ledger import counted
from nertool.errors import CorpusError
from nertool.files.wordlist import Words
from nertool.inputs.phrases import Found, PhraseLists, read_lines, ways_to_cut
from nertool.inputs.text import Text

MARKS = 4  # begin, inside, end, single
BEGIN, INSIDE, END, SINGLE = 1, 2, 3, 4


class Gazetteers:
    """Lists of phrases by name. phrases: of each list, each a phrase's words with a blank between them."""

    def __init__(self, phrases: Mapping[str, Sequence[str]]) -> None:
        self.phrases = {name: list(own) for name, own in phrases.items()}
        self._lists = PhraseLists(len(self.phrases))
        for i, own in enumerate(self.phrases.values()):
            for phrase in own:
                self._lists.add(phrase.split(" "), into=i)

    def __reduce__(self) -> tuple[type[Gazetteers], tuple[dict[str, Words]]]:
        """Pickle the phrases alone, packed: the lists to search are made from them anew."""
        return Gazetteers, ({name: Words(own) for name, own in self.phrases.items()},)

    @property
    def names(self) -> list[str]:
        """The lists' names, in the order of their columns."""
        return list(self.phrases)

    def rows(self, text: Text) -> Ids:
        """Return (N, lists) int32: each token's row of the table for each list, 0 outside of its phrases."""
        out = np.zeros((len(text.word_ids), len(self.phrases)), dtype=np.int32)
        for i, (starts, ends, _) in enumerate(self.find(text)):
            column = out[:, i]
            column[ranges(starts, ends - starts)] = MARKS * i + INSIDE
            column[starts] = MARKS * i + BEGIN
            column[ends - 1] = MARKS * i + END
            column[starts[ends - starts == 1]] = MARKS * i + SINGLE
        return out

    def find(self, text: Text) -> list[Found]:
        """Return each list's phrases in a text."""
        return self._lists.find_all(text)


def read_gazetteers(
    files: Mapping[str, Sequence[Path]] | None, report: Callable[[str], None]
) -> Gazetteers | None:
    """Read the lists that the config names; `report` gets a line for each. None where there are none.

    A file has a phrase a line; of lines with tabs the first column counts. Empty lines, and comments, which
    begin with "# ", are left out. Errors: CorpusError with file:line.
    """
    if not files:
        return None
    lists: dict[str, list[str]] = {}
    for name, paths in files.items():
        phrases: dict[str, None] = {}
        others: dict[str, None] = {}
        repeated = comments = 0
        for path in paths:
            found, left_out = _phrases_in(path, name)
            comments += left_out
            for phrase, *other in found:
                repeated += phrase in phrases
                phrases[phrase] = None
                others |= dict.fromkeys(other)
        shown = ", ".join(map(str, paths))
        if not phrases:
            raise CorpusError(f"{shown}: found no phrase, expected one a line (gazetteer {name})")
        more = f"; {repeated:,} more than once" if repeated else ""
        more += f"; {counted(comments, 'comments')} left out" if comments else ""
        report(f"gazetteer {name}: {counted(len(phrases), 'phrases')} in {shown}{more}")
        lists[name] = list(phrases | others)
    return Gazetteers(lists)


def _phrases_in(path: Path, name: str) -> tuple[list[list[str]], int]:
    """Return each phrase of a file in the ways that it may be cut into words, and the number of comments."""
    try:
        lines, comments = read_lines(path)
    except CorpusError as error:
        raise CorpusError(f"{error} (gazetteer {name})") from None
    cut = (ways_to_cut(line.partition("\t")[0].strip()) for _, line in lines)
    return [[" ".join(words) for words in ways] for ways in cut if ways], comments
