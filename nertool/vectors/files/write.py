"""Write word vectors in word2vec's binary and text formats, and in GloVe's text format without a header."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nertool.errors import VectorsError
from nertool.files.output import open_binary_output


def write_word2vec(path: Path, words: Sequence[str], matrix: NDArray[np.float32]) -> None:
    """Write word2vec's binary format: a header line, then each word, a space and d float32.

    Errors: VectorsError for a word with a space or a line end, which the format can't hold.
    """
    _check(path, words)
    rows = np.ascontiguousarray(matrix, dtype="<f4")
    with open_binary_output(path) as stream:
        stream.write(f"{len(words)} {matrix.shape[1]}\n".encode())
        for word, row in zip(words, rows, strict=True):
            stream.write(word.encode("utf-8", "surrogatepass") + b" " + row.tobytes() + b"\n")


def write_text(path: Path, words: Sequence[str], matrix: NDArray[np.float32], header: bool) -> None:
    """Write a line for each word. Values have 9 digits, so that float32 is read back exactly.

    header: begin with word2vec's line "V d"; GloVe's text has none. Errors: as in write_word2vec.
    """
    _check(path, words)
    with open_binary_output(path) as stream:
        if header:
            stream.write(f"{len(words)} {matrix.shape[1]}\n".encode())
        for word, row in zip(words, matrix.tolist(), strict=True):
            values = " ".join(f"{value:.9g}" for value in row)
            stream.write(f"{word} {values}\n".encode("utf-8", "surrogatepass"))


def _check(path: Path, words: Sequence[str]) -> None:
    odd = next((word for word in words if any(c in word for c in " \n\r\t")), None)
    if odd is not None:
        raise VectorsError(
            f"{path}: found the word {odd!r}, expected no blank in a word: the format can't hold it; "
            "write nertool's own file"
        )
