"""Compact files of vectors: what is written is read, in little room, and damage is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nertool.errors import VectorsError
from nertool.vectors.compact import DTYPES, is_compact, read_compact, write_compact
from nertool.vectors.files.load import load_vectors
from nertool.vectors.rows.compressed_rows import quantise

WORDS = ["the", "of", "Zürich", "New York", "日本", "'s"]
MATRIX = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)


@pytest.mark.parametrize("dtype", DTYPES)
def test_words_and_vectors_come_back(tmp_path, dtype):
    path = tmp_path / "v"
    write_compact(path, WORDS, MATRIX, dtype, {"source": "glove.txt"})
    compact = read_compact(path)
    assert is_compact(path)
    assert compact.words == WORDS
    assert compact.metadata["source"] == "glove.txt"
    assert str(compact.matrix.dtype) == dtype
    # float16 has 11 bits; int8 rounds to a 254th of a row's largest value.
    largest = np.abs(MATRIX).max(axis=1, keepdims=True)
    bound = {"float32": 0.0 * largest, "float16": 2.0**-11 * largest, "int8": largest / 253}[dtype]
    assert (np.abs(compact.rows() - MATRIX) <= bound).all()


def test_train_reads_them_like_any_file(tmp_path):
    path = tmp_path / "v"
    write_compact(path, WORDS, MATRIX)
    loaded = load_vectors(path, limit=4)
    assert loaded.words == WORDS[:4]
    np.testing.assert_array_equal(loaded.matrix, MATRIX[:4])
    assert loaded.format == "nertool's, float32"


def test_int8_by_hand():
    q, scale = quantise(np.float32([[127, -63.5, 0.4], [0, 0, 0]]))
    # The first row's step is 127 / 127 = 1; −63.5 is rounded to the even −64. A row of zeros has scale 0.
    assert q.tolist() == [[127, -64, 0], [0, 0, 0]]
    assert scale.tolist() == [1.0, 0.0]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.text(st.characters(exclude_characters="\n")), unique=True, min_size=1, max_size=8),
    st.sampled_from(DTYPES),
)
def test_any_words_come_back(tmp_path_factory, words, dtype):
    path = tmp_path_factory.mktemp("compact") / "v"
    write_compact(path, words, np.ones((len(words), 2), dtype=np.float32), dtype)
    assert read_compact(path).words == words


def test_every_damaged_byte_of_the_header_and_every_cut_is_refused_or_harmless(tmp_path):
    path = tmp_path / "v"
    write_compact(path, WORDS, MATRIX)
    whole = path.read_bytes()
    for end in range(0, len(whole), 7):
        path.write_bytes(whole[:end])
        with pytest.raises(VectorsError):
            load_vectors(path)
    header = 8 + int.from_bytes(whole[:8], "little")
    for i in range(8, header):
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :])
        try:
            loaded = load_vectors(path)
        except VectorsError:
            continue
        assert loaded.words == WORDS  # what was changed is a note: the source's name, a blank
        np.testing.assert_array_equal(loaded.matrix, MATRIX)


def test_nan_is_refused_when_it_is_written_and_when_it_is_read(tmp_path):
    path = tmp_path / "v"
    with pytest.raises(VectorsError, match="NaN or infinity"):
        write_compact(path, ["a", "b"], np.float32([[1, 2], [np.nan, 4]]))
    write_compact(path, ["a", "b"], np.float32([[1, 2], [3, 4]]))
    three = np.float32(3).tobytes()
    assert path.read_bytes().count(three) == 1
    path.write_bytes(path.read_bytes().replace(three, np.float32(np.nan).tobytes()))
    with pytest.raises(VectorsError, match="NaN or infinity"):
        load_vectors(path)


def test_float16_refuses_what_it_cannot_hold_and_writes_nothing(tmp_path):
    with pytest.raises(VectorsError, match="65504"):
        write_compact(tmp_path / "v", ["a"], np.float32([[1e6, 0]]), "float16")
    assert list(tmp_path.iterdir()) == []
