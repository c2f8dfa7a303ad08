"""Which texts are chosen: by doubt, density and diversity."""

from __future__ import annotations

from dataclasses import replace
from math import log1p, sqrt

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nertool.corpus.annotated import Annotated, with_records
from nertool.corpus.columnar import Corpus, Interner
from nertool.corpus.schemes import TagSpans
from nertool.suggest.choose import Candidate, Shortlist, diverse, shortlist_length
from nertool.suggest.texts import in_sentences, record_of

NO_SPANS = TagSpans(np.zeros(0, int), np.zeros(0, int), np.zeros(0, int), [])


def corpus_of_words(sentences: list[list[str]]) -> Corpus:
    """Return sentences of one document, without labels."""
    number = Interner()
    ids = np.array([number[word] for words in sentences for word in words], dtype=np.int32)
    starts = np.cumsum([0, *map(len, sentences)])
    documents = np.array([0, len(sentences)])
    return Corpus("x", list(number), ids, [], np.zeros(0, np.int32), starts, documents, 0 * ids)


def piece_of(sentences: list[str], entropies: list[list[float]]) -> Annotated:
    corpus = with_records(corpus_of_words([s.split() for s in sentences]), by_sentence=True)
    return Annotated(corpus, NO_SPANS, None, [{"entropy": np.array(h)} for h in entropies])


def candidate(order: int, doubts: dict[str, float], tokens: int = 4) -> Candidate:
    score = sum(doubts.values()) / sqrt(tokens)
    return Candidate(score, order, doubts, tokens, Annotated(None, NO_SPANS))  # type: ignore[arg-type]


def test_a_text_s_score_is_its_entropy_over_the_root_of_its_length():
    found = Shortlist(9)
    found.add(piece_of(["a B c d", "e f g h i j k l m"], [[0, 1, 0.5, 0.5], [1.0] * 9]))
    # (0 + 1 + ½ + ½) / √4 = 1 and 9 / √9 = 3
    assert [(c.order, c.score) for c in found.candidates()] == [(2, 3.0), (1, 1.0)]
    assert found.candidates()[1].doubts == {"b": 1.0, "c": 0.5, "d": 0.5}
    assert (found.seen, found.total) == (2, 4.0)


def test_texts_without_words_repeated_and_excluded_ones_are_passed_over():
    found = Shortlist(9, frozenset(["x\0y"]))
    found.add(piece_of(["a b", "x y", "a b", "c"], [[1, 1], [2, 2], [1, 1], [0]]))
    assert [c.piece.corpus.words for c in found.candidates()] == [["a", "b"], ["c"]]
    assert (found.seen, found.passed, found.repeated) == (3, 1, 1)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.integers(1, 10))
def test_the_shortlist_holds_the_highest_scores_and_of_equals_the_first(scores, length):
    found = Shortlist(length)
    for i, score in enumerate(scores):
        found.add(piece_of([f"w{i}"], [[float(score)]]))
    expected = sorted(range(len(scores)), key=lambda i: (-scores[i], i))[:length]
    assert [c.order - 1 for c in found.candidates()] == expected


def test_what_was_asked_already_gains_less():
    same, other = {"paris": 1.0, "texas": 1.0}, {"ohio": 0.8, "utah": 0.8}
    texts = [candidate(1, same), candidate(2, same), candidate(3, other)]
    assert [c.order for c in diverse(texts, 3)] == [1, 3, 2]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.dictionaries(st.sampled_from("abcde"), st.floats(0.01, 3), min_size=1),
        min_size=1,
        max_size=8,
    ),
    st.integers(1, 8),
)
def test_lazy_choice_equals_looking_at_all_texts_each_time(doubts, n) -> None:
    texts = [candidate(i, own, tokens=1 + i % 3) for i, own in enumerate(doubts)]
    covered: dict[str, float] = {}
    F: dict[str, float] = {}
    for own in doubts:
        for word, h in own.items():
            F[word] = F.get(word, 0.0) + 0.1 * h
    rest = list(texts)
    expected: list[int] = []

    def gain(c: Candidate) -> float:
        parts = []
        for w, h in c.doubts.items():
            before = covered.get(w, 0.0)
            parts.append(F[w] * (log1p((before + h) / F[w]) - log1p(before / F[w])))
        return sum(parts, 0.0) / sqrt(c.tokens)

    while rest and len(expected) < n:
        best = max(rest, key=lambda c: (gain(c), -c.order))
        rest.remove(best)
        expected.append(best.order)
        for word, h in best.doubts.items():
            covered[word] = covered.get(word, 0.0) + h
    assert [c.order for c in diverse(texts, n)] == expected


def test_the_shortlist_grows_with_n_to_a_limit():
    assert [shortlist_length(n) for n in (1, 1000, 10**6)] == [2001, 20_000, 1_050_000]


def test_a_record_alone_and_its_sentences_keep_words_places_and_entities():
    spans = TagSpans(np.array([1, 4]), np.array([2, 6]), np.array([0, 1]), ["PER", "LOC"])
    corpus = with_records(
        corpus_of_words([["met", "Ada"], ["in", "big", "New", "York"]]), by_sentence=False
    )
    assert corpus.records is not None
    how = {
        "own_text": True,
        "own_sentences": True,
        "numbered": True,
        "arrow_schema": b"columns",
    }
    corpus = replace(corpus, records=replace(corpus.records, **how))
    whole = Annotated(corpus, spans, np.array([0.5, 0.75]))
    alone = record_of(in_sentences(whole), 1)
    assert alone.corpus.records is not None
    assert {name: getattr(alone.corpus.records, name) for name in how} == how
    assert alone.corpus.records.texts == ["in big New York"]
    assert [(s.start, s.end, s.label) for s in alone.spans.as_list()] == [(2, 4, "LOC")]
    assert alone.probabilities is not None
    assert alone.probabilities.tolist() == [0.75]
    text = alone.corpus.records.texts[0]
    places = zip(alone.corpus.records.token_starts, alone.corpus.records.token_ends, strict=True)
    assert [text[a:b] for a, b in places] == ["in", "big", "New", "York"]
