"""`corpus split` names its parts and warns of shared documents; `explain` cuts text as `predict` does."""

from __future__ import annotations

import gzip
import json
import re

import pytest

from tests.support.corpora import read

DOCUMENT = "-DOCSTART- O\n\nAda B-PER\nmet O\nCharles B-PER\nin O\nLondon{0} B-LOC\n. O\n\n"
TEXT = "".join(DOCUMENT.format(i) for i in range(6))


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("all.conll", ["dev.conll", "test.conll", "train.conll"]),
        ("all.iob2.txt", ["dev.txt", "test.txt", "train.txt"]),
        ("all.conll.gz", ["dev.conll", "test.conll", "train.conll"]),  # they are not packed
        ("corpus.2024", ["dev.conll", "test.conll", "train.conll"]),
        ("corpus", ["dev.conll", "test.conll", "train.conll"]),
    ],
)
def test_parts_have_the_ending_of_what_is_in_them(tmp_path, main, name, parts):
    content = TEXT.encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    done = main("corpus", "split", tmp_path / name, "-o", tmp_path / "parts")
    assert done.returncode == 0
    assert sorted(path.name for path in (tmp_path / "parts").iterdir()) == parts
    whole = "".join(path.read_text() for path in (tmp_path / "parts").iterdir())
    assert sorted(whole.split()) == sorted(TEXT.split())
    assert "WARNING" not in done.stderr


def test_a_part_may_have_a_hyphen_in_its_name(tmp_path, main):
    (tmp_path / "t.conll").write_text(TEXT)
    parts = "train-a=0.5,train-b=0.5"
    done = main("corpus", "split", tmp_path / "t.conll", "-o", tmp_path / "parts", "--parts", parts)
    assert done.returncode == 0
    assert (tmp_path / "parts" / "train-a.conll").is_file()


def test_copies_of_a_document_in_two_parts_are_warned_of(tmp_path, main):
    (tmp_path / "t.conll").write_text(DOCUMENT.format(1) * 6)
    done = main("corpus", "split", tmp_path / "t.conll", "-o", tmp_path / "parts")
    assert "WARNING: 6 documents stand in more than one part" in done.stderr


def test_documents_that_are_divided_by_sentence_are_warned_of(tmp_path, main):
    document = TEXT.replace("-DOCSTART- O\n\n", "")
    (tmp_path / "t.conll").write_text(f"-DOCSTART- O\n\n{document}" * 2)
    done = main("corpus", "split", tmp_path / "t.conll", "-o", tmp_path / "parts", "--by-sentence")
    assert re.search(r"WARNING: [12] of 2 documents are divided between the parts", done.stderr)


def test_every_part_has_the_header_that_names_the_columns(tmp_path, main):
    # Without it the last column, with the words, would be read as the tags.
    rows = "".join(f"B-PER\tNN\tAda{i}\nO\tVB\tsaw\n\n" for i in range(9))
    (tmp_path / "t.tsv").write_text(f"ner\tpos\tword\n{rows}")
    parts = tmp_path / "parts"
    done = main("corpus", "split", tmp_path / "t.tsv", "-o", parts, "--by-sentence")
    assert done.returncode == 0
    words = []
    for name in ("train", "dev", "test"):
        corpus = read((parts / f"{name}.tsv").read_text())
        assert set(corpus.tags) == {"B-PER", "O"}
        words += corpus.words
    assert sorted(set(words)) == [*(f"Ada{i}" for i in range(9)), "saw"]


def test_sentences_that_share_a_line_are_not_divided_between_parts(tmp_path, main):
    text = {"text": "Ada came. Bob left.", "entities": [[0, 3, "PER"], [10, 13, "PER"]]}
    (tmp_path / "t.jsonl").write_text((json.dumps(text) + "\n") * 6)
    done = main("corpus", "split", tmp_path / "t.jsonl", "-o", tmp_path / "p", "--by-sentence")
    assert (done.returncode, (tmp_path / "p").exists()) == (1, False)
    assert "t.jsonl:1: found several sentences in one line" in done.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ada met Charles in London.", ["Ada", "met", "Charles", "in", "London", "."]),
        ("Ada met Charles in London .", ["Ada", "met", "Charles", "in", "London", "."]),
        ("Ada left. Charles (of Paris) stayed.", None),
    ],
)
def test_explain_has_the_words_that_predict_has(run_dir, main, text, words):
    done = main("predict", run_dir, "-", "--to", "jsonl", "--tokens", stdin=text)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    cut = [
        record["text"][start:end]
        for record in records
        for start, end in ([t[0], t[1]] for t in record["tokens"])
    ]
    assert words is None or cut == words
    for number, word in enumerate(cut, 1):
        out = main("explain", run_dir, text, "--word", str(number), "--json").stdout
        assert json.loads(out)["word"] == word


def test_explain_reads_a_text_from_stdin(run_dir, main):
    text = "Ada met Charles in London."
    given = main("explain", run_dir, text, "--word", "London")
    piped = main("explain", run_dir, "-", "--word", "London", stdin=text)
    assert piped.stdout == given.stdout != ""


def test_explain_lists_the_words_if_the_one_asked_for_is_not_among_them(run_dir, main):
    done = main("explain", run_dir, "Ada met Charles in London.", "--word", "Londn")
    assert done.returncode == 2
    said = " ".join(done.stderr.split())
    assert "expected a word of the text (Ada met Charles in London .)" in said
    assert 'did you mean "London"?' in said


def test_a_typed_text_with_angle_brackets_is_explained_as_it_stands(run_dir, main):
    done = main("explain", run_dir, "<b>Ada</b> met <p>Bo</p> in Paris", "--word", "Paris")
    assert done.returncode == 0, done.stderr
    assert "Paris" in done.stdout
