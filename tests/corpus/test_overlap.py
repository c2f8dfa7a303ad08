"""Sentences and documents that stand in two texts."""

from __future__ import annotations

import numpy as np

from nertool.corpus.ledger import Ledger
from nertool.corpus.parts.overlap import copies_apart, overlap
from nertool.corpus.record import Reading
from nertool.formats.read import read_corpus

ONE = "Ada met Charles in London ."
TWO = "It rained all the day ."
THREE = "Nobody left the old house ."


def corpus(tmp_path, name, *sentences):
    path = tmp_path / f"{name}.conll"
    path.write_text("\n\n".join("\n".join(f"{w} O" for w in s.split()) for s in sentences) + "\n")
    return read_corpus(path, "conll", Reading(), Ledger())


def test_shared_sentences_are_counted_whatever_the_order_of_the_words_numbers(tmp_path):
    a = corpus(tmp_path, "a", TWO, ONE, ONE)
    b = corpus(tmp_path, "b", THREE, ONE)
    found = overlap(a, b)
    assert (found.shared, found.sentences, found.share) == (2, 3, 2 / 3)
    assert found.place == (f"{tmp_path}/a.conll:8", f"{tmp_path}/b.conll:8")
    assert overlap(b, a)[:2] == (1, 2)
    assert overlap(a, a).share == 1


def test_short_sentences_are_alike_by_chance_unless_there_are_no_others(tmp_path):
    a = corpus(tmp_path, "a", "It rained .", ONE)
    b = corpus(tmp_path, "b", "It rained .", THREE)
    assert overlap(a, b)[:2] == (0, 1)
    short = corpus(tmp_path, "c", "It rained .")
    assert overlap(short, b)[:2] == (1, 1)


def test_copies_in_two_parts_are_counted_and_those_in_one_part_are_not(tmp_path):
    text = corpus(tmp_path, "a", ONE, TWO, ONE, THREE, THREE)
    starts = text.sentence_starts.tolist()
    assert copies_apart(text, starts, np.array([0, 0, 1, 1, 1])) == 2
    assert copies_apart(text, starts, np.array([0, 0, 0, 1, 1])) == 0
