"""Files of word vectors, written from the formats' definitions.

word2vec text: `V d`, then V lines with a word and d numbers. word2vec binary: the same first line, then V
times the word, a space, d little-endian float32 (and a line break in the files of word2vec.c). GloVe:
word2vec text without the first line.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

import numpy as np

from nertool.vectors.files.load import WordVectors

Pairs = Iterable[tuple[bytes, Iterable[float]]]
PAIRS = [(b"the", (0.5, -1.0)), (b"of", (2.0, 0.25)), (b"caf\xc3\xa9", (0.0, 3.0))]


def glove(pairs: Pairs, end: bytes = b"\n") -> bytes:
    return b"".join(
        word + b"".join(b" %a" % value for value in map(float, values)) + end
        for word, values in pairs
    )


def text(pairs: Pairs, header: bytes = b"3 2", end: bytes = b"\n") -> bytes:
    return header + end + glove(pairs, end)


def binary(pairs: Pairs, header: bytes = b"3 2", end: bytes = b"") -> bytes:
    rows = [w + b" " + b"".join(struct.pack("<f", v) for v in vs) + end for w, vs in pairs]
    return header + b"\n" + b"".join(rows)


WRITERS = {"word2vec text": text, "word2vec binary": binary}


def check_pairs(vectors: WordVectors, pairs: Pairs) -> None:
    assert vectors.words == [word.decode() for word, _ in pairs]
    expected = np.array([tuple(values) for _, values in pairs], dtype=np.float32)
    np.testing.assert_array_equal(vectors.matrix, expected)
    assert vectors.matrix.dtype == np.float32
    assert vectors.matrix.flags.c_contiguous
