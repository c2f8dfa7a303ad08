"""Blocks of lines: nothing is lost or joined, wherever the reader's pieces happen to end."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nertool.corpus.blocks import (
    Block,
    after_last_sentence,
    read_blocks,
    regrouped,
    whole_sentences,
)
from nertool.errors import CorpusError

TEXTS = st.text(alphabet="aé\u2028\x85 \t\r\n\n\n", max_size=60)


def with_pieces_of_5_bytes(text: str):
    return list(read_blocks(io.BytesIO(text.encode()), "x", size=5))


@given(TEXTS)
def test_blocks_join_to_the_text(text):
    found = with_pieces_of_5_bytes(text)
    assert "".join(block.joined(iter(block.lines)) for block in found) == text


@given(TEXTS)
def test_blocks_know_their_lines_numbers(text):
    lines = text.split("\n")
    for block in with_pieces_of_5_bytes(text):
        assert block.lines == lines[block.first - 1 : block.first - 1 + len(block.lines)]
        assert (block.text == "" or block.text.endswith("\n")) == block.ended


@given(TEXTS)
def test_whole_sentences_end_with_a_blank_line_and_join_to_the_text(text):
    found = list(whole_sentences(iter(with_pieces_of_5_bytes(text))))
    assert "".join(block.joined(iter(block.lines)) for block in found) == text
    lines = text.split("\n")
    for block in found:
        assert block.lines == lines[block.first - 1 : block.first - 1 + len(block.lines)]
    for block in found[:-1]:
        assert not block.lines[-1].strip()


@given(TEXTS)
def test_a_sentence_s_end_is_the_line_after_the_last_blank_one(text):
    block = Block(text, 1)
    lines = text.split("\n")
    whole = lines[:-1] if text.endswith("\n") else lines
    blanks = [i for i, line in enumerate(whole) if not line.strip()]
    at = after_last_sentence(block)
    # Two LFs at once are looked for first: they may lie before another blank line.
    assert text[:at].count("\n") in ({i + 1 for i in blanks} if at else {0})
    assert bool(at) == (bool(blanks) and len(text.encode()) > 0) or len(lines) - 1 in blanks


def test_a_byte_order_mark_stays_outside_the_lines():
    (block,) = read_blocks(io.BytesIO(b"\xef\xbb\xbfa\n"), "x")
    assert block.lines == ["a"]
    assert block.joined(iter(block.lines)) == "\ufeffa\n"


def test_bytes_that_are_not_utf8_are_named_by_their_line():
    with pytest.raises(CorpusError, match=r"x:4: found the byte 0xff"):
        list(read_blocks(io.BytesIO(b"one\ntwo\nthree\nfo\xffur\n"), "x", size=5))


def test_blocks_of_a_long_text_grow_where_they_may():
    text = "abc\n" * 60
    stream = io.BytesIO(text.encode())
    found = list(read_blocks(stream, "x", size=16, largest=64, before_growth=2))
    assert [len(block.text) for block in found] == [16, 16, 32, 32, 64, 64, 16]
    assert "".join(block.text for block in found) == text
    assert [block.first for block in found] == [1, 5, 9, 17, 25, 41, 57]
    alike = read_blocks(io.BytesIO(text.encode()), "x", size=16)
    assert {len(block.text) for block in alike} == {16}


def test_a_sentence_of_many_blocks_is_looked_at_a_few_times_only():
    lines = 4000
    text = "word O\n" * lines + "\nlast O\n"
    seen = 0

    def cut(block: Block) -> int:
        nonlocal seen
        seen += len(block.text)
        return after_last_sentence(block)

    blocks = read_blocks(io.BytesIO(text.encode()), "x", size=32)
    found = list(regrouped(blocks, cut))
    assert "".join(block.text for block in found) == text
    assert [block.text for block in found][-1] == "last O\n"
    assert seen < 4 * len(text)
