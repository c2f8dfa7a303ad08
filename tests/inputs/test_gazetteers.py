"""Lists of phrases as a feature: read, marked, trained, kept with the model."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from nertool.errors import CorpusError
from nertool.inputs.gazetteers import BEGIN, END, INSIDE, SINGLE, Gazetteers, read_gazetteers
from nertool.inputs.text import text_of
from nertool.model.load import load_model
from nertool.model.model import inputs_for, score_tokens
from nertool.tagging.compiled import CompiledTagger


def read(**files: tuple[Path, ...]) -> tuple[Gazetteers, list[str]]:
    lines: list[str] = []
    made = read_gazetteers(files, lines.append)
    assert made is not None
    return made, lines


def test_each_list_marks_the_words_of_its_phrases():
    lists = Gazetteers({"CITY": ["New York City", "paris"], "PER": ["New", "Paris Hilton"]})
    text = text_of([["in", "New", "York", "City", "PARIS"], ["Paris", "Hilton"]], np.array([0, 2]))
    assert lists.rows(text).tolist() == [
        [0, 0],
        [BEGIN, 4 + SINGLE],
        [INSIDE, 0],
        [END, 0],
        [SINGLE, 0],  # lower case in the list: any letters
        [SINGLE, 4 + BEGIN],
        [0, 4 + END],
    ]


def test_lists_are_read_and_counted(tmp_path):
    one, two = tmp_path / "a.txt", tmp_path / "b.tsv"
    one.write_bytes("\ufeffSão Paulo\r\n\r\n# a comment\nO'Neill, Inc.\n#NYC\n".encode())
    two.write_text("aspirin\tCHEM\t17\naspirin\n  ibuprofen  \t\n")
    lists, lines = read(CITY=(one,), DRUG=(two, one))
    assert lists.phrases == {
        # Cut into words as text is, and at blanks.
        "CITY": ["São Paulo", "O'Neill , Inc.", "#NYC", "O'Neill, Inc."],
        "DRUG": ["aspirin", "ibuprofen", "São Paulo", "O'Neill , Inc.", "#NYC", "O'Neill, Inc."],
    }
    assert lines == [
        f"gazetteer CITY: 3 phrases in {one}; 1 comment left out",
        f"gazetteer DRUG: 5 phrases in {two}, {one}; 1 more than once; 1 comment left out",
    ]


def test_a_list_that_can_not_be_used_is_named(tmp_path):
    empty, odd = tmp_path / "empty.txt", tmp_path / "odd.txt"
    empty.write_text("\n# nothing\n")
    odd.write_bytes(b"Paris\nK\xf6ln\n")
    with pytest.raises(CorpusError, match=r"empty.txt: found no phrase.*gazetteer CITY"):
        read(CITY=(empty,))
    with pytest.raises(CorpusError, match=r"odd.txt:2: found bytes that are not UTF-8"):
        read(CITY=(odd,))
    with pytest.raises(CorpusError, match=r"absent.txt: no such file"):
        read(CITY=(tmp_path / "absent.txt",))
    assert read_gazetteers(None, print) is None


@pytest.fixture
def folder(tiny, tmp_path) -> Path:
    for name in ("train.conll", "dev.conll", "vectors.txt", "config.yaml"):
        shutil.copy(tiny / name, tmp_path / name)
    (tmp_path / "cities.txt").write_text("London\nNew York\nParis\nBerlin\n")
    return tmp_path


def test_training_reads_lists_and_the_model_needs_no_files_of_them(folder, main):
    lists = "features.gazetteers={CITY: cities.txt, OTHER: [cities.txt]}"
    done = main("train", "config.yaml", "--run-dir", "run", "--set", lists, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "gazetteer CITY: 4 phrases in" in done.stderr
    assert "gazetteer CITY: train: 21 phrases found, 18 of them entities" in done.stderr
    (folder / "cities.txt").unlink()
    model = load_model(folder / "run")
    member = model.members[0]
    assert member.encoder.gazetteers is not None
    assert member.encoder.gazetteers.phrases["OTHER"] == ["London", "New York", "Paris", "Berlin"]
    E = member.parameters["E.gazetteers"]
    assert E.shape == (1 + 2 * 4, 4)
    text = text_of([["She", "left", "New", "York", "for", "Berlin"], ["London"]], np.array([0, 2]))
    parameters, inputs = inputs_for(member, text, model.config)
    slow = score_tokens(parameters, model.config, inputs)
    tagger = CompiledTagger(model)
    for _ in range(2):  # with rows that are made, and with rows that are there
        np.testing.assert_allclose(tagger.scores(text), slow, rtol=1e-4, atol=1e-5)
    for command in (
        ("gradcheck", "run", "--samples", "3"),
        ("explain", "run", "in Paris", "--word", "Paris"),
    ):
        assert main(*command, cwd=folder).returncode == 0


def test_other_phrases_make_prepared_data_stale_and_the_same_ones_do_not(folder, main):
    lists = "features.gazetteers={CITY: cities.txt}"
    command = ("train", "config.yaml", "--run-dir", "run", "--set", lists)
    assert main(*command, cwd=folder).returncode == 0
    shutil.copy(folder / "cities.txt", folder / "moved.txt")
    same = main(*command[:-1], lists.replace("cities", "moved"), "--resume", cwd=folder)
    assert same.returncode == 0, same.stderr
    (folder / "cities.txt").write_text("Rome\n")
    refused = main(*command, "--resume", cwd=folder)
    assert refused.returncode == 1
    assert "features.gazetteers" in refused.stderr


@pytest.mark.parametrize("value", ["cities.txt", "[cities.txt]", "{CITY: 3}", "{CITY: []}", "{}"])
def test_a_value_that_is_no_mapping_of_paths_is_refused_in_a_line(folder, main, value):
    with open(folder / "config.yaml", "a") as config:
        config.write(f"features:\n  gazetteers: {value}\n")
    done = main("train", "config.yaml", cwd=folder)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "config.yaml:6: features.gazetteers: found" in done.stderr
    assert "such as {CITY: cities.txt}" in done.stderr
