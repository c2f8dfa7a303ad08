"""Raw text in, documents out: as `nertool predict` gives them, from threads, processes and pickles too."""

from __future__ import annotations

import copy
import json
import multiprocessing
import pickle
import threading
import zipfile
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nertool
from nertool.corpus.columnar import Span
from nertool.corpus.schemes import spans_of, tag_names
from nertool.errors import CorpusError, ModelError
from nertool.files.sealed_zip import SealedZip

TEXT = "Ada Lovelace met Charles in London. Siemens hired Ada.\n\nIt rained in  Paris.\n"


@pytest.fixture(scope="module")
def tagger(run_dir) -> nertool.Tagger:
    return nertool.load(run_dir)


def found(document: nertool.Document) -> list[tuple]:
    return [(e.text, e.label, e.start, e.end, e.tokens) for e in document.entities]


def test_a_document_holds_the_text_to_the_letter_with_its_tokens_and_sentences(tagger):
    doc = tagger(TEXT)
    assert doc.text == TEXT
    assert all(TEXT[t.start : t.end] == t.text for t in doc.tokens)
    assert [t.text for t in doc.tokens][:4] == ["Ada", "Lovelace", "met", "Charles"]
    assert [TEXT[doc.tokens[s[0]].start : doc.tokens[s[-1]].end] for s in doc.sentences] == [
        "Ada Lovelace met Charles in London.",
        "Siemens hired Ada.",
        "It rained in  Paris.",
    ]
    assert [i for sentence in doc.sentences for i in sentence] == list(range(len(doc)))
    assert len(doc.entities) >= 5
    for entity in doc:
        assert TEXT[entity.start : entity.end] == entity.text
        tokens = [doc.tokens[i] for i in entity.tokens]
        assert (tokens[0].start, tokens[-1].end) == (entity.start, entity.end)
        assert 0 < entity.probability <= 1


def test_a_call_finds_what_the_command_line_finds(tagger, run_dir, main):
    done = main("predict", run_dir, "-", "--format", "raw", "--to", "jsonl", stdin=TEXT)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    expected = [
        (e["text"], e["label"], e["start"] + r["offset"], e["probability"])
        for r in records
        for e in r["entities"]
    ]
    doc = tagger(TEXT)
    assert [(e.text, e.label, e.start, round(e.probability, 6)) for e in doc] == expected
    lines = main(
        "predict",
        run_dir,
        "-",
        "--from",
        "jsonl",
        "--tokens",
        stdin=json.dumps({"text": TEXT, "n": 1}),
    )
    assert json.loads(lines.stdout) == next(tagger.pipe([{"text": TEXT, "n": 1}])).to_dict(True)


def test_a_stream_keeps_its_order_and_its_fields_however_it_is_cut(tagger):
    items = [
        {"text": f"Ada left London {i}.", "id": i} if i % 2 else f"Paris {i}" for i in range(40)
    ]
    items[7] = ""
    alone = [tagger(item if isinstance(item, str) else item["text"]) for item in items]
    for how in ({}, {"batch_size": 3}, {"workers": 2, "batch_size": 5}):
        docs = list(tagger.pipe(iter(items), **how))
        assert [found(doc) for doc in docs] == [found(doc) for doc in alone]
        assert [doc.fields.get("id") for doc in docs] == [
            i if i % 2 and i != 7 else None for i in range(40)
        ]
    assert list(tagger.pipe([])) == []


def test_a_stream_is_read_batch_by_batch(tagger):
    read = []
    docs = tagger.pipe((read.append(i) or "Ada" for i in range(10_000)), batch_size=10)
    assert read == []
    next(docs)
    assert len(read) == 10


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: t.tag("Ada met"), r"found a str, .* tagger\(text\)"),
        (lambda t: t.tag_tokens("Ada met"), "found a str"),
        (lambda t: t.tag_tokens(["Ada", "met"]), "found a str"),
        (lambda t: t.tag_sentences("Ada"), "found a str"),
        (lambda t: list(t.tag_sentences(["Ada"])), "found a str"),
        (lambda t: t.tag_document(["Ada met"]), "found a str"),
        (lambda t: t.tag(["CRICKET", b"x"]), "found the token b'x', a bytes"),
        (lambda t: t(["Ada"]), "found a list, expected a text"),
        (lambda t: t(b"Ada"), "found a bytes"),
        (lambda t: list(t.pipe("Ada")), "found a str, expected an iterable"),
        (lambda t: list(t.pipe(["Ada", 3])), "text 2: found a int"),
    ],
)
def test_what_is_no_text_and_no_list_of_tokens_is_a_clear_type_error(tagger, call, message):
    before = found(tagger(TEXT))
    with pytest.raises(TypeError, match=message):
        call(tagger)
    assert found(tagger(TEXT)) == before


def test_faulty_dicts_and_arguments_are_refused(tagger):
    with pytest.raises(CorpusError, match="text 2"):
        list(tagger.pipe(["Ada", {"txt": "Ada"}]))
    with pytest.raises(ValueError, match="threshold"):
        tagger("Ada", threshold=2)
    with pytest.raises(ValueError, match="n_best"):
        tagger("Ada", n_best=0)
    with pytest.raises(ValueError, match="from 1 to 1,000"):
        tagger("Ada", n_best=10**30)
    with pytest.raises(ValueError, match="from 1 to 256"):
        list(tagger.pipe(["Ada"], workers=10**9))
    with pytest.raises(ValueError, match="found the scheme"):
        tagger("Ada").tags("bilou")


def test_thresholds_n_best_and_marginals(tagger):
    everything = tagger(TEXT)
    bar = sorted(e.probability for e in everything if e.label == "PER")[1]
    kept = tagger(TEXT, threshold={"PER": bar})
    expected = [e for e in everything if e.label != "PER" or e.probability >= bar]
    assert kept.entities == expected != everything.entities
    assert tagger(TEXT, threshold=bar).entities == [e for e in everything if e.probability >= bar]
    doc = tagger(TEXT, n_best=3, marginals=True)
    assert len(doc.details) == len(doc.sentences)
    for sentence, details in zip(doc.sentences, doc.details, strict=True):
        shares = [reading["probability"] for reading in details["n_best"]]
        assert shares == sorted(shares, reverse=True)
        assert len(details["marginals"]) == len(sentence)


def test_tokens_in_give_the_same_as_tag_document(tagger):
    sentences = [["Ada", "Lovelace", "left", "London"], [], ["Paris"], [""]]
    doc = tagger.tag_tokens(iter(sentences))
    assert doc.text == "Ada Lovelace left London\n\nParis\n"
    assert [[doc.tokens[i].text for i in s] for s in doc.sentences] == sentences
    expected = [
        (first[0] + e.start, first[0] + e.end, e.label, e.text)
        for first, own in zip([(0,), (4,), (4,), (5,)], tagger.tag_document(sentences), strict=True)
        for e in own
    ]
    assert [(e.tokens.start, e.tokens.stop, e.label, e.text) for e in doc] == expected
    assert tagger.tag_tokens([]).tokens == []


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.text("Ada London.\n \t\u00e9\u2028😀(", max_size=60))
def test_any_text_is_kept_to_the_letter(tagger, text):
    doc = tagger(text)
    assert doc.text == text
    assert all(text[t.start : t.end] == t.text != "" for t in doc.tokens)
    assert all(text[e.start : e.end] == e.text for e in doc)
    json.loads(doc.to_json(tokens=True))


SPANS = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 2), st.sampled_from("AB")), max_size=4)


@settings(max_examples=60, deadline=None)
@given(drawn=SPANS, scheme=st.sampled_from(["iob1", "iob2", "bioes"]))
def test_the_tags_of_a_document_spell_its_entities(drawn, scheme):
    at, entities = 0, []
    for gap, length, label in drawn:
        at += gap
        entities.append(nertool.Entity("x", label, 0, 1, None, range(at, at + length)))
        at += length
    tokens = [nertool.Token("x", 0, 1)] * at
    doc = nertool.Document("x", tokens, [range(at)], entities)
    names = tag_names(["A", "B"], scheme)
    ids = np.array([names.index(tag) for tag in doc.tags(scheme)], dtype=np.int32)
    spans = spans_of(ids, names, np.array([0, at])).as_list()
    assert spans == [Span(e.tokens.start, e.tokens.stop, e.label) for e in entities]


def test_a_document_is_written_as_columns_that_can_be_read_again(tagger, tmp_path):
    doc = tagger(TEXT)
    path = tmp_path / "x.conll"
    path.write_text(doc.to_conll("bioes"))
    (again,) = nertool.read(path)
    assert [t.text for t in again.tokens] == [t.text for t in doc.tokens]
    assert [(e.label, e.tokens) for e in again] == [(e.label, e.tokens) for e in doc]
    assert all(e.probability is None for e in again)


def test_a_notebook_shows_the_text_escaped_with_its_entities(tagger):
    class Page(HTMLParser):
        text, tags = "", ()

        def handle_starttag(self, tag, attrs):
            self.tags = (*self.tags, tag)

        def handle_data(self, data):
            self.text += data

    text = "<b>Ada</b> left London & <script>Paris</script>."
    doc, page = tagger(text), Page()
    page.feed(doc._repr_html_())
    assert set(page.tags) == {"div", "mark", "small"}
    assert page.tags.count("mark") == len(doc.entities) > 1
    shown = page.text
    for entity in doc:
        shown = shown.replace(entity.text + entity.label, entity.text, 1)
    assert shown == text


def test_reprs_say_what_there_is(tagger, run_dir):
    (first, *_), doc = tagger(TEXT).entities, tagger(TEXT)
    assert repr(doc).startswith('<Document "Ada Lovelace met')
    assert f": {first.text} ({first.label}), " in repr(doc)
    assert repr(tagger("")) == '<Document "": no entities>'
    assert repr(tagger).startswith("<Tagger: finds LOC, ORG, PER; F1 ")
    assert repr(tagger.explain("Ada left London.", "London")).startswith(
        "<TokenExplanation: London is "
    )
    assert {"load", "train", "Tagger", "read", "convert", "evaluate"} <= set(dir(nertool))
    assert set(dir(nertool)) == set(nertool.__all__)


def test_an_explanation_is_of_the_token_and_label_that_were_asked_about(tagger):
    shown = tagger.explain("Ada left London. Paris stayed.", "Paris", label="LOC")
    values = shown.to_dict()
    assert (shown.explanation.sentence, shown.explanation.token) == (("Paris", "stayed", "."), 0)
    assert values["tag"].endswith("LOC")
    assert str(shown).splitlines()[0] == "[Paris] stayed ."
    assert "<iframe" in shown._repr_html_()
    assert tagger.explain("Ada left.", 1).explanation.token == 1
    for how, message in (
        ({"word": "Pariss"}, 'did you mean "Paris"'),
        ({"word": 99}, "expected one from 0 to 6"),
        ({"word": "Paris", "label": "LOX"}, 'did you mean "LOC"'),
        ({"word": "Paris", "member": 2}, "expected one from 1 to 1"),
    ):
        with pytest.raises(ValueError, match=message):
            tagger.explain("Ada left London. Paris stayed.", **how)


# Copies, threads and processes


def test_a_pickle_is_of_the_model_alone_and_tags_alike(tagger, run_dir):
    model_bytes = sum(file.stat().st_size for file in (run_dir / "best").iterdir())
    packed = pickle.dumps(tagger)
    assert len(packed) < 2 * model_bytes
    for other in (pickle.loads(packed), copy.copy(tagger), copy.deepcopy(tagger)):
        assert found(other(TEXT)) == found(tagger(TEXT))


def test_a_tagger_of_read_only_arrays_tags_alike(tagger):
    # As joblib hands arrays to its processes.
    other = pickle.loads(pickle.dumps(tagger))
    for member in other.model.members:
        for array in (member.L, member.rows, *member.parameters.values()):
            array.setflags(write=False)
    assert found(nertool.Tagger(other.model)(TEXT)) == found(tagger(TEXT))


def test_threads_that_share_a_tagger_get_equal_documents(tagger):
    texts = [f"Ada {i} left London{i} for Paris." for i in range(60)]
    expected = [found(tagger(text)) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda text: found(tagger(text)), texts)) == expected
    assert threading.active_count() >= 1


def entities_in_a_process(tagger: nertool.Tagger, text: str) -> list[tuple]:
    return found(tagger(text))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_get_equal_documents(tagger, method):
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        assert pool.submit(entities_in_a_process, tagger, TEXT).result() == found(tagger(TEXT))


def test_joblib_gives_equal_documents(tagger):
    joblib = pytest.importorskip("joblib")
    call = joblib.delayed(entities_in_a_process)
    texts = [TEXT, "Paris", "Ada met Charles."]
    with joblib.Parallel(n_jobs=2, max_nbytes=1) as parallel:
        assert parallel(call(tagger, text) for text in texts) == [found(tagger(t)) for t in texts]


# Models in zip files


@pytest.mark.parametrize("inside", ["", "my-model/", "run/best/"])
def test_a_zip_of_a_model_folder_loads(inside, run_dir, tagger, tmp_path):
    path = tmp_path / "model.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in (run_dir / "best").iterdir():
            archive.write(file, inside + file.name)
        archive.writestr("../outside.txt", "no")
    assert found(nertool.load(path)(TEXT)) == found(tagger(TEXT))
    assert not list(tmp_path.parent.glob("outside.txt"))


def test_other_zips_are_refused(run_dir, tmp_path):
    path = tmp_path / "model.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "no model")
    with pytest.raises(ModelError, match=r"found no model\.json in it"):
        nertool.load(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in (run_dir / "best").iterdir():
            archive.write(file, file.name)
    with pytest.raises(ModelError, match="expected at most 100"):
        SealedZip(path, "model.json", most_unpacked=100)
    raw = bytearray(path.read_bytes())
    raw[200:260] = bytes(60)
    Path(path).write_bytes(raw)
    with pytest.raises(ModelError, match=r"damaged|model\.json"):
        nertool.load(path)
