"""Chunks of a text: whole documents together, long ones in pieces, and the windows of contexts in them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nertool.config.records import Config
from nertool.inputs.text import Text
from nertool.tagging.chunks import chunks_of, distinct_windows


def text_of_documents(lengths: list[int], seed: int = 0) -> Text:
    """Return a text of documents of so many one-word sentences each, of four words."""
    N = sum(lengths)
    ids = np.random.default_rng(seed).integers(0, 4, N, dtype=np.int32)
    starts = np.cumsum([0, *lengths])
    return Text(["a", "b", "A", "c"], ids, np.arange(N + 1), starts)


@pytest.mark.parametrize("lengths", [[3, 2, 4, 1, 1], [25, 1, 3], [0, 7, 0], [1], [10, 10, 10]])
@pytest.mark.parametrize("neighbours", [False, True])
@pytest.mark.parametrize("document_vector", [False, True])
def test_chunks_have_each_token_once_with_its_document_and_group(
    lengths, neighbours, document_vector
):
    text, config = text_of_documents(lengths), Config()
    features = replace(config.features, neighbours=neighbours, document_vector=document_vector)
    config = replace(config, features=features)
    chunks = chunks_of(text, config, chunk_tokens=5)
    N = sum(lengths)
    assert [t for chunk in chunks for t in range(N)[chunk.tokens]] == list(range(N))
    group = np.full(N, -1)
    group[text.groups.members] = text.groups.group
    for chunk in chunks:
        n = chunk.tokens.stop - chunk.tokens.start
        assert 0 < n < 10
        if document_vector:
            np.testing.assert_array_equal(
                chunk.documents.start + chunk.document, text.documents[chunk.tokens]
            )
        if neighbours:
            known = np.where(chunk.group < 0, -1, chunk.group + chunk.groups.start)
            np.testing.assert_array_equal(known, group[chunk.tokens])
            assert chunk.group.max(initial=-1) < chunk.groups.stop - chunk.groups.start
            sizes = text.groups.sizes[chunk.groups]
            np.testing.assert_array_equal(chunk.share, 1 / (sizes - 1))
        part = chunk.within(slice(chunk.tokens.start + 1, N))
        assert part.tokens == slice(chunk.tokens.start + 1, chunk.tokens.stop)
        if document_vector:
            np.testing.assert_array_equal(part.document, chunk.document[1:])


@pytest.mark.parametrize(("m", "combinations"), [(0, 3), (2, 3), (2, 104), (9, 104)])
def test_distinct_windows_stand_for_each_token(m, combinations):
    # 104^19 is beyond 64 bits: there the numbers of windows are given anew on the way.
    rng = np.random.default_rng(m)
    centres = np.arange(m, 500 - m)
    contexts = rng.choice([0, 1, combinations - 1], 500, p=[0.9, 0.05, 0.05]).astype(np.int32)
    window, windows = distinct_windows(contexts, centres, m, combinations)
    around = contexts[centres[:, None] + np.arange(-m, m + 1)]
    np.testing.assert_array_equal(windows[window], around)
    assert len(windows) == len(np.unique(around, axis=0))
