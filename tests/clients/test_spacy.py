"""spaCy: tokens that fit the text, documents in JSON and DocBin, `spacy convert`, and the component."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import zlib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from nertool.corpus.annotated import labelled
from nertool.corpus.build import entities_of
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.formats.base import Writing
from nertool.formats.read import read_corpus
from nertool.formats.registry import text_writer
from tests.support.corpora import lines, read, surfaces

pytestmark = pytest.mark.integration
spacy = pytest.importorskip("spacy")
if True:  # below importorskip
    from spacy.tokens import Doc, DocBin, Span

    import nertool.integrations.spacy  # noqa: F401  (registers the component where it isn't installed)

TEXT = "  Ada Lovelace\nmet  Charles\r\n\tBabbage in \U0001f600 London.\n\nIt rained. \n"
ENTITIES = [(2, 14, "PER"), (20, 37, "PER"), (43, 49, "LOC")]


def spans_of(doc) -> list[tuple[str, str]]:
    return [(ent.text, ent.label_) for ent in doc.ents]


EXPECTED = [(TEXT[a:b], label) for a, b, label in ENTITIES]


def a_file(tmp_path: Path) -> Path:
    path = tmp_path / "a.jsonl"
    path.write_text(
        lines(
            {"text": TEXT, "entities": ENTITIES, "id": 7},
            {"text": "It rained.", "entities": [], "id": "x"},
        )
    )
    return path


def test_prodigy_s_tokens_together_are_the_text():
    (line, _) = "".join(
        text_writer("spacy")(
            [
                labelled(
                    read(lines({"text": TEXT, "entities": ENTITIES}, {"text": "No.", "spans": []}))
                )
            ],
            Writing(),
            Ledger(),
        )
    ).splitlines()
    value = json.loads(line)
    words = [token["text"] for token in value["tokens"]]
    doc = Doc(spacy.blank("en").vocab, words=words, spaces=[t["ws"] for t in value["tokens"]])
    assert doc.text == TEXT
    # token_end is the last token's number, as in Prodigy.
    doc.ents = [
        Span(doc, s["token_start"], s["token_end"] + 1, label=s["label"]) for s in value["spans"]
    ]
    assert spans_of(doc) == EXPECTED
    # spaCy's own tokeniser cuts blanks in the same places.
    own = [token.text for token in spacy.blank("xx")(TEXT) if token.is_space]
    assert [word for word in words if word.isspace()] == own
    assert surfaces(read(line)) == EXPECTED


def test_docs_in_json_go_both_ways(main, tmp_path):
    done = main("corpus", "convert", a_file(tmp_path), "--to", "spacy-json")
    assert done.returncode == 0, done.stderr
    nlp = spacy.blank("en")
    docs = [Doc(nlp.vocab).from_json(json.loads(line)) for line in done.stdout.splitlines()]
    assert [doc.text for doc in docs] == [TEXT, "It rained."]
    assert [spans_of(doc) for doc in docs] == [EXPECTED, []]
    again = "".join(json.dumps(doc.to_json()) + "\n" for doc in docs)
    corpus = read(again)
    assert surfaces(corpus) == EXPECTED
    assert corpus.records is not None
    assert corpus.records.texts == [TEXT, "It rained."]


def a_doc():
    """A document with syntax, lemmas, categories and a span group, cut by spaCy."""
    nlp = spacy.blank("en")
    doc = nlp("Ada Lovelace met Charles in London. It rained.")
    for token in doc:
        token.lemma_, token.pos_, token.tag_ = token.text.lower(), "NOUN", "NN"
        token.dep_, token.head = "dep", doc[0] if token.i < 7 else doc[7]
    doc.ents = [Span(doc, 0, 2, label="PER"), Span(doc, 5, 6, label="LOC", kb_id="Q84")]
    doc.spans["sc"] = [Span(doc, 3, 4, label="X")]
    doc.cats = {"history": 1.0}
    doc.user_data["mine"] = 3
    return doc


def test_docbin_is_read_tagged_and_written_with_the_rest_of_its_annotation(main, run_dir, tmp_path):
    doc = a_doc()
    DocBin(store_user_data=True, docs=[doc]).to_disk(tmp_path / "a.spacy")
    ledger = Ledger()
    corpus = read_corpus(tmp_path / "a.spacy", "auto", Reading(), ledger)
    assert surfaces(corpus) == [("Ada Lovelace", "PER"), ("London", "LOC")]
    assert corpus.sentences == 2
    assert list(ledger.refused) == [
        "entities' ids and links to a knowledge base", "entries of user data",
    ]  # fmt: skip
    done = main("predict", run_dir, tmp_path / "a.spacy", "-o", tmp_path / "b.spacy")
    assert done.returncode == 0, done.stderr
    (again,) = DocBin().from_disk(tmp_path / "b.spacy").get_docs(spacy.blank("en").vocab)
    told = main("predict", run_dir, "-", stdin=lines({"text": doc.text}))
    expected = json.loads(told.stdout)["entities"]
    assert again.text == doc.text
    assert [(e.start_char, e.end_char, e.label_) for e in again.ents] == [
        (e["start"], e["end"], e["label"]) for e in expected
    ]
    scores = again.spans["nertool"].attrs["scores"]
    assert scores == pytest.approx([e["probability"] for e in expected], abs=1e-6)
    assert [(s.text, s.label_) for s in again.spans["gold"]] == spans_of(doc)
    for name in ("lemma_", "pos_", "tag_", "dep_"):
        assert [getattr(t, name) for t in again] == [getattr(t, name) for t in doc]
    assert [t.head.i for t in again] == [t.head.i for t in doc]
    assert again.cats == doc.cats
    assert [(s.text, s.label_) for s in again.spans["sc"]] == [("Charles", "X")]


def test_a_text_goes_into_docbin_and_out_again(main, tmp_path):
    done = main("corpus", "convert", a_file(tmp_path), "--to", "docbin", "-o", tmp_path / "a.spacy")
    assert done.returncode == 0, done.stderr
    docs = list(DocBin().from_disk(tmp_path / "a.spacy").get_docs(spacy.blank("en").vocab))
    assert [doc.text for doc in docs] == [TEXT, "It rained."]
    assert [spans_of(doc) for doc in docs] == [EXPECTED, []]
    assert docs[1].has_annotation("ENT_IOB")  # it is known that there are none
    done = main("corpus", "convert", tmp_path / "a.spacy", "--to", "jsonl")
    assert done.returncode == 0, done.stderr
    values = [json.loads(line) for line in done.stdout.splitlines()]
    assert [v["id"] for v in values] == [7, "x"]
    assert [v["text"] for v in values] == [TEXT, "It rained."]
    assert [(e["text"], e["label"]) for e in values[0]["entities"]] == EXPECTED


def test_a_doc_without_entity_annotation_is_not_one_without_entities(tmp_path):
    nlp = spacy.blank("en")
    DocBin(docs=[a_doc(), nlp("Nobody has looked here.")]).to_disk(tmp_path / "a.spacy")
    ledger = Ledger()
    corpus = read_corpus(tmp_path / "a.spacy", "auto", Reading(), ledger)
    assert len(entities_of(corpus)) == 2
    assert ledger.refused["records without labels (absent, null or skipped) among labelled ones"]


class Trap:
    """Unpickling it would leave a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_nothing_in_a_docbin_runs(main, tmp_path):
    import srsly

    sprung = tmp_path / "sprung"
    payload = pickle.dumps(Trap(sprung))
    evil = {b"nd": True, b"type": "|O", b"kind": b"O", b"shape": [1], b"data": payload}
    raw = DocBin(store_user_data=True, docs=[a_doc()]).to_bytes()
    message = srsly.msgpack_loads(zlib.decompress(raw))
    for key, value in (("user_data", [srsly.msgpack_dumps(evil)]), ("cats", [evil])):
        (tmp_path / "a.spacy").write_bytes(
            zlib.compress(srsly.msgpack_dumps({**message, key: value}))
        )
        main("corpus", "stats", tmp_path / "a.spacy")
        assert not sprung.exists()


@pytest.mark.parametrize("damage", ["cut", "other", "bomb"])
def test_a_damaged_docbin_is_refused_with_one_line(main, tmp_path, damage, monkeypatch):
    raw = DocBin(docs=[a_doc()]).to_bytes()
    if damage == "bomb":
        monkeypatch.setenv("NERTOOL_MAX_UNPACKED", "1000")
    content = {"cut": raw[:-20], "other": zlib.compress(b"\x81\xa7version\xa30.1"), "bomb": raw}
    (tmp_path / "a.spacy").write_bytes(content[damage])
    done = main("corpus", "stats", tmp_path / "a.spacy")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "a.spacy: " in done.stderr.splitlines()[-1]


def test_without_spacy_the_message_says_how_to_install_it(main, tmp_path, monkeypatch):
    DocBin(docs=[a_doc()]).to_disk(tmp_path / "a.spacy")
    monkeypatch.setitem(sys.modules, "spacy", None)
    done = main("corpus", "stats", tmp_path / "a.spacy")
    assert done.returncode == 1
    assert "pip install 'nertool[spacy]'" in done.stderr


@pytest.mark.parametrize(
    ("to", "options", "converter"),
    [("conll", ["--bare"], "ner"), ("conllu", ["--ner-key", "name"], "conllu"),
     ("conllu", ["--ner-key", "NE"], "conllu")],
)  # fmt: skip
def test_spacy_convert_reads_columns_and_conllu(main, tmp_path, to, options, converter):
    from spacy.cli.convert import convert

    given = "-DOCSTART- O\n\nAda B-PER\nLovelace I-PER\nleft O\n\n-DOCSTART- O\n\nParis B-LOC\n\n"
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    path = tmp_path / "in" / f"a.{to}"
    done = main("corpus", "convert", "-", "--to", to, *options, "-o", path, stdin=given)
    assert done.returncode == 0, done.stderr
    convert(path, tmp_path / "out", file_type="spacy", converter=converter, silent=True)
    docs = list(DocBin().from_disk(tmp_path / "out" / "a.spacy").get_docs(spacy.blank("en").vocab))
    assert [token.text for doc in docs for token in doc] == ["Ada", "Lovelace", "left", "Paris"]
    assert [pair for doc in docs for pair in spans_of(doc)] == [
        ("Ada Lovelace", "PER"), ("Paris", "LOC"),
    ]  # fmt: skip
    if converter == "ner":
        assert len(docs) == 2


# ------------------------------------------------------------ the component


@pytest.fixture
def nlp(run_dir):
    blank = spacy.blank("en")
    blank.add_pipe("nertool", config={"model": str(run_dir)})
    return blank


TEXTS = [
    "Ada Lovelace met Charles Babbage in London.",
    "It rained.",
    "",
    " \n",
    "Siemens hired Ada.",
]


def test_the_component_finds_what_predict_finds(nlp, main, run_dir, tmp_path):
    DocBin(docs=[nlp.make_doc(text) for text in TEXTS]).to_disk(tmp_path / "a.spacy")
    done = main("predict", run_dir, tmp_path / "a.spacy", "--to", "jsonl")
    assert done.returncode == 0, done.stderr
    expected = [json.loads(line)["entities"] for line in done.stdout.splitlines()]
    assert sum(map(len, expected)) >= 3
    for doc, entities in zip(nlp.pipe(TEXTS, batch_size=2), expected, strict=True):
        assert [(e.start_char, e.end_char, e.label_) for e in doc.ents] == [
            (e["start"], e["end"], e["label"]) for e in entities
        ]
        group = doc.spans["nertool"]
        assert list(group) == list(doc.ents)
        assert group.attrs["scores"] == pytest.approx(
            [e["probability"] for e in entities], abs=1e-6
        )
    assert spans_of(nlp(TEXTS[0])) == [(e["text"], e["label"]) for e in expected[0]]
    assert set(nlp.get_pipe("nertool").labels) == {"LOC", "ORG", "PER"}


def test_sentences_of_another_component_are_used(nlp):
    nlp.add_pipe("sentencizer", first=True)
    doc = nlp("Ada left. Charles stayed.")
    assert len(list(doc.sents)) == 2
    assert nlp.get_pipe("nertool").tagger is not None


def test_entities_that_are_there_stay_unless_they_are_to_be_overwritten(run_dir):
    for overwrite in (False, True):
        nlp = spacy.blank("en")
        ruler = nlp.add_pipe("entity_ruler")
        ruler.add_patterns([{"label": "CITY", "pattern": "London"}])
        nlp.add_pipe("nertool", config={"model": str(run_dir), "overwrite_ents": overwrite})
        doc = nlp(TEXTS[0])
        labels = {ent.text: ent.label_ for ent in doc.ents}
        assert labels["London"] == ("LOC" if overwrite else "CITY")
        assert "LOC" in [span.label_ for span in doc.spans["nertool"]]


def test_a_saved_pipeline_holds_its_model(nlp, tmp_path, run_dir, monkeypatch):
    expected = [spans_of(doc) for doc in nlp.pipe(TEXTS)]
    nlp.to_disk(tmp_path / "pipeline")
    assert spacy.util.load_config(tmp_path / "pipeline" / "config.cfg")["components"]["nertool"][
        "model"
    ] == str(run_dir)
    # The run folder may be gone.
    config = tmp_path / "pipeline" / "config.cfg"
    config.write_text(config.read_text().replace(str(run_dir), "/nowhere"))
    again = spacy.load(tmp_path / "pipeline")
    assert [spans_of(doc) for doc in again.pipe(TEXTS)] == expected
    from_bytes = spacy.blank("en")
    from_bytes.add_pipe("nertool")
    from_bytes.from_bytes(nlp.to_bytes())
    assert [spans_of(doc) for doc in from_bytes.pipe(TEXTS)] == expected
    again.to_disk(tmp_path / "pipeline")  # over the model that it has mapped
    assert [spans_of(doc) for doc in spacy.load(tmp_path / "pipeline").pipe(TEXTS)] == expected


def test_without_a_model_the_message_says_what_is_expected(run_dir):
    nlp = spacy.blank("en")
    nlp.add_pipe("nertool")
    with pytest.raises(Exception, match="expected config="):
        nlp("Ada.")


def test_a_threshold_and_another_span_group(run_dir):
    nlp = spacy.blank("en")
    nlp.add_pipe("nertool", config={"model": str(run_dir), "threshold": 1.0, "span_group": "names"})
    doc = nlp(TEXTS[0])
    assert list(doc.ents) == []
    assert list(doc.spans) == ["names"]


def test_an_evaluation_of_the_pipeline_counts_its_entities(nlp):
    from spacy.training import Example

    doc = nlp(TEXTS[0])
    scores = nlp.evaluate([Example(nlp.make_doc(TEXTS[0]), doc)])
    assert scores["ents_f"] == 1.0


def test_processes_of_a_pipeline_find_the_same(nlp):
    expected = [spans_of(doc) for doc in nlp.pipe(TEXTS)]
    assert [spans_of(doc) for doc in nlp.pipe(TEXTS, n_process=2)] == expected


def test_installed_beside_spacy_the_component_is_found_without_an_import(run_dir):
    assert [e.value for e in entry_points(group="spacy_factories") if e.name == "nertool"] == [
        "nertool.integrations.spacy:make_nertool"
    ]
    code = (
        "import spacy; nlp = spacy.blank('en'); "
        f"nlp.add_pipe('nertool', config={{'model': {str(run_dir)!r}}}); "
        "print(len(nlp('Ada Lovelace met me.').ents))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 1


def test_the_page_on_spacy_runs_as_it_stands(tmp_path, main, started, monkeypatch, capfd) -> None:
    from tests.docs.test_pages import ROOT, blocks, commands, run

    assert main("init", tmp_path / "new").returncode == 0
    monkeypatch.chdir(tmp_path / "new")
    for part in ("train", "dev"):
        Path(f"{part}.conll").write_bytes(Path(f"data/support/{part}.conll").read_bytes())
    out = ""
    names: dict = {"__name__": "example"}
    for language, _, code in blocks((ROOT / "docs" / "spacy.md").read_text(encoding="utf-8")):
        for line in commands(language, code) if language == "sh" else ():
            run(line, main, Path.cwd(), started)
        if language == "python":
            capfd.readouterr()
            exec(compile(code, "spacy.md", "exec"), names)
            out += capfd.readouterr().out
    assert {ent.label_ for ent in names["doc"].ents} <= {
        "PRODUCT",
        "VERSION",
        "COMPONENT",
        "ERROR_CODE",
    }
    assert "Nothing happened." in out
