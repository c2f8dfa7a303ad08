"""Phrases that are always, or never, an entity."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nertool.corpus.schemes import tag_names
from nertool.decoding.viterbi import decode, lattice
from nertool.errors import CorpusError
from nertool.inputs.text import Text
from nertool.model.load import load_model
from nertool.tagging.analyse import analyse
from nertool.tagging.compiled import CompiledTagger
from nertool.tagging.rules import Rules, read_rules

LABELS = ["DRUG", "PER"]


def text_of(*sentences: str) -> Text:
    words = sorted({word for sentence in sentences for word in sentence.split()})
    ids = [words.index(word) for sentence in sentences for word in sentence.split()]
    starts = np.cumsum([0, *(len(sentence.split()) for sentence in sentences)])
    return Text(words, np.array(ids, dtype=np.int32), starts, np.array([0, len(sentences)]))


def rules_of(*phrases: tuple[str, str], scheme: str = "bioes") -> Rules:
    rules = Rules(LABELS, scheme, tag_names(LABELS, scheme))
    for phrase, label in phrases:
        rules.add(phrase.split(), label)
    return rules


def test_the_longest_phrase_wins_and_phrases_do_not_overlap():
    rules = rules_of(("Acme", "DRUG"), ("Acme Gold Plus", "DRUG"), ("Gold Plus two", "PER"))
    assert rules.matches(text_of("Acme Gold Plus two", "Acme Gold")) == [(0, 3, 0), (4, 5, 0)]


def test_a_phrase_in_lower_case_is_found_in_any_letters_and_another_as_it_is_written():
    rules = rules_of(("may", "O"), ("May", "PER"))
    assert rules.matches(text_of("MAY may May")) == [(0, 1, -1), (1, 2, -1), (2, 3, 1)]


def test_a_phrase_ends_with_its_sentence():
    rules = rules_of(("a b", "PER"))
    assert rules.matches(text_of("x a", "b a b")) == [(3, 5, 1)]


@pytest.mark.parametrize("scheme", ["io", "iob2", "bioes"])
def test_tags_are_fixed_before_a_sequence_is_chosen(scheme):
    tags = tag_names(LABELS, scheme)
    text = text_of("the Acme Gold works may Bob")
    rules = rules_of(("Acme Gold", "DRUG"), ("may", "O"), scheme=scheme)
    rng = np.random.default_rng(4)
    for _ in range(30):
        scores = rng.standard_normal((6, len(tags))).astype(np.float32) * 3
        before = scores.copy()
        fixed = rules.fix(scores, text)
        np.testing.assert_array_equal(scores, before)  # the tagger's own stay as they are
        chosen = decode(fixed, text.sentence_starts, "viterbi", lattice(tags, scheme))
        names = [tags[i] for i in chosen]
        expected = {"bioes": ["B-DRUG", "E-DRUG"], "iob2": ["B-DRUG", "I-DRUG"]}
        assert names[1:3] == expected.get(scheme, [tags[1], tags[1]])
        assert names[4] == "O"
        assert names[3] != "I-DRUG"
        assert scheme != "io" or names[0] != "I-DRUG"
    assert rules.take_found() == 60
    assert rules.take_found() == 0


def test_a_phrase_is_found_however_the_text_is_cut_into_words(tmp_path):
    path = tmp_path / "r.tsv"
    path.write_text("# ours\nC++ code\tDRUG\n#NYC\tPER\n", encoding="utf-8")
    lines: list[str] = []
    rules = read_rules(path, LABELS, "bioes", tag_names(LABELS, "bioes"), lines.append)
    assert rules.matches(text_of("C++ code in #NYC", "C + + code")) == [
        (0, 2, 0),
        (3, 4, 1),
        (4, 8, 0),
    ]
    assert lines == [f"{path}: 1 comment left out (lines that begin with a hash and a blank)"]


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# a comment\nAda PER\n", r"r\.tsv:2: found 'Ada PER', expected a phrase, a tab"),
        ("Ada\tPRE\n", r'r\.tsv:1: the model knows no class \'PRE\'; did you mean "PER"'),
        ("Ada\tPER\nAda\tO\n", r"r\.tsv:2: found 'Ada' as O, and before as PER"),
        ("\tPER\n", r"r\.tsv:1: found"),
        ("PER\tAda\n", r"r\.tsv:1: .* 'Ada'; the phrase comes first, then a tab and the class"),
        ("# none yet\n\n", r"r\.tsv: found no rule, expected lines: a phrase"),
    ],
)
def test_a_line_that_is_no_rule_is_refused_with_its_place(tmp_path, text, message):
    with pytest.raises(CorpusError, match=message):
        read_rules(write(tmp_path / "r.tsv", text), LABELS, "bioes", tag_names(LABELS, "bioes"))


def test_predict_applies_rules_in_every_format_and_counts_them(run_dir, tmp_path, main):
    path = write(tmp_path / "r.tsv", "# ours\nmet Charles\tORG\nlondon\tO\n\n")
    text = "Ada met Charles in London .\n"
    for to in ("jsonl", "inline", "conll"):
        done = main("predict", run_dir, "-", "--rules", path, "--to", to, stdin=text)
        assert done.returncode == 0, done.stderr
        assert "2 phrases found by rules" in done.stderr
    done = main("predict", run_dir, "-", "--rules", path, "--to", "jsonl", stdin=text)
    entities = json.loads(done.stdout.splitlines()[0])["entities"]
    found = {entity["text"]: entity for entity in entities}
    assert found["met Charles"]["label"] == "ORG"
    assert found["met Charles"]["probability"] > 0.99
    assert "London" not in found


def test_without_rules_nothing_changes(run_dir):
    model = load_model(run_dir)
    text = text_of("Ada met Charles in London .")
    plain, ruled = CompiledTagger(model), CompiledTagger(replace(model))
    ruled.rules = Rules(model.labels, model.config.decoding.scheme, model.tags)
    ruled.rules.add(["never", "here"], "PER")
    np.testing.assert_array_equal(analyse(plain, text).scores, analyse(ruled, text).scores)
