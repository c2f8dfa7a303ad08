"""Inline annotation, there and back, and the sample that is kept in it."""

from __future__ import annotations

import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nertool.corpus.annotated import labelled
from nertool.corpus.columnar import Corpus, Span
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.errors import CorpusError
from nertool.formats.base import Writing
from nertool.formats.conll.columns import corpus_to_conll
from nertool.formats.conll.columns import write as write_conll
from nertool.formats.conll.parse import Columns, parse_conll
from nertool.formats.markup.inline import document_fields, from_inline, mark_inline, to_inline
from nertool.formats.markup.inline import write as write_inline
from nertool.formats.read import read_stream

ROOT = Path(__file__).resolve().parents[3]


def read_inline(lines: list[str], part: str | None = None) -> Corpus:
    stream = BytesIO("\n".join(lines).encode())
    return read_stream(stream, "x", "inline", Reading(part=part), Ledger(), lambda line: None)


def tagged(corpus: Corpus) -> list[list[tuple[str, str]]]:
    tags = iter(corpus.tags[i] for i in corpus.tag_ids)
    return [[(word, next(tags)) for word in sentence] for sentence in corpus.sentence_words()]


def test_an_annotated_sentence_is_read():
    corpus = read_inline(["[Ada Lovelace](PER)'s home is [London](LOC)."])
    assert tagged(corpus) == [
        [
            ("Ada", "B-PER"),
            ("Lovelace", "I-PER"),
            ("'s", "O"),
            ("home", "O"),
            ("is", "O"),
            ("London", "B-LOC"),
            (".", "O"),
        ]
    ]


@st.composite
def marked_texts(draw: st.DrawFn) -> tuple[str, list[Span]]:
    text = draw(st.text(alphabet="ab []\\()é😀", max_size=30))
    borders = sorted(draw(st.sets(st.integers(0, len(text)), max_size=6)))
    pairs = zip(borders[::2], borders[1::2], strict=False)
    return text, [Span(start, end, draw(st.sampled_from(["PER", "x-y"]))) for start, end in pairs]


@given(marked_texts())
def test_marking_and_reading_are_each_others_inverse(drawn):
    text, spans = drawn
    assert from_inline(mark_inline(text, spans), "x") == (text, spans)


def test_words_are_marked_by_their_numbers():
    words = ["New", "[York]", "is", "big"]
    assert to_inline(words, [Span(0, 2, "LOC")]) == r"[New \[York\]](LOC) is big"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("a [b c", r'x:1: found a lone "\[" in column 3'),
        ("a] b", r'x:1: found a lone "\]" in column 2'),
        ("[Ada] (PER)", r'x:1: found a lone "\["'),
        ("back\\slash", r"x:1: found a lone"),
        ("[Lon](LOC)don", r'x:1: found the entity "Lon" with a border inside a token'),
    ],
)
def test_what_is_no_annotation_is_refused_with_its_place(line, found):
    with pytest.raises(CorpusError, match=found):
        read_inline([line])


def test_documents_are_chosen_by_their_part():
    lines = [
        "# id: a  part: train  topic: news",
        "[Ada](PER) met us.",
        "",
        "# id: b  part: dev",
        "Hello.",
        "[Bonn](LOC).",
    ]
    assert document_fields(lines[0]) == {"id": "a", "part": "train", "topic": "news"}
    assert read_inline(lines).documents == 2
    dev = read_inline(lines, "dev")
    assert (dev.documents, dev.sentences, dev.place(2)) == (1, 2, "x:6")
    with pytest.raises(CorpusError, match="found no document of part test"):
        read_inline(lines, "test")


def test_inline_and_conll_carry_the_same_corpus():
    lines = ["# id: a", "[New York](LOC) [Times](ORG) wrote.", "Yes!", "# id: b", "[Ada](PER)"]
    corpus = read_inline(lines)
    conll = "".join(write_conll([labelled(corpus)], Writing(), Ledger()))
    again = parse_conll(iter(conll.split("\n")), Columns(), "y")
    assert tagged(again) == tagged(corpus)
    assert again.document_starts.tolist() == corpus.document_starts.tolist()
    assert "".join(write_inline([labelled(again)], Writing(), Ledger())) == (
        "# id: 0000\n[New York](LOC) [Times](ORG) wrote .\nYes !\n\n# id: 0001\n[Ada](PER)\n"
    )


def test_words_with_blanks_are_written_between_tabs():
    corpus = parse_conll(iter(["New York\tB-LOC", "is\tO"]), Columns(), "x")
    assert "".join(corpus_to_conll(corpus, corpus.tags, corpus.tag_ids)) == (
        "New York\tB-LOC\nis\tO\n\n"
    )


@pytest.mark.parametrize("sample", ["sample", "support"])
@pytest.mark.parametrize("part", ["train", "dev", "test"])
def test_the_samples_conll_files_are_what_their_sources_say(cli, sample, part):
    sources = sorted((ROOT / "data" / sample / "source").glob("*.txt"))
    done = cli("corpus", "convert", *sources, "--from", "inline", "--part", part)
    assert done.returncode == 0, done.stderr
    sample_text = (ROOT / "data" / sample / f"{part}.conll").read_text(encoding="utf-8")
    assert done.stdout.replace("-DOCSTART- -X- O O\n", "-DOCSTART- O\n") == sample_text


def test_the_sample_keeps_its_rules():
    script = ROOT / "data" / "check_sample.py"
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
