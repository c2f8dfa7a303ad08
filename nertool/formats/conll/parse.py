"""CoNLL columns → a corpus: the lines are looked up, and their kinds become flat arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice

import numpy as np

from nertool.corpus.build import count
from nertool.corpus.columnar import Corpus, Interner, Offsets
from nertool.corpus.ledger import Ledger
from nertool.corpus.schemes import check_tag
from nertool.errors import CorpusError
from nertool.formats.conll.rows import (
    BREAK,
    PASSED,
    FaultyLine,
    Kinds,
    Layout,
    Rows,
    find_layout,
    read_line,
    starts_of,
)

_LOOK_AHEAD = 1000  # lines read to find the delimiter and the number of columns


@dataclass(frozen=True)
class Columns:
    """Where the words and the tags are: column numbers from 0; negative ones count from the end.

    comment: lines that start with it are no data; empty for none, since "#" is a word, too.
    hash_comments: a line that starts with "#" and has not the width of the others is a comment.
    layout: None to find it. header: the number of the line that names the columns, 0 for none.
    sentence: the column whose change, or any value after none, begins a sentence.
    """

    token: int = 0
    tag: int | None = -1
    comment: str = ""
    hash_comments: bool = False
    layout: Layout | None = None
    header: int = 0
    sentence: int | None = None

    def rows(self, layout: Layout, source: str) -> Rows:
        """Return how rows of this layout are read. Errors: CorpusError for a column that isn't there."""
        token = column_index(self.token, layout, "corpus.token_column, or --token-column", source)
        return Rows(layout, token, self.comment, self.hash_comments)


def parse_conll(lines: Iterator[str], columns: Columns, source: str, first: int = 1) -> Corpus:
    """Read lines of CoNLL columns into flat arrays; `source` and the first line's number name them in
    messages.

    Errors: CorpusError with file:line for a ragged row, an empty word or tag, a column that isn't
    there, and lines without a single token.
    """
    head = list(islice(lines, _LOOK_AHEAD))
    while (layout := columns.layout or find_layout(head, columns.comment)) is None:
        more = list(islice(lines, _LOOK_AHEAD))
        if not more:
            break
        head += more
    if layout is None:
        raise _no_token(source)
    rows = columns.rows(layout, source)
    tag_column = None
    if columns.tag is not None:
        key = "corpus.tag_column, or --tag-column"
        tag_column = column_index(columns.tag, layout, key, source)
    if tag_column == rows.column:
        raise CorpusError(
            f"{source}: found {layout}, expected a column of tags beside the words; "
            "set corpus.token_column and corpus.tag_column (or --token-column and --tag-column) to two "
            "different columns"
        )
    known = _KnownLines(rows, tag_column, columns.sentence)
    return known.corpus(chain(head, lines), columns.header, source, first)


class _KnownLines(dict[str, int]):
    """What each distinct line is, found once: a kind of rows.py, or the number of a token's row.

    word_ids, tag_ids, names: of each such row, its word, its tag and the entry of its sentence column.
    """

    def __init__(self, rows: Rows, tag_column: int | None, sentence_column: int | None) -> None:
        super().__init__()
        self.rows, self.tag_column, self.sentence_column = rows, tag_column, sentence_column
        self.words, self.tags, self.names = Interner(), Interner(), Interner()
        self.word_ids: list[int] = []
        self.tag_ids: list[int] = []
        self.name_ids: list[int] = []

    def __missing__(self, line: str) -> int:
        fields = read_line(line, self.rows)
        if isinstance(fields, int):
            kind = fields
        else:
            kind = len(self.word_ids)
            self.word_ids.append(self.words[fields[self.rows.column]])
            if self.tag_column is not None:
                tag = fields[self.tag_column].strip()
                if tag not in self.tags:
                    check_tag(tag)
                self.tag_ids.append(self.tags[tag])
            if self.sentence_column is not None:
                self.name_ids.append(self.names[fields[self.sentence_column]])
        self[line] = kind
        return kind

    def kinds(self, lines: Iterable[str], header: int, source: str, first: int) -> Kinds:
        """Return what each line is. Errors: CorpusError with file:line."""
        found: list[int] = []
        try:
            if not header:
                found.extend(map(self.__getitem__, lines))
            for line in lines:
                found.append(PASSED if first + len(found) == header else self[line])
        except FaultyLine as fault:
            raise CorpusError(f"{source}:{first + len(found)}: {fault.what}") from None
        except CorpusError as error:
            raise CorpusError(f"{source}:{first + len(found)}: {error}") from None
        return np.array(found, dtype=np.int32)

    def corpus(self, lines: Iterable[str], header: int, source: str, first: int) -> Corpus:
        """Read lines as a corpus. Errors: as parse_conll."""
        kinds = self.kinds(lines, header, source, first)
        at = np.flatnonzero(kinds >= 0)
        if not len(at):
            raise _no_token(source)
        row = kinds[at]
        passed = int((kinds == PASSED).sum()) - bool(header)
        if self.sentence_column is not None:
            kinds = self._with_breaks(kinds, at)
        sentence_starts, document_starts = starts_of(kinds)
        passed_over = f", {passed:,} comment lines passed over" * bool(passed)
        return Corpus(
            source=source,
            words=list(self.words),
            word_ids=np.array(self.word_ids, dtype=np.int32)[row],
            tags=list(self.tags),
            tag_ids=np.array(self.tag_ids, dtype=np.int32)[row if self.tag_ids else []],
            sentence_starts=sentence_starts,
            document_starts=document_starts,
            line_numbers=(at + first).astype(np.int32),
            layout=f"{self.rows.layout}{passed_over}",
            columns=self.rows.layout.width,
        )

    def _with_breaks(self, kinds: Kinds, at: Offsets) -> Kinds:
        """Put a break before each token whose entry in the sentence column differs from the last one
        that is not empty."""
        names = np.array(self.name_ids, dtype=np.int32)[kinds[at]]
        named = np.flatnonzero(names != self.names.get("", -1))
        new = named[np.diff(names[named], prepend=-1) != 0]
        return np.insert(kinds, at[new], BREAK)


def _no_token(source: str) -> CorpusError:
    return CorpusError(f"{source}: found no token, expected lines of a word and its tag")


def column_index(column: int, layout: Layout, key: str, source: str) -> int:
    """Turn a column number (negative: from the end) into an index, or say that it isn't there."""
    index = column + layout.width if column < 0 else column
    if not 0 <= index < layout.width:
        raise CorpusError(
            f"{source}: found {layout}, expected a column {column} ({key}; columns count from 0, "
            "-1 is the last); set it to a column that is there"
        )
    return index


def parse_piece(
    lines: list[str], first: int, columns: Columns, source: str, ledger: Ledger
) -> Corpus | None:
    """Read some lines of CoNLL columns, the first of which has the number `first`; None if they hold no
    token."""
    lines = [line.removesuffix("\r") for line in lines]
    if columns.layout is None or not _holds_token(lines, first, columns, source):
        return None
    corpus = parse_conll(iter(lines), replace(columns, tag=None), source, first)
    count(corpus, ledger, files=0)
    return corpus


def _holds_token(lines: list[str], first: int, columns: Columns, source: str) -> bool:
    assert columns.layout is not None
    rows = columns.rows(columns.layout, source)
    for number, line in enumerate(lines, first):
        if number == columns.header:
            continue
        try:
            if not isinstance(read_line(line, rows), int):
                return True
        except FaultyLine:  # parsing it names its line
            return True
    return False
