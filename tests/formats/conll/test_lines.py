"""What each line of CoNLL columns is, told with a look at every line, and without one."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nertool.corpus.blocks import Block
from nertool.errors import CorpusError
from nertool.formats.conll import lines as lines_module
from nertool.formats.conll import linetable
from nertool.formats.conll.lines import Lines
from nertool.formats.conll.parse import Columns, parse_conll
from nertool.formats.conll.rows import BREAK, DOCUMENT, MARK, PASSED, Layout, Rows, starts_of
from nertool.predict import blocks as predict_blocks

pytestmark = pytest.mark.usefixtures("either_way")

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


def kinds_of(lines: Lines, texts: list[str], first: int = 1) -> np.ndarray:
    return lines.kinds(Block("".join(text + "\n" for text in texts), first), "x")[0]


def test_each_line_is_told_once_by_what_it_holds():
    lines = Lines(ROWS)
    kinds = kinds_of(lines, [*LINES, "Ada Y", "met X"])
    expected = ["Ada", BREAK, DOCUMENT, MARK, PASSED, PASSED, "#", BREAK, BREAK, "é", "Ada", "met"]
    words = lines.words_from(0)
    assert [words[kind] if kind >= 0 else kind for kind in kinds.tolist()] == expected
    assert sorted(words) == ["#", "Ada", "met", "é"]
    assert lines.words_from(2) == words[2:]
    assert kinds.dtype == np.int32


def test_a_line_that_is_no_row_is_named():
    with pytest.raises(CorpusError, match="x:8: found 3 columns, expected 2"):
        kinds_of(Lines(ROWS), ["Ada X", "met X Y"], 7)
    with pytest.raises(CorpusError, match="x:1: found an empty word"):
        kinds_of(Lines(Rows(Layout("\t", 2), 0)), ["\tX"])


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
    sentences, documents = starts_of(kinds_of(Lines(ROWS), text))
    assert sentences.tolist() == [0, 2, 4, 5, 6]  # a b | c d | e | f
    assert documents.tolist() == [0, 1, 3, 4]


@given(
    lines=st.lists(
        st.one_of(
            st.sampled_from(LINES),
            st.sampled_from(["x X Y", "中 X", "\xa0", "—", "- X", "-a X", " ", "  ", " X"]),
        ),
        max_size=12,
    ),
    end=st.sampled_from(["\n", "\r\n"]),
    ended=st.booleans(),
    delimiter=st.sampled_from(" \t,;|"),
)
def test_an_outline_is_what_a_look_at_every_line_says(lines, end, ended, delimiter):
    lines = [line.replace(" ", delimiter) for line in lines]
    rows = ROWS._replace(layout=Layout(delimiter, 2))
    block = Block(end.join(lines) + end * (ended and bool(lines)), 1)
    kinds, starts = Lines(rows).outline(block)
    own = Lines(rows)

    def kind(line: str) -> int:
        try:
            return min(0, kinds_of(own, [line])[0])
        except CorpusError:  # what is no row is taken for a word; reading it will say what it is
            return 0

    assert kinds.tolist() == [kind(line) for line in block.lines]
    raw = block.text.encode()
    for line, start in zip(block.lines, starts, strict=True):
        assert raw[start:].startswith(line.encode())


@settings(max_examples=60, deadline=None)
@given(
    lines=st.lists(st.sampled_from([*LINES, "Ada Y", "中 X", "- X", "Ada", "x X Y"]), max_size=12)
)
def test_blocks_and_whole_corpora_are_read_by_one_definition_of_a_line(lines):
    columns = Columns(comment="%", hash_comments=True, layout=Layout(" ", 2))
    own = Lines(ROWS)
    try:
        kinds = kinds_of(own, lines)
    except CorpusError as refused:
        with pytest.raises(CorpusError, match=re.escape(str(refused))):
            parse_conll(iter(lines), columns, "x")
        return
    if not (kinds >= 0).any():
        return
    corpus = parse_conll(iter(lines), columns, "x")
    words = own.words_from(0)
    assert [corpus.words[i] for i in corpus.word_ids] == [words[i] for i in kinds[kinds >= 0]]
    sentence_starts, document_starts = starts_of(kinds)
    assert corpus.sentence_starts.tolist() == sentence_starts.tolist()
    assert corpus.document_starts.tolist() == document_starts.tolist()
    assert corpus.line_numbers.tolist() == [i for i, kind in enumerate(kinds, 1) if kind >= 0]


def test_the_search_for_documents_remembers_no_more_lines_than_reading_does(monkeypatch):
    # In a text whose every line might be blank, as far as its first byte goes.
    monkeypatch.setattr(lines_module, "_REMEMBERED", 5)
    begun = []
    monkeypatch.setattr(
        predict_blocks, "Lines", lambda rows: begun.append(Lines(rows)) or begun[-1]
    )
    blocks = (Block("".join(f"あ{n}{i} X\n" for i in range(4)) + "\n", 1 + 5 * n) for n in range(9))
    assert (
        "".join(b.text for b in predict_blocks.whole_columns(blocks, ROWS, True)).count("\n\n") == 9
    )
    assert len(begun) > 1


TEXTS = st.lists(
    st.text(st.characters(exclude_characters="\n", codec="utf-8"), max_size=9), max_size=30
)


@pytest.mark.parametrize("collide", [False, True])
@pytest.mark.parametrize("bits", [1, 3, 18])
@settings(max_examples=60, deadline=None)
@given(blocks=st.lists(TEXTS, max_size=3), chunk=st.integers(0, 40))
def test_no_two_lines_are_taken_for_one(collide, bits, blocks, chunk):
    # Tables of two and of eight places, where lines lose theirs to others; and equal hashes for all.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(linetable, "_BITS", bits)
        patch.setattr(linetable, "_PIECE", chunk)
        if collide:
            patch.setattr(linetable, "_POWERS", np.zeros(64, dtype=np.uint64))
        own = Lines(Rows(Layout("\n", 1), 0))
        expected = Lines(Rows(Layout("\n", 1), 0))
        for texts in blocks:
            block = Block("\n".join(texts), 1)
            kinds, raw = own.kinds(block, "x")
            assert kinds.tolist() == [expected[line.encode()] for line in block.lines]
            assert raw.tobytes() == (block.text + "\n" * (not block.ended)).encode()


def test_lines_longer_than_the_powers_are_told_apart_too():
    long = "a" * 200
    texts = [long, long + "b", long, "b" + long, long[:-1], long + "b"]
    assert kinds_of(Lines(Rows(Layout("\t", 1), 0)), texts).tolist() == [0, 1, 0, 2, 3, 1]
