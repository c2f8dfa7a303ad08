"""The data doctor: each fault put into a text is found where it stands, and a clean text has none."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nertool.corpus.blocks import decode_lines
from nertool.corpus.build import entities_of
from nertool.corpus.columnar import Corpus
from nertool.corpus.parts.split import line_units, split_units
from nertool.corpus.parts.stats import stats
from nertool.doctor.check import check, parts_of
from nertool.doctor.findings import Finding
from nertool.formats.conll.parse import Columns, parse_conll

# A clean text: 12 sentences, no two alike, 12 entities of each class.
CLEAN = "".join(
    f"On O\nday O\nnumber{i} O\nAnn{i} B-PER\nSmith{i} I-PER\nvisited O\nTown{i} B-LOC\n. O\n\n"
    for i in range(12)
)


def parse(text: str, name: str = "x") -> Corpus:
    return parse_conll(decode_lines(io.BytesIO(text.encode()), name), Columns(), name)


def findings(*texts: str) -> dict[str, Finding]:
    names = ("train", "dev", "test")
    parts = parts_of([(n, parse(text, n)) for n, text in zip(names, texts, strict=False)])
    found = check(parts)
    assert len({(f.kind, f.message) for f in found}) == len(found)
    return {finding.kind: finding for finding in found}


def test_a_clean_text_has_no_findings():
    assert findings(CLEAN) == {}


def test_a_slip_in_a_label_is_found_with_what_was_meant():
    many = "".join(f"Bob{i} B-PER\nwent{i} O\n\n" for i in range(30))
    slip = findings(CLEAN + many + "Eve B-PRE\nran O\n\nAl B-per\n")["label-typo"]
    assert slip.serious
    assert 'did you mean "PER"' in slip.message
    both = check(parts_of([("x", parse(many + "Eve B-PRE\n\nAl B-per\n", "x"))]))
    assert sorted(f.places for f in both if f.kind == "label-typo") == [("x:91",), ("x:93",)]


def test_labels_that_are_merely_alike_are_no_slips():
    text = "".join(f"a{i} B-PRODUCT\nb{i} B-PRODUCER\nc O\n\n" for i in range(30))
    assert "label-typo" not in findings(text)


@pytest.mark.parametrize(
    ("one", "other"), [("Person", "PERSON"), ("first_name", "first-name"), ("ＰＥＲ", "PER")]
)
def test_two_spellings_of_one_label_are_found_however_frequent_both_are(one, other):
    text = f"Eve B-{one}\nran O\n\n" * 30 + f"Al B-{other}\nsat O\n\n" * 31
    message = findings(text)["label-typo"].message
    assert message == f'the label "{one}" occurs 30 times: did you mean "{other}" (31)?'
    assert "label-typo" not in findings(text.replace(f"B-{other}", "B-C++").replace(one, "C"))


def test_tags_that_the_scheme_does_not_write_are_found_at_their_lines():
    found = findings(CLEAN + "Rome I-LOC\nis O\n")["transition"]
    assert found.places == ("train:109 (I-LOC, in iob2 B-LOC)",)
    bioes = "".join(f"A{i} B-PER\nB{i} E-PER\nc O\nD{i} S-LOC\n\n" for i in range(12))
    assert findings(bioes) == {}
    # An entity that B begins and nothing ends.
    found = findings(bioes + "New B-LOC\nwas O\n")["transition"]
    assert found.places == ("train:61 (B-LOC, in bioes S-LOC)",)


def test_parts_in_different_schemes_are_noted():
    io = CLEAN.replace("B-", "I-")
    messages = [f.message for f in check(parts_of([("train", parse(CLEAN)), ("dev", parse(io))]))]
    assert any("train iob2, dev iob1" in message for message in messages)
    assert any("dev: no tag begins with B-" in message for message in messages)


def test_copies_and_contradictions_are_found():
    again = "On O\nday O\nnumber3 O\nAnn3 B-PER\nSmith3 I-PER\nvisited O\nTown3 B-LOC\n. O\n\n"
    found = findings(CLEAN + again)
    assert found["copies"].places == ("train:28 and train:109",)
    assert "conflict" not in found
    other = again.replace("B-LOC", "O")
    found = findings(CLEAN + other)
    assert found["conflict"].serious
    assert found["conflict"].places == ("train:28 and train:109",)
    short = "Ha O\nha O\n\n"
    assert "copies" not in findings(CLEAN + short * 3)


def test_sentences_of_dev_that_stand_in_train_are_a_leak():
    lines = CLEAN.split("\n\n")
    dev = lines[0] + "\n\n" + CLEAN.replace("number", "nr")
    found = findings(CLEAN, dev)["leak"]
    assert (found.cases, found.serious) == (1, True)  # 1 of 13 is more than 5 %
    assert found.places == ("dev:1 is train:1",)


def test_classes_with_few_entities_and_those_that_a_part_lacks_are_found():
    found = findings(CLEAN + "X B-ORG\n", CLEAN.replace("number", "n").replace("LOC", "LAC"))
    assert "ORG 1" in found["few-examples"].message
    assert "LAC" in found["unknown-class"].message
    assert found["unknown-class"].places[0] == "dev:7"
    assert "LOC" in found["empty-class"].message
    assert findings("a O\nb O\n")["empty-class"].serious


def test_a_phrase_with_an_odd_label_and_a_name_left_out_are_found():
    many = "".join(f"in{i} O\nParis B-LOC\nnow{i} O\n\n" for i in range(20))
    found = findings(CLEAN + many + "Paris B-PER\nHilton I-PER\n\nto O\nParis B-PER\nsaid O\n")
    assert found["odd-label"].places == ('train:193 ("Paris" PER, LOC elsewhere 20 times)',)
    assert '"Paris" LOC 20, PER 1' in found["several-labels"].message
    found = findings(CLEAN + many + "to O\nParis O\n")
    assert found["missed-name"].places == ('train:190 ("Paris", an entity 20 times)',)


@pytest.mark.parametrize(
    ("word", "kind", "shown"),
    [
        ("A\ufeffda", "odd-character", "A\\ufeffda"),
        ("A\u200bda", "odd-character", "A\\u200bda"),
        ("A\u00adda", "odd-character", "A\\u00adda"),
        ("A\u00a0da", "odd-character", "A\\u00a0da"),
        ("A\ufffdda", "odd-character", "A\ufffdda"),
        ("A\x07da", "odd-character", "A\\u0007da"),
        ("CafÃ©", "odd-character", "CafÃ©"),
        ("cafe\u0301", "normal-form", "cafe\\u0301"),
        ("x" * 50, "long-word", "x" * 29 + "…"),
    ],
)
def test_odd_characters_are_shown_where_they_stand(word, kind, shown):
    found = findings(CLEAN + f"caf\u00e9 O\n{word} O\n")
    assert found[kind].places == (f"train:110 ({shown})",)


def test_decomposed_letters_alone_are_told_and_are_no_fault():
    found = findings(CLEAN + "cafe\u0301 O\n")["normal-form"]
    assert not found.serious
    assert "others in composed" not in found.message


@pytest.mark.parametrize(
    ("word", "serious"),
    [("\u200eAda", False), ("A\u2067da\u2069", False), ("A\u2064da", True), ("A\u200cda", False),
     ("می\u200c", False), ("A\u3164da", False), ("\u2060", True)],
)  # fmt: skip
def test_every_kind_of_invisible_character_is_told(word, serious):
    found = findings(CLEAN + f"{word} O\n")["odd-character"]
    assert found.serious == serious
    assert found.places


@pytest.mark.parametrize("word", ["می\u200cخواهم", "क्\u200dष", "❤\ufe0f\u200d🔥", "Zürich"])
def test_joiners_and_selectors_where_they_belong_are_no_finding(word):
    assert not {"odd-character", "normal-form"} & set(findings(CLEAN + f"{word} O\n"))


def test_a_sentence_without_an_end_is_found():
    found = findings(CLEAN + "".join(f"w{i} O\n" for i in range(700)))["long-sentence"]
    assert (found.serious, found.places) == (True, ("train:109 (700 words)",))


def test_other_habits_of_cutting_words_are_found():
    text = "".join(f"London's B-LOC\ntown{i} O\n\n" for i in range(12))
    found = findings(text)["habits"]
    assert found.places == ("London's → London 's (12)",)
    assert found.serious
    assert "habits" not in findings(CLEAN + "Dr. O\nJ. B-PER\nU.S. B-LOC\ndid O\nn't O\n's O\n")


# Stats


def test_entities_are_counted_by_class_and_length():
    text = "A B-X\nb I-X\nc O\nA B-X\nb I-X\n\nd B-Y\n\n-DOCSTART- O\n\ne O\n"
    (part,) = parts_of([("x", parse(text))])
    numbers = stats(part)
    assert (numbers["tokens"], numbers["sentences"], numbers["documents"]) == (7, 3, 2)
    assert numbers["labels"]["X"] == {
        "entities": 2,
        "distinct": 1,
        "per_1000_tokens": 285.71,
        "by_length": {"1": 0, "2": 2, "3": 0, "4": 0, "5+": 0},
    }
    assert numbers["sentence_length"] == {"mean": 2.3, "median": 1.0, "longest": 5}


# Split


def documents(number: int, label_of) -> str:
    return "".join(
        f"-DOCSTART- O\n\nw{i} O\n{'x O' if label_of(i) is None else 'x B-' + label_of(i)}\n\n"
        for i in range(number)
    )


@settings(max_examples=40, deadline=None)
@given(st.integers(3, 40), st.integers(0, 5), st.data())
def test_every_document_goes_into_one_part_and_every_line_with_it(number, seed, data):
    labels = data.draw(
        st.lists(st.sampled_from([None, "A", "B"]), min_size=number, max_size=number)
    )
    text = documents(number, labels.__getitem__)
    corpus = parse(text)
    spans = entities_of(corpus)
    part_of = split_units(corpus, spans, (0.8, 0.2), seed)
    assert part_of.shape == (number,)
    assert set(part_of.tolist()) <= {0, 1}
    assert (part_of == split_units(corpus, spans, (0.8, 0.2), seed)).all()
    lines = text.split("\n")[:-1]
    units = line_units(corpus, lines)
    assert units.tolist() == [i for i in range(number) for _ in range(5)]


def test_a_rare_class_is_dealt_out_by_shares():
    corpus = parse(documents(100, lambda i: "RARE" if i % 10 == 0 else "A"))
    spans = entities_of(corpus)
    part_of = split_units(corpus, spans, (0.8, 0.1, 0.1), seed=3)
    rare = np.arange(0, 100, 10)
    assert np.bincount(part_of[rare]).tolist() == [8, 1, 1]
    assert np.bincount(part_of).tolist() == [80, 10, 10]


def test_comments_and_marks_go_with_what_follows_and_blank_lines_with_what_stands_before():
    lines = ["# a", "x O", "", "# b", "y O", "", ""]
    corpus = parse_conll(iter(lines), Columns(comment="#"), "x")
    assert line_units(corpus, lines, by_sentence=True).tolist() == [0, 0, 0, 1, 1, 1, 1]


# On the command line


def test_check_reads_a_config_s_parts_and_says_so_as_text_and_as_json(tiny, main):
    done = main("corpus", "check", tiny / "config.yaml")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("train: 129 tokens")
    assert "Likely faults:" in done.stdout  # its dev is a part of its train
    done = main("corpus", "check", tiny / "config.yaml", "--json")
    result = json.loads(done.stdout)
    assert result["passed"] is False
    assert [part["name"] for part in result["parts"]] == ["train", "dev", "test"]
    assert {"leak", "copies", "coverage"} <= {finding["kind"] for finding in result["findings"]}


def test_strict_fails_on_likely_faults_alone(tmp_path, main):
    good, bad = tmp_path / "good.conll", tmp_path / "bad.conll"
    good.write_text(CLEAN)
    bad.write_text(CLEAN + "Rome I-LOC\n")
    done = main("corpus", "check", good, "--strict")
    assert (done.returncode, "No likely fault found." in done.stdout) == (0, True)
    report = tmp_path / "report.tsv"
    done = main("corpus", "check", bad, "--strict", "--report", report)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("read 1 file, 13 sentences, 97 tokens")
    assert report.read_text().startswith(f"{bad}:109 (I-LOC")
    assert main("corpus", "check", bad).returncode == 0


def test_stats_as_json(tmp_path, main):
    (tmp_path / "a.conll").write_text(CLEAN)
    done = main("corpus", "stats", tmp_path / "a.conll", "--json")
    assert json.loads(done.stdout)[0]["entities"] == 24


def test_split_writes_each_line_once(tmp_path, main):
    path, out = tmp_path / "all.conll", tmp_path / "parts"
    text = documents(30, lambda i: "A" if i % 2 else "B")
    path.write_text(text)
    done = main("corpus", "split", path, "-o", out, "--seed", "4")
    assert done.returncode == 0, done.stderr
    parts = {name: (out / f"{name}.conll").read_text() for name in ("train", "dev", "test")}
    blocks = [b for part in parts.values() for b in part.split("-DOCSTART- O\n\n") if b]
    assert sorted(blocks) == sorted(b for b in text.split("-DOCSTART- O\n\n") if b)
    sizes = [part.count("DOCSTART") for part in parts.values()]
    assert all(abs(size - wanted) <= 1 for size, wanted in zip(sizes, (24, 3, 3), strict=True))
    done = main("corpus", "split", path, "-o", out)
    assert (done.returncode, "already there" in done.stderr) == (1, True)


@pytest.mark.parametrize("parts", ["train", "a=0,b=1", "a=1,a=2", "a=x", "../a=1", "a=-1"])
def test_faulty_shares_are_misuse(tmp_path, main, parts):
    done = main("corpus", "split", "x", "-o", tmp_path / "out", "--parts", parts)
    assert (done.returncode, "--parts: found" in done.stderr) == (2, True)


def test_a_text_of_one_document_is_split_by_sentence_only_if_asked(tmp_path, main):
    path = tmp_path / "all.conll"
    path.write_text(CLEAN)
    done = main("corpus", "split", path, "-o", tmp_path / "out")
    assert (done.returncode, "--by-sentence" in done.stderr) == (1, True)
    done = main("corpus", "split", path, "-o", tmp_path / "out", "--by-sentence")
    assert done.returncode == 0
    assert sum(p.read_text().count("Ann") for p in (tmp_path / "out").iterdir()) == 12


def test_text_that_was_cut_by_the_tokeniser_has_its_habits_in_every_format(main, tmp_path):
    (tmp_path / "a.jsonl").write_text(
        '{"text": "Dr.Smith met Ada.", "entities": [{"start": 13, "end": 16, "label": "PER"}]}\n'
        * 9
    )
    (tmp_path / "b.txt").write_text("Dr.Smith met [Ada](PER).\n" * 9)
    for name in ("a.jsonl", "b.txt"):
        done = main("corpus", "check", tmp_path / name, "--json")
        kinds = {finding["kind"] for finding in json.loads(done.stdout)["findings"]}
        assert "habits" not in kinds, name
