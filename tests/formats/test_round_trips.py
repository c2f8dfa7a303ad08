"""A corpus comes back whole from every format that can hold it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nertool.catalogue import find_format
from nertool.corpus.annotated import labelled
from nertool.corpus.build import build_corpus, entities_of
from nertool.corpus.columnar import Corpus, Span
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading, Record
from nertool.corpus.schemes import SCHEMES
from nertool.formats.base import Writing
from nertool.formats.read import read_corpus
from nertool.formats.registry import module_of, text_writer
from tests.support.corpora import found, read, surfaces

WORD = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Zs"], exclude_characters="\ufeff"),
    min_size=1,
    max_size=5,
) | st.sampled_from(["Ada", "[x](Y)", "\\", "don't", "#", "-", "U.S.", "東京", "e\u0301", "👨‍👩‍👧"])
LABELS = st.sampled_from(["PER", "LOC", "work-of-art", "日"])


@st.composite
def corpora(draw: st.DrawFn, blank: str = " ", words=WORD) -> Corpus:
    """Draw documents of sentences of words with entities, as a corpus."""
    records: list[Record] = []
    for _ in range(draw(st.integers(1, 3))):
        parts: list[str] = []
        tokens: list[tuple[int, int]] = []
        sentences: list[int] = []
        spans: list[Span] = []
        at = 0
        for number in range(draw(st.integers(1, 3))):
            sentences.append(len(tokens))
            at += number > 0
            first = len(tokens)
            parts.append("")
            for word in draw(st.lists(words, min_size=1, max_size=5)):
                gap = blank if len(tokens) > first else ""
                parts[-1] += gap + word
                tokens.append((at + len(gap), at + len(gap) + len(word)))
                at = tokens[-1][1]
            borders = sorted(draw(st.sets(st.integers(first, len(tokens)), max_size=4)))
            for a, b in zip(borders[::2], borders[1::2], strict=False):
                spans.append(Span(tokens[a][0], tokens[b - 1][1], draw(LABELS)))
        text = "\n".join(parts)
        fields = {"id": f"d{len(records)}"} if draw(st.booleans()) else {}
        records.append(Record(text, 1, spans, tokens=tokens, sentences=sentences, fields=fields))
    return build_corpus(records, "drawn", "drawn", Reading(), Ledger())


def written(corpus: Corpus, to: str, folder: Path, scheme: str = "iob2") -> bytes | Path:
    piece = [labelled(corpus)]
    writing = Writing(scheme)
    known = find_format(to)
    write = module_of(known).write
    if known.container == "binary":
        out = io.BytesIO()
        write(piece, writing, Ledger(), out)
        return out.getvalue()
    if known.container == "folder":
        write(piece, writing, Ledger(), folder)
        return folder
    return "".join(write(piece, writing, Ledger())).encode()


def documents(corpus: Corpus) -> list[int]:
    return corpus.document_starts.tolist()


@pytest.mark.parametrize("to", ["jsonl", "json", "spacy", "parquet"])
@settings(max_examples=15, deadline=None)
@given(corpus=corpora())
def test_a_corpus_comes_back_whole_from_formats_of_texts_and_tokens(to, corpus):
    again = read(written(corpus, to, Path()), to)
    assert found(again) == found(corpus)
    assert documents(again) == documents(corpus)
    assert again.records.texts == corpus.records.texts
    kept = [{k: v for k, v in f.items() if v is not None} for f in again.records.fields]
    assert kept == corpus.records.fields
    assert surfaces(again) == surfaces(corpus)


@pytest.mark.parametrize("to", ["conll", "conllu", "hf"])
@pytest.mark.parametrize("scheme", ["iob1", "iob2", "bioes"])
@settings(max_examples=10, deadline=None)
@given(corpus=corpora(words=WORD.filter(lambda w: w[0] not in "#-")))
def test_a_corpus_comes_back_whole_from_formats_of_words_in_every_scheme(to, scheme, corpus):
    again = read(written(corpus, to, Path(), scheme), to)
    assert found(again) == found(corpus)
    assert documents(again) == documents(corpus)


@settings(max_examples=15, deadline=None)
@given(corpus=corpora())
def test_io_loses_borders_between_neighbours_alone_and_counts_them(corpus):
    ledger = Ledger()
    text = "".join(text_writer("hf")([labelled(corpus)], Writing("io"), ledger))
    again = read(text, "hf")
    lost = len(entities_of(corpus)) - len(entities_of(again))
    assert lost == sum(ledger.altered.values())
    covered = [{i for s, e, _ in own for i in range(s, e)} for _, own in found(corpus)]
    assert covered == [{i for s, e, _ in own for i in range(s, e)} for _, own in found(again)]


# Words that the tokeniser leaves as they are, so that a format without tokens can be read back.
STABLE = st.text("abcXYéßшंक가", min_size=1, max_size=5).filter(lambda w: w.isalpha())


@pytest.mark.parametrize("to", ["doccano", "label-studio", "brat", "inline"])
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(corpus=corpora(words=STABLE))
def test_entities_come_back_whole_from_formats_without_tokens(to, corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("brat")
    out = written(corpus, to, folder)
    brat = isinstance(out, Path)
    again = read_corpus(out, "brat", Reading(), Ledger()) if brat else read(out, to)
    assert sorted(again.records.texts) == sorted(corpus.records.texts) or to == "inline"
    # A folder's files come in the order of their names.
    assert sorted(surfaces(again)) == sorted(surfaces(corpus))
    words = sorted(word for sentence in again.sentence_words() for word in sentence)
    assert words == sorted(word for sentence in corpus.sentence_words() for word in sentence)


@pytest.mark.parametrize("scheme", SCHEMES)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_columns_keep_every_line_but_for_the_tags(scheme, data, tmp_path_factory):
    from nertool.formats.convert import convert

    delimiter = data.draw(st.sampled_from([" ", "\t"]))
    words = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=4)
    tags = st.sampled_from(["O", "B-A", "I-A", "B-B"])
    row = st.tuples(words, words, tags, words).map(delimiter.join)
    other = st.sampled_from(["", "  ", "-DOCSTART- x y z", "# a comment"])
    drawn = data.draw(st.lists(st.tuples(row | other, st.sampled_from(["\n", "\r\n"])), max_size=9))
    text = f"a{delimiter}b{delimiter}O{delimiter}c\n" + "".join(map("".join, drawn))
    path = tmp_path_factory.mktemp("columns") / "in.conll"
    path.write_bytes(text.encode())
    reading = Reading(tag_column=2)
    target = path.with_name("out.conll")
    convert(
        [path],
        "conll",
        "conll",
        reading,
        Writing(scheme),
        False,
        target,
        Ledger(),
        lambda line: None,
    )
    out = target.read_bytes().decode()
    old, new = text.split("\n"), out.split("\n")
    assert len(new) == len(old)
    for a, b in zip(old, new, strict=True):
        if a.count(delimiter) == 3 and not a.startswith(("-DOC", "#")):
            cells_a, cells_b = a.split(delimiter), b.split(delimiter)
            assert cells_a[:2] + cells_a[3:] == cells_b[:2] + cells_b[3:]
        else:
            assert a == b
    again = read(out, "conll", tag_column=2)
    before = read(text, "conll", tag_column=2)
    if scheme != "io":
        assert found(again) == found(before)
