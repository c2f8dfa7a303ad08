"""Several files as one labelled text: which files a path stands for, and what becomes of them."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import numpy as np
import pytest

from nertool.corpus.ledger import Ledger
from nertool.corpus.parts.hold_out import has_documents, hold_out
from nertool.corpus.record import Reading
from nertool.corpus.schemes import spans_of
from nertool.errors import CorpusError
from nertool.formats.labelled import read_labelled
from nertool.formats.paths import files_of, inputs_of, texts_hash


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "in" / "b.conll").write_text("Ada B-PER\nslept O\n\nBo B-PER\nran O\n")
    (tmp_path / "in" / "a.conll").write_text("Rex S-DOG\nsaw O\nAda B-PER\nKay E-PER\n")
    (tmp_path / "in" / "sub" / "c.jsonl").write_text(
        '{"text": "Oslo is cold", "spans": [{"start": 0, "end": 4, "label": "LOC"}]}\n'
    )
    (tmp_path / "in" / ".hidden").write_text("no text\n")
    return tmp_path / "in"


def read(*paths, report=lambda line: None, ledger=None):
    reading = Reading(needs_labels=True)
    return read_labelled(list(paths), "auto", reading, ledger or Ledger(), report)


def entities(corpus):
    words = [corpus.words[i] for i in corpus.word_ids]
    spans = spans_of(corpus.tag_ids, corpus.tags, corpus.sentence_starts).as_list()
    return [(" ".join(words[span.start : span.end]), span.label) for span in spans]


EXPECTED = [("Rex", "DOG"), ("Ada Kay", "PER"), ("Ada", "PER"), ("Bo", "PER"), ("Oslo", "LOC")]


@pytest.mark.parametrize(
    "paths",
    [["."], ["*.conll", "sub"], ["a.conll", "b.conll", "sub/c.jsonl"], ["a.conll", ".", "./a.conll"],
     ["[ab].conll", "**/*.jsonl"]],
)  # fmt: skip
def test_folders_patterns_and_lists_are_one_text_with_each_file_once(folder, paths):
    corpus = read(*(folder / path for path in paths))
    assert entities(corpus) == EXPECTED
    assert [corpus.words[i] for i in corpus.word_ids][:6] == [
        "Rex",
        "saw",
        "Ada",
        "Kay",
        "Ada",
        "slept",
    ]
    assert corpus.document_starts.tolist() == [0, 1, 3, 4]


def test_each_token_keeps_its_file_and_line(folder):
    corpus = read(folder)
    places = [os.path.relpath(corpus.place(token), folder) for token in range(corpus.tokens)]
    assert places[2:7] == ["a.conll:3", "a.conll:4", "b.conll:1", "b.conll:2", "b.conll:4"]
    assert places[-1] == "sub/c.jsonl:1"
    rest, dev = hold_out(corpus, 0.3, seed=1)
    held = [part.place(token) for part in (rest, dev) for token in range(part.tokens)]
    assert sorted(held) == sorted(corpus.place(token) for token in range(corpus.tokens))


def test_files_of_one_scheme_keep_their_tags(folder):
    (folder / "d.conll").write_text("Kay I-PER\nslept O\n")
    (folder / "e.conll").write_text("Bo S-PER\nslept O\n")
    same = read(folder / "a.conll", folder / "e.conll")
    assert set(same.tags) == {"S-DOG", "O", "B-PER", "E-PER", "S-PER"}
    mixed = read(folder / "a.conll", folder / "d.conll")
    assert set(mixed.tags) == {"B-DOG", "I-DOG", "O", "B-PER", "I-PER"}


def test_what_is_wrong_names_the_file(folder):
    (folder / "z.conll").write_text("Ada B-PER\nslept\n")
    with pytest.raises(CorpusError, match=r"z\.conll:2: "):
        read(folder)


def test_a_file_without_labels_among_labelled_ones_is_refused(folder):
    (folder / "raw.txt").write_text("Ada slept in Oslo and woke up in Bergen.\n")
    with pytest.raises(CorpusError, match=r"raw\.txt: .*no labels here"):
        read(folder)


@pytest.mark.parametrize(
    ("path", "message"),
    [("*.tsv", "found no file that matches"), ("empty", "found no file in this folder"),
     ("run", "found the folder of a model"), ("none.conll", "no such file")],
)  # fmt: skip
def test_a_path_that_stands_for_no_text_is_refused(folder, path, message):
    (folder / "empty").mkdir()
    (folder / "run" / "best").mkdir(parents=True)
    (folder / "run" / "best" / "model.json").write_text("{}")
    with pytest.raises(CorpusError, match=message):
        read(folder / path)


def test_of_many_files_the_first_notes_are_told_and_the_others_counted(folder, tmp_path) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for i in range(25):
        (many / f"{i:02}.conll").write_text("Ada B-PER\nslept O\n\nshe O\nslept O\n")
    told: list[str] = []
    corpus = read(many, report=told.append)
    assert len(told) == 21
    assert told[-1] == "and 5 more notes of the 25 files"
    assert has_documents(corpus)


def test_whole_files_of_thousands_of_sentences_are_no_documents(folder):
    (folder / "long.conll").write_text("Ada B-PER\nslept O\n\n" * 1500)
    corpus = read(*[folder / "long.conll"])
    joined = read(folder / "long.conll", folder / "b.conll")
    assert joined.documents == 2
    long = np.arange(0, 1501 * 11, 1501)
    assert not has_documents(corpus)
    marked = replace(joined, document_starts=long, sentence_starts=np.arange(long[-1] + 1))
    assert not has_documents(marked)


def test_the_hash_of_a_text_changes_with_any_file_of_it(folder):
    before = texts_hash([folder])
    assert before == texts_hash([folder / "a.conll", folder / "b.conll", folder / "sub"])
    (folder / "sub" / "c.jsonl").write_text('{"text": "Oslo", "spans": []}\n')
    assert texts_hash([folder]) != before
    assert texts_hash([folder / "none"]) is None


def test_a_folder_of_brat_is_one_input_of_all_its_files(tmp_path):
    (tmp_path / "x.txt").write_text("Ada slept.\n")
    (tmp_path / "x.ann").write_text("T1\tPER 0 3\tAda\n")
    assert inputs_of([tmp_path]) == [tmp_path]
    assert inputs_of([tmp_path / "x.txt", tmp_path / "x.ann"]) == [tmp_path / "x.txt"]
    assert [path.name for path in files_of([tmp_path / "x.txt"])] == ["x.ann", "x.txt"]
    assert entities(read(tmp_path)) == [("Ada", "PER")]


@pytest.mark.parametrize(
    ("documents", "divided", "line"),
    [
        ("aabbcc", 0, 0),
        ("abcab", 2, 4),  # a and b come again, a first, in line 4
        (["", "", 7, 7, None, 7], 1, 6),  # records without a document are texts of their own
    ],
)
def test_records_of_a_document_that_are_apart_are_warned_of(tmp_path, documents, divided, line):
    path = tmp_path / "t.jsonl"
    path.write_text(
        "".join(
            json.dumps({"text": "Ada slept", "entities": [[0, 3, "PER"]], "document": document})
            + "\n"
            for document in documents
        )
    )
    told: list[str] = []
    read_labelled(path, "auto", Reading(), Ledger(), told.append)
    warnings = [text for text in told if text.startswith("WARNING")]
    assert len(warnings) == bool(divided)
    if divided:
        says = f"WARNING: {path}:{line}: found records of {divided} document{'s' * (divided > 1)} "
        assert warnings[0].startswith(says)
