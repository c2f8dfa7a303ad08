"""The kernels on documents and on what is outside, against the numpy code that they stand in for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nertool.inputs import context, text
from nertool.inputs.text import Text, groups_of
from nertool.kernels import documents, library
from nertool.kernels.documents import document_context, group_words

pytestmark = pytest.mark.skipif(
    not library.compiled(), reason="nertool was installed without its compiled kernels"
)


@settings(max_examples=80, deadline=None)
@given(
    ids=st.lists(st.integers(0, 4), max_size=30),
    cuts=st.lists(st.integers(0, 30), max_size=4),
)
def test_words_are_grouped_by_document_as_numpy_groups_them(ids, cuts):
    numbers = np.array(ids, dtype=np.int32)
    starts = np.array([0, *sorted(min(cut, len(ids)) for cut in cuts), len(ids)])
    lengths = np.diff(starts)
    keys = np.repeat(np.arange(len(lengths)), lengths) * 5 + numbers
    found = group_words(numbers, starts, 5)
    for own, expected in zip(found, groups_of(keys), strict=True):
        np.testing.assert_array_equal(own, expected)


@settings(max_examples=60, deadline=None)
@given(
    words=st.lists(
        st.sampled_from(["a", "A", "Ab", "ab", "AB", "aB", "1"]), min_size=1, max_size=40
    ),
    seed=st.integers(0, 999),
)
def test_the_evidence_in_a_document_is_what_numpy_finds(words, seed):
    rng = np.random.default_rng(seed)
    types = list(dict.fromkeys(words))
    ids = np.array([types.index(word) for word in words], dtype=np.int32)
    sentences = np.unique(np.append(rng.integers(0, len(words) + 1, 6), [0, len(words)]))
    of_documents = np.unique(np.append(rng.integers(0, len(sentences), 2), [0, len(sentences) - 1]))

    def numbers() -> list[np.ndarray]:
        own = Text(types, ids, sentences, of_documents)
        return [*own.groups, context.document_context(own)]

    compiled = numbers()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library, "loaded", None)
        expected = numbers()
    for own, other in zip(compiled, expected, strict=True):
        np.testing.assert_array_equal(own, other)


def test_what_would_lead_outside_the_arrays_is_refused():
    ids, starts = np.array([0, 1, 1], dtype=np.int32), np.array([0, 3])
    assert text.group_words is documents.group_words
    for bad_ids, bad_starts, words in (
        (ids, starts, 1),
        (ids, starts[:1], 2),
        (ids, starts + 1, 2),
    ):
        with pytest.raises(IndexError):
            group_words(bad_ids, bad_starts, words)
    caps, kinds = np.ones(3, dtype=np.int8), np.zeros(1, dtype=np.int64)
    table, members = np.zeros((7, 3, 2), dtype=np.uint8), np.array([1, 2])
    right = (caps, starts, kinds, table, members, np.array([2]))
    assert document_context(*right).tolist() == [1, 1, 1]
    for i, wrong in (
        (0, caps + np.int8(6)), (1, starts * 2), (2, kinds + 3), (4, members + 1), (5, np.array([3])),
    ):  # fmt: skip
        with pytest.raises(IndexError):
            document_context(*right[:i], wrong, *right[i + 1 :])
