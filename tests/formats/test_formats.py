"""All formats: what is read of each, and each on the command line."""

from __future__ import annotations

import json

import pytest

from nertool.catalogue import find_format
from tests.support.corpora import (
    LONDON,
    SPANS,
    TASK,
    TESTED,
    TEXT,
    found,
    lines,
    read,
    refusal,
    surfaces,
)

WORDS = ["Ada", "Lovelace", "met", "me", "in", "London", "."]
ENTITIES = [(0, 2, "PER"), (5, 6, "LOC")]
DICTS = [{"start": a, "end": b, "label": label} for a, b, label in SPANS]
TAGS = ["B-PER", "I-PER", "O", "O", "O", "B-LOC", "O"]
ROWS = list(zip(WORDS, TAGS, strict=True))


ONE_SENTENCE = {
    "plain": lines({"text": TEXT, "entities": DICTS}),
    "plain-lists": lines({"text": TEXT, "entities": SPANS}),
    "doccano": lines({"id": 3, "text": TEXT, "label": SPANS, "Comments": []}),
    "doccano-labels": lines({"text": TEXT, "labels": SPANS}),
    "doccano-offsets": lines(
        {"text": TEXT, "entities": [{"start_offset": a, "end_offset": b, "label": c} for a, b, c in SPANS]}
    ),
    "prodigy": lines({"text": TEXT, "spans": DICTS, "answer": "accept", "_input_hash": 5}),
    "spacy-pairs": json.dumps([[TEXT, {"entities": SPANS}]]),
    "json": json.dumps([{"text": TEXT, "entities": DICTS}], indent=1),
    "json-object": json.dumps({"text": TEXT, "entities": DICTS}, indent=1),
    "json-min": json.dumps([{"text": TEXT, "label": [{**d, "labels": [d["label"]]} for d in DICTS]}]),
    "label-studio": json.dumps([TASK]),
    "hf": lines({"id": "0", "tokens": WORDS, "ner_tags": TAGS}),
    "hf-json": json.dumps([{"tokens": WORDS, "ner_tags": TAGS}]),
    "inline": "[Ada Lovelace](PER) met me in [London](LOC).\n",
    "two-columns": "".join(f"{w} {t}\n" for w, t in ROWS),
    "four-columns": "".join(f"{w}\tX\tY\t{t}\n" for w, t in ROWS),
    "header": "Token\tPOS\tTag\n" + "".join(f"{w}\tX\t{t}\n" for w, t in ROWS),
    "header-tag-first": "NER\tWord\n" + "".join(f"{t}\t{w}\n" for w, t in ROWS),
    "germeval": "#\thttp://example.org/a\t[2009-10-17]\n"
    + "".join(f"{i}\t{w}\t{t}\tO\n" for i, (w, t) in enumerate(ROWS, 1)),
    "offsets": "".join(f"{w}\t{i}\t{i + len(w)}\t{t}\n" for i, (w, t) in enumerate(ROWS)),
    "csv": "Sentence #,Word,POS,Tag\n"
    + "".join(f"{'Sentence: 1' if i == 0 else ''},{w},NN,{t}\n" for i, (w, t) in enumerate(ROWS)),
    "commented": "# sent_id = 1\n# text = " + TEXT + "\n" + "".join(f"{w} {t}\n" for w, t in ROWS),
    "conllu": f"# newdoc\n# text = {TEXT}\n"
    + "".join(
        f"{i}\t{w}" + "\t_" * 7 + f"\tNER={t}{'|SpaceAfter=No' if w == 'London' else ''}\n"
        for i, (w, t) in enumerate(ROWS, 1)
    )
    + "\n",
}  # fmt: skip


@pytest.mark.parametrize("name", ONE_SENTENCE)
def test_one_sentence_is_the_same_in_every_format_and_is_recognised(name):
    corpus = read(ONE_SENTENCE[name])
    assert found(corpus) == [(WORDS, ENTITIES)]
    if corpus.records:
        assert surfaces(corpus) == [("Ada Lovelace", "PER"), ("London", "LOC")]
    if "hf" not in name and corpus.records:
        assert corpus.records.texts[0].rstrip("\n") == TEXT


def test_fields_that_are_not_labels_are_kept():
    doc = read(ONE_SENTENCE["doccano"]).records.fields
    assert doc == [{"id": 3, "Comments": []}]
    assert read(ONE_SENTENCE["label-studio"]).records.fields == [{"id": 7, "source": "diary"}]
    prodigy = read(ONE_SENTENCE["prodigy"]).records.fields
    assert prodigy == [{"answer": "accept", "_input_hash": 5}]


def test_the_header_s_sentence_column_parts_sentences():
    data = 'Sentence #,Word,Tag\nSentence: 1,Ada,B-PER\n,met,O\nSentence: 2,",",O\n,Rome,B-LOC\n'
    assert found(read(data)) == [
        (["Ada", "met"], [(0, 1, "PER")]),
        ([",", "Rome"], [(1, 2, "LOC")]),
    ]


def test_columns_may_be_named_by_the_header():
    data = "x\ttoken\tfine\tcoarse\n1\tAda\tB-WOMAN\tB-PER\n2\tmet\tO\tO\n"
    assert found(read(data, tag_column="fine"))[0][1] == [(0, 1, "WOMAN")]
    assert found(read(data, tag_column="coarse"))[0][1] == [(0, 1, "PER")]
    assert 'did you mean "coarse"' in refusal(data, format_name="conll", tag_column="coarsr")


def test_hash_signs_are_words_where_they_are_as_wide_as_the_others():
    data = "#\tO\nAda\tB-PER\n#win:\tO\n\n#\tO\nx\tO\n"
    assert [words for words, _ in found(read(data))] == [["#", "Ada", "#win:"], ["#", "x"]]


def test_numbered_tags_get_their_names():
    data = lines({"tokens": ["Ada", "met"], "ner_tags": [1, 0]})
    corpus = read(data, tag_names=("O", "B-PER"))
    assert found(corpus) == [(["Ada", "met"], [(0, 1, "PER")])]
    assert "x:1: ner_tags: found the number 1" in refusal(data)
    assert "--tag-names" in refusal(data)
    assert "expected one below 1" in refusal(data, tag_names=("O",))


def test_a_conllu_range_is_one_token_and_an_empty_node_none():
    row = "\t_" * 8
    data = f"1-2\tdel{row}\n1\tde{row}\n2\tel{row}\n2.1\tx{row}\n3\tRío\t_\t_\t_\t_\t_\t_\t_\tNER=B-LOC\n"
    assert found(read(data)) == [(["del", "Río"], [(1, 2, "LOC")])]


def test_documents_are_told_by_their_number():
    a = {"tokens": ["a"], "ner_tags": ["O"]}
    corpus = read(
        lines(*({**a, "document": d} for d in (0, 0, 1)), a),
    )
    assert corpus.document_starts.tolist() == [0, 2, 3, 4]


def test_a_record_without_a_word_is_kept_as_a_record():
    corpus = read(lines({"text": "", "entities": []}, {"text": "Ada", "entities": []}))
    assert corpus.records.texts == ["", "Ada"]
    assert corpus.records.starts.tolist() == [0, 0, 1]
    assert (corpus.sentences, corpus.documents) == (1, 2)


# On the command line


@pytest.mark.parametrize("to", [known.name for known in TESTED if known.reads and known.writes])
def test_a_text_trains_the_same_model_in_whatever_format_it_comes(to, tiny, tmp_path, main):
    out = tmp_path / f"train.{to}"
    done = main("corpus", "convert", tiny / "dev.conll", "--to", to, "-o", out)
    assert done.returncode == 0, done.stderr
    assert "altered: " not in done.stderr or to == "pubtator"
    assert "refused: " not in done.stderr
    if to != "inline" and "tokens" not in find_format(to).keeps:
        return  # sentences are found anew there
    from nertool.config.file import load_config
    from nertool.training.preparation.encode import prepare

    config = load_config(
        tiny / "config.yaml", [f"corpus.train={out}", "corpus.dev=", "vectors.path=null"]
    )
    usual = load_config(
        tiny / "config.yaml",
        [f"corpus.train={tiny / 'dev.conll'}", "corpus.dev=", "vectors.path=null"],
    )
    a, b = prepare(config), prepare(usual)
    assert a.labels == b.labels
    assert a.train.tag_ids.tolist() == b.train.tag_ids.tolist()
    assert a.train.sentence_starts.tolist() == b.train.sentence_starts.tolist()
    assert a.train.words == b.train.words


def test_convert_reads_stdin_writes_stdout_and_accounts_for_it(main, tmp_path):
    report = tmp_path / "report.tsv"
    done = main(
        "corpus", "convert", "-", "--to", "inline", "--misaligned", "drop", "--report", report,
        stdin=lines(LONDON, {"text": "Ada left.", "entities": [[0, 3, "PER"]]}),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "# id: 0000\nIn Londonderry today\n\n# id: 0001\n[Ada](PER) left.\n"
    assert report.read_text() == (
        '<stdin>:1\trefused\tentities with a border inside a token\t"London" (LOC)\n'
    )
    assert "refused: 1 × entities with a border inside a token (first at <stdin>:1)" in done.stderr


def test_evaluate_reads_any_format(tiny, run_dir, main, tmp_path):
    expected = main("evaluate", run_dir, tiny / "dev.conll").stdout
    for to in ("jsonl", "hf", "conllu"):
        main("corpus", "convert", tiny / "dev.conll", "--to", to, "-o", tmp_path / "x")
        assert main("evaluate", run_dir, tmp_path / "x").stdout == expected


def test_half_a_pair_of_surrogates_passes_through_json_and_is_refused_elsewhere(main):
    line = '{"text": "a \\ud800 b", "entities": [[0, 1, "X"]]}\n'
    done = main("corpus", "convert", "-", "--to", "jsonl", "--no-tokens", stdin=line)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["text"] == "a \ud800 b"
    done = main("corpus", "convert", "-", "--to", "conll", stdin=line)
    assert done.returncode == 1
    assert "half of a pair of surrogates" in done.stderr


def test_train_reads_json_and_accounts_for_labels_that_do_not_fit(tiny, main, tmp_path):
    path, report = tmp_path / "train.jsonl", tmp_path / "report.tsv"
    good = {"text": "Ada left New York .", "entities": [[0, 3, "PER"], [9, 17, "LOC"]]}
    path.write_text(lines(*[good] * 9, LONDON))
    arguments = ("train", tiny / "config.yaml", "--set", f"corpus.train={path}", "--set", "corpus.dev=",
                 "--set", "training.epochs=1", "--run-dir", tmp_path / "run")  # fmt: skip
    done = main(*arguments)
    assert (done.returncode, f"{path}:10: found the entity" in done.stderr) == (1, True)
    done = main(*arguments, "--set", "corpus.misaligned=drop", "--report", report)
    assert done.returncode == 0, done.stderr
    assert "refused: 1 × entities with a border inside a token" in done.stderr
    assert report.read_text().startswith(f"{path}:10\trefused\t")


def test_conllu_to_conllu_keeps_lemmas_heads_ranges_and_comments(main):
    row = "{}\t{}\tlemma\tPROPN\tNNP\tCase=Nom\t2\tnsubj\t_\t{}\n"
    text = (
        "# newdoc id = d\n# sent_id = 1\n# text = Ada Lovelace del\n"
        + row.format(1, "Ada", "Gloss=x|NER=B-PER")
        + row.format(2, "Lovelace", "NER=I-PER")
        + "3-4\tdel" + "\t_" * 8 + "\n"
        + row.format(3, "de", "_") + row.format(4, "el", "_") + "4.1\te" + "\t_" * 8 + "\n\n"
    )  # fmt: skip
    done = main("corpus", "convert", "-", "--to", "conllu", stdin=text)
    assert done.stdout == text
    done = main("corpus", "convert", "-", "--to", "conllu", "--scheme", "bioes", stdin=text)
    assert done.stdout == text.replace("NER=I-PER", "NER=E-PER")
