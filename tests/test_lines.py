"""What each line of CoNLL columns is, told with a look at every line, and without one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nertool.corpus.blocks import Block
from nertool.corpus.conll import Layout
from nertool.corpus.lines import BREAK, DOCUMENT, MARK, PASSED, Lines, Rows, starts_of
from nertool.errors import CorpusError

ROWS = Rows(Layout(" ", 2), 0, comment="%", hash_comments=True)
LINES = [
    "Ada X",
    "",
    "-DOCSTART- O",
    "-DOCSTART-",
    "% met",
    "# id = 1",
    "# X",
    " \t",
    "\u3000",
    "é X",
]


def test_each_line_is_told_once_by_what_it_holds():
    lines = Lines(ROWS)
    kinds = lines.kinds([*LINES, "Ada Y", "met X"], 1, "x")
    expected = [0, BREAK, DOCUMENT, MARK, PASSED, PASSED, 1, BREAK, BREAK, 2, 0, 3]
    assert kinds.tolist() == expected
    assert list(lines.words) == ["Ada", "#", "é", "met"]
    assert kinds.dtype == np.int32


def test_a_line_that_is_no_row_is_named():
    with pytest.raises(CorpusError, match="x:8: found 3 columns, expected 2"):
        Lines(ROWS).kinds(["Ada X", "met X Y"], 7, "x")
    with pytest.raises(CorpusError, match="x:1: found an empty word"):
        Lines(Rows(Layout("\t", 2), 0)).kinds(["\tX"], 1, "x")


def test_sentences_and_documents_start_where_lines_say():
    text = [
        "a X",
        "b X",
        "",
        "-DOCSTART- O",
        "",
        "c X",
        "# k = 1",
        "d X",
        "",
        "",
        "e X",
        "-DOCSTART-",
        "f X",
    ]
    sentences, documents = starts_of(Lines(ROWS).kinds(text, 1, "x"))
    assert sentences.tolist() == [0, 2, 4, 5, 6]  # a b | c d | e | f
    assert documents.tolist() == [0, 1, 3, 4]


@given(
    lines=st.lists(
        st.one_of(
            st.sampled_from(LINES), st.sampled_from(["x X Y", "中 X", "\xa0", "—", "- X", "-a X"])
        ),
        max_size=12,
    ),
    end=st.sampled_from(["\n", "\r\n"]),
    ended=st.booleans(),
)
def test_an_outline_is_what_a_look_at_every_line_says(lines, end, ended):
    block = Block(end.join(lines) + end * (ended and bool(lines)), 1)
    kinds, starts = Lines(ROWS).outline(block)
    own = Lines(ROWS)

    def kind(line: str) -> int:
        try:
            return min(0, own.kinds([line], 1, "x")[0])
        except CorpusError:  # what is no row is taken for a word; reading it will say what it is
            return 0

    assert kinds.tolist() == [kind(line) for line in block.lines]
    raw = block.text.encode()
    for line, start in zip(block.lines, starts, strict=True):
        assert raw[start:].startswith(line.encode())
