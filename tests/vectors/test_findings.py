"""Faulty and unusual files of vectors: `vectors info` and training report the same, with the same counts."""

from __future__ import annotations

import gzip
import json
import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from nertool.errors import VectorsError
from nertool.training.preparation.vectors import starting_vectors
from tests.support.helpers import change
from tests.support.oracles.vectorfiles import binary, glove, text
from tests.support.spans import corpus_of

WORDS = [b"The", b"of", b"cat", b"dog", b"Rome"]


def rows(*words: bytes) -> list[tuple[bytes, tuple[float, ...]]]:
    """Give each word a vector of its own, of 3 values."""
    return [(word, (i + 0.5, -1.0, 0.25 * i)) for i, word in enumerate(words)]


SOME = rows(*WORDS)
NAN, INF = float("nan"), float("inf")
NFD = "Zu\u0308rich".encode()


class Case(NamedTuple):
    """A file. says: what is reported of it, each as a part of one line; reads: how many words it has then."""

    content: bytes
    says: tuple[str, ...] = ()
    reads: int = 5


# Files that are read. gensim fails on each, or misreads it, or says nothing of what is odd about it.
READ = {
    "no header": Case(glove(SOME)),
    "binary whose rows end with a line end": Case(binary(SOME, b"5 3", b"\n")),
    "binary whose rows end with nothing": Case(binary(SOME, b"5 3")),
    "gzipped text": Case(gzip.compress(text(SOME, b"5 3"))),
    "gzipped binary": Case(gzip.compress(binary(SOME, b"5 3"))),
    "byte order mark": Case(b"\xef\xbb\xbf" + text(SOME, b"5 3")),
    "CRLF": Case(text(SOME, b"5 3", b"\r\n")),
    "header divided by a tab": Case(text(SOME, b"5\t3")),
    "duplicates": Case(
        text([*SOME, *SOME[:2], SOME[0]], b"8 3"),
        ('dropped 3 duplicates of earlier words, first "The" (line 7)',),
    ),
    "duplicates in binary": Case(
        binary([*SOME, *SOME[:2]], b"7 3"),
        ('dropped 2 duplicates of earlier words, first "The" (vector 6)',),
    ),
    "not UTF-8": Case(
        glove([*SOME, *rows(b"M\xfcller", b"caf\xe9")]),
        (r'dropped 2 words that are not UTF-8, first "M\xfcller" (line 6)',),
    ),
    "not UTF-8 in binary": Case(
        binary([*SOME, *rows(b"M\xfcller")], b"6 3"),
        (r'dropped 1 words that are not UTF-8, first "M\xfcller" (vector 6)',),
    ),
    "empty and blank words": Case(
        glove([*SOME, *rows(b"", b" ")]), ('dropped 2 empty words, first "" (line 6)',)
    ),
    "word of a blank in binary": Case(
        binary([*SOME[:2], *rows(b" "), *SOME[2:]], b"6 3"),
        ('dropped 1 empty words, first " " (vector 3)',),
    ),
    "word of a blank in binary with line ends": Case(
        binary([*SOME[:2], *rows(b" "), *SOME[2:]], b"6 3", b"\n"),
        ('dropped 1 empty words, first " " (vector 3)',),
    ),
    "line break and NUL in words": Case(
        binary([*SOME, *rows(b"a\nb", b"\0")], b"7 3"),
        (r'dropped 2 words with a line break or NUL, first "a\nb" (vector 6)',),
    ),
    "words with blanks": Case(
        glove([*SOME, *rows(b". . .", b"at name@domain.com")]),
        ('words with a space: 2, first ". . ."',),
        7,
    ),
    "zeros": Case(
        glove([*SOME, (b"nil", (0.0, 0.0, 0.0)), (b"nul", (0.0, -0.0, 0.0))]),
        ('vectors of zeros: 2, first "nil"',),
        7,
    ),
    "normalised": Case(
        glove([(word, (0.6, 0.0, -0.8)) for word in WORDS]),
        ('vectors of length 1 (normalised): 5, first "The"',),
    ),
    "lower case": Case(
        glove(rows(*(word.lower() for word in WORDS), b"1")),
        ('words in lower case only: 5 of the first 6, first "the"',),
        6,
    ),
    "capitals": Case(
        glove(rows(*(word.upper() for word in WORDS))),
        ('words in capitals only: 5 of the first 5, first "THE"',),
    ),
    "digits as #": Case(
        glove([*SOME, *rows(b"####", b"##.#", b"#")]),
        ('numbers with # for each digit: 2 of the first 8, first "####"',),
        8,
    ),
    "not composed": Case(
        glove([*SOME, *rows(NFD)]),
        ('words that are not in Unicode\'s composed form (NFC): 1, first "Zu\u0308rich"',),
        6,
    ),
    "phrases": Case(
        glove([*SOME, *rows(b"New_York", b"_", b"United_States")]),
        ('phrases joined by _: 2 of the first 8, first "New_York"',),
        8,
    ),
    "ends of sentences": Case(
        glove([*rows(b"</s>", b"<unk>"), *SOME]),
        ('special signs in place of words: 2, first "</s>"',),
        7,
    ),
    "prefixes": Case(
        glove(rows(*(b"/c/en/" + word for word in WORDS))),
        ('words with a prefix for the language: 5 of the first 5, first "/c/en/The"',),
    ),
    "parts of speech": Case(
        glove(rows(*(word + b"_NOUN" for word in WORDS))),
        ('words with a part of speech at the end: 5 of the first 5, first "The_NOUN"',),
    ),
    "quotation marks": Case(
        glove(rows(*(b'"%s"' % word for word in WORDS))),
        ("words with quotation marks around them: 5 of the first 5",),
    ),
}

# Files that are refused, by both with the same line.
REFUSED = {
    "header promises more": (text(SOME, b"9 3"), "found 5 whole vectors of 3 values, expected 9"),
    "header promises less": (text(SOME, b"3 3"), "found a line after the 3 vectors"),
    "binary header promises more": (
        binary(rows(*(word * 9 for word in WORDS)), b"6 3"),
        "found 5 whole vectors of 3 values, expected 6",
    ),
    "binary header promises less": (binary(SOME, b"4 3"), "found more after the 4 vectors"),
    "header of another width": (text(SOME, b"5 4"), ":2: found 3 values, expected 4"),
    "absurd header": (text(SOME, b"99999999 300"), "found a header that promises 99,999,999"),
    "only a header": (b"5 3\n", "found a header that promises 5 vectors of 3 values"),
    "short row": (glove([*SOME, (b"x", (1.0, 2.0))]), ":6: found 2 values, expected 3"),
    "long row": (glove([*SOME, (b"x", (1, 2, 3, 4))]), ":6: found 4 values, expected 3"),
    "row of one value": (glove([*SOME, (b"x", (1.0,))]), ":6: found 1 values, expected 3"),
    "NaN": (
        glove([*SOME, (b"x", (1, NAN, 3)), (b"y", (1, 2, INF))]),
        ':6: found NaN or infinity in the vector of "x" and in 1 more',
    ),
    "infinity in binary": (
        binary([*SOME, (b"x", (1, -INF, 3))], b"6 3"),
        'vector 6: found NaN or infinity in the vector of "x", expected',
    ),
    "too great for float32": (glove(SOME) + b"x 1 1e39 2\n", 'in the vector of "x", expected'),
    "too great to train with": (
        glove([*SOME, (b"x", (1, 2e6, 3)), (b"y", (1, -3e7, 3))]),
        "found values above 1e+06 in 2 vectors, the largest, 3e+07 (as absolute value), in that of",
    ),
    "no number": (glove(SOME) + b"x 1 two 3\n", ':6: found "two", expected a number'),
    "tabs": (glove(SOME).replace(b" ", b"\t"), "found values separated by tabs"),
    "tabs below a header": (
        text(SOME, b"5 3").replace(b" ", b"\t").replace(b"5\t3", b"5 3"),
        ":2: found values separated by tabs",
    ),
    "several blanks": (
        glove(SOME).replace(b" ", b"  "),
        "found values separated by several spaces",
    ),
    "decimal commas": (glove(SOME).replace(b".", b","), "found numbers with a decimal comma"),
    "commas": (glove(SOME).replace(b" ", b","), "found values separated by commas"),
    "semicolons": (glove(SOME).replace(b" ", b";"), "found values separated by semicolons"),
    "mostly not UTF-8": (
        glove(rows(b"The", b"M\xfcller", b"caf\xe9")),
        r'dropped 2 words that are not UTF-8, first "M\xfcller" (line 2)',
    ),
    "UTF-16": (glove(SOME).decode().encode("utf-16"), "found UTF-16 text"),
    "cut gzip": (gzip.compress(glove(SOME))[:-9], "found a gzip file that is cut off"),
    "cut binary": (binary(SOME, b"5 3")[:-3], "found 4 whole vectors of 3 values, expected 5"),
    "empty": (b"", "found an empty file"),
}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A folder, a text, and a config to train on it."""
    from nertool.config.file import load_config

    folder = tmp_path_factory.mktemp("findings")
    (folder / "config.yaml").write_text("corpus: {train: t.conll}\nvectors: {path: v}\n")
    return folder, corpus_of(["The", "cat"]), load_config(folder / "config.yaml")


def trained_on(small, path: Path) -> tuple[int, list[str]]:
    """Return how many words training starts from, and what it reports."""
    _, corpus, config = small
    said: list[str] = []
    (vectors,) = starting_vectors(change(config, vectors={"path": path}), corpus, said.append)
    return len(vectors.words), said[1:]  # the first line names the file


@pytest.mark.parametrize("name", READ)
def test_what_is_unusual_is_named_alike_and_counted_alike(name, small, main):
    case, path = READ[name], small[0] / "v"
    path.write_bytes(case.content)
    done = main("vectors", "info", path, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    words, said = trained_on(small, path)
    assert words == told["words"] == case.reads
    lines = [*told["notes"], *(finding["message"] for finding in told["findings"])]
    assert said == [f"vectors: {line}" for line in lines]
    assert len(lines) == len(case.says)
    assert all(part in line for part, line in zip(case.says, lines, strict=True))


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_refused_alike(name, small, main):
    content, part = REFUSED[name]
    path = small[0] / "v"
    path.write_bytes(content)
    with pytest.raises(VectorsError) as refused:
        trained_on(small, path)
    assert part in str(refused.value)
    done = main("vectors", "info", path)
    assert str(refused.value).removeprefix(f"{path}: ") in done.stdout + done.stderr
    # Values that are merely large can be described; all else can't be read.
    assert done.returncode == (0 if name == "too great to train with" else 1)


def test_both_commands_print_it(small, main, tiny, tmp_path):
    path = tmp_path / "v"
    path.write_bytes(READ["zeros"].content)
    shown = main("vectors", "info", path)
    config = (
        "--set",
        f"vectors.path={path}",
        "--set",
        "training.epochs=1",
        "--run-dir",
        tmp_path / "r",
    )
    trained = main("train", tiny / "config.yaml", *config)
    line = 'vectors of zeros: 2, first "nil"'
    assert line in shown.stdout
    assert trained.returncode == 0, trained.stderr
    assert line in trained.stderr
    path.write_bytes(REFUSED["NaN"][0])
    refused = main("train", tiny / "config.yaml", *config, "--overwrite")
    assert refused.returncode == 1
    assert main("vectors", "info", path).stderr.splitlines()[-1] in refused.stderr


# Other programs' own files: info describes them, training names the command that converts them.

ARRAY = np.array([[1, 2], [3, 4], [np.nan, 6]], dtype=np.float32)


def fasttext(words: list[bytes], width: int = 2) -> bytes:
    """Write a fastText model without parts of words, from the layout in fasttext.py."""
    settings = struct.pack("<12i", width, 5, 5, 1, 5, 1, 2, 2, 0, 0, 0, 100)
    head = struct.pack("<ii", 793712314, 12) + settings + struct.pack("<d", 1e-4)
    size = struct.pack("<iiiqq", len(words), len(words), 0, 9, -1)
    entries = b"".join(word + b"\0" + struct.pack("<qb", 1, 0) for word in words)
    values = np.arange(1, 1 + width * len(words), dtype="<f4").tobytes()
    return head + size + entries + struct.pack("<bqq", 0, len(words), width) + values


def test_training_names_the_command_that_converts_other_files(small, main, tmp_path):
    path = tmp_path / "v"
    np.save(tmp_path / "v.npy", ARRAY[:2])
    files = {
        fasttext([b"a", b"b", b"caf\xe9"]): "found a fastText model (.bin), expected",
        (tmp_path / "v.npy").read_bytes(): "nertool vectors convert --words WORDS",
        b"2 2 3 6 1 2166136261 < >\n0 1 2\n1 3 4\n": "found a floret table, expected",
        b"\x80\x04]\x94.": "nertool vectors convert --trust",
    }
    for content, part in files.items():
        path.write_bytes(content)
        with pytest.raises(VectorsError) as refused:
            trained_on(small, path)
        assert part in str(refused.value)
        assert "nertool vectors convert" in str(refused.value)


def test_words_of_other_files_are_judged_alike(main, tmp_path):
    (tmp_path / "v").write_bytes(fasttext([b"a", b"b", b"caf\xe9", b"a", b"Zu\xcc\x88"]))
    told = json.loads(main("vectors", "info", tmp_path / "v", "--json").stdout)
    assert told["words"] == 3
    assert [line.partition("dropped ")[2] for line in told["notes"]] == [
        r'1 words that are not UTF-8, first "caf\xe9" (vector 3)',
        '1 duplicates of earlier words, first "a" (vector 4)',
    ]
    assert [finding["kind"] for finding in told["findings"]] == ["not_composed"]
    np.save(tmp_path / "v.npy", ARRAY)
    (tmp_path / "w").write_text("a\nb\nc\n")
    words = ("--words", tmp_path / "w")
    done = main("vectors", "info", tmp_path / "v.npy", *words)
    assert done.returncode == 1
    assert 'v.npy: vector 3: found NaN or infinity in the vector of "c", expected' in done.stderr
    (tmp_path / "w").write_text("a\nb\n")
    done = main("vectors", "info", tmp_path / "v.npy", *words)
    assert done.returncode == 1
    assert "found an array (3, 2) and 2 words, expected a row for each word" in done.stderr
    first_two = main("vectors", "info", tmp_path / "v.npy", *words, "--limit", "2")
    assert first_two.returncode == 1
