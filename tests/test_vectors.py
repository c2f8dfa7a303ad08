"""Files of word vectors, written here from the formats' definitions, and what is read of them.

word2vec text: `V d`, then V lines of word and d numbers. word2vec binary: the same first line,
then V times the word, a space, d little-endian float32 (and, by word2vec.c, a line break).
GloVe: word2vec text without the first line.
"""

from __future__ import annotations

import gzip
import io
import logging
import os
import pickle
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nertool.embeddings import vectorfile
from nertool.embeddings import vectors as vectors_module
from nertool.embeddings.vectors import WordVectors, load_vectors
from nertool.errors import VectorsError

ROOT = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("NERTOOL_DATA", ROOT.parent / "shared" / "data"))
REAL_PATH = DATA_DIR / "vectors" / "glove.6B.50d.bin"

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


@pytest.fixture
def load(tmp_path):
    def load_bytes(content: bytes, limit: int | None = None, name: str = "v") -> WordVectors:
        path = tmp_path / name
        path.write_bytes(content)
        return load_vectors(path, limit)

    return load_bytes


@pytest.fixture
def refused(load, tmp_path):
    """Return the message, less the folder, with which the content is refused: a single line."""

    def message(content: bytes, limit: int | None = None, name: str = "v") -> str:
        with pytest.raises(VectorsError) as caught:
            load(content, limit, name)
        line = str(caught.value)
        assert "\n" not in line
        assert line.isprintable()
        assert line.startswith(str(tmp_path / name))
        assert "found" in line
        assert "expected" in line
        assert ";" in line
        return line.replace(f"{tmp_path}/", "")

    return message


def check_pairs(vectors: WordVectors, pairs: Pairs) -> None:
    assert vectors.words == [word.decode() for word, _ in pairs]
    expected = np.array([tuple(values) for _, values in pairs], dtype=np.float32)
    np.testing.assert_array_equal(vectors.matrix, expected)
    assert vectors.matrix.dtype == np.float32
    assert vectors.matrix.flags.c_contiguous


# The kinds


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("name", ["v", "v.bin", "v.txt", "v.gz", "v.bin.gz", "v.xz"])
def test_kind_is_told_from_the_content_and_never_from_the_name(load, kind, name):
    content = WRITERS[kind](PAIRS)
    plain, packed = load(content, name=name), load(gzip.compress(content, mtime=0), name=name)
    check_pairs(plain, PAIRS)
    check_pairs(packed, PAIRS)
    assert (plain.format, packed.format) == (kind, f"{kind}, gzip")
    assert plain.notes == packed.notes == ()


def test_header_less_glove_is_recognised(load):
    for content, kind in [(glove(PAIRS), ""), (gzip.compress(glove(PAIRS), mtime=0), ", gzip")]:
        vectors = load(content)
        check_pairs(vectors, PAIRS)
        assert vectors.format == f"GloVe text (no header){kind}"


def test_header_less_glove_may_start_with_a_number_as_word(load):
    pairs = [(b"7", (1, 2)), (b"the", (3, 4))]
    check_pairs(load(b"7 1 2\nthe 3 4\n"), pairs)


def test_two_whole_numbers_at_the_start_are_always_a_header(refused):
    assert refused(b"12 5\n13 6\n14 7\n").startswith("v:1: found a header that promises 12 vectors")


def test_line_breaks_after_binary_vectors_belong_to_the_format(load):
    check_pairs(load(binary(PAIRS, end=b"\n")), PAIRS)


def test_byte_order_mark_is_skipped(load):
    for content in (text(PAIRS), binary(PAIRS), glove(PAIRS), gzip.compress(glove(PAIRS), mtime=0)):
        marked = b"\xef\xbb\xbf" + content
        if content.startswith(b"\x1f\x8b"):
            marked = gzip.compress(b"\xef\xbb\xbf" + gzip.decompress(content))
        check_pairs(load(marked), PAIRS)


def test_windows_line_ends_trailing_spaces_and_blank_lines_do_no_harm(load):
    for end in (b"\r\n", b" \n", b"\n\n"):
        check_pairs(load(text(PAIRS, end=end)), PAIRS)
        check_pairs(load(glove(PAIRS, end=end)), PAIRS)


def test_last_line_needs_no_line_end(load):
    check_pairs(load(text(PAIRS).rstrip()), PAIRS)
    check_pairs(load(glove(PAIRS).rstrip()), PAIRS)


def test_one_dimension_is_enough(load):
    pairs = [(b"a", (1.5,)), (b"b", (-2.0,))]
    for content in (text(pairs, b"2 1"), binary(pairs, b"2 1"), glove(pairs)):
        check_pairs(load(content), pairs)


def test_words_with_spaces_are_counted_from_the_right(load):
    pairs = [(b"a", (1, 2)), (b". . .", (3, 4)), (b"at name@domain.com", (5, 6))]
    check_pairs(load(glove(pairs)), pairs)
    check_pairs(load(text(pairs)), pairs)


def test_words_of_unicode_white_space_are_words(load):
    pairs = [(b"a", (1, 2)), ("\u00a0".encode(), (3, 4)), ("\u0085\u2028".encode(), (5, 6))]
    for content in (glove(pairs), text(pairs), binary(pairs)):
        check_pairs(load(content), pairs)


def test_rows_of_zeros_in_the_file_stay(load):
    pairs = [(b"a", (1, 2)), (b"nil", (0, 0)), (b"b", (1, 2))]
    for content in (glove(pairs), text(pairs), binary(pairs)):
        check_pairs(load(content), pairs)


# The limit


@pytest.mark.parametrize("write", [text, binary, lambda pairs: glove(pairs)])
@pytest.mark.parametrize("limit", [1, 2, 3, 4, 10**9])
def test_limit_keeps_the_first_rows_without_a_note(load, write, limit):
    vectors = load(write(PAIRS), limit)
    check_pairs(vectors, PAIRS[:limit])
    assert vectors.notes == ()


def test_faults_beyond_the_limit_are_not_seen(load):
    faulty = [*PAIRS[:2], (b"x", (float("nan"), 1.0))]
    for content in (text(faulty), binary(faulty), glove(faulty)):
        check_pairs(load(content, 2), PAIRS[:2])


# Words that are left out


@pytest.mark.parametrize("write", [text, binary])
def test_first_of_duplicates_stays_and_the_others_are_noted(load, write):
    pairs = [(b"a", (1, 2)), (b"a", (3, 4)), (b"b", (5, 6)), (b"a", (7, 8)), (b"b", (9, 9))]
    vectors = load(write(pairs, b"5 2"))
    check_pairs(vectors, [pairs[0], pairs[2]])
    (note,) = vectors.notes
    where = "line 3" if write is text else "vector 2"
    assert note.endswith(f'v: dropped 3 duplicates of earlier words, first "a" ({where})')


@pytest.mark.parametrize("write", [text, binary])
def test_words_that_are_not_utf8_are_dropped_and_noted(load, write):
    pairs = [(b"a", (1, 2)), (b"caf\xe9", (3, 4)), (b"b", (5, 6))]
    vectors = load(write(pairs))
    check_pairs(vectors, [pairs[0], pairs[2]])
    (note,) = vectors.notes
    where = "line 3" if write is text else "vector 2"
    assert note.endswith(rf'v: dropped 1 words that are not UTF-8, first "caf\xe9" ({where})')


def test_words_with_line_breaks_nul_or_nothing_are_dropped_and_noted(load):
    pairs = [(bytes([letter]), (1.0,)) for letter in b"abcde"]
    odd = [(b"x\ny", (2.0,)), (b"\n", (3.0,)), (b"\0", (4.0,)), (b"x\ry", (5.0,))]
    vectors = load(binary(pairs + odd, b"9 1"))
    check_pairs(vectors, pairs)
    assert [note.partition("dropped ")[2] for note in vectors.notes] == [
        r'3 words with a line break or NUL, first "x\ny" (vector 6)',
        '1 empty words, first "" (vector 7)',
    ]


def test_spaced_word_and_its_likeness_with_nul_are_not_mixed_up(load):
    pairs = [(b"a", (1, 2)), (b". .", (3, 4)), (b"b", (5, 6))]
    vectors = load(text([*pairs, (b".\0.", (7, 8))], b"4 2"))
    check_pairs(vectors, pairs)
    assert "NUL" in vectors.notes[0]


def test_file_of_mostly_unusable_words_is_refused(refused):
    pairs = [(b"a", (1, 2)), (b"\xe9", (3, 4)), (b"\xe8", (5, 6))]
    assert "dropped 2 words that are not UTF-8" in refused(text(pairs))


def test_wrong_dimension_in_a_binary_header_is_refused_even_with_a_limit(refused):
    rng = np.random.default_rng(0)
    pairs = [(b"word%d" % n, rng.normal(size=50).tolist()) for n in range(200)]
    assert refused(binary(pairs, b"200 49"))
    assert refused(binary(pairs, b"200 49"), 100)


# Headers that promise something else than there is


def test_text_shorter_than_promised_is_refused(refused):
    assert "found 3 whole vectors of 2 values, expected 4" in refused(text(PAIRS, b"4 2"))


def test_binary_shorter_than_promised_is_refused(refused):
    pairs = [(word * 9, values) for word, values in PAIRS]
    assert "found 3 whole vectors of 2 values, expected 4" in refused(binary(pairs, b"4 2"))
    assert "found 2 whole vectors" in refused(binary(pairs)[:-1])


def test_text_longer_than_promised_is_refused_at_the_line(refused, load):
    assert refused(text(PAIRS, b"2 2")).startswith("v:4: found a line after the 2 vectors")
    check_pairs(load(text(PAIRS, b"2 2"), 1), PAIRS[:1])


def test_bytes_after_the_promised_binary_vectors_are_refused(refused):
    assert "found more after the 2 vectors" in refused(binary(PAIRS, b"2 2"))
    assert "found more after the 3 vectors" in refused(binary(PAIRS) + b"\n\0")


@pytest.mark.parametrize("write", [text, binary])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("header", [b"999999999999 300", b"3 99999999999", b"9" * 60 + b" 2"])
def test_absurd_header_is_refused_before_memory_is_taken(refused, write, pack, header):
    message = refused(pack(write(PAIRS, header)))
    assert message.startswith("v:1: found a header that promises")
    assert "cut off" in message


def test_header_may_promise_more_than_the_packed_size(load):
    pairs = [(b"w%d" % n, (0.0,) * 50) for n in range(100)]
    packed = gzip.compress(binary(pairs, b"100 50"))
    assert len(packed) < 100 * 50 * 4
    check_pairs(load(packed), pairs)


@pytest.mark.parametrize("header", [b"3 0", b"0 2", b"-3 2", b"3 -2"])
def test_header_without_words_or_values_is_refused(refused, header):
    assert "expected at least 1 of each" in refused(text(PAIRS, header))


def test_only_a_header_is_refused(refused):
    for content in (b"3 2", b"3 2\n", b"3 2\r\n\r\n"):
        assert "found a header that promises 3 vectors of 2 values" in refused(content)


# Rows and values that are faulty


@pytest.mark.parametrize(
    ("row", "width"), [(b"c 1", 1), (b"c", 0), (b"c 1 2 3", 3), (b"c  1 2", 3), (b"c\t1\t2", 0)]
)
def test_row_of_another_width_is_refused_at_its_line(refused, row, width):
    told = f"found {width} values, expected 2"
    assert refused(b"a 1 2\n\nb 3 4\n" + row + b"\nd 5 6\n").startswith(f"v:4: {told}")
    assert refused(b"4 2\na 1 2\nb 3 4\n" + row + b"\nd 5 6\n").startswith(f"v:4: {told}")


def test_truncated_last_line_is_refused_at_its_line(refused):
    assert refused(b"a 1 2\nb 3 4\nc 5").startswith("v:3: found 1 values, expected 2")


def test_tabs_for_spaces_are_named_as_a_fault_of_the_line(refused):
    content = b"9 3\n" + b"word\t0.1\t0.2\t0.3\n" * 9
    assert "v:2: found 0 values, expected 3, with single spaces" in refused(content)


def test_value_that_is_no_number_is_refused_at_its_line(refused):
    assert refused(b"a 1 2\nb 3 4,5\n").startswith('v:2: found "4,5", expected a number')
    assert refused(b"2 2\na 1 x\nb 3 4\n").startswith('v:2: found "x", expected a number')
    assert refused(b"2 2\na 1 2\n. . 4\n").startswith('v:3: found ".", expected a number')


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_values_that_are_not_finite_are_refused_at_their_place(refused, value):
    pairs = [(b"a", (1, 2)), (b"a", (1, 2)), (b"b", (1, value))]
    told = 'found NaN or infinity in the vector of "b"'
    assert refused(text(pairs)).startswith(f"v:4: {told}")
    assert refused(glove(pairs)).startswith(f"v:3: {told}")
    assert refused(binary(pairs)).startswith(f"v: vector 3: {told}")


def test_words_in_messages_stand_as_in_the_file(refused):
    pairs = [(b"a", (1, 2)), ("Zürich\x07".encode(), (1, float("nan"))), (b"b", (5, 6))]
    assert r'in the vector of "Zürich\x07", expected' in refused(text(pairs))


def test_values_too_great_for_float32_are_refused(refused):
    assert refused(b"a 1 2\nb 1e39 2\n").startswith("v:2: found NaN or infinity")


def test_binary_without_spaces_is_refused_without_reading_on(refused):
    content = b"1000 2\nthe " + struct.pack("<2f", 1, 2) + b"\1" * 300_000
    assert "v: vector 2: found no space" in refused(content)


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
def test_other_files_are_refused_by_what_they_seem_to_be(refused, content, seems):
    assert f"found {seems}" in refused(content)


def test_pickle_is_never_run(refused, tmp_path):
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    for protocol in range(6):
        refused(pickle.dumps(Trap(), protocol))
        refused(gzip.compress(pickle.dumps(Trap(), protocol)))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "word", [b"MZ", b"BZh", b"GIF8", b"%PDF", b"<s>", b"PK", b"7z", b"version"]
)
def test_glove_may_start_with_a_word_that_other_files_start_with(load, word):
    pairs = [(word, (1, 2)), (b"b", (3, 4))]
    check_pairs(load(glove(pairs)), pairs)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b" \r\n\n", b"\xef\xbb\xbf", gzip.compress(b"", mtime=0)]
)
def test_empty_file_is_refused(refused, content):
    assert "found an empty file" in refused(content)


@pytest.mark.parametrize("write", [text, binary])
def test_truncated_gzip_is_refused_wherever_it_ends(refused, write):
    packed = gzip.compress(write(PAIRS))
    for end in range(3, len(packed)):
        assert "found a gzip file that is cut off" in refused(packed[:end])


def test_damaged_gzip_is_refused(refused):
    packed = bytearray(gzip.compress(text(PAIRS)))
    packed[-8] ^= 1  # the checksum
    assert "found a damaged gzip file" in refused(bytes(packed))
    assert "found a damaged gzip file" in refused(bytes(packed[:10]) + b"\xff" * 30)


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


# gensim in the background


def test_gensim_is_silent_and_its_log_level_is_restored(load, caplog, capfd, recwarn):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, "gensim")
    load(text([*PAIRS, PAIRS[0]], b"4 2"))
    assert logging.getLogger("gensim").level == logging.INFO
    assert not [record for record in caplog.records if record.name.startswith("gensim")]
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list


def test_gensim_is_imported_only_to_load():
    code = "import sys, nertool.embeddings.vectors; sys.exit('gensim' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_rows_fall_into_blocks_without_a_seam(load, monkeypatch):
    pairs = [(b"w%d" % n, (n, -n)) for n in range(100)]
    sizes = []

    def noted_parse(block, *rest):
        sizes.append(len(block))
        return parse(block, *rest)

    parse = vectors_module._parse
    monkeypatch.setattr(vectors_module, "_parse", noted_parse)
    monkeypatch.setattr(vectors_module, "BLOCK_BYTES", 50)
    monkeypatch.setattr(vectorfile, "HEAD_BYTES", 64)  # the binary reader's steps
    for content in (text(pairs, b"100 2"), binary(pairs, b"100 2", b"\n"), glove(pairs)):
        check_pairs(load(content), pairs)
    assert sum(sizes) == 300
    assert max(sizes) < 10


# Properties

WORD = st.text(st.characters(exclude_characters="\n\r\0 ", exclude_categories=["Cs"]), min_size=1)
FLOAT32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


@st.composite
def word_vectors(draw) -> list[tuple[bytes, tuple[float, ...]]]:
    words = draw(st.lists(WORD, min_size=1, max_size=6, unique=True))
    dimension = draw(st.integers(1, 5))
    row = st.tuples(*[FLOAT32] * dimension)
    return [(word.encode(), draw(row)) for word in words]


@settings(max_examples=60, deadline=None)
@given(word_vectors(), st.sampled_from([text, binary]), st.booleans(), st.booleans())
def test_what_is_written_is_read(pairs, write, gzipped, line_breaks):
    header = b"%d %d" % (len(pairs), len(pairs[0][1]))
    end = b"\n" if write is text or line_breaks else b""
    content = write(pairs, header, end)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "v")
        path.write_bytes(gzip.compress(content, mtime=0) if gzipped else content)
        vectors = load_vectors(path)
    check_pairs(vectors, pairs)
    assert vectors.format.startswith("word2vec text" if write is text else "word2vec binary")


@settings(max_examples=50, deadline=None)
@given(word_vectors(), st.sampled_from([text, binary]), st.data())
def test_binary_or_text_cut_anywhere_loads_rightly_or_not_at_all(pairs, write, data):
    content = write(pairs, b"%d %d" % (len(pairs), len(pairs[0][1])))
    end = data.draw(st.integers(0, len(content) - 1))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "v")
        path.write_bytes(content[:end])
        try:
            vectors = load_vectors(path)
        except VectorsError:
            return
    # Only digits of the last number of a text can go unseen.
    assert write is text
    assert vectors.words == [word.decode() for word, _ in pairs]
    assert "\n" not in content[end:-1].decode(errors="replace")


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", b"3 2\n", b"a 1 2\n", b"\x1f\x8b\x08\0"]))
def test_any_bytes_are_read_or_refused_in_one_line(content, start):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "v")
        path.write_bytes(start + content)
        try:
            vectors = load_vectors(path)
        except VectorsError as error:
            message = str(error)
        else:
            message = ""
            assert len(set(vectors.words)) == len(vectors.words) == len(vectors.matrix)
            assert np.isfinite(vectors.matrix).all()
    assert message.isprintable()


@pytest.mark.skipif(not REAL_PATH.exists(), reason=f"no {REAL_PATH}; set NERTOOL_DATA")
def test_real_glove_vectors_load():
    vectors = load_vectors(REAL_PATH, 2000)
    assert vectors.format == "word2vec binary"
    assert vectors.matrix.shape == (2000, 50)
    assert vectors.words[:3] == ["the", ",", "."]
    assert vectors.notes == ()
    # GloVe's published first values of "the".
    np.testing.assert_allclose(vectors.matrix[0, :3], [0.418, 0.24968, -0.41242], rtol=1e-6)
    unit = vectors.matrix / np.linalg.norm(vectors.matrix, axis=1, keepdims=True)
    row = {word: number for number, word in enumerate(vectors.words)}
    assert unit[row["france"]] @ unit[row["germany"]] > 0.7
    assert unit[row["france"]] @ unit[row["their"]] < 0.5
