"""Formats of other tools, as those tools write them: recognised, and read with the right entities."""

from __future__ import annotations

import io
import json

import pytest

from nertool.corpus.ledger import Ledger
from nertool.errors import CorpusError
from nertool.formats.opening import open_stream
from tests.support.corpora import SPANS, TEXT, found, lines, read, refusal, surfaces

EXPECTED = [("Ada Lovelace", "PER"), ("London", "LOC")]
WORDS = ["Ada", "Lovelace", "met", "me", "in", "London", "."]


def webanno(*rows: str, layers: str = "#T_SP=x.NamedEntity|identifier|value\n") -> str:
    head = f"#FORMAT=WebAnno TSV 3.3\n{layers}\n\n#Text={TEXT}\n"
    return head + "".join(
        f"1-{i}\t0-0\t{word}\t{row}\n"
        for i, (word, row) in enumerate(zip(WORDS, rows, strict=True), 1)
    )


NONE = "_\t_\t"
BIOC = {
    "documents": [
        {
            "id": "7",
            "passages": [
                {"offset": 0, "text": "A title.", "annotations": []},
                {
                    "offset": 9,
                    "text": TEXT,
                    "annotations": [
                        {
                            "infons": {"type": c},
                            "text": TEXT[a:b],
                            "locations": [{"offset": 9 + a, "length": b - a}],
                        }
                        for a, b, c in SPANS
                    ],
                },
            ],
        }
    ]
}
DATATURKS = {
    "content": TEXT,
    "annotation": [
        {"label": [c], "points": [{"start": a, "end": b - 1, "text": TEXT[a:b]}]}
        for a, b, c in SPANS
    ],
    "extras": None,
}
LIGHT_TAG = {
    "content": TEXT,
    "annotations": [{"start": a, "end": b, "tag": c, "value": TEXT[a:b]} for a, b, c in SPANS],
}
CSV_LABELS = json.dumps(SPANS).replace('"', '""')
SAMPLES = {
    "opennlp": "<START:PER> Ada Lovelace <END> met me in <START:LOC> London <END> .\n",
    "xml enamex": '<ENAMEX TYPE="PER">Ada Lovelace</ENAMEX> met me in <ENAMEX TYPE="LOC">London</ENAMEX>.\n',
    "xml gate": "<PER>Ada Lovelace</PER> met me in <LOC gate:gateId='3'>London</LOC>.\n",
    "xml document": '<?xml version="1.0"?>\n<doc id="7">\n<s>'
    '<ENAMEX TYPE="PER">Ada Lovelace</ENAMEX> met me in <NE type="LOC">London</NE>.</s></doc>',
    "word-tag slash": "Ada/B-PER Lovelace/I-PER met/O me/O in/O London/B-LOC ./O\n",
    "word-tag bar": "Ada|B-PER Lovelace|I-PER met|O me|O in|O London|B-LOC .|O\n",
    "word-tag pos": "Ada|NNP|B-PER Lovelace|NNP|I-PER met|VBD|O me|PRP|O in|IN|O London|NNP|B-LOC .|.|O\n",
    "word-tag bare": "Ada/PER Lovelace/PER met/O me/O in/O London/LOC ./O\n",
    "word-tag underscore": "Ada_PER Lovelace_PER met_O me_O in_O London_LOC ._O\n",
    "pubtator": f"7|t|{TEXT}\n7\t0\t12\tAda Lovelace\tPER\tQ1\n7\t23\t29\tLondon\tLOC\tQ2\n7\tCID\tQ1\tQ2\n",
    "webanno": webanno("*[1]\tPER[1]\t", "*[1]\tPER[1]\t", NONE, NONE, NONE, "*\tLOC\t", NONE),
    "bioc": json.dumps(BIOC),
    "jsonl dataturks": lines(DATATURKS),
    "json lighttag": json.dumps({"examples": [LIGHT_TAG]}, indent=1),
    "jsonl lighttag": lines(LIGHT_TAG),
    "json gliner": json.dumps([{"tokenized_text": WORDS, "ner": [[0, 1, "PER"], [5, 5, "LOC"]]}]),
    "json spacy": json.dumps([[TEXT, {"entities": SPANS}]]),
    "json spacy lists": json.dumps([[TEXT, SPANS]]),
    "jsonl spacy doc": lines(
        {"text": TEXT, "ents": [{"start": a, "end": b, "label": c} for a, b, c in SPANS], "tokens": []}
    ),
    "csv": f'id,text,label\n7,"{TEXT}","{CSV_LABELS}"\n',
    "csv semicolon": f'id;text;entities\n7;"{TEXT}";"{CSV_LABELS}"\n',
    "csv tab": f'id\ttext\tspans\n7\t{TEXT}\t"{CSV_LABELS}"\n',
    "csv tokens": 'tokens,ner_tags\n"[\'Ada\', \'Lovelace\', \'met\', \'London\']",'
    '"[\'B-PER\', \'I-PER\', \'O\', \'B-LOC\']"\n',
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_each_tool_s_text_is_recognised_and_read(name):
    data = SAMPLES[name]
    assert open_stream(io.BytesIO(data.encode()), "x").format.name == name.split()[0]
    assert surfaces(read(data)) == EXPECTED


@pytest.mark.parametrize("name", SAMPLES)
def test_each_tool_s_text_is_converted_with_its_labels(name, main):
    done = main("corpus", "convert", "-", "--to", "inline", stdin=SAMPLES[name])
    assert done.returncode == 0, done.stderr
    assert "[Ada Lovelace](PER)" in done.stdout
    assert "[London](LOC)" in done.stdout


@pytest.mark.parametrize(
    ("record", "kept"),
    [
        ({"content": "Bob left.", "annotation": None}, 1),
        ({"content": "Bob left.", "annotation": []}, 2),
    ],
)
def test_a_dataturks_record_without_annotation_is_no_negative(record, kept):
    assert len(read(lines(DATATURKS, record)).records.texts) == kept


def test_an_empty_cell_says_nothing_of_labels():
    data = f'text,label\n"{TEXT}","{CSV_LABELS}"\nBob left.,\nCy ran.,[]\n'
    assert read(data).records.texts == [TEXT, "Cy ran."]


def test_a_table_of_words_is_not_taken_for_one_of_texts():
    data = "text,label\nAda,B-PER\nmet,O\nBob,B-PER\n"
    assert open_stream(io.BytesIO(data.encode()), "x").format.name == "conll"


def test_webanno_s_column_is_that_of_named_entities_and_stacks_are_counted():
    layers = "#T_SP=x.POS|coarse|PosValue\n#T_SP=x.NamedEntity|identifier|value\n"
    rows = ["NN\tNNP\t*[1]\tPER[1]|LOC[2]\t", "NN\tNNP\t*[1]\tPER[1]\t", *["V\tVB\t_\t_\t"] * 3,
            "NN\tNNP\t*\tJob\\_Title\t", ".\t.\t*\t*\t"]  # fmt: skip
    ledger = Ledger()
    corpus = read(webanno(*rows, layers=layers), ledger=ledger)
    assert surfaces(corpus) == [("Ada Lovelace", "PER"), ("London", "Job_Title")]
    assert ledger.refused == {"entities stacked on another": 1, "entities without a class": 1}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("<START:PER> Ada met .\nx <START:A> y <END>\n", "x:1: found <START:PER> without <END>"),
        ("Ada <END> met .\n<START:A> y <END>\n", "x:1: found <END> where it has no partner"),
        ("<PER>Ada</PER> met <PER>Bob</LOC>.\n", "x:1: found </LOC>, expected </PER>"),
        ("<PER>Ada</PER> met\n<PER>Bob.\n", "x:2: found <PER> that is not closed"),
        ("7|t|Ada met me.\n8\t0\t3\tAda\tPER\n", "x:2: found '8"),
        ("7|t|Ada met me.\n7\t4\t7\tAda\tPER\n", 'x:2: found the entity "Ada" at 4–7'),
        (json.dumps([{"tokenized_text": ["a"], "ner": [[0, 1, "X"]]}]), "from token 0 to 1"),
        (f'text,label\n"{TEXT}",[0\n', "x:2: found a string"),
    ],
)
def test_faults_are_named_by_their_place(data, says):
    assert says in refusal(data)


def test_documents_of_xml_go_together():
    data = "<doc id='a'><s>Ada met <PER>Bob</PER>.</s><s>He left.</s></doc>"
    data += "<doc id='b'><p>It &amp; I.</p></doc>"
    corpus = read(data)
    assert corpus.records.texts == ["Ada met Bob.", "He left.", "It & I."]
    assert corpus.document_starts.tolist() == [0, 2, 3]
    assert found(corpus)[0][1] == [(2, 3, "PER")]


def test_a_prediction_stands_beside_the_task_s_own_annotations_and_keys():
    import numpy as np

    from nertool.corpus.annotated import labelled
    from nertool.formats.base import Writing
    from nertool.formats.registry import text_writer
    from tests.support.corpora import TASK

    own = {**TASK, "meta": {"a": 1}, "drafts": [], "predictions": [{"model_version": "old"}]}
    own["annotations"][0]["result"][0] |= {"from_name": "ner", "to_name": "doc"}
    gold = read(json.dumps([own]))
    corpus = read(json.dumps([own]), labelled=False)
    spans = labelled(gold).spans
    predicted = labelled(corpus)._replace(spans=spans, probabilities=np.full(len(spans), 0.5))
    (task,) = json.loads("".join(text_writer("label-studio")([predicted], Writing(), Ledger())))
    assert {key: task[key] for key in ("id", "meta", "drafts", "annotations")} == {
        key: own[key] for key in ("id", "meta", "drafts", "annotations")
    }
    assert task["data"] == {"text": TEXT, "source": "diary"}
    old, new = task["predictions"]
    assert old == {"model_version": "old"}
    assert (new["score"], new["result"][0]["from_name"], new["result"][0]["to_name"]) == (
        0.5,
        "ner",
        "doc",
    )
    assert [result["value"]["text"] for result in new["result"]] == ["Ada Lovelace", "London"]


@pytest.mark.parametrize(
    "text",
    [
        'sep=;\nid;text;label\n7;"Ada met me; in London.";"[[0, 3, ""PER""]]"\n8;"It\nrained.";[]\n',
        'id|text|label\n7|Ada met me; in London.|[[0, 3, "PER"]]\n8|"It\nrained."|[]\n',
    ],
)
def test_tables_may_name_their_delimiter_in_a_line_of_excels_and_be_divided_by_bars(text):
    corpus = read(text)
    assert corpus.records.texts == ["Ada met me; in London.", "It\nrained."]
    assert surfaces(corpus) == [("Ada", "PER")]


def test_the_line_of_a_faulty_row_counts_excels_line():
    with pytest.raises(CorpusError, match="x:3: found 2 columns"):
        read('sep=;\nid;text;label\n7;"Ada"\n', "csv")
