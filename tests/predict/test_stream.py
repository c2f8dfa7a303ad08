"""Text tagged as it streams by reads documents as they stand in it, wherever its blocks happen to end."""

from __future__ import annotations

import io
import json
import os
import signal
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nertool.api.tagger import Tagger
from nertool.catalogue import FORMATS
from nertool.config.inputs import FeaturesConfig
from nertool.corpus.ledger import Ledger
from nertool.corpus.schemes import tag_names, tags_of
from nertool.errors import CorpusError, TaggingError
from nertool.evaluation.evaluate import evaluate_with_calibration
from nertool.files.encodings import HEAD_BYTES
from nertool.formats.conll.parse import Columns, parse_conll
from nertool.inputs.encoder import Encoded
from nertool.inputs.text import Text
from nertool.model.model import Model
from nertool.predict import workers as parallel
from nertool.predict.request import Sizes
from nertool.tagging.analyse import analyse
from nertool.tagging.compiled import CompiledTagger
from tests.support.helpers import document_text, random_model, tag_text

pytestmark = pytest.mark.usefixtures("either_way")

WORDS = ["Ada", "ada", "ADA", "met", "Paris", "paris", "in", ".", "Rome", "ROME", "left"]


def sensitive_model() -> Model:
    """Make a model whose tags depend on everything that it may read, and change easily."""
    return random_model(
        files=[WORDS[:7], WORDS[3:]],
        remembered=WORDS[::2],
        network={"hidden": 12},
        decoding={"consistency": 0.3},
        seed=0,
    )


@pytest.fixture(scope="module")
def model() -> Model:
    return sensitive_model()


@pytest.fixture(scope="module")
def tagger(model: Model, either_way: None) -> CompiledTagger:
    return CompiledTagger(model)


def tagged(
    tagger: CompiledTagger,
    text: str,
    form: str = "conll",
    to: str | None = None,
    block: int = 1 << 20,
    workers: int = 1,
    piece: int = 1 << 18,
) -> str:
    sizes = Sizes(block, piece)
    return "".join(tag_text(tagger, text, format_name=form, to=to, workers=workers, sizes=sizes))


def column(text: str) -> list[str]:
    """Return the last column of the lines that hold tokens."""
    lines = [line for line in text.splitlines() if line.strip()]
    return [line.split()[-1] for line in lines if not line.startswith("-DOCSTART-")]


def expected_column(tagger: CompiledTagger, text: Text) -> list[str]:
    names = tag_names(tagger.model.labels, tagger.model.corpus_scheme)
    starts = text.sentence_starts
    numbers = tags_of(analyse(tagger, text).spans, starts, names, tagger.model.corpus_scheme)
    return [names[i] for i in numbers]


def conll(*documents: list[str], mark: str = "-DOCSTART- O\n\n") -> str:
    """Write documents of sentences as a word and a tag a line."""
    return "".join(
        mark + "".join("".join(f"{w} O\n" for w in s.split()) + "\n" for s in document)
        for document in documents
    )


DOCUMENTS = (
    ["Ada met ADA in Paris .", "paris left", "Rome"],
    ["ROME met Paris", "ada in ROME . left"],
    ["in", "Ada . Ada"],
    ["met Ada in rome", "Paris", "Paris ROME ADA", "left paris in Rome ."],
)


def test_documents_matter_to_this_model(tagger):
    # Or else nothing below would tell anything.
    together = expected_column(tagger, document_text(*DOCUMENTS))
    as_one = expected_column(tagger, document_text([s for document in DOCUMENTS for s in document]))
    alone = expected_column(
        tagger, document_text(*([s] for document in DOCUMENTS for s in document))
    )
    for a, b in ((together, as_one), (together, alone), (as_one, alone)):
        assert sum(x != y for x, y in zip(a, b, strict=True)) >= 4
    assert len(set(together)) >= 4


@pytest.mark.parametrize("limit", [1, 4, 9, 10_000])
@pytest.mark.parametrize("block", [1, 10, 37, 100, 1 << 20])
def test_tags_are_those_of_the_whole_text_whatever_a_block_holds(model, limit, block):
    # limit: the tokens of a part of a document; one of 4 cuts all four documents.
    tagger = CompiledTagger(model, document_tokens=limit)
    text = conll(*DOCUMENTS)
    out = tagged(tagger, text, block=block)
    assert column(out) == expected_column(tagger, document_text(*DOCUMENTS, at_most=limit))


def test_a_text_of_ever_new_words_meets_each_about_once(monkeypatch) -> None:
    model = random_model(members=1, folds=0, seed=4)
    documents = [[f"Paris met w{i} in x{i} .", f"y{i} left Ada"] for i in range(100)]
    text = conll(*documents)
    expected = column(tagged(CompiledTagger(model), text))
    met: list[str] = []
    encoder = model.members[0].encoder
    encode = encoder.encode

    def noted(new: Sequence[str]) -> Encoded:
        met.extend(new)
        return encode(new)

    monkeypatch.setattr(encoder, "encode", noted)
    tagger = CompiledTagger(model, most_forms=60)  # of 306
    assert column(tagged(tagger, text, block=100)) == expected
    assert len(set(met)) == 306
    # What was forgotten is met again, at most as often as that much is new.
    assert 306 < len(met) < 2 * 306
    assert len(tagger._forms.ids) < 100


def test_where_a_document_is_cut_matters_to_this_model(model, tagger):
    in_parts = CompiledTagger(model, document_tokens=4)
    assert tagged(in_parts, conll(*DOCUMENTS)) != tagged(tagger, conll(*DOCUMENTS))


def test_predict_and_evaluate_agree_on_what_a_document_is(model, tagger):
    text = conll(*DOCUMENTS)
    out = tagged(tagger, text)
    corpus = parse_conll(iter(out.splitlines()), Columns(0, -1), "x")
    assert corpus.documents == len(DOCUMENTS)
    scores, _ = evaluate_with_calibration(model, corpus)
    assert (scores.f1, scores.accuracy) == (1.0, 1.0)


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, list[list[str]]]:
    """Draw a text in columns, its marks and breaks written in any way, and its documents' sentences."""
    end = draw(st.sampled_from(["\n", "\r\n"]))
    sentence = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6)
    documents = draw(st.lists(st.lists(sentence, min_size=1, max_size=4), min_size=1, max_size=5))
    lines: list[str] = []
    for i, document in enumerate(documents):
        if i or draw(st.booleans()):
            marks = st.sampled_from(["-DOCSTART-", "-DOCSTART- O"])
            lines += draw(st.lists(marks, min_size=1, max_size=2))
            lines += [""] * draw(st.integers(0, 2))
        for words in document:
            lines += [f"{word} x" for word in words]
            lines += [" " if draw(st.booleans()) else ""] * draw(st.integers(1, 3))
    while lines and not lines[-1].strip() and draw(st.booleans()):
        lines.pop()
    text = "".join(line + end for line in lines)
    if draw(st.booleans()):
        text = text.removesuffix(end)
    return text, [[" ".join(words) for words in document] for document in documents]


@settings(max_examples=40, deadline=None)
@given(drawn=texts(), block=st.integers(1, 200), limit=st.integers(1, 30))
def test_any_text_comes_back_as_it_was_with_its_documents_tags_beside(drawn, block, limit):
    text, documents = drawn
    tagger = CompiledTagger(sensitive_model(), table_bytes=1 << 16, document_tokens=limit)
    out = tagged(tagger, text, block=block)
    assert column(out) == expected_column(tagger, document_text(*documents, at_most=limit))
    # The same lines, each that holds a token with one column more.
    for before, after in zip(text.split("\n"), out.split("\n"), strict=True):
        kept, line_end = before.removesuffix("\r"), "\r" * before.endswith("\r")
        if not kept.strip() or kept == "-DOCSTART-":
            assert after == before
        elif kept == "-DOCSTART- O":
            assert after == f"{kept} O{line_end}"
        else:
            assert after.startswith(f"{kept} ")
            assert after.endswith(line_end)
            assert after.count(" ") == 2


def test_a_text_without_marks_is_one_document(tagger):
    sentences = [sentence for document in DOCUMENTS for sentence in document]
    unmarked = tagged(tagger, conll(sentences, mark=""))
    marked = tagged(tagger, conll(sentences))
    assert marked == f"-DOCSTART- O O\n\n{unmarked}"
    assert column(unmarked) == expected_column(tagger, document_text(sentences))


def test_what_stands_before_the_first_mark_is_a_document_too(tagger):
    text = conll(DOCUMENTS[0], mark="") + conll(*DOCUMENTS[1:])
    assert column(tagged(tagger, text)) == expected_column(tagger, document_text(*DOCUMENTS))


@pytest.mark.parametrize("workers", [2, 3])
@pytest.mark.parametrize(
    ("form", "to"),
    [("conll", None), ("conll", "inline"), ("conll", "jsonl"), ("text", None), ("raw", "jsonl")],
)
def test_workers_give_what_one_gives(model, form, to, workers):
    tagger = CompiledTagger(model, document_tokens=50)
    text = conll(*DOCUMENTS * 20)
    if form != "conll":
        text = "\n".join(s for document in DOCUMENTS * 20 for s in document) + "\n"
    alone = tagged(tagger, text, form, to, block=300, piece=100)
    assert tagged(tagger, text, form, to, block=300, workers=workers, piece=100) == alone


def test_what_a_worker_can_t_read_is_named_as_ever(tagger):
    text = conll(*DOCUMENTS * 20) + "Ada X Y Z\n"
    with pytest.raises(CorpusError, match=rf"x:{text.count(chr(10))}: found 4 columns, expected 2"):
        tagged(tagger, text, block=300, workers=2)


def test_a_process_that_is_killed_ends_in_one_line_and_not_in_waiting(tagger, monkeypatch):
    # As when memory runs out.
    monkeypatch.setattr(parallel.Worker, "kinds", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(TaggingError, match="a process that tags ended before its work was done"):
        tagged(tagger, conll(*DOCUMENTS * 20), block=300, workers=2)


def test_a_short_text_begins_no_process(tagger, monkeypatch):
    monkeypatch.setattr(parallel.Workers, "_started", lambda self: pytest.fail("a process began"))
    assert tagged(tagger, conll(*DOCUMENTS), workers=2) == tagged(tagger, conll(*DOCUMENTS))


# Sentences a line


@pytest.mark.parametrize("limit", [1, 4, 9, 10_000])
@pytest.mark.parametrize("block", [1, 10, 37, 1 << 20])
def test_sentences_a_line_are_one_document_whatever_a_block_holds(model, limit, block):
    tagger = CompiledTagger(model, document_tokens=limit)
    sentences = [sentence for document in DOCUMENTS for sentence in document]
    sentences[3:3] = ["", "  "]  # empty lines among them
    text = "\n".join(sentences)
    out = tagged(tagger, text, "text", "conll", block)
    assert column(out) == expected_column(tagger, document_text(sentences, at_most=limit))
    inline = tagged(tagger, text, "text", None, block)
    assert inline == tagged(tagger, text, "text")
    assert [line.strip() == "" for line in inline.split("\n")] == [not s.strip() for s in sentences]


# Other formats


def rows_of(*documents: list[str], row: str, mark: str, after: str = "\n") -> str:
    """Write documents with a mark before each, and a row for each word: {i} its number from 1, {w} the word.

    {s} is the number of the sentence in the text, from 1.
    """
    lines, s = "", 0
    for document in documents:
        lines += mark
        for sentence in document:
            s += 1
            words = enumerate(sentence.split(), 1)
            lines += "".join(row.format(i=i, w=w, s=s) for i, w in words) + after
    return lines


def json_lines(*documents: list[str]) -> str:
    """Write each sentence as JSON with its tokens, and with the number of its document."""
    return "".join(
        json.dumps(
            {"document": d, "tokens": sentence.split(), "ner_tags": ["O"] * len(sentence.split())}
        )
        + "\n"
        for d, document in enumerate(documents)
        for sentence in document
    )


def entities_of(out: str) -> list[tuple[str, str]]:
    """Return the entities of the records in JSON lines: each one's text and label."""
    records = [json.loads(line) for line in out.splitlines()]
    return [
        (record["text"][e["start"] : e["end"]], e["label"])
        for record in records
        for e in record["entities"]
    ]


ONE = [[sentence for document in DOCUMENTS for sentence in document]]
LAYOUTS = {
    "commas": ("conll", DOCUMENTS, partial(rows_of, row="{w},O\n", mark="-DOCSTART-,O\n\n")),
    "quoted": (
        "conll",
        DOCUMENTS,
        partial(rows_of, row='"{w}";"O"\n', mark='"-DOCSTART-";"O"\n;\n'),
    ),
    "bars": (
        "conll",
        DOCUMENTS,
        partial(rows_of, row="{w}|O\r\n", mark="-DOCSTART-|O\r\n", after="|\r\n"),
    ),
    "header": ("conll", ONE, partial(rows_of, row="{w}\tO\n", mark="word\ttag\n")),
    "sentence ids": (
        "conll",
        ONE,
        partial(rows_of, row="{s},{w},O\n", mark="sentence_id,words,labels\n", after=""),
    ),
    "conllu": (
        "conllu",
        DOCUMENTS,
        partial(rows_of, row="{i}\t{w}" + "\t_" * 8 + "\n", mark="# newdoc\n"),
    ),
    "hf": ("hf", DOCUMENTS, json_lines),
    "text": ("text", ONE, lambda *documents: "\n".join(s for d in documents for s in d)),
}


@pytest.mark.parametrize("limit", [4, 10_000])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_format_s_tags_depend_on_what_a_block_or_a_list_of_records_holds(model, layout, limit):
    form, documents, write = LAYOUTS[layout]
    tagger = CompiledTagger(model, document_tokens=limit)
    text = write(*documents)
    whole = conll(*documents)
    expected = entities_of(tagged(tagger, whole, to="jsonl"))
    assert column(tagged(tagger, whole)) == expected_column(
        tagger, document_text(*documents, at_most=limit)
    )
    for size in (1, 10, 60):
        # A record counts 100 characters besides its text, and 64 × piece is the longest list.
        out = tagged(tagger, text, form, "jsonl", block=size, piece=30)
        assert entities_of(out) == expected
    if form == "conllu":
        whole_conllu = tagged(tagger, text, form)
        assert "NER=" in whole_conllu
        for size in (1, 10, 60):
            assert tagged(tagger, text, form, block=size) == whole_conllu


def test_sentences_that_are_left_out_do_not_move_the_end_of_a_long_document_s_part(model):
    # A faulty row counts for nothing, also where blocks end. Parts have 9 tokens at least.
    tagger = CompiledTagger(model, document_tokens=9)
    sentences = [sentence for document in DOCUMENTS for sentence in document] * 3
    faulty = conll(sentences[:2], ["Ada met him"] * 3, sentences[2:], mark="")
    faulty = faulty.replace("him O", "him")
    expected = column(tagged(tagger, conll(sentences, mark="")))
    for block in (20, 60, 1 << 20):
        sizes = Sizes(block, 1 << 18)
        pieces = tag_text(tagger, faulty, format_name="conll", on_error="skip", sizes=sizes)
        assert column("".join(pieces)) == expected


def test_a_faulty_sentence_of_conllu_is_left_out_in_place_with_its_document_s_mark_kept(tagger):
    write = LAYOUTS["conllu"][2]
    text = write(*DOCUMENTS)
    faulty = text.replace("1\tROME\t", "1\tROME ").replace("1\tPARIS\t", "1\tPARIS ")
    # "ROME met Paris" begins the second document: its mark counts for the sentence after it.
    left = [DOCUMENTS[0], DOCUMENTS[1][1:], *DOCUMENTS[2:]]
    expected = column(tagged(tagger, write(*left), "conllu"))
    for block in (10, 1 << 20):
        ledger = Ledger()
        how = {"format_name": "conllu", "on_error": "skip", "sizes": Sizes(block, 1 << 18)}
        out = "".join(tag_text(tagger, faulty, ledger, **how))
        assert column(out) == expected
        assert out.count("\n") == faulty.count("\n")
        assert ledger.refused == {"sentences with a faulty row": 1}


@pytest.mark.parametrize(
    "to", [form.name for form in FORMATS if form.writes and form.container == "text"]
)
def test_no_output_depends_on_how_many_records_are_tagged_together(tagger, to):
    form, documents, write = LAYOUTS["conllu"]
    text = write(*documents)
    whole = tagged(tagger, text, form, to)
    assert tagged(tagger, text, form, to, piece=30) == whole
    assert whole


def test_to_a_model_that_reads_sentences_alone_documents_are_nothing(monkeypatch):
    features = FeaturesConfig(caps=2, affixes=1, memory=True)
    tagger = CompiledTagger(
        random_model(features, files=[WORDS], widths=[4], remembered=WORDS[::2], folds=0, seed=4)
    )
    sentences = [sentence for document in DOCUMENTS for sentence in document]
    expected = column(tagged(tagger, conll(*DOCUMENTS)))
    assert column(tagged(tagger, conll(sentences))) == expected
    assert column(tagged(tagger, conll(*([s] for s in sentences)), block=10)) == expected


def test_no_more_than_a_document_is_held(tagger):
    # Documents are given out while the stream is still being read, not at its end.
    read = 0

    class Counted(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            nonlocal read
            piece = super().read(size)
            read += len(piece)
            return piece

    text = conll(*DOCUMENTS * 1000).encode()
    sizes = Sizes(block_bytes=64)
    pieces = tag_text(tagger, Counted(text), format_name="conll", sizes=sizes)
    next(pieces)
    at_first = read
    # The format is found from the first bytes; after that a document or two more is read.
    assert at_first < HEAD_BYTES + 1000 < len(text) / 2
    next(pieces)
    assert read < at_first + 1000


# The Python API


def entities(found: list) -> list[list[tuple]]:
    return [[(e.start, e.end, e.label) for e in own] for own in found]


def spans_of_sentences(tagger: CompiledTagger, text: Text) -> Iterator[list[tuple]]:
    spans = analyse(tagger, text).spans.as_list()
    for first, end in pairwise(text.sentence_starts.tolist()):
        yield [(s - first, e - first, label) for s, e, label in spans if first <= s < end]


def test_tag_sentences_reads_each_by_itself_and_tag_document_reads_them_together(model, tagger):
    sentences = [s.split() for document in DOCUMENTS for s in document]
    texts = [" ".join(words) for words in sentences]
    api = Tagger(model)
    alone = entities(api.tag_sentences(sentences))
    together = entities(api.tag_document(sentences))
    assert alone == list(spans_of_sentences(tagger, document_text(*([text] for text in texts))))
    assert together == list(spans_of_sentences(tagger, document_text(texts)))
    assert alone != together
    assert alone == [entities([api.tag(words)])[0] for words in sentences]


def test_a_document_of_one_sentence_is_that_sentence(model):
    api = Tagger(model)
    words = DOCUMENTS[0][0].split()
    assert api.tag_document([words]) == [api.tag(words)]
    assert api.tag_document([[], words, []])[1] == api.tag(words)


def test_a_document_without_a_word_has_no_entities(model):
    api = Tagger(model)
    assert api.tag_document([]) == []
    assert api.tag_document([[], []]) == [[], []]


def test_probabilities_are_those_of_the_scores_that_tags_were_chosen_by(model, tagger):
    # An entity of a document is as sure as the text's own scores make it, not the sentence's alone.
    sentences = [s.split() for s in DOCUMENTS[0]]
    api = Tagger(model)
    together, alone = api.tag_document(sentences), list(api.tag_sentences(sentences))
    found = [entity for own in together for entity in own]
    assert found
    assert all(0.0 < entity.probability <= 1.0 for entity in found)
    same = [
        (a.probability, b.probability)
        for one, other in zip(together, alone, strict=True)
        for a in one
        for b in other
        if (a.start, a.end, a.label) == (b.start, b.end, b.label)
    ]
    assert not same or any(abs(a - b) > 1e-4 for a, b in same)
    assert np.isfinite([entity.probability for entity in found]).all()
