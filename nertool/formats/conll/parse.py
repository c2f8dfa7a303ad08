"""Read CoNLL columns into a corpus. Each distinct line is read once; the result is flat arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice

import numpy as np

from nertool.corpus.build import count
from nertool.corpus.columnar import Corpus, Interner, Offsets
from nertool.corpus.ledger import Ledger
from nertool.corpus.schemes import OUTSIDE, checked_tag
from nertool.errors import CorpusError
from nertool.formats.conll.brackets import tags_of_brackets
from nertool.formats.conll.rows import (
    BREAK,
    PASSED,
    FaultyLine,
    Kinds,
    Layout,
    Rows,
    faults_told,
    find_layout,
    read_line,
    starts_of,
)

_FIRST_FAULT = -10
_LOOK_AHEAD = 1000  # lines from which the delimiter and the number of columns are detected


@dataclass(frozen=True)
class Columns:
    """Where the words and the tags are.

    token, tag: column numbers from 0; negative ones count from the end. tag is None for unlabelled text.
    comment: how comment lines begin. Empty by default, because "#" is a word, too. hash_comments: see Rows.
    layout: None to detect it. header: the number of the line that names the columns, 0 if there is none.
    sentence: a column of sentence ids; a new value in it begins a sentence, an empty cell continues one.
    outside: the tag of tokens in no entity. brackets: whether tags are (PER*, * and *), as in CoNLL-2012.
    class_name: as in Reading.
    """

    token: int = 0
    tag: int | None = -1
    comment: str = ""
    hash_comments: bool = False
    layout: Layout | None = None
    header: int = 0
    sentence: int | None = None
    outside: str = "O"
    brackets: bool = False
    class_name: str | None = None

    def rows(self, layout: Layout, source: str) -> Rows:
        """Return how rows of this layout are read. Errors: CorpusError for a column that does not exist."""
        token = column_index(self.token, layout, "corpus.token_column, or --token-column", source)
        return Rows(layout, token, self.comment, self.hash_comments)


def parse_conll(
    lines: Iterator[str],
    columns: Columns,
    source: str,
    first: int = 1,
    skipped: Ledger | None = None,
) -> Corpus:
    """Read lines of CoNLL columns into flat arrays.

    source: the file's name in messages. first: the number of the first line. skipped: counts the sentences
    with a faulty row, which are left out. None: a faulty row is an error. Errors: CorpusError with file:line
    for a row with a wrong number of columns, an empty word or tag, a column that does not exist, and lines
    without any token. It names all faulty rows at once, up to 20.
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
    known = _KnownLines(rows, tag_column, columns)
    return known.corpus(chain(head, lines), source, first, skipped)


class _KnownLines(dict[str, int]):
    """Maps each distinct line to a kind of rows.py, to the number of its row, or to the number of a fault.

    Faults are numbered downwards from _FIRST_FAULT. word_ids, tag_ids, name_ids: of each distinct row, the
    word, the tag and the value of the sentence column. faults: the description of each distinct faulty line.
    """

    def __init__(self, rows: Rows, tag_column: int | None, columns: Columns) -> None:
        super().__init__()
        self.rows, self.tag_column, self.columns = rows, tag_column, columns
        self.words, self.tags, self.names = Interner(), Interner(), Interner()
        self.word_ids: list[int] = []
        self.tag_ids: list[int] = []
        self.name_ids: list[int] = []
        self.faults: list[str] = []
        self.fault_names: list[int] = []

    def __missing__(self, line: str) -> int:
        try:
            kind = self._kind(line)
        except FaultyLine as fault:
            kind = _FIRST_FAULT - len(self.faults)
            self.faults.append(fault.what)
            if self.columns.sentence is not None:
                fields = self.rows.layout.split(line)
                name = fields[self.columns.sentence] if self.columns.sentence < len(fields) else ""
                self.fault_names.append(self.names[name])
        self[line] = kind
        return kind

    def _kind(self, line: str) -> int:
        fields = read_line(line, self.rows)
        if isinstance(fields, int):
            return fields
        if self.tag_column is not None:
            tag = fields[self.tag_column].strip()
            if tag == self.columns.outside:
                tag = OUTSIDE
            if tag not in self.tags and not self.columns.brackets:
                try:
                    tag = checked_tag(tag, self.columns.class_name)
                except CorpusError as error:
                    raise FaultyLine(str(error)) from None
            self.tag_ids.append(self.tags[tag])
        if self.columns.sentence is not None:
            self.name_ids.append(self.names[fields[self.columns.sentence]])
        self.word_ids.append(self.words[fields[self.rows.column]])
        return len(self.word_ids) - 1

    def corpus(
        self, lines: Iterator[str], source: str, first: int, skipped: Ledger | None
    ) -> Corpus:
        """Read lines as a corpus. Errors: see parse_conll."""
        kinds = self.kinds(lines, self.columns.header - first)
        passed = int((kinds == PASSED).sum()) - (self.columns.header >= first)
        if self.faults:
            self.handle_faults(kinds, source, first, skipped)
        at = np.flatnonzero(kinds >= 0)
        if not len(at):
            raise _no_token(source)
        row = kinds[at]
        if self.columns.sentence is not None:
            kinds = np.insert(kinds, self._named_starts(kinds), BREAK)
        sentence_starts, document_starts = starts_of(kinds)
        tags, tag_ids = list(self.tags), np.empty(0, dtype=np.int32)
        if self.tag_column is not None:
            tag_ids = np.array(self.tag_ids, dtype=np.int32)[row]
        if self.columns.brackets and self.tag_column is not None:
            tags, tag_ids = tags_of_brackets(tags, tag_ids, sentence_starts)
        passed_over = f", {passed:,} comment lines passed over" * (passed > 0)
        return Corpus(
            source=source,
            words=list(self.words),
            word_ids=np.array(self.word_ids, dtype=np.int32)[row],
            tags=tags,
            tag_ids=tag_ids,
            sentence_starts=sentence_starts,
            document_starts=document_starts,
            line_numbers=(at + first).astype(np.int32),
            layout=f"{self.rows.layout}{passed_over}",
            columns=self.rows.layout.width - (self.columns.sentence is not None),
            comments=max(0, passed),
        )

    def kinds(self, lines: Iterator[str], header: int) -> Kinds:
        """Return the kind of each line. header: the index of the header line, negative if there is none."""
        before = np.fromiter(map(self.__getitem__, islice(lines, max(0, header))), np.int32)
        named = header >= 0 and next(lines, None) is not None
        rest = np.fromiter(map(self.__getitem__, lines), np.int32)
        return np.concatenate([before, np.full(int(named), PASSED, dtype=np.int32), rest])

    def handle_faults(self, kinds: Kinds, source: str, first: int, skipped: Ledger | None) -> None:
        """Leave out the sentences with a faulty row, or raise an error if `skipped` is None.

        Errors: CorpusError with the first fault, and the line numbers of the first 20.
        """
        faulty = np.flatnonzero(kinds <= _FIRST_FAULT)
        if skipped is None:
            told = [(first + int(i), self.faults[_FIRST_FAULT - kinds[i]]) for i in faulty.tolist()]
            raise CorpusError(faults_told(told, source))
        ends = np.flatnonzero((kinds < 0) & (kinds > _FIRST_FAULT) & (kinds != PASSED))
        starts = np.concatenate([[0], ends + 1])
        if self.columns.sentence is not None:
            starts = np.concatenate([starts, self._named_starts(kinds)])
        starts = np.unique(starts)
        bounds = np.append(starts, len(kinds))
        for i in np.unique(np.searchsorted(starts, faulty, side="right") - 1).tolist():
            start, end = int(bounds[i]), int(bounds[i + 1])
            for line in faulty[(faulty >= start) & (faulty < end)].tolist():
                what = self.faults[_FIRST_FAULT - kinds[line]]
                skipped.note(f"{source}:{first + line}", "a faulty row", what)
            place = f"{source}:{first + start}"
            skipped.refuse(
                place, "sentences with a faulty row", f"lines {first + start}–{first + end - 1}"
            )
            kinds[start:end] = PASSED

    def _named_starts(self, kinds: Kinds) -> Offsets:
        """Return the lines that begin a sentence by the sentence column: those whose value is not empty, and
        differs from the last value before that was not empty."""
        at = np.flatnonzero((kinds >= 0) | (kinds <= _FIRST_FAULT))
        of_rows = kinds[at]
        # Faulty rows are numbered downwards: their names are at the end of the list, in reverse order.
        of_rows = np.where(of_rows < 0, of_rows - _FIRST_FAULT - 1, of_rows)
        names = np.array([*self.name_ids, *reversed(self.fault_names)], dtype=np.int32)[of_rows]
        named = np.flatnonzero(names != self.names.get("", -1))
        starts: Offsets = at[named[np.diff(names[named], prepend=-1) != 0]]
        return starts


def _no_token(source: str) -> CorpusError:
    return CorpusError(f"{source}: found no token, expected lines of a word and its tag")


def column_index(column: int, layout: Layout, key: str, source: str) -> int:
    """Turn a column number, where a negative one counts from the end, into an index.

    Errors: CorpusError if there is no such column. key: the config key and option to name in the message.
    """
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
    """Read some lines of CoNLL columns as unlabelled text. first: the number of the first line.

    None if the lines hold no token.
    """
    lines = [line.removesuffix("\r") for line in lines]
    if columns.layout is None or not _holds_token(lines, first, columns, source):
        return None
    corpus = parse_conll(iter(lines), replace(columns, tag=None), source, first)
    count(corpus, ledger, files=0)
    return corpus


def outline(
    lines: list[str], first: int, columns: Columns, source: str
) -> tuple[Offsets, Offsets, Offsets]:
    """Return the sentences and documents of some lines of CoNLL columns, without reading words and tags.

    Returns sentence_starts (S+1,) in tokens, document_starts (D+1,) in sentences, and the index of each
    token's line (N,). A faulty row counts as a token. first: the number of the first line.
    """
    if columns.layout is None:
        return np.zeros(1, np.int64), np.zeros(1, np.int64), np.zeros(0, np.int64)
    known = _KnownLines(columns.rows(columns.layout, source), None, replace(columns, tag=None))
    bare = (line.removesuffix("\r") for line in lines)
    kinds = known.kinds(bare, columns.header - first)
    breaks = np.zeros(0, np.int64) if columns.sentence is None else known._named_starts(kinds)
    kinds[kinds <= _FIRST_FAULT] = 0
    return *starts_of(np.insert(kinds, breaks, BREAK)), np.flatnonzero(kinds >= 0)


def blank_faulty_sentences(
    lines: list[str], first: int, columns: Columns, source: str, skipped: Ledger
) -> list[str] | None:
    """Replace the lines of each sentence with a faulty row by blank lines. None if no row is faulty.

    The other lines keep their numbers. skipped: counts the sentences.
    """
    if columns.layout is None:
        return None
    known = _KnownLines(columns.rows(columns.layout, source), None, replace(columns, tag=None))
    bare = [line.removesuffix("\r") for line in lines]
    kinds = known.kinds(iter(bare), columns.header - first)
    if not known.faults:
        return None
    before = kinds.copy()
    known.handle_faults(kinds, source, first, skipped)
    changed = (kinds != before).tolist()
    return [
        line[len(own) :] if blank else line
        for line, own, blank in zip(lines, bare, changed, strict=True)
    ]


def _holds_token(lines: list[str], first: int, columns: Columns, source: str) -> bool:
    assert columns.layout is not None
    rows = columns.rows(columns.layout, source)
    for number, line in enumerate(lines, first):
        if number == columns.header:
            continue
        try:
            if not isinstance(read_line(line, rows), int):
                return True
        except FaultyLine:  # parse_conll reports the line
            return True
    return False
