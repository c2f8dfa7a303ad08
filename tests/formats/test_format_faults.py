"""All formats: entities that are not whole tokens; records and files with faults, named by their place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nertool.corpus.build import entities_of
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.errors import CorpusError
from nertool.formats.read import read_corpus
from tests.support.corpora import LONDON, TASK, found, lines, read, refusal, surfaces


def test_an_entity_within_a_token_stops_is_snapped_or_is_dropped_and_is_counted() -> None:
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
        ({"text": "Ada", "entities": [{"start": "0", "end": 3, "label": "PER"}]}, "expected a whole number"),
        ({"text": "é Ada", "entities": [{"start": 3, "end": 5, "label": "P", "text": "Ada"}]}, "--offsets"),
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
    message = refusal(lines(good, value), format_name="jsonl")
    assert message.startswith("x:2")
    assert says in message


@pytest.mark.parametrize(
    ("data", "format_name", "says"),
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
def test_what_can_not_be_read_is_named_by_its_place(data, format_name, says):
    assert says in refusal(data, format_name)


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
    assert corpus.records is not None
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


def test_an_entity_that_stands_there_twice_is_taken_once():
    ledger = Ledger()
    corpus = read(lines({"text": "Ada met me.", "entities": [[0, 3, "PER"]] * 3}), ledger=ledger)
    assert found(corpus)[0][1] == [(0, 1, "PER")]
    assert ledger.altered == {"duplicate entities, kept once": 2}


def test_the_parts_of_a_brat_entity_may_come_in_any_order(tmp_path):
    (tmp_path / "a.txt").write_text("Ada B.\nLovelace met me.")
    for parts in ("0 6;7 15", "7 15;0 6"):
        (tmp_path / "a.ann").write_text(f"T1\tPER {parts}\tAda B. Lovelace\n")
        corpus = read_corpus(tmp_path, "brat", Reading(misaligned="snap"), Ledger())
        assert surfaces(corpus) == [("Ada B.\nLovelace", "PER")]
    (tmp_path / "a.ann").write_text("T1\tPER 16 19;0 3\tAda met\n")
    corpus = read_corpus(tmp_path, "brat", Reading(misaligned="snap"), Ledger())
    assert surfaces(corpus) == [("Ada B.\nLovelace met", "PER")]


@pytest.mark.parametrize("key", ["NER", "ner", "NE", "name"])
def test_tags_in_misc_have_several_names(key):
    row = "1\tAda" + "\t_" * 7 + f"\tSpaceAfter=No|{key}=B-PER\n"
    assert found(read(row)) == [(["Ada"], [(0, 1, "PER")])]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("two.conll", "Ada B\nLovelace I\nmet O\n\nBob B\nleft O\n"),
        ("four.conll", "Ada NNP B-NP B\nLovelace NNP I-NP I\nmet VB B-VP O\n\nBob N B-NP B\nleft V B-V O\n"),
        ("a.jsonl", '{"tokens": ["Ada", "Lovelace", "met"], "ner_tags": ["B", "I", "O"]}\n'
                    '{"tokens": ["Bob", "left"], "ner_tags": ["B", "O"]}\n'),
        ("slashed.txt", "Ada/B Lovelace/I met/O\nBob/B left/O\n"),
    ],
)  # fmt: skip
def test_tags_without_a_class_are_of_the_class_that_is_named_and_refused_otherwise(
    main, tmp_path, name, text
):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    done = main("corpus", "convert", str(path), "--to", "inline", "--class-name", "NAME")
    written = [line for line in done.stdout.splitlines() if line[:1] not in ("", "#")]
    assert written == ["[Ada Lovelace](NAME) met", "[Bob](NAME) left"]
    refused = main("corpus", "convert", str(path), "--to", "inline")
    assert refused.returncode == 1
    assert "--class-name" in refused.stderr
