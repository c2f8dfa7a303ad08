"""Files of word vectors that are faulty, cut off, damaged, or something else: what the message says."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from nertool.errors import VectorsError
from nertool.vectors.files.load import load_vectors
from tests.support.oracles.vectorfiles import PAIRS, binary, check_pairs, glove, text

# Headers that promise something else than there is


def test_text_shorter_than_promised_is_refused(refused_vectors):
    assert "found 3 whole vectors of 2 values, expected 4" in refused_vectors(text(PAIRS, b"4 2"))


def test_binary_shorter_than_promised_is_refused(refused_vectors):
    pairs = [(word * 9, values) for word, values in PAIRS]
    assert "found 3 whole vectors of 2 values, expected 4" in refused_vectors(binary(pairs, b"4 2"))
    assert "found 2 whole vectors" in refused_vectors(binary(pairs)[:-1])


def test_text_longer_than_promised_is_refused_at_the_line(refused_vectors, read_vectors):
    assert refused_vectors(text(PAIRS, b"2 2")).startswith("v:4: found a line after the 2 vectors")
    check_pairs(read_vectors(text(PAIRS, b"2 2"), 1), PAIRS[:1])


def test_bytes_after_the_promised_binary_vectors_are_refused(refused_vectors):
    assert "found more after the 2 vectors" in refused_vectors(binary(PAIRS, b"2 2"))
    assert "found more after the 3 vectors" in refused_vectors(binary(PAIRS) + b"\n\0")


@pytest.mark.parametrize("write", [text, binary])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("header", [b"999999999999 300", b"3 99999999999", b"9" * 60 + b" 2"])
def test_absurd_header_is_refused_before_memory_is_taken(refused_vectors, write, pack, header):
    message = refused_vectors(pack(write(PAIRS, header)))
    assert message.startswith("v:1: found a header that promises")
    assert "cut off" in message


def test_header_may_promise_more_than_the_packed_size(read_vectors):
    pairs = [(b"w%d" % n, (0.0,) * 50) for n in range(100)]
    packed = gzip.compress(binary(pairs, b"100 50"))
    assert len(packed) < 100 * 50 * 4
    check_pairs(read_vectors(packed), pairs)


@pytest.mark.parametrize("header", [b"3 0", b"0 2", b"-3 2", b"3 -2"])
def test_header_without_words_or_values_is_refused(refused_vectors, header):
    assert "expected at least 1 of each" in refused_vectors(text(PAIRS, header))


def test_only_a_header_is_refused(refused_vectors):
    for content in (b"3 2", b"3 2\n", b"3 2\r\n\r\n"):
        assert "found a header that promises 3 vectors of 2 values" in refused_vectors(content)


# Rows and values that are faulty


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (b"c 1", "1 values"),
        (b"c", "0 values"),
        (b"c 1 2 3", "3 values"),
        (b"c  1 2", "values separated by several spaces"),
        (b"c\t1\t2", "values separated by tabs"),
    ],
)
def test_row_of_another_width_is_refused_at_its_line(refused_vectors, row, found):
    told = f"found {found}, expected 2"
    assert refused_vectors(b"a 1 2\n\nb 3 4\n" + row + b"\nd 5 6\n").startswith(f"v:4: {told}")
    assert refused_vectors(b"4 2\na 1 2\nb 3 4\n" + row + b"\nd 5 6\n").startswith(f"v:4: {told}")


def test_truncated_last_line_is_refused_at_its_line(refused_vectors):
    assert refused_vectors(b"a 1 2\nb 3 4\nc 5").startswith("v:3: found 1 values, expected 2")


def test_tabs_for_spaces_are_named_as_a_fault_of_the_line(refused_vectors):
    content = b"9 3\n" + b"word\t0.1\t0.2\t0.3\n" * 9
    told = refused_vectors(content)
    assert "v:2: found values separated by tabs, expected 3 values with single blanks" in told
    assert "tr '\\t' ' ' < FILE" in told


def test_value_that_is_no_number_is_refused_at_its_line(refused_vectors):
    assert refused_vectors(b"a 1 2\nb 3 4,5\n").startswith('v:2: found "4,5", expected a number')
    assert refused_vectors(b"2 2\na 1 x\nb 3 4\n").startswith('v:2: found "x", expected a number')
    assert refused_vectors(b"2 2\na 1 2\n. . 4\n").startswith('v:3: found ".", expected a number')


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_values_that_are_not_finite_are_refused_at_their_place(refused_vectors, value):
    pairs = [(b"a", (1, 2)), (b"a", (1, 2)), (b"b", (1, value))]
    told = 'found NaN or infinity in the vector of "b"'
    assert refused_vectors(text(pairs)).startswith(f"v:4: {told}")
    assert refused_vectors(glove(pairs)).startswith(f"v:3: {told}")
    assert refused_vectors(binary(pairs)).startswith(f"v: vector 3: {told}")


def test_words_in_messages_stand_as_in_the_file(refused_vectors):
    pairs = [(b"a", (1, 2)), ("Zürich\x07".encode(), (1, float("nan"))), (b"b", (5, 6))]
    assert r'in the vector of "Zürich\x07", expected' in refused_vectors(text(pairs))


def test_values_too_great_for_float32_are_refused(refused_vectors):
    assert refused_vectors(b"a 1 2\nb 1e39 2\n").startswith("v:2: found NaN or infinity")


def test_binary_without_spaces_is_refused_without_reading_on(refused_vectors):
    content = b"1000 2\nthe " + struct.pack("<2f", 1, 2) + b"\1" * 300_000
    assert "v: vector 2: found no space" in refused_vectors(content)


# Files that are something else, or can't be read


def zipped() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr("glove.txt", glove(PAIRS))
    return archive.getvalue()


def npy() -> bytes:
    array = io.BytesIO()
    np.save(array, np.ones((2, 2)))
    return array.getvalue()


@pytest.mark.parametrize(
    ("content", "seems"),
    [
        (pickle.dumps({"a": 1}), "a Python pickle"),
        (zipped(), "an archive"),
        (npy(), "a numpy array"),
        (struct.pack("<Q", 20) + b'{"a":{"dtype":"F32"}}', "a safetensors file"),
        (b"\x7fELF\2\1\1", "a program"),
        (b"\x89PNG\r\n\x1a\n", "an image"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "an image"),
        (struct.pack("<i", 793712314) + b"\x0c\0\0\0", "a fastText model"),
        (
            gzip.compress(gzip.compress(b"a 1 2\n", mtime=0), mtime=0),
            "a gzip file inside a gzip file",
        ),
        (glove(PAIRS).decode().encode("utf-16"), "UTF-16 text"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "a Git LFS"),
        (b"<!DOCTYPE html>\n<html>", "a web page"),
        (b"\0\1\2\3\4\5\6\7" * 99, "a file that starts with"),
        (b"EU NNP I-NP I-ORG\n", 'a file that starts with "EU NNP I-NP I-ORG"'),
        (b"the\n", 'a file that starts with "the"'),
    ],
)
def test_other_files_are_refused_by_what_they_seem_to_be(refused_vectors, content, seems):
    assert f"found {seems}" in refused_vectors(content)


def test_pickle_is_never_run(refused_vectors, tmp_path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    for protocol in range(6):
        refused_vectors(pickle.dumps(Trap(), protocol))
        refused_vectors(gzip.compress(pickle.dumps(Trap(), protocol)))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "word", [b"MZ", b"BZh", b"GIF8", b"%PDF", b"<s>", b"PK", b"7z", b"version"]
)
def test_glove_may_start_with_a_word_that_other_files_start_with(read_vectors, word):
    pairs = [(word, (1, 2)), (b"b", (3, 4))]
    check_pairs(read_vectors(glove(pairs)), pairs)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b" \r\n\n", b"\xef\xbb\xbf", gzip.compress(b"", mtime=0)]
)
def test_empty_file_is_refused(refused_vectors, content):
    assert "found an empty file" in refused_vectors(content)


@pytest.mark.parametrize("write", [text, binary])
def test_truncated_gzip_is_refused_wherever_it_ends(refused_vectors, write):
    packed = gzip.compress(write(PAIRS))
    for end in range(3, len(packed)):
        assert "found a gzip file that is cut off" in refused_vectors(packed[:end])


def test_damaged_gzip_is_refused(refused_vectors):
    packed = bytearray(gzip.compress(text(PAIRS)))
    packed[-8] ^= 1  # the checksum
    assert "found a damaged gzip file" in refused_vectors(bytes(packed))
    assert "found a damaged gzip file" in refused_vectors(bytes(packed[:10]) + b"\xff" * 30)


def test_missing_file_is_refused_with_the_nearest_name(tmp_path):
    (tmp_path / "glove.6B.50d.bin").touch()
    with pytest.raises(VectorsError, match=r'no such file.*; did you mean "glove\.6B\.50d\.bin"\?'):
        load_vectors(tmp_path / "glove.6b.50.bin")
    with pytest.raises(VectorsError, match="no such file"):
        load_vectors(tmp_path / "quite else")
    with pytest.raises(VectorsError, match="no folder"):
        load_vectors(tmp_path / "nowhere" / "v")


def test_folder_is_refused(tmp_path):
    with pytest.raises(VectorsError, match="found a folder"):
        load_vectors(tmp_path)


def test_file_without_read_permission_is_refused(tmp_path, monkeypatch):
    # chmod would not stop root, as which containers run tests.
    def forbidden(self, *_):
        raise PermissionError(13, "Permission denied", str(self))

    (tmp_path / "v").touch()
    monkeypatch.setattr(Path, "open", forbidden)
    with pytest.raises(VectorsError, match="v: found Permission denied, expected word vectors"):
        load_vectors(tmp_path / "v")


def test_values_divided_by_tabs_are_named(tmp_path):
    path = tmp_path / "tabs.txt"
    path.write_text("Ada\t0.1\t0.2\nmet\t0.3\t0.4\n")
    with pytest.raises(VectorsError, match=r"values separated by tabs.*tr '\\t' ' '"):
        load_vectors(path)
