"""CoNLL-style columns: a token a line, blank lines between sentences, -DOCSTART- between documents."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice

import numpy as np

from nertool.corpus.blocks import is_blank
from nertool.corpus.build import count
from nertool.corpus.columnar import Corpus, Interner
from nertool.corpus.ledger import Ledger
from nertool.corpus.schemes import check_tag
from nertool.errors import CorpusError

DOCUMENT_START = "-DOCSTART-"
_LOOK_AHEAD = 1000  # lines read to find the delimiter and the number of columns


_NAMED = {"\t": "tabs", " ": "spaces", ",": "commas", ";": "semicolons", "|": "bars"}
_HASH = re.compile(r"#\s+\w+\s*=\s")


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


@dataclass(frozen=True)
class Layout:
    """What a file's first lines show: its delimiter and its number of columns."""

    delimiter: str
    width: int

    def split(self, line: str) -> list[str]:
        """Cut a line into its columns; runs of spaces are one delimiter, each tab is one of its own."""
        if self.delimiter == ",":
            try:
                return next(csv.reader([line]), [""])  # quoted, as tables are
            except csv.Error:  # a bare CR inside, or a cell of a hundred thousand characters
                return line.split(",")
        if self.delimiter != " ":
            return line.split(self.delimiter)
        fields = line.split(" ")
        return [field for field in fields if field] if "" in fields else fields

    def __str__(self) -> str:
        return f"{self.width} column{'s' * (self.width != 1)}" + (
            f" divided by {_NAMED.get(self.delimiter, repr(self.delimiter))}" * (self.width > 1)
        )


def is_document_start(line: str) -> bool:
    """Tell whether a line marks a document: its first column is -DOCSTART-, whatever stands beside it."""
    return line.startswith(DOCUMENT_START) and line[len(DOCUMENT_START) :][:1] in ("", " ", "\t")


def find_layout(lines: Iterable[str], comment: str = "") -> Layout | None:
    """Find the delimiter and width from the first token lines: tabs if one is there.

    None if there is no token.
    """
    tokens = [
        line
        for line in lines
        if not is_blank(line)
        and not is_document_start(line)
        and not (comment and line.startswith(comment))
    ]
    if not tokens:
        return None
    delimiter = "\t" if any("\t" in line for line in tokens) else " "
    return Layout(delimiter, len(Layout(delimiter, 0).split(tokens[0])))


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
        raise CorpusError(f"{source}: found no token, expected lines of a word and its tag")
    token_column = column_index(
        columns.token, layout, "corpus.token_column, or --token-column", source
    )
    tag_column = (
        None
        if columns.tag is None
        else column_index(columns.tag, layout, "corpus.tag_column, or --tag-column", source)
    )
    if tag_column == token_column:
        raise CorpusError(
            f"{source}: found {layout}, expected a column of tags beside the words; "
            "set corpus.token_column and corpus.tag_column (or --token-column and --tag-column) to two "
            "different columns"
        )

    words, tags = Interner(), Interner()
    word_ids: list[int] = []
    tag_ids: list[int] = []
    line_numbers: list[int] = []
    sentence_starts: list[int] = [0]
    document_starts: list[int] = [0]

    def end_sentence() -> None:
        if len(word_ids) > sentence_starts[-1]:
            sentence_starts.append(len(word_ids))

    width, split, comment = layout.width, layout.split, columns.comment
    comments = 0
    sentence_name = ""
    for number, line in enumerate(chain(head, lines), first):
        if not line or line.isspace():
            end_sentence()
            continue
        if line[0] == "-" and is_document_start(line):
            end_sentence()
            if len(sentence_starts) - 1 > document_starts[-1]:
                document_starts.append(len(sentence_starts) - 1)
            continue
        if number == columns.header:
            continue
        if comment and line.startswith(comment):
            comments += 1
            continue
        fields = split(line)
        if columns.hash_comments and is_hash_comment(line, len(fields), width):
            comments += 1
            continue
        if len(fields) != width:
            raise CorpusError(
                f"{source}:{number}: found {len(fields)} columns, expected {width} as in the lines "
                "before; mend the line (a blank in a word? a missing tag?)"
            )
        word = fields[token_column]
        if not word or word.isspace():
            raise CorpusError(
                f"{source}:{number}: found an empty word, expected a token; mend the line"
            )
        if columns.sentence is not None:
            name = fields[columns.sentence]
            if name and name != sentence_name:
                end_sentence()
                sentence_name = name
        word_ids.append(words[word])
        line_numbers.append(number)
        if tag_column is not None:
            tag = fields[tag_column].strip()
            if tag not in tags:
                check_tag(tag, f"{source}:{number}")
            tag_ids.append(tags[tag])
    end_sentence()
    if len(sentence_starts) - 1 > document_starts[-1]:
        document_starts.append(len(sentence_starts) - 1)
    if not word_ids:
        raise CorpusError(f"{source}: found no token, expected lines of a word and its tag")

    passed_over = f", {comments:,} comment lines passed over" * bool(comments)
    return Corpus(
        source=source,
        words=list(words),
        word_ids=np.array(word_ids, dtype=np.int32),
        tags=list(tags),
        tag_ids=np.array(tag_ids, dtype=np.int32),
        sentence_starts=np.array(sentence_starts, dtype=np.int64),
        document_starts=np.array(document_starts, dtype=np.int64),
        line_numbers=np.array(line_numbers, dtype=np.int32),
        layout=f"{layout}{passed_over}",
        columns=layout.width,
    )


def is_hash_comment(line: str, width: int, usual: int) -> bool:
    """Tell whether a line that starts with # is a comment: of another width, or `# key = value`."""
    return line[0] == "#" and (width != usual or (usual > 1 and bool(_HASH.match(line))))


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
    """Read a piece of CoNLL columns whose first line has the number `first`; None if it has no token."""
    lines = [line.removesuffix("\r") for line in lines]
    header = columns.header - first
    bare = all(
        is_blank(line)
        or is_document_start(line)
        or (columns.comment and line.startswith(columns.comment))
        or (columns.hash_comments and line.startswith("#") and not _is_row(line, columns.layout))
        or i == header
        for i, line in enumerate(lines)
    )
    if bare:
        return None
    corpus = parse_conll(iter(lines), replace(columns, tag=None), source, first)
    count(corpus, ledger, files=0)
    return corpus


def _is_row(line: str, layout: Layout | None) -> bool:
    """Tell whether a line that starts with # is as wide as the others: a token, not a comment."""
    if layout is None:
        return True
    return not is_hash_comment(line, len(layout.split(line)), layout.width)
