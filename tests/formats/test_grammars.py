"""Every writer against its own grammar: odd labels × odd words × all formats × all schemes."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nertool.catalogue import SCHEMES, find_format
from nertool.corpus.annotated import labelled
from nertool.corpus.build import build_corpus, entities_of
from nertool.corpus.columnar import Span
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading, Record
from nertool.errors import CorpusError
from nertool.formats.base import Writing
from nertool.formats.read import read_corpus
from nertool.formats.registry import module_of
from nertool.formats.write import write_output
from tests.support.corpora import TESTED, found, surfaces

WORDS = [
    "Ada", "a\tb", "x\ny", "p\r\nq", "c d", "-DOCSTART-", "#", "# x =", "#begin document", "[", "]", "\\",
    "[x](Y)", "# id: a", "|", "a=b", "_", "\u00a0x", "O", "B-PER", ",", ";", "<b>", '"', "é\u0301",
    "x|NER=B-Z",
]  # fmt: skip
LABELS = [
    "PER", "Job Title", "a|b", "x=y", "tab\tbed", "l\nine", "(x)", "B-PER", "-x", "a]b", " PER ", "O-1",
    "a = b", "SpaceAfter=No", "日 本", "a;b", "'q\"", "x\\",
]  # fmt: skip
BOTH = [known.name for known in TESTED if known.reads and known.writes]
SCHEMED = ("conll", "conllu", "hf")
PAIRS = [(to, "iob2") for to in BOTH if to not in SCHEMED] + list(product(SCHEMED, SCHEMES))


def corpus_of(sentences: list[tuple[list[str], list[tuple[int, int, str]]]]):
    """Return sentences of words with entities as a corpus of one record, a line a sentence."""
    text = ""
    tokens: list[tuple[int, int]] = []
    starts: list[int] = []
    spans: list[Span] = []
    for words, entities in sentences:
        starts.append(len(tokens))
        first = len(tokens)
        for i, word in enumerate(words):
            text += "" if not text else " " if i else "\n"
            tokens.append((len(text), len(text) + len(word)))
            text += word
        spans += [Span(tokens[first + a][0], tokens[first + b - 1][1], c) for a, b, c in entities]
    record = Record(text, 1, spans, tokens=tokens, sentences=starts, fields={"id": "d"})
    return build_corpus([record], "drawn", "drawn", Reading(), Ledger())


@st.composite
def sentences(draw: st.DrawFn):
    words = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=5))
    borders = sorted(draw(st.sets(st.integers(0, len(words)), max_size=4)))
    pairs = zip(borders[::2], borders[1::2], strict=False)
    return words, [(a, b, draw(st.sampled_from(LABELS))) for a, b in pairs]


def check(corpus, to: str, scheme: str, folder) -> None:
    """Assert that what was written is read back: all of it, or as many entities if losses were counted."""
    known, ledger = find_format(to), Ledger()
    out = folder / f"out{known.ending}"
    try:
        write_output(known, [labelled(corpus)], Writing(scheme), ledger, out)
    except CorpusError:
        assert corpus.tags != ["O", "B-PER", "I-PER"]  # only odd labels are refused
        return
    again = read_corpus(out, to, Reading(misaligned="snap"), Ledger())
    old, new = entities_of(corpus), entities_of(again)
    if scheme != "io":
        assert len(new) == len(old), (surfaces(corpus), found(again))
    if ledger.altered:
        return
    if "tokens" in known.keeps:
        assert found(again) == found(corpus)
    elif again.records and known.name != "inline":
        # Tokens are found anew here, without the blanks that may begin or end a word.
        expected = [(surface.strip(), label) for surface, label in surfaces(corpus)]
        assert surfaces(again) == expected


@pytest.mark.parametrize(("to", "scheme"), PAIRS)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(drawn=st.lists(sentences(), min_size=1, max_size=2))
def test_what_is_written_can_be_read_back(to, scheme, drawn, tmp_path_factory):
    check(corpus_of(drawn), to, scheme, tmp_path_factory.mktemp("grammar"))


@pytest.mark.parametrize("to", BOTH)
@pytest.mark.parametrize("label", LABELS)
def test_every_odd_label_is_kept_or_counted_or_refused(to, label, tmp_path):
    corpus = corpus_of([(["Ada", "Lovelace", "met"], [(0, 2, label)]), (["Bob"], [(0, 1, "PER")])])
    check(corpus, to, "iob2", tmp_path)


@pytest.mark.parametrize("to", BOTH)
@pytest.mark.parametrize("word", WORDS)
def test_every_odd_word_is_kept_or_counted(to, word, tmp_path):
    corpus = corpus_of([([word, "met", word], [(0, 1, "PER")]), ([word], [])])
    check(corpus, to, "iob2", tmp_path)


@pytest.mark.parametrize("to", ["conll", "hf", "conllu"])
def test_a_label_that_no_tag_can_hold_is_refused(to):
    corpus = corpus_of([(["Ada", "met"], [(0, 1, "--")])])
    with pytest.raises(CorpusError, match='the label "--", which a tag such as'):
        list(module_of(find_format(to)).write([labelled(corpus)], Writing(), Ledger()))


def test_labels_that_would_become_one_are_refused(tmp_path):
    corpus = corpus_of([(["Ada", "met"], [(0, 1, "a b"), (1, 2, "a_b")])])
    with pytest.raises(CorpusError, match='several labels that the output would write as "a_b"'):
        write_output(find_format("brat"), [labelled(corpus)], Writing(), Ledger(), tmp_path / "x")
