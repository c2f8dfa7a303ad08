"""Lines of columns read by a kernel: each is what the definition of a line says, and faults are the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nertool.corpus.blocks import Block
from nertool.errors import CorpusError
from nertool.formats.conll import lines as lines_module
from nertool.formats.conll.lines import Lines
from nertool.formats.conll.rows import PASSED, FaultyLine, Layout, Rows, faults_told, read_line
from nertool.kernels.library import compiled
from nertool.kernels.lines import RowReader
from tests.campaigns.odd.cases import CASES

pytestmark = pytest.mark.skipif(
    not compiled(), reason="nertool was installed without its compiled kernels"
)

FIELD = st.text('ab0"#%-/\r\v\x85\x7f\xa0\u1680\u2000\u200b\u2028\u205f\u3000\ufeffé世', max_size=4)
BLANKS = st.sampled_from(["\t", " ", "  ", "\t\t", " \t"])
LINE = st.lists(st.one_of(FIELD, BLANKS, st.sampled_from(["-DOCSTART-", "# a =", "x"])), max_size=7)


def told(rows: Rows, text: str) -> list[str | int]:
    """Return the word or the kind of each line, by one look at each. Errors: CorpusError for faulty ones."""
    found: list[str | int] = []
    faults = []
    for number, line in enumerate(Block(text, 1).lines, 1):
        try:
            fields = read_line(line.removesuffix("\r"), rows)
        except FaultyLine as fault:
            faults.append((number, fault.what))
            continue
        found.append(fields if isinstance(fields, int) else fields[rows.column])
    if faults:
        raise CorpusError(faults_told(faults, "x"))
    return found


def read(lines: Lines, text: str) -> list[str | int]:
    kinds, _ = lines.kinds(Block(text, 1), "x")
    words = lines.words_from(0)
    return [words[kind] if kind >= 0 else kind for kind in kinds.tolist()]


def outcome(reads: Callable[..., list[str | int]], *given: Any) -> list[str | int] | str:
    try:
        return reads(*given)
    except CorpusError as refused:
        return str(refused)


def agree(lines: Lines, text: str) -> None:
    assert outcome(read, lines, text) == outcome(told, lines.rows, text)


@settings(max_examples=300, deadline=None)
@given(
    blocks=st.lists(st.lists(LINE.map("".join), max_size=6).map("\n".join), min_size=1, max_size=3),
    delimiter=st.sampled_from(["\t", " "]),
    column=st.integers(0, 2),
    more=st.integers(1, 3),
    comment=st.sampled_from(["", "%", "//"]),
    hash_comments=st.booleans(),
    bits=st.sampled_from([1, 3, 16]),
)
@example(["a O\r\n\r\n b O\nc  O \nc\tO O\n", "a O"], " ", 0, 2, "", True, 16)
@example(["a\tO\n \tO\n\tO\na \tO\na\t\n\ta\na\tO\t\n"], "\t", 0, 2, "", True, 16)
def test_a_kernel_reads_each_line_as_a_closer_look_does(
    blocks, delimiter, column, more, comment, hash_comments, bits
):
    rows = Rows(Layout(delimiter, column + more), column, comment, hash_comments)
    with pytest.MonkeyPatch.context() as patch:
        # With two places in the table, lines lose theirs to others.
        patch.setattr(lines_module, "RowReader", lambda *of: RowReader(*of, bits=bits))
        lines = Lines(rows)
    for text in blocks:
        agree(lines, text)


def test_a_kernel_reads_the_lines_of_odd_files_as_a_closer_look_does():
    for odd in CASES:
        contents = [odd.content] if isinstance(odd.content, (str, bytes)) else odd.content.values()
        for content in contents:
            raw = content.encode() if isinstance(content, str) else content
            text = raw.decode("utf-8", "replace")
            for delimiter in "\t", " ":
                for width in 1, 2, 4:
                    agree(Lines(Rows(Layout(delimiter, width), 0, "", True)), text)


def test_rows_of_usual_texts_need_no_closer_look():
    looked_at = Lines(Rows(Layout(" ", 2), 0, hash_comments=True))
    text = "Ada B-PER\n, O\nÜnal O\r\n世界 O\n\n(  O \n– O\nナ O\n-- O\n" + "a" * 9000 + " O\n"
    assert read(looked_at, text) == [
        "Ada",
        ",",
        "Ünal",
        "世界",
        -1,
        "(",
        "–",
        "ナ",
        "--",
        "a" * 9000,
    ]
    assert not looked_at  # the lines that were looked at


def test_what_is_remembered_grows_and_is_forgotten_without_a_difference():
    rows = Rows(Layout("\t", 1), 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines_module, "RowReader", lambda *of: RowReader(*of, held_bytes=8192))
        lines = Lines(rows)
    texts = ["".join(f"{i * k:x}\n" for i in range(3000)) for k in (1, 7, 1)]
    for text in [*texts, "a" * 100_000 + "\n", texts[1]]:
        agree(lines, text)


def test_marks_and_comments_are_looked_at_once():
    lines = Lines(Rows(Layout(" ", 2), 0, hash_comments=True))
    text = "-DOCSTART- O\n\na O\n# k = v\n \n" * 500
    assert read(lines, text) == told(lines.rows, text)
    assert set(lines) == {b"-DOCSTART- O", b"# k = v", b" "}
    assert read(lines, text).count(PASSED) == 500
