"""Phrases are found as a plain search of each sentence, word by word, finds them."""

from __future__ import annotations

import numpy as np
import pytest

from nertool.inputs.phrases import PhraseLists
from nertool.inputs.text import Text, text_of
from nertool.inputs.word_types import WordTypes

pytestmark = pytest.mark.usefixtures("either_way")

WORDS = ["a", "b", "A", "B", "c", "Ab", "zero\u200bwidth", "x"]


def sentences_of(rng: np.random.Generator) -> list[list[str]]:
    return [
        [WORDS[i] for i in rng.integers(0, len(WORDS), size=rng.integers(0, 9))] for _ in range(6)
    ]


def plain_search(
    phrases: dict[tuple[str, ...], int], sentences: list[list[str]]
) -> list[tuple[int, int, int]]:
    """Try the longest phrase first at each word; one that is written as the text wins among equals."""
    out, at = [], 0
    for sentence in sentences:
        words = [word.replace("\u200b", "") for word in sentence]
        i = 0
        while i < len(words):
            for n in range(len(words) - i, 0, -1):
                own = tuple(words[i : i + n])
                lower = tuple(word.lower() for word in own)
                exact = own if own != lower else None
                key = exact if exact in phrases else lower if lower in phrases else None
                if key is not None:
                    out.append((at + i, at + i + n, phrases[key]))
                    i += n
                    break
            else:
                i += 1
        at += len(words)
    return out


def test_what_is_found_is_what_a_plain_search_finds() -> None:
    rng = np.random.default_rng(3)
    several = 0
    for _ in range(150):
        lists = PhraseLists(2)
        phrases: list[dict[tuple[str, ...], int]] = [{}, {}]
        for number in range(int(rng.integers(0, 12))):
            into = int(rng.integers(0, 2))
            words = [WORDS[i] for i in rng.integers(0, len(WORDS) - 1, size=rng.integers(1, 5))]
            key = tuple(word.replace("\u200b", "") for word in words)
            assert lists.add(words, number, into) == phrases[into].get(key)
            phrases[into][key] = number
        sentences = sentences_of(rng)
        text = text_of(sentences, np.array([0, len(sentences)]))
        for own, found in zip(phrases, lists.find_all(text), strict=True):
            expected = plain_search(own, sentences)
            assert list(zip(*(c.tolist() for c in found), strict=True)) == expected
            several += len(expected)
    assert several > 300


def test_texts_that_share_a_growing_list_of_words_are_searched_alike():
    rng = np.random.default_rng(4)
    lists = PhraseLists()
    lists.add(["a", "b"])
    lists.add(["Ab", "c"])
    shared = WordTypes(["unused"])
    for _ in range(30):
        sentences = sentences_of(rng)
        alone = text_of(sentences, np.array([0, len(sentences)]))
        number = []
        for word in alone.words:
            if word not in shared.words:
                shared.words.append(word)
            number.append(shared.words.index(word))
        ids = np.array(number, dtype=np.int32)[alone.word_ids] if number else alone.word_ids
        together = Text(shared, ids, alone.sentence_starts, alone.document_starts)
        words = [*shared.words, *["y"] * 500]
        many = Text(words, ids, alone.sentence_starts, alone.document_starts)
        for text in (together, many):
            for one, other in zip(lists.find(alone), lists.find(text), strict=True):
                assert one.tolist() == other.tolist()


def test_a_phrase_that_is_added_later_is_found_in_words_that_were_met_before():
    lists = PhraseLists()
    lists.add(["a"])
    words = WordTypes(["a", "b"])
    text = Text(words, np.array([0, 1], np.int32), np.array([0, 2]), np.array([0, 1]))
    assert lists.find(text).starts.tolist() == [0]
    lists.add(["b"])
    assert lists.find(text).starts.tolist() == [0, 1]


def test_no_list_and_no_text_have_nothing():
    empty = text_of([], np.array([0, 0]))
    lists = PhraseLists()
    assert lists.find(text_of([["a"]], np.array([0, 1]))).starts.tolist() == []
    lists.add(["a"])
    assert lists.find(empty).starts.tolist() == []
