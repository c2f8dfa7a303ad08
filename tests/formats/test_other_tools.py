"""Formats of other tools, as those tools write them: recognised, and read with the right entities."""

from __future__ import annotations

import io
import json
from typing import Any

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


PLACES = [{"label": c, "start_offset": a, "end_offset": b} for a, b, c in SPANS]
NUMBERED = [{"id": 11 + i, **entity} for i, entity in enumerate(PLACES)]
DOCCANO = {
    "labels": {"id": 3, "Comments": ["a"], "text": TEXT, "label": SPANS},
    "classes of texts": {"id": 3, "cats": ["x"], "text": TEXT, "entities": SPANS},
    "relations": {
        "id": 3,
        "relations": [{"id": 5, "from_id": 11, "to_id": 12, "type": "in"}],
        "Comments": [],
        "text": TEXT,
        "entities": NUMBERED,
    },
    "no entity": {"id": 4, "relations": [], "Comments": [], "text": TEXT, "entities": []},
}


@pytest.mark.parametrize("name", DOCCANO)
def test_doccano_s_records_are_written_in_the_shape_that_they_were_read_in(name, main):
    done = main("corpus", "convert", "-", "--to", "doccano", stdin=lines(DOCCANO[name]))
    assert json.loads(done.stdout) == json.loads(lines(DOCCANO[name]))
    assert "nothing altered or refused" in done.stderr
    by_jsonl = main("corpus", "convert", "-", "--to", "jsonl", stdin=lines(DOCCANO[name])).stdout
    again = main("corpus", "convert", "-", "--to", "doccano", stdin=by_jsonl).stdout
    assert json.loads(again) == json.loads(done.stdout)


def test_doccano_s_relations_of_entities_that_are_gone_are_counted(main):
    text = {**DOCCANO["relations"], "entities": [{**NUMBERED[0], "end_offset": 10}, NUMBERED[1]]}
    how = ("corpus", "convert", "-", "--to", "doccano", "--misaligned")
    done = main(*how, "drop", stdin=lines(text))
    assert json.loads(done.stdout)["entities"] == NUMBERED[1:]
    assert json.loads(done.stdout)["relations"] == []
    assert "left out: 1 × relations of entities that are not in the output" in done.stderr


PRODIGY: dict[str, Any] = {
    "meta": {"source": "x"}, "_input_hash": -1, "_task_hash": 2, "_view_id": "ner_manual", "answer": "accept",
    "text": "Ada Lovelace met.",
    "tokens": [{"text": "Ada", "start": 0, "end": 3, "id": 0, "ws": True},
               {"text": "Lovelace", "start": 4, "end": 12, "id": 1, "ws": True},
               {"text": "met", "start": 13, "end": 16, "id": 2, "ws": False},
               {"text": ".", "start": 16, "end": 17, "id": 3, "ws": False}],
    "spans": [{"start": 0, "end": 12, "token_start": 0, "token_end": 1, "label": "PER"}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "expected", "counted"),
    [
        ({}, PRODIGY["spans"], "nothing altered or refused"),
        ({"spans": None}, [], "nothing altered or refused"),
        ({"answer": "reject"}, None, "refused: 1 × records that the annotator rejected or ignored"),
        ({"answer": "ignore"}, None, "refused: 1 × records that the annotator rejected or ignored"),
        ({"tokens": [{**t, "disabled": True} for t in PRODIGY["tokens"]]}, PRODIGY["spans"],
         "left out: 1 × values of tokens other than text and place: disabled"),
    ],
)  # fmt: skip
def test_prodigy_s_tasks_are_kept_with_their_hashes_if_they_were_accepted(
    changed, expected, counted, main
):
    task = {k: v for k, v in {**PRODIGY, **changed}.items() if v is not None}
    other = {**PRODIGY, "text": "Bob met.", "tokens": None, "spans": []}
    done = main("corpus", "convert", "-", "--to", "prodigy", stdin=lines(other, task))
    written = [json.loads(line) for line in done.stdout.splitlines()][1:]
    kept = [] if expected is None else [{**PRODIGY, "spans": expected, "sentences": [0]}]
    assert written == kept
    assert counted in done.stderr


# Typed from the examples of the section "WebAnno TSV 3.3 File format" of INCEpTION's user guide.
INCEPTION = (
    "#FORMAT=WebAnno TSV 3.3\n"
    "#T_SP=de.tudarmstadt.ukp.dkpro.core.api.lexmorph.type.pos.POS|PosValue\n"
    "#T_SP=webanno.custom.NamedEntity|identifier|value\n"
    "#T_RL=webanno.custom.Rel|BT_webanno.custom.NamedEntity\n\n\n"
    "#Sentence.id=s1\n#Text=Ms. Haag plays C\\\\D at 😊\n#Text=Mall [now] .\n"
    "1-1\t0-3\tMs.\tNNP\t*[2]|*[1]\tPERpart[2]|PER[1]\t_\t_\t\n"
    "1-2\t4-8\tHaag\tNNP\t*[1]\tPER[1]\t*\t1-1[0_1]\t\n"
    "1-3\t9-14\tplays\tVBD\t_\t_\t_\t_\t\n"
    "1-3.1\t9-13\tplay\t_\t*\tA\\|B\t_\t_\t\n"
    "1-4\t15-18\tC\\\\D\t_\t*\tP\\_Q\\[1\\]\\->\t_\t_\t\n"
    "1-5\t19-21\tat\t_\t*\t\\*\t_\t_\t\n"
    "1-6\t22-24\t😊\t_\thttp://x[4]\tLOC[4]\t_\t_\t\n"
    "1-7\t25-29\tMall\t_\t*[5]|http://x[4]\tORG[5]|LOC[4]\t_\t_\t\n"
    "1-8\t30-35\t[now]\t_\thttp://x[4]\tLOC[4]\t_\t_\t\n"
    "1-9\t36-37\t.\t_\t*\t*\t_\t_\t\n"
)


def test_what_inception_exports_is_read_and_written_in_its_own_layer(main):
    assert '"play" with a border inside a token ("plays")' in refusal(INCEPTION)
    ledger = Ledger()
    corpus = read(INCEPTION, ledger=ledger, misaligned="drop")
    entities = [("Ms. Haag", "PER"), ("C\\D", "P_Q[1]->"), ("at", "*"), ("😊\nMall [now]", "LOC")]
    assert surfaces(corpus) == entities
    assert ledger.refused == {
        "entities stacked on another": 2,
        "entities without a class": 1,
        "entities with a border inside a token": 1,
    }
    assert ledger.left_out == {
        "identifiers of sentences": 1,
        "values of the layer POS": 3,
        "values of the layer Rel": 1,
        "values of the feature identifier": 3,
    }
    layer = "#T_SP=webanno.custom.NamedEntity|identifier|value\n\n\n#Text="
    how = ("corpus", "convert", "-", "--to", "webanno", "--misaligned", "snap")
    out = main(*how, stdin=INCEPTION).stdout
    assert layer in out
    assert "1-4\t15-18\tC\\\\D\t*[3]\tP\\_Q\\[1\\]\\->[3]\t\n" in out
    assert main(*how, stdin=out).stdout == out
    assert surfaces(read(INCEPTION, tag_column="PosValue", misaligned="drop")) == [
        ("Ms.", "NNP"), ("Haag", "NNP"), ("plays", "VBD"),
    ]  # fmt: skip
    assert 'no layer or feature "x" (--tag-column)' in refusal(INCEPTION, tag_column="x")


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ("#T_SP=a.Plain|\n#T_SP=a.Kind|what\n", "what"),
        ("#T_SP=de.tudarmstadt.ukp.dkpro.core.api.segmentation.type.Lemma|value\n#T_SP=a.K|what\n", "what"),
        ("#T_SP=a.F|what|ROLE_a.F:R_a.L\n", "what"),
    ],
)  # fmt: skip
def test_webanno_s_classes_are_of_the_first_layer_of_spans_that_can_hold_them(layers, expected):
    rows = ["_\twhat\t", *["_\t_\t"] * 6] if "ROLE" not in layers else ["what\t_\t", *[NONE] * 6]
    assert surfaces(read(webanno(*rows, layers=layers))) == [("Ada", expected)]


def test_an_entity_over_the_end_of_a_webanno_sentence_is_counted():
    text = "#FORMAT=WebAnno TSV 3.3\n#T_SP=x.NamedEntity|value\n\n\n#Text=St.\n1-1\t0-3\tSt.\tLOC[1]\t\n"
    text += "\n#Text=Ives\n2-1\t4-8\tIves\tLOC[1]\t\n"
    ledger = Ledger()
    assert surfaces(read(text, ledger=ledger)) == [("St.", "LOC"), ("Ives", "LOC")]
    assert ledger.altered == {"entities across a sentence boundary, split at it": 1}


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


@pytest.mark.parametrize("tags", [{"ner_tags": ["B-PER", "I-PER", *"OOO", "B-LOC", "O"]}, {}])
@pytest.mark.parametrize("name", ["d1", 1])
def test_the_name_of_a_document_is_no_text_beside_words(tags, name):
    # In UBIAI's documents, `document` is the text, and `tokens` holds its entities.
    records = [{"document": name, "tokens": WORDS, **tags}] * 2
    empty = [{"document": name, "tokens": [], "ner_tags": []}] if tags else []
    text = lines(*records, *empty)
    corpus = read(text, "hf" if tags else "jsonl", labelled=bool(tags))
    assert [corpus.words[i] for i in corpus.word_ids] == WORDS * 2
    assert corpus.documents == 1
    ubiai = lines(
        {
            "document": TEXT,
            "tokens": [{"start": a, "end": b, "entityLabel": c} for a, b, c in SPANS],
        }
    )
    assert surfaces(read(ubiai, "jsonl")) == EXPECTED
