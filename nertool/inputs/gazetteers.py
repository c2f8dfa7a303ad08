"""Gazetteers: lists of phrases, such as all cities, as a feature of a text's words.

inputs/phrases.py finds the phrases. Each list marks the words of its phrases as begin, inside, end or
single. A mark is a row of one trained table, which has four rows for each list. Row 0 is for words outside
of a list's phrases, and for the paddings. So the network learns how far to trust each list.

A model contains the phrases, so that its folder is complete without the original lists.
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
    """Lists of phrases by name. phrases: for each list its phrases, whose words are separated by blanks."""

    def __init__(self, phrases: Mapping[str, Sequence[str]]) -> None:
        self.phrases = {name: list(own) for name, own in phrases.items()}
        self._lists = PhraseLists(len(self.phrases))
        for i, own in enumerate(self.phrases.values()):
            for phrase in own:
                self._lists.add(phrase.split(" "), into=i)

    def __reduce__(self) -> tuple[type[Gazetteers], tuple[dict[str, Words]]]:
        """Pickle only the phrases, in a compact form. The search trees are built again when it is loaded."""
        return Gazetteers, ({name: Words(own) for name, own in self.phrases.items()},)

    @property
    def names(self) -> list[str]:
        """The lists' names, in the order of their columns."""
        return list(self.phrases)

    def rows(self, text: Text) -> Ids:
        """Return each token's row number for each list, (N, lists) int32; 0 outside of the list's phrases."""
        out = np.zeros((len(text.word_ids), len(self.phrases)), dtype=np.int32)
        for i, (starts, ends, _) in enumerate(self.find(text)):
            column = out[:, i]
            column[ranges(starts, ends - starts)] = MARKS * i + INSIDE
            column[starts] = MARKS * i + BEGIN
            column[ends - 1] = MARKS * i + END
            column[starts[ends - starts == 1]] = MARKS * i + SINGLE
        return out

    def find(self, text: Text) -> list[Found]:
        """Return the phrases of each list that are in a text."""
        return self._lists.find_all(text)


def read_gazetteers(
    files: Mapping[str, Sequence[Path]] | None, report: Callable[[str], None]
) -> Gazetteers | None:
    """Read the lists that the config names; return None if it names none. `report` gets a line for each list.

    A file has one phrase on each line. In lines with tabs, only the first column is used. Empty lines and
    comments, which begin with "# ", are left out. Errors: CorpusError with file:line.
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
    """Return, for each phrase of a file, the ways to cut it into words; and the number of comments."""
    try:
        lines, comments = read_lines(path)
    except CorpusError as error:
        raise CorpusError(f"{error} (gazetteer {name})") from None
    cut = (ways_to_cut(line.partition("\t")[0].strip()) for _, line in lines)
    return [[" ".join(words) for words in ways] for ways in cut if ways], comments
