"""Files of word vectors: what is read of each kind, and that any bytes are read or refused."""

from __future__ import annotations

import gzip
import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nertool.errors import VectorsError
from nertool.vectors.files import file as vectorfile
from nertool.vectors.files import load as vectors_module
from nertool.vectors.files.load import load_vectors
from tests.support.oracles.vectorfiles import PAIRS, WRITERS, binary, check_pairs, glove, text

ROOT = Path(__file__).resolve().parents[2]
DATA_DIR = Path(os.environ.get("NERTOOL_DATA", ROOT.parent / "shared" / "data"))
REAL_PATH = DATA_DIR / "vectors" / "glove.6B.50d.bin"


# The kinds


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("name", ["v", "v.bin", "v.txt", "v.gz", "v.bin.gz", "v.xz"])
def test_kind_is_told_from_the_content_and_never_from_the_name(read_vectors, kind, name):
    content = WRITERS[kind](PAIRS)
    plain, packed = (
        read_vectors(content, name=name),
        read_vectors(gzip.compress(content, mtime=0), name=name),
    )
    check_pairs(plain, PAIRS)
    check_pairs(packed, PAIRS)
    assert (plain.format, packed.format) == (kind, f"{kind}, gzip")
    assert plain.notes == packed.notes == ()


def test_header_less_glove_is_recognised(read_vectors):
    for content, kind in [(glove(PAIRS), ""), (gzip.compress(glove(PAIRS), mtime=0), ", gzip")]:
        vectors = read_vectors(content)
        check_pairs(vectors, PAIRS)
        assert vectors.format == f"GloVe text (no header){kind}"


def test_header_less_glove_may_start_with_a_number_as_word(read_vectors):
    pairs = [(b"7", (1, 2)), (b"the", (3, 4))]
    check_pairs(read_vectors(b"7 1 2\nthe 3 4\n"), pairs)


def test_two_whole_numbers_at_the_start_are_always_a_header(refused_vectors):
    assert refused_vectors(b"12 5\n13 6\n14 7\n").startswith(
        "v:1: found a header that promises 12 vectors"
    )


def test_line_breaks_after_binary_vectors_belong_to_the_format(read_vectors):
    check_pairs(read_vectors(binary(PAIRS, end=b"\n")), PAIRS)


def test_byte_order_mark_is_skipped(read_vectors):
    for content in (text(PAIRS), binary(PAIRS), glove(PAIRS), gzip.compress(glove(PAIRS), mtime=0)):
        marked = b"\xef\xbb\xbf" + content
        if content.startswith(b"\x1f\x8b"):
            marked = gzip.compress(b"\xef\xbb\xbf" + gzip.decompress(content))
        check_pairs(read_vectors(marked), PAIRS)


def test_windows_line_ends_trailing_spaces_and_blank_lines_do_no_harm(read_vectors):
    for end in (b"\r\n", b" \n", b"\n\n"):
        check_pairs(read_vectors(text(PAIRS, end=end)), PAIRS)
        check_pairs(read_vectors(glove(PAIRS, end=end)), PAIRS)


def test_last_line_needs_no_line_end(read_vectors):
    check_pairs(read_vectors(text(PAIRS).rstrip()), PAIRS)
    check_pairs(read_vectors(glove(PAIRS).rstrip()), PAIRS)


def test_one_dimension_is_enough(read_vectors):
    pairs = [(b"a", (1.5,)), (b"b", (-2.0,))]
    for content in (text(pairs, b"2 1"), binary(pairs, b"2 1"), glove(pairs)):
        check_pairs(read_vectors(content), pairs)


def test_words_with_spaces_are_counted_from_the_right(read_vectors):
    pairs = [(b"a", (1, 2)), (b". . .", (3, 4)), (b"at name@domain.com", (5, 6))]
    check_pairs(read_vectors(glove(pairs)), pairs)
    check_pairs(read_vectors(text(pairs)), pairs)


def test_words_of_unicode_white_space_are_words(read_vectors):
    pairs = [(b"a", (1, 2)), ("\u00a0".encode(), (3, 4)), ("\u0085\u2028".encode(), (5, 6))]
    for content in (glove(pairs), text(pairs), binary(pairs)):
        check_pairs(read_vectors(content), pairs)


def test_rows_of_zeros_in_the_file_stay(read_vectors):
    pairs = [(b"a", (1, 2)), (b"nil", (0, 0)), (b"b", (1, 2))]
    for content in (glove(pairs), text(pairs), binary(pairs)):
        check_pairs(read_vectors(content), pairs)


# The limit


@pytest.mark.parametrize("write", [text, binary, lambda pairs: glove(pairs)])
@pytest.mark.parametrize("limit", [1, 2, 3, 4, 10**9])
def test_limit_keeps_the_first_rows_without_a_note(read_vectors, write, limit):
    vectors = read_vectors(write(PAIRS), limit)
    check_pairs(vectors, PAIRS[:limit])
    assert vectors.notes == ()


def test_faults_beyond_the_limit_are_not_seen(read_vectors):
    faulty = [*PAIRS[:2], (b"x", (float("nan"), 1.0))]
    for content in (text(faulty), binary(faulty), glove(faulty)):
        check_pairs(read_vectors(content, 2), PAIRS[:2])


# Words that are left out


@pytest.mark.parametrize("write", [text, binary])
def test_first_of_duplicates_stays_and_the_others_are_noted(read_vectors, write):
    pairs = [(b"a", (1, 2)), (b"a", (3, 4)), (b"b", (5, 6)), (b"a", (7, 8)), (b"b", (9, 9))]
    vectors = read_vectors(write(pairs, b"5 2"))
    check_pairs(vectors, [pairs[0], pairs[2]])
    (note,) = vectors.notes
    where = "line 3" if write is text else "vector 2"
    assert note.endswith(f'v: dropped 3 duplicates of earlier words, first "a" ({where})')


@pytest.mark.parametrize("write", [text, binary])
def test_words_that_are_not_utf8_are_dropped_and_noted(read_vectors, write):
    pairs = [(b"a", (1, 2)), (b"caf\xe9", (3, 4)), (b"b", (5, 6))]
    vectors = read_vectors(write(pairs))
    check_pairs(vectors, [pairs[0], pairs[2]])
    (note,) = vectors.notes
    where = "line 3" if write is text else "vector 2"
    assert note.endswith(rf'v: dropped 1 words that are not UTF-8, first "caf\xe9" ({where})')


def test_words_with_line_breaks_nul_or_nothing_are_dropped_and_noted(read_vectors):
    pairs = [(bytes([letter]), (1.0,)) for letter in b"abcde"]
    odd = [(b"x\ny", (2.0,)), (b"\n", (3.0,)), (b"\0", (4.0,)), (b"x\ry", (5.0,))]
    vectors = read_vectors(binary(pairs + odd, b"9 1"))
    check_pairs(vectors, pairs)
    assert [note.partition("dropped ")[2] for note in vectors.notes] == [
        r'3 words with a line break or NUL, first "x\ny" (vector 6)',
        '1 empty words, first "" (vector 7)',
    ]


def test_spaced_word_and_its_likeness_with_nul_are_not_mixed_up(read_vectors):
    pairs = [(b"a", (1, 2)), (b". .", (3, 4)), (b"b", (5, 6))]
    vectors = read_vectors(text([*pairs, (b".\0.", (7, 8))], b"4 2"))
    check_pairs(vectors, pairs)
    assert "NUL" in vectors.notes[0]


def test_file_of_mostly_unusable_words_is_refused(refused_vectors):
    pairs = [(b"a", (1, 2)), (b"\xe9", (3, 4)), (b"\xe8", (5, 6))]
    assert "dropped 2 words that are not UTF-8" in refused_vectors(text(pairs))


def test_wrong_dimension_in_a_binary_header_is_refused_even_with_a_limit(refused_vectors):
    rng = np.random.default_rng(0)
    pairs = [(b"word%d" % n, rng.normal(size=50).tolist()) for n in range(200)]
    assert refused_vectors(binary(pairs, b"200 49"))
    assert refused_vectors(binary(pairs, b"200 49"), 100)


# gensim in the background


def test_gensim_is_silent_and_its_log_level_is_restored(read_vectors, caplog, capfd, recwarn):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, "gensim")
    read_vectors(text([*PAIRS, PAIRS[0]], b"4 2"))
    assert logging.getLogger("gensim").level == logging.INFO
    assert not [record for record in caplog.records if record.name.startswith("gensim")]
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list


def test_gensim_is_imported_only_to_load():
    code = "import sys, nertool.vectors.files.load; sys.exit('gensim' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_rows_fall_into_blocks_without_a_seam(read_vectors, monkeypatch):
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
        check_pairs(read_vectors(content), pairs)
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


def test_a_text_that_is_cut_in_its_first_row_is_not_read_as_binary(tmp_path):
    # 22 bytes of a word, a blank, and 16 bytes, as many as a binary vector of 4 values has; then "24e+16 ".
    row = "00\x80\x80\x80\x80\x80\x80\U00010000\U00010000 1.0000000272564224e+16 1.00000002725642"
    (tmp_path / "v").write_text("2 4\n" + row, encoding="utf-8")
    with pytest.raises(VectorsError, match=r"v:2: found 2 values, expected 4"):
        load_vectors(tmp_path / "v")


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
