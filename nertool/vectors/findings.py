"""Find unusual properties of word vectors: unusable values, and spellings that match no token.

`nertool vectors info` and training report the same findings, with the same counts. The readers in files/
report damaged files, and words that are left out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nertool.vectors.files.file import shown

TOO_LARGE = "too_large"  # the kind of finding for which training refuses a file
MOST_VALUE = 1e6  # the largest absolute value accepted; usual vectors have values below 100
FREQUENT = (
    10_000  # words at the beginning of a file, the most frequent ones, whose spelling is examined
)
_SQUARED = 1e15  # values up to this can be squared and summed in 32 bits
_FEW_CAPITALS = 0.005  # share of words with capitals up to which a file counts as lower case
_MANY = 0.01  # share of the frequent words above which phrases are reported
_MOST = 0.5  # share of the frequent words above which a mark counts as one of the whole file
_UNIT = 1e-3  # the largest deviation from 1 of the length of a normalised vector

_PHRASE = re.compile(r"[^\W_]_+[^\W_]")
_HASHES = re.compile(r"[+-]?#(?:[.,:/-]?#)+")
_SIGN = re.compile(r"</?s>|<unk>|<UNK>|<pad>|<PAD>|\[(UNK|PAD|CLS|SEP|MASK)\]")
_MARKS = (  # marks that some files add to every word
    ("a prefix for the language", re.compile(r"(/c/[a-z]+/|[a-z]{2,3}:).+")),
    ("a part of speech at the end", re.compile(r".+[_|][A-Z]{1,5}")),
    ("quotation marks around them", re.compile(r'".+"')),
)


@dataclass(frozen=True)
class Finding:
    """One unusual property.

    kind: its name in JSON. count: the number of words that have it. first: the first of these words. message:
    one line for the user.
    """

    kind: str
    count: int
    first: str
    message: str


def in_range(matrix: NDArray[np.float32]) -> NDArray[np.floating[Any]]:
    """Return a matrix whose squares don't overflow: in 64 bits if a value is above _SQUARED."""
    large = len(matrix) and max(float(matrix.max()), -float(matrix.min())) > _SQUARED
    return matrix.astype(np.float64) if large else matrix


def norms_of(matrix: NDArray[np.float32]) -> NDArray[np.floating[Any]]:
    """Return the Euclidean length of each row of (V, d), (V,)."""
    return np.asarray(np.linalg.norm(in_range(matrix), axis=1))


def share_with_capitals(words: Sequence[str]) -> float:
    """Return the share of words with a capital among the frequent words with letters; 0 if there are none."""
    letters = [word for word in words[:FREQUENT] if any(map(str.isalpha, word))]
    return sum(word != word.lower() for word in letters) / max(1, len(letters))


def is_lower_case(words: Sequence[str]) -> bool:
    """Tell whether (nearly) all frequent words are in lower case."""
    return share_with_capitals(words) <= _FEW_CAPITALS


def findings(words: Sequence[str], matrix: NDArray[np.float32]) -> list[Finding]:
    """Return the unusual properties of V words and their vectors (V, d)."""
    if not len(words):
        return []
    return [*_of_values(words, matrix), *_of_words(words), *_of_spelling(words[:FREQUENT])]


def _too_large(words: Sequence[str], matrix: NDArray[np.float32]) -> Finding | None:
    """Return the finding for values too large for training in 32 bits; None if there are none."""
    if max(float(matrix.max()), -float(matrix.min())) <= MOST_VALUE:
        return None
    largest = np.maximum(matrix.max(axis=1), -matrix.min(axis=1))
    count = int((largest > MOST_VALUE).sum())
    row = int(largest.argmax())
    message = (
        f"found values above {MOST_VALUE:g} in {count:,} vectors, the largest, {largest[row]:.3g} (as "
        f"absolute value), in that of {_quoted(words[row])}, expected none; scale the vectors, or name others"
    )
    return Finding(TOO_LARGE, count, words[row], message)


def _of_values(words: Sequence[str], matrix: NDArray[np.float32]) -> Iterator[Finding]:
    large = _too_large(words, matrix)
    if large is not None:
        yield large
    norms = norms_of(matrix)
    zero = norms == 0
    if zero.any():
        first = words[int(zero.argmax())]
        yield _finding("zero_rows", "vectors of zeros", int(zero.sum()), first)
    elif len(words) > 1 and bool((np.abs(norms - 1) < _UNIT).all()):
        yield _finding("normalised", "vectors of length 1 (normalised)", len(words), words[0])


def _of_words(words: Sequence[str]) -> Iterator[Finding]:
    # All words in one string: one search shows whether any word has a property.
    text = "\n".join(words)
    tests: list[tuple[str, str, str, Callable[[str], bool]]] = []
    if not text.isascii() and not unicodedata.is_normalized("NFC", text):
        what = "words that are not in Unicode's composed form (NFC)"
        tests.append(("not_composed", what, "the lookup step nfc finds them", _not_composed))
    if " " in text:
        what, why = "words with a space", "tokens have none, so they are not found"
        tests.append(("words_with_spaces", what, why, lambda word: " " in word))
    if _SIGN.search(text):
        what, why = "special signs in place of words", "texts have none of them"
        signs = _SIGN.fullmatch
        tests.append(("special_rows", what, why, lambda word: signs(word) is not None))
    for kind, what, why, test in tests:
        found = [word for word in words if test(word)]
        if found:
            yield _finding(kind, what, len(found), found[0], why)


def _of_spelling(words: Sequence[str]) -> Iterator[Finding]:
    """Yield findings about the spelling of the frequent words of a file. Counts are of these words."""
    of = f" of the first {len(words):,}"
    letters = [word for word in words if any(map(str.isalpha, word))]
    if letters and is_lower_case(words):
        why = "the lookup step lower finds words with capitals"
        yield _finding("lower_case", "words in lower case only", len(letters), letters[0], why, of)
    elif letters and all(word == word.upper() != word.lower() for word in letters):
        why = "no lookup step finds words in lower case"
        yield _finding("upper_case", "words in capitals only", len(letters), letters[0], why, of)
    hashes = [word for word in words if _HASHES.fullmatch(word)]
    if hashes:
        why = "the lookup step digits finds numbers"
        yield _finding(
            "hash_digits", "numbers with # for each digit", len(hashes), hashes[0], why, of
        )
    for what, pattern in _MARKS:
        marked = [word for word in words if pattern.fullmatch(word)]
        if len(marked) > _MOST * len(words):
            why = "tokens have none, so these words are not found: remove it from the file"
            yield _finding("marked", f"words with {what}", len(marked), marked[0], why, of)
            return
    phrases = [word for word in words if _PHRASE.search(word)]
    if len(phrases) > _MANY * len(words):
        why = "tokens are single words, so these are not found"
        yield _finding("phrases", "phrases joined by _", len(phrases), phrases[0], why, of)


def _not_composed(word: str) -> bool:
    return not unicodedata.is_normalized("NFC", word)


def _finding(kind: str, what: str, count: int, first: str, why: str = "", of: str = "") -> Finding:
    message = f"{what}: {count:,}{of}, first {_quoted(first)}" + (why and f"; {why}")
    return Finding(kind, count, first, message)


def _quoted(word: str) -> str:
    return shown(word.encode("utf-8", "surrogatepass"))
