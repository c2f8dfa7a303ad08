"""All formats: what is read of each, and that a corpus comes back whole from every one that can hold it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nertool.cli import options
from nertool.config import FORMATS
from nertool.corpus.annotated import labelled
from nertool.corpus.brat import write_brat
from nertool.corpus.columnar import Corpus
from nertool.corpus.convert import parquet_rows
from nertool.corpus.formats import ALIASES, RECORD_READERS, UNLABELLED, read_corpus, read_stream
from nertool.corpus.ledger import Ledger
from nertool.corpus.parquet import write_parquet
from nertool.corpus.records import MISALIGNED, Reading, Record, build_corpus, entities_of
from nertool.corpus.schemes import SCHEMES
from nertool.corpus.writers import WRITERS, Writing
from nertool.errors import CorpusError


def read(data: str | bytes, form: str = "auto", ledger: Ledger | None = None, **how) -> Corpus:
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    ledger = ledger or Ledger()
    return read_stream(io.BytesIO(raw), "x", form, Reading(**how), ledger, lambda line: None)


def found(corpus: Corpus) -> list[tuple[list[str], list[tuple[int, int, str]]]]:
    """Return each sentence's words with its entities, in tokens of the sentence."""
    spans = entities_of(corpus).as_list()
    out = []
    for words, a, b in zip(
        corpus.sentence_words(), corpus.sentence_starts, corpus.sentence_starts[1:], strict=False
    ):
        own = [(s - int(a), e - int(a), label) for s, e, label in spans if a <= s < b]
        out.append((words, own))
    return out


def surfaces(corpus: Corpus) -> list[tuple[str, str]]:
    """Return each entity's text, as it stands in the original, and its label."""
    records = corpus.records
    assert records is not None
    out = []
    for start, end, label in entities_of(corpus).as_list():
        sentence = int((corpus.sentence_starts <= start).sum()) - 1
        record = int((records.starts <= sentence).sum()) - 1
        while records.starts[record + 1] <= sentence:
            record += 1
        text = records.texts[record]
        out.append((text[records.token_starts[start] : records.token_ends[end - 1]], label))
    return out


def refusal(data: str | bytes, form: str = "auto", **how) -> str:
    with pytest.raises(CorpusError) as error:
        read(data, form, **how)
    assert "\n" not in str(error.value)
    return str(error.value)


TEXT = "Ada Lovelace met me in London."
WORDS = ["Ada", "Lovelace", "met", "me", "in", "London", "."]
ENTITIES = [(0, 2, "PER"), (5, 6, "LOC")]
SPANS = [[0, 12, "PER"], [23, 29, "LOC"]]
DICTS = [{"start": a, "end": b, "label": label} for a, b, label in SPANS]
TAGS = ["B-PER", "I-PER", "O", "O", "O", "B-LOC", "O"]
ROWS = list(zip(WORDS, TAGS, strict=True))


def lines(*values: object) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


TASK = {
    "id": 7,
    "data": {"text": TEXT, "source": "diary"},
    "annotations": [
        {
            "result": [
                {"type": "labels", "value": {"start": a, "end": b, "labels": [label]}}
                for a, b, label in SPANS
            ]
        }
    ],
}
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
    assert 'did you mean "coarse"' in refusal(data, form="conll", tag_column="coarsr")


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


def test_conllu_ranges_and_empty_nodes_hold_no_token():
    row = "\t_" * 8
    data = f"1-2\tdel{row}\n1\tde{row}\n2\tel{row}\n2.1\tx{row}\n3\tRío\t_\t_\t_\t_\t_\t_\t_\tNER=B-LOC\n"
    assert found(read(data)) == [(["de", "el", "Río"], [(2, 3, "LOC")])]


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


# Entities that are not whole tokens


LONDON = {"text": "In Londonderry today", "entities": [[3, 9, "LOC"]]}


def test_an_entity_within_a_token_stops_is_snapped_or_is_dropped_and_is_counted():
    message = refusal(lines(LONDON, LONDON))
    assert message.startswith(
        'x:1: found the entity "London" with a border inside a token ("Londonderry")'
    )
    cases: list[str] = []
    ledger = Ledger(cases.append)
    corpus = read(lines(LONDON, LONDON), misaligned="snap", ledger=ledger)
    assert surfaces(corpus) == [("Londonderry", "LOC")] * 2
    assert sum(ledger.altered.values()) == 2
    assert [case.split("\t")[0] for case in cases] == ["x:1", "x:2"]
    assert any("2 × entities snapped" in line and "x:1" in line for line in ledger.lines())
    ledger = Ledger()
    corpus = read(lines(LONDON, LONDON), misaligned="drop", ledger=ledger)
    assert (surfaces(corpus), sum(ledger.refused.values())) == ([], 2)
    assert corpus.tags == ["O"]


@pytest.mark.parametrize("misaligned", ["error", "snap", "drop"])
def test_blanks_at_an_entity_s_borders_are_trimmed_and_counted(misaligned):
    ledger = Ledger()
    data = lines({"text": "Hi  Ada !", "entities": [[3, 8, "PER"]]})
    assert surfaces(read(data, misaligned=misaligned, ledger=ledger)) == [("Ada", "PER")]
    assert sum(ledger.altered.values()) == 1


def test_of_entities_that_overlap_the_longest_is_kept_and_the_others_listed():
    data = lines(
        {
            "text": "University of Leeds won",
            "entities": [[14, 19, "LOC"], [0, 19, "ORG"], [20, 23, "X"]],
        }
    )
    assert "overlapping" in refusal(data)
    for misaligned in ("snap", "drop"):
        ledger = Ledger()
        corpus = read(data, misaligned=misaligned, ledger=ledger)
        assert surfaces(corpus) == [("University of Leeds", "ORG"), ("won", "X")]
        assert sum(ledger.refused.values()) == 1


def test_two_entities_that_snap_into_one_token_become_one():
    ledger = Ledger()
    data = lines({"text": "a Londonderry b", "entities": [[2, 8, "A"], [8, 13, "B"]]})
    assert surfaces(read(data, misaligned="snap", ledger=ledger)) == [("Londonderry", "A")]
    assert sum(ledger.refused.values()) == sum(ledger.altered.values()) == 1


def test_no_sentence_ends_inside_an_entity():
    text = "She works for Yahoo! Japan Corp. in Osaka. She likes it."
    start = text.index("Yahoo")
    entity = [start, text.index(" Japan") + 6, "ORG"]
    corpus = read(lines({"text": text, "entities": [entity]}))
    assert surfaces(corpus) == [("Yahoo! Japan", "ORG")]
    assert len(entities_of(corpus)) == 1


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"text": "Ada", "entities": [[0, 9, "PER"]]}, "expected places within the text's 3"),
        ({"text": "Ada", "entities": [[2, 1, "PER"]]}, "start before end"),
        ({"text": "Ada", "entities": [[-1, 1, "PER"]]}, "start before end"),
        ({"text": "Ada", "entities": [[0, 3, ""]]}, "expected a class"),
        ({"text": "Ada", "entities": [[0, 3, "O"]]}, "expected a class"),
        ({"text": "Ada", "entities": [[0, 3]]}, "found a list"),
        ({"text": "Ada", "entities": ["PER"]}, "found a string"),
        ({"text": "Ada", "entities": [{"start": "0", "end": 3, "label": "PER"}]}, "whole numbers"),
        ({"text": "é Ada", "entities": [{"start": 3, "end": 5, "label": "P", "text": "Ada"}]}, "bytes?"),
        ({"txt": "Ada", "entities": []}, 'did you mean "txt"?'),
        ({}, "found no key"),
        (3, "found a number"),
        (None, "found null"),
        ({"tokens": ["a", ""], "ner_tags": ["O", "O"]}, "an empty token"),
        ({"tokens": ["a", "b"], "ner_tags": ["O"]}, "found 2 tokens and 1 tags"),
        ({"tokens": ["a"], "ner_tags": ["B-"]}, 'found the tag "B-"'),
        ({"tokens": ["a"], "ner_tags": [None]}, "found null"),
        ({"text": "ab", "tokens": [[0, 1], [0, 2]], "entities": []}, "each after"),
        ({"text": "ab", "tokens": [[0, 1]], "sentences": [1], "entities": []}, "sentences"),
        ({"text": "ab", "tokens": [[0, 1]], "sentences": [0, 5], "entities": []}, "sentences"),
    ],
)  # fmt: skip
def test_a_faulty_record_is_refused_with_its_line_and_what_was_found(value, says):
    good = (
        {"text": "fine", "entities": []}
        if "text" in str(value)
        else {"tokens": ["a"], "ner_tags": ["O"]}
    )
    message = refusal(lines(good, value), form="jsonl")
    assert message.startswith("x:2")
    assert says in message


@pytest.mark.parametrize(
    ("data", "form", "says"),
    [
        ('{"text": "a"}\n{"text": "b', "auto", "x:2: not JSON"),
        ('[{"text": "a"},\n{"text": "b', "auto", "x:2: not JSON"),
        ("[" * 100_000, "json", "nested too deeply"),
        ('{"a": ' * 100_000, "jsonl", "nested too deeply"),
        (b'{"text": "\xff"}\n', "auto", "x:1: found the byte 0xff"),
        (b'[{"text": "a"},\n{"text": "\xff"}]', "auto", "x:2: found the byte 0xff"),
        (b"PAR1 is not all that it takes", "auto", "no Parquet file"),
        ("1\tAda\n", "conllu", "x:1: found 2 columns"),
        ("", "jsonl", "found no token"),
        ("[]", "auto", "found no token"),
        ('[{"data": {"n": 1}}]', "auto", "x:#1: found no text"),
    ],
)
def test_what_can_not_be_read_is_named_by_its_place(data, form, says):
    assert says in refusal(data, form)


def test_annotators_who_reject_or_disagree_are_counted():
    ledger = Ledger()
    corpus = read(
        lines(
            *(
                {"text": t, "spans": [], "answer": a}
                for t, a in (("Ada", "reject"), ("Bob", "accept"))
            )
        ),
        ledger=ledger,
    )
    assert corpus.words == ["Bob"]
    assert sum(ledger.refused.values()) == 1
    ledger = Ledger()
    twice = {
        **TASK,
        "annotations": [{"result": [], "was_cancelled": True}, *TASK["annotations"] * 2],
    }
    corpus = read(json.dumps([twice]), ledger=ledger)
    assert len(entities_of(corpus)) == 2
    assert sum(ledger.refused.values()) == 1


def test_brat_s_pairs_are_read_from_a_folder_and_other_lines_are_counted(tmp_path: Path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("Ada met\nNew\nYork.\n")
    (tmp_path / "in" / "a.ann").write_text(
        "T1\tPER 0 3\tAda\nT2\tLOC 8 11;12 16\tNew York\nR1\tx Arg1:T1 Arg2:T2\n"
    )
    (tmp_path / "in" / "b.txt").write_text("Nothing here.\n")
    (tmp_path / "in" / "b.ann").write_text("")
    ledger = Ledger()
    corpus = read_corpus(tmp_path / "in", "auto", Reading(), ledger)
    assert surfaces(corpus) == [("Ada", "PER"), ("New\nYork", "LOC")]
    assert [fields["id"] for fields in corpus.records.fields] == ["a", "b"]
    assert dict(ledger.refused) == {"lines of relations, events, attributes and notes": 1}
    assert corpus.documents == 2


@pytest.mark.parametrize(
    ("ann", "says"),
    [
        ("T1 PER 0 3 Ada\n", "expected an entity such as"),
        ("T1\tPER 0 99\tAda\n", "expected places within"),
        ("T1\tPER 0 3\tBob\n", 'found the entity "Bob"'),
        ("T1\tPER 0 1;2 3\tA a\n", "in 2 parts"),
        ("T1\tPER x y\tAda\n", "expected an entity such as"),
    ],
)
def test_brat_s_faults_are_named_by_their_line(tmp_path, ann, says):
    (tmp_path / "a.txt").write_text("Ada")
    (tmp_path / "a.ann").write_text(f"\n{ann}")
    with pytest.raises(CorpusError, match=r"a\.ann:2: ") as error:
        read_corpus(tmp_path / "a.txt", "auto", Reading(), Ledger())
    assert says in str(error.value)


# There and back


WORD = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Zs"], exclude_characters="\ufeff"),
    min_size=1,
    max_size=5,
) | st.sampled_from(["Ada", "[x](Y)", "\\", "don't", "#", "-", "U.S.", "東京", "e\u0301", "👨‍👩‍👧"])
LABELS = st.sampled_from(["PER", "LOC", "work-of-art", "日"])


@st.composite
def corpora(draw: st.DrawFn, blank: str = " ", words=WORD) -> Corpus:
    """Draw documents of sentences of words with entities, as a corpus."""
    records = []
    for _ in range(draw(st.integers(1, 3))):
        parts, tokens, sentences, spans = [], [], [], []
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
                spans.append((tokens[a][0], tokens[b - 1][1], draw(LABELS)))
        from nertool.corpus.columnar import Span

        text = "\n".join(parts)
        fields = {"id": f"d{len(records)}"} if draw(st.booleans()) else {}
        own = [Span(*span) for span in spans]
        records.append(Record(text, 1, own, tokens=tokens, sentences=sentences, fields=fields))
    return build_corpus(records, "drawn", "drawn", Reading(), Ledger())


def written(corpus: Corpus, to: str, folder: Path, scheme: str = "iob2") -> bytes | Path:
    piece = [labelled(corpus)]
    writing = Writing(scheme)
    if to == "parquet":
        out = io.BytesIO()
        write_parquet(parquet_rows(piece, writing), out)
        return out.getvalue()
    if to == "brat":
        write_brat(piece, folder, Ledger())
        return folder
    text = "".join(WRITERS[to].write(piece, writing, Ledger()))
    return text.encode()


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
    text = "".join(WRITERS["hf"].write([labelled(corpus)], Writing("io"), ledger))
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
    from nertool.corpus.convert import convert_texts

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
    pieces = convert_texts(
        [path], "conll", "conll", reading, Writing(scheme), False, Ledger(), lambda line: None
    )
    out = "".join(pieces)
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


# The table of formats


def test_the_lists_of_formats_agree():
    known = {"auto", "conll", "brat", *RECORD_READERS, *ALIASES} - {"prodigy"}
    assert set(options.INPUT_FORMATS) == known
    assert set(FORMATS) == known - set(UNLABELLED)
    assert set(options.LABELLED_OUTPUTS) == {*WRITERS, "brat", "parquet"}
    assert options.MISALIGNED == MISALIGNED
    assert options.SCHEMES == SCHEMES


# On the command line


@pytest.mark.parametrize("to", sorted({*WRITERS, "parquet", "brat"} - {"spans", "json"}))
def test_a_text_trains_the_same_model_in_whatever_format_it_comes(to, tiny, tmp_path, main):
    out = tmp_path / f"train.{to}"
    done = main("corpus", "convert", tiny / "dev.conll", "--to", to, "-o", out)
    assert done.returncode == 0, done.stderr
    assert "nothing altered or refused" in done.stderr.splitlines()[-1] or to == "brat"
    if to in ("brat", "label-studio", "doccano"):
        return  # sentences are found anew there
    from nertool.configfile import load_config
    from nertool.training.prepare import prepare

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
