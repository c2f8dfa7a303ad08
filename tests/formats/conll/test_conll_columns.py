"""CoNLL columns: what is read of each odd file, what is refused and where, and there and back."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nertool.corpus.blocks import decode_lines
from nertool.corpus.columnar import Corpus
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.errors import CorpusError
from nertool.formats.conll.parse import Columns, parse_conll
from nertool.formats.conll.rows import find_layout, is_document_start
from nertool.formats.read import read_corpus


def parse(data: str | bytes, **columns: Any) -> Corpus:
    stream = io.BytesIO(data.encode() if isinstance(data, str) else data)
    return parse_conll(decode_lines(stream, "x.conll"), Columns(**columns), "x.conll")


def sentences(corpus: Corpus) -> list[list[tuple[str, str]]]:
    """Return each sentence as its (word, tag) pairs, from the flat arrays."""
    return [
        [(corpus.words[corpus.word_ids[i]], corpus.tags[corpus.tag_ids[i]]) for i in range(a, b)]
        for a, b in zip(corpus.sentence_starts, corpus.sentence_starts[1:], strict=False)
    ]


def refusal(data: str | bytes, **columns: Any) -> str:
    with pytest.raises(CorpusError) as error:
        parse(data, **columns)
    return str(error.value)


TWO = [[("Ada", "B-PER"), ("met", "O")], [("Paris", "B-LOC")]]


# Layouts


@pytest.mark.parametrize(
    "data",
    [
        "Ada B-PER\nmet O\n\nParis B-LOC\n",
        "Ada\tB-PER\nmet\tO\n\nParis\tB-LOC\n",
        "Ada NNP I-NP B-PER\nmet VBD I-VP O\n\nParis NNP I-NP B-LOC\n",
        "Ada    B-PER\nmet      O\n\nParis  B-LOC\n",  # columns lined up
        "  Ada B-PER \nmet O  \n\n Paris B-LOC\n",
        "Ada\tB-PER \nmet\tO\n\nParis\tB-LOC\n",  # a blank behind the tag
        "Ada B-PER\nmet O\n\nParis B-LOC",  # no end to the last line
        "\n\nAda B-PER\nmet O\n\n\n\nParis B-LOC\n\n\n",
        "Ada B-PER\nmet O\n\t\nParis B-LOC\n",  # a lone tab between the sentences
        "Ada\tB-PER\nmet\tO\n\t\nParis\tB-LOC\n",
        "Ada B-PER\nmet O\n  \t \nParis B-LOC\n   \n",
        "Ada B-PER\r\nmet O\r\n\r\nParis B-LOC\r\n",
        "Ada\tB-PER\r\nmet\tO\r\n\t\r\nParis\tB-LOC\r\n",
        b"\xef\xbb\xbfAda B-PER\nmet O\n\nParis B-LOC\n",
        b"\xef\xbb\xbf\r\nAda B-PER\r\nmet O\r\n\r\nParis B-LOC\r\n",
    ],
)
def test_the_same_sentences_are_read_from_every_layout(data):
    corpus = parse(data)
    assert sentences(corpus) == TWO
    assert corpus.words == ["Ada", "met", "Paris"]
    assert list(corpus.sentence_words()) == [["Ada", "met"], ["Paris"]]
    assert (corpus.tokens, corpus.sentences, corpus.documents) == (3, 2, 1)


def test_words_and_tags_are_taken_from_the_columns_named():
    data = "1 B-PER Ada x\n2 O met y\n\n1 B-LOC Paris z\n"
    for token, tag in ((2, 1), (-2, 1), (2, -3), (-2, -3)):
        assert sentences(parse(data, token=token, tag=tag)) == TWO


def test_a_column_of_words_alone_is_a_text_without_tags():
    corpus = parse("Ada\nmet\n\nParis\n", tag=None)
    assert list(corpus.sentence_words()) == [["Ada", "met"], ["Paris"]]
    assert corpus.tags == []
    assert corpus.tag_ids.shape == (0,)
    assert (corpus.layout, corpus.columns) == ("1 column", 1)


def test_no_carriage_return_clings_to_the_word_in_the_last_column():
    for data, columns in (("Ada\r\nmet\r\n", {"tag": None}), ("B-X Ada\r\nO met\r\n", {"tag": 0})):
        assert parse(data, **{"token": -1, **columns}).words == ["Ada", "met"]


def test_the_tag_column_is_not_looked_at_where_no_tags_are_wanted():
    assert list(parse("Ada -\nmet B-\n", tag=None).sentence_words()) == [["Ada", "met"]]


@pytest.mark.parametrize(
    ("data", "layout", "columns"),
    [
        ("Ada O\n", "2 columns separated by spaces", 2),
        ("Ada\tx\tO\n", "3 columns separated by tabs", 3),
    ],
)
def test_the_layout_found_is_kept(data, layout, columns):
    corpus = parse(data)
    assert (corpus.layout, corpus.columns) == (layout, columns)


def test_in_a_file_of_tabs_a_word_may_hold_spaces_and_a_column_may_be_empty():
    corpus = parse("New York\t\tB-LOC\nis\t\tO\n")
    assert sentences(corpus) == [[("New York", "B-LOC"), ("is", "O")]]


def test_a_tab_in_a_later_line_makes_the_file_one_of_tabs():
    layout = find_layout(["-DOCSTART-\tO", "# a\tb", "x y\tO"], comment="#")
    assert layout is not None
    assert (layout.delimiter, layout.width) == ("\t", 2)
    layout = find_layout(["-DOCSTART-\tO", "# a\tb", "x O"], comment="#")
    assert layout is not None
    assert (layout.delimiter, layout.width) == (" ", 2)


@pytest.mark.parametrize(
    "word", ["10\u00a0000", "a\u0085b", "a\u2028b", "a\u2029b", "a\x0cb", "a\x1cb"]
)
@pytest.mark.parametrize("delimiter", [" ", "\t"])
def test_what_only_Unicode_calls_a_blank_or_a_line_end_stays_in_its_word(word, delimiter):
    corpus = parse(f"{word}{delimiter}B-X\nb{delimiter}O\n\nc{delimiter}O\n")
    assert sentences(corpus) == [[(word, "B-X"), ("b", "O")], [("c", "O")]]
    assert corpus.line_numbers.tolist() == [1, 2, 4]


def test_a_byte_order_mark_is_taken_off_the_file_s_start_alone():
    assert parse("\ufeffAda O\n\ufeffmet O\n").words == ["Ada", "\ufeffmet"]


def test_more_lines_than_are_looked_at_first_are_all_read_in_order():
    data = "".join(f"w{i} O\n" + "\n" * (i % 7 == 0) for i in range(2500))
    corpus = parse(data)
    assert corpus.words == [f"w{i}" for i in range(2500)]
    # Before word i stand i words and a blank line after each of 0, 7, 14 … below i.
    expected = [1 + i + (i + 6) // 7 for i in range(2500)]
    assert corpus.line_numbers.tolist() == expected


# Documents and comments


@pytest.mark.parametrize(
    "mark",
    ["-DOCSTART-", "-DOCSTART- O", "-DOCSTART- -X- -X- O", "-DOCSTART-\tO", "-DOCSTART- (1)"],
)
def test_document_marks_part_documents_and_sentences_and_are_no_tokens(mark):
    corpus = parse(f"{mark}\n\nAda B-PER\nmet O\n\nParis B-LOC\n{mark}\n{mark}\nRome B-LOC\n")
    assert sentences(corpus) == [*TWO, [("Rome", "B-LOC")]]
    assert corpus.document_starts.tolist() == [0, 2, 3]
    assert corpus.documents == 2


def test_a_mark_ends_the_sentence_before_it_without_a_blank_line():
    corpus = parse("a O\n-DOCSTART- O\nb O\n")
    assert corpus.sentence_starts.tolist() == [0, 1, 2]
    assert corpus.document_starts.tolist() == [0, 1, 2]


def test_marks_at_the_end_make_no_empty_document():
    assert parse("a O\n\n-DOCSTART- O\n\n").document_starts.tolist() == [0, 1]


@pytest.mark.parametrize("word", ["-DOCSTART-x", "-DOCSTART", "-docstart-", "x-DOCSTART-"])
def test_a_word_that_only_looks_like_a_mark_is_a_word(word):
    assert not is_document_start(f"{word} O")
    assert parse(f"{word} O\n").words == [word]


def test_comments_are_passed_over_only_if_configured():
    data = "# id 1 of 2\n# x O\nAda B-PER\n#hash O\nmet O\n"
    corpus = parse(data, comment="# ")
    assert corpus.words == ["Ada", "#hash", "met"]
    assert corpus.line_numbers.tolist() == [3, 4, 5]
    # A comment parts no sentence.
    assert corpus.sentences == 1
    assert parse("# O\nAda B-PER\n").words == ["#", "Ada"]
    assert refusal("Ada B-PER\n# id 1\n").startswith("x.conll:2: found 3 columns, expected 2")


# Refusals


def test_a_ragged_row_is_refused_with_its_line():
    long = refusal("Ada O\n\nmet Bob O\n")
    assert long.startswith("x.conll:3: found 3 columns, expected 2 as in most lines")
    assert refusal("a b O\nAda O\n").startswith("x.conll:2: found 2 columns, expected 3")
    # In a file of tabs a line of spaces is one column, and two tabs make three.
    assert refusal("a\tO\nAda O\n").startswith("x.conll:2: found 1 column, expected 2")
    assert refusal("a\tO\nAda\t\tO\n").startswith("x.conll:2: found 3 columns, expected 2")


def test_a_ragged_row_far_down_is_refused_with_its_line():
    assert refusal("a O\n" * 1500 + "a\n").startswith("x.conll:1501: found 1 column")


@pytest.mark.parametrize("word", ["", "  ", "\u00a0"])
def test_an_empty_word_is_refused_with_its_line(word):
    expected = "x.conll:2: found an empty word, expected a token; correct the line"
    assert refusal(f"a\tO\n{word}\tO\n") == expected


@pytest.mark.parametrize("tag", ["", "-", "B-", "I", "-PER"])
def test_a_faulty_tag_is_refused_with_its_line(tag):
    assert refusal(f"a\tO\n\nb\t{tag}\n").startswith(f'x.conll:3: found the tag "{tag}"')


def test_bytes_that_are_not_UTF8_are_refused_with_their_line():
    # é is 0xe9 in Latin-1; here it stands before a blank, which can't go on with it.
    message = refusal(b"Ada O\n\n" + "café O\n".encode("latin1"))
    assert message.startswith("x.conll:3: found the byte 0xe9, expected UTF-8 text")
    assert "iconv" in message


def test_bytes_that_are_not_UTF8_are_found_behind_the_lines_looked_at_first():
    assert refusal(b"a O\n" * 1200 + b"\xff O\n").startswith("x.conll:1201: found the byte 0xff")


@pytest.mark.parametrize(
    ("columns", "key"),
    [
        ({"tag": 2}, "a column 2 (corpus.tag_column, or --tag-column;"),
        ({"tag": -3}, "a column -3 (corpus.tag_column, or --tag-column;"),
        ({"token": 5}, "a column 5 (corpus.token_column, or --token-column;"),
        ({"token": -3}, "a column -3 (corpus.token_column, or --token-column;"),
    ],
)
def test_a_column_that_is_not_there_is_refused(columns, key):
    message = refusal("Ada O\n", **columns)
    assert message.startswith("x.conll: found 2 columns separated by spaces, expected ")
    assert key in message


@pytest.mark.parametrize(
    ("data", "columns", "found"),
    [
        ("Ada\nmet\n", {}, "1 column"),
        ("Ada O\n", {"token": 1}, "2 columns separated by spaces"),
        ("Ada\tO\n", {"tag": 0}, "2 columns separated by tabs"),
    ],
)
def test_words_and_tags_in_one_column_are_refused(data, columns, found):
    message = refusal(data, **columns)
    assert message.startswith(f"x.conll: found {found}, expected a column of tags beside the words")


@pytest.mark.parametrize("data", ["", "\n\n", " \t\n", "-DOCSTART- O\n\n", "\ufeff", "\ufeff\n"])
def test_a_file_without_a_token_is_refused(data):
    assert refusal(data).startswith("x.conll: found no token, expected lines of a word and its tag")


def test_a_file_of_comments_alone_is_refused():
    assert "found no token" in refusal("# a\n# b\n", comment="#")


def test_a_file_on_disk_is_read_and_named_in_messages(tmp_path: Path):
    path = tmp_path / "train.conll"
    path.write_bytes(b"Ada B-PER\nmet O\n\nParis B-LOC\n")
    corpus = read_corpus(path, "conll", Reading(), Ledger())
    assert sentences(corpus) == TWO
    assert corpus.place(2) == f"{path}:4"
    path.write_bytes(b"Ada B-PER\nmet\n")
    with pytest.raises(CorpusError, match=rf"^{re.escape(str(path))}:2: found 1 column"):
        read_corpus(path, "conll", Reading(), Ledger())
    absent = tmp_path / "absent.conll"
    with pytest.raises(CorpusError, match=rf"^{re.escape(str(absent))}: no such file"):
        read_corpus(absent, "conll", Reading(), Ledger())


# There and back


def as_text(corpus: Corpus, delimiter: str, end: str = "\n") -> str:
    """Write a corpus as columns: a mark before each document, a blank line after each sentence."""
    pairs = sentences(corpus)
    lines = []
    for first, last in zip(corpus.document_starts, corpus.document_starts[1:], strict=False):
        lines += ["-DOCSTART-", ""]
        for sentence in pairs[first:last]:
            lines += [*(f"{word}{delimiter}{tag}" for word, tag in sentence), ""]
    return "".join(line + end for line in lines)


# Any character but those that this format can't hold: line feeds, delimiters, half surrogates.
WORDS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\n\t "), min_size=1, max_size=6
).filter(lambda word: not word.isspace() and word != "-DOCSTART-")
PAIRS = st.tuples(
    st.sampled_from(["the", "Paris"]) | WORDS,
    st.sampled_from(["O", "B-PER", "I-PER", "S-work-of-art", "LOC"]),
)
DOCUMENTS = st.lists(
    st.lists(st.lists(PAIRS, min_size=1, max_size=4), min_size=1, max_size=3),
    min_size=1,
    max_size=3,
)


@settings(max_examples=150, deadline=None)
@given(DOCUMENTS, st.sampled_from(" \t"), st.booleans())
def test_a_text_comes_back_as_it_was(documents, delimiter, marked):
    text = "".join(
        "-DOCSTART-\n\n"
        + "".join("".join(f"{w}{delimiter}{t}\n" for w, t in s) + "\n" for s in document)
        for document in documents
    )
    corpus = parse("\ufeff" * marked + text)
    assert as_text(corpus, delimiter) == text
    check_invariants(corpus)


@settings(max_examples=80, deadline=None)
@given(
    DOCUMENTS,
    st.sampled_from(" \t"),
    st.lists(st.sampled_from(["", "\t", "  "]), min_size=1, max_size=3),
)
def test_line_ends_and_kinds_of_blank_lines_make_no_difference(documents, delimiter, blanks):
    def text(between: list[str], end: str) -> str:
        lines = []
        for document in documents:
            lines.append("-DOCSTART- O")
            for sentence in document:
                lines += [*(f"{w}{delimiter}{t}" for w, t in sentence), *between]
        return "".join(line + end for line in lines)

    plain, odd = parse(text([""], "\n")), parse(text(blanks, "\r\n"))
    assert sentences(plain) == [sentence for document in documents for sentence in document]
    assert sentences(odd) == sentences(plain)
    assert odd.document_starts.tolist() == plain.document_starts.tolist()
    check_invariants(odd)


def check_invariants(corpus: Corpus) -> None:
    """Assert what every columnar corpus holds to, whatever was read."""
    assert corpus.word_ids.dtype == corpus.tag_ids.dtype == corpus.line_numbers.dtype == np.int32
    assert corpus.sentence_starts.dtype == corpus.document_starts.dtype == np.int64
    assert len(corpus.word_ids) == len(corpus.tag_ids) == len(corpus.line_numbers) == corpus.tokens
    for names, ids in ((corpus.words, corpus.word_ids), (corpus.tags, corpus.tag_ids)):
        assert len(set(names)) == len(names)
        # Numbered by first appearance, each one used.
        first = np.unique(ids, return_index=True)
        assert first[0].tolist() == list(range(len(names)))
        assert (np.diff(first[1]) > 0).all()
    for starts, end in (
        (corpus.sentence_starts, corpus.tokens),
        (corpus.document_starts, corpus.sentences),
    ):
        assert starts[0] == 0
        assert starts[-1] == end
        assert (np.diff(starts) > 0).all()
    assert (np.diff(corpus.line_numbers) > 0).all()
    assert corpus.place(0) == f"x.conll:{corpus.line_numbers[0]}"
