"""fastText's and floret's vectors of parts of words, as their own programs have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nertool.errors import VectorsError
from nertool.vectors.compact import read_compact, write_compact
from nertool.vectors.files.fasttext import most_used, read_model, read_table
from nertool.vectors.files.load import load_vectors
from nertool.vectors.files.sources import load_any
from nertool.vectors.hashing import fnv1a, murmur3
from nertool.vectors.side_by_side import Table, side_by_side
from nertool.vectors.subwords import FASTTEXT, FLORET, Composer, Parts, Subwords

WORDS = [
    "Haus",
    "M\u00fcller",
    "a",
    "Donaudampfschifffahrtsgesellschaft",
    "\u65e5\u672c\u8a9e",
    "x" * 16,
]


def test_hashes_are_those_of_the_reference_programs():
    # FNV-1a of "a" and "foobar": the test vectors of its authors. A byte above 127 counts as negative.
    assert fnv1a([b"", b"a", b"foobar"]).tolist() == [0x811C9DC5, 0xE40C292C, 0xBF9CF968]
    assert fnv1a([b"\xff"]).tolist() == [((0x811C9DC5 ^ 0xFFFFFFFF) * 16777619) % 2**32]
    # MurmurHash3_x64_128, of smhasher's own test: "The quick brown fox jumps over the lazy dog", seed 0.
    fox = b"The quick brown fox jumps over the lazy dog"
    h1, h2 = 0xE34BBC7BBC071B6C, 0x7A433CA9C49A9347
    whole = [h1 % 2**32, h1 >> 32, h2 % 2**32, h2 >> 32]
    assert murmur3([fox, b""], 0).tolist() == [whole, [0, 0, 0, 0]]


def test_words_are_cut_as_fasttext_and_floret_cut_them():
    cut = ["<ab", "<ab>", "ab>"]
    numbers = Parts(FASTTEXT, 3, 6, 1000).numbers(["ab", ""])
    assert numbers[0].tolist() == [int(h) % 1000 for h in fnv1a([c.encode() for c in cut])]
    assert numbers[1].tolist() == []
    whole = murmur3([b"<ab>", *(c.encode() for c in cut)], 7)[:, :2] % 50
    assert Parts(FLORET, 3, 5, 50, 2, 7).numbers(["ab"])[0].tolist() == whole.reshape(-1).tolist()
    # fastText takes no part of one sign that is the mark before or after the word.
    assert len(Parts(FASTTEXT, 1, 1, 50).numbers(["ab"])[0]) == 2


@pytest.fixture(scope="module")
def gensim_model(tmp_path_factory: pytest.TempPathFactory):
    from gensim.models import FastText
    from gensim.models.fasttext import save_facebook_model

    path = tmp_path_factory.mktemp("ft") / "ft.bin"
    text = [[*WORDS, "und", "und", "der"]] * 4
    model = FastText(text, vector_size=5, min_count=1, epochs=1, seed=1, bucket=60)
    save_facebook_model(model, str(path))
    return path, model.wv


def test_a_fasttext_model_is_read_as_gensim_reads_it(gensim_model):
    path, wv = gensim_model
    read = read_model(path)
    assert read.words == list(wv.index_to_key)
    np.testing.assert_allclose(read.matrix, wv.vectors, atol=1e-7)
    assert read.subwords is not None
    unseen = ["Hausm\u00fcller", "undder", "q"]
    vectors, known = read.subwords.compose(unseen)
    np.testing.assert_allclose(vectors, [wv.get_vector(word) for word in unseen], atol=1e-7)
    assert known.tolist() == [True, True, True]
    # Some rows only: the mean is over those, and a word without any has none.
    few = most_used(read.subwords, read.words, 20)
    assert few.rows.shape == (20, 5)
    ours = few.parts.numbers(["undder"])[0]
    kept = [np.asarray(read.subwords.rows)[i] for i in ours if i in few.numbers]
    np.testing.assert_allclose(few.compose(["undder"])[0][0], np.mean(kept, axis=0), atol=1e-7)
    assert not few.first(0).compose(["undder"])[1][0]


def test_a_damaged_model_is_refused_in_one_line(gensim_model, tmp_path):
    whole = gensim_model[0].read_bytes()
    path = tmp_path / "x.bin"
    cuts = {10: "too short", 90: "too short", 150: "ends", len(whole) // 2: "bytes of vectors"}
    for size, reason in cuts.items():
        path.write_bytes(whole[:size])
        with pytest.raises(VectorsError, match=reason) as caught:
            read_model(path)
        assert "\n" not in str(caught.value)
    path.write_bytes(whole[:36] + (3).to_bytes(4, "little") + whole[40:])
    with pytest.raises(VectorsError, match="classifier"):
        read_model(path)


FLORET_TABLE = "4 2 2 3 1 7 < >\n0 1 2\n1 3 4\n2 5 6\n3 7 8\n"


def test_a_floret_table_has_parts_alone_and_makes_vectors_of_any_word(tmp_path):
    path = tmp_path / "v.floret"
    path.write_text(FLORET_TABLE)
    loaded = load_any(path, extra_words=["ab"])
    assert loaded.words == ["ab"]
    numbers = Parts(FLORET, 2, 3, 4, 1, 7).numbers(["ab"])[0]
    rows = np.float32([[1, 2], [3, 4], [5, 6], [7, 8]])
    np.testing.assert_allclose(loaded.matrix[0], rows[numbers].mean(axis=0), rtol=1e-6)
    assert loaded.subwords is None  # kept where they are asked for, or nothing else is there
    alone = load_any(path)
    assert (alone.words, alone.matrix.shape) == ([], (0, 2))
    write_compact(tmp_path / "o", [], alone.matrix, "int8", None, alone.subwords)
    again = load_vectors(tmp_path / "o")
    assert again.subwords is not None
    np.testing.assert_allclose(again.subwords.compose(["ab"])[0], loaded.matrix, atol=0.05)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (FLORET_TABLE.replace("2 5 6\n", ""), ':4: found "3 7 8"'),
        (FLORET_TABLE.replace("5 6", "5"), ":4: found"),
        (FLORET_TABLE.replace("5 6", "5 nan"), ":4: found NaN"),
        (FLORET_TABLE.replace("3 7 8\n", ""), "found 3 rows, expected 4"),
        (FLORET_TABLE + "4 1 1\n", ":6: found more"),
        ("4000000 300 2 3 1 7 < >\n0 1 2\n", "promises 4,000,000"),
        ("4 2 2 3 9 7 < >\n0 1 2\n1 3 4\n2 5 6\n3 7 8\n", ":1: "),
    ],
)
def test_a_damaged_floret_table_is_refused_with_its_line(tmp_path, content, reason):
    path = tmp_path / "v.floret"
    path.write_text(content)
    with pytest.raises(VectorsError) as caught:
        read_table(path)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_side_by_side_a_file_with_parts_fills_its_columns_where_it_lacks_a_word():
    subwords = Subwords(np.float32([[2, 2]]), np.int32([0]), Parts(FASTTEXT, 1, 9, 1))
    one = Table(["the", "of"], np.float32([[1], [-1]]))
    other = Table(["the"], np.float32([[1, -1]]), (subwords,))
    table = side_by_side([one, other], ("exact", "subwords"))
    assert table.words == ["the", "of"]
    assert table.matrix.tolist() == [[1, 1, -1], [-1, 2, 2]]
    unseen = Composer(np.float32([9, 0, 0]), table.subwords).compose(["new", ""])
    assert unseen[0].tolist() == [[9, 2, 2], [9, 2, 2]]


@pytest.mark.integration
@pytest.mark.parametrize("mode", ["floret", "fasttext"])
def test_florets_own_files_give_its_own_vectors(tmp_path: Path, mode):
    floret = pytest.importorskip("floret")
    (tmp_path / "t.txt").write_text(" ".join([*WORDS, "und", "der"] * 30))
    model = floret.train_unsupervised(
        str(tmp_path / "t.txt"), mode=mode, hashCount=2, bucket=200, minn=3, maxn=5, dim=6, epoch=1,
        minCount=1, thread=1,
    )  # fmt: skip
    model.save_model(str(tmp_path / "m.bin"))
    unseen = ["Hausm\u00fcller", "undder", "\u65e5"]
    wanted = [model.get_word_vector(word) for word in unseen]
    read = read_model(tmp_path / "m.bin")
    assert read.subwords is not None
    assert read.words == model.words
    np.testing.assert_allclose(read.subwords.compose(unseen)[0], wanted, atol=1e-7)
    # floret gives its first word another vector than its own table does; the table's is taken here.
    first = 1 if mode == "floret" else 0
    own = [model.get_word_vector(word) for word in model.words[first:]]
    np.testing.assert_allclose(read.matrix[first:], own, atol=1e-7)
    if mode == "floret":
        model.save_floret_vectors(str(tmp_path / "m.floret"))
        table = read_table(tmp_path / "m.floret").subwords
        assert table is not None
        np.testing.assert_allclose(table.compose(unseen)[0], wanted, atol=1e-5)
    assert len(compact_of(read, tmp_path).words) == len(read.words)


def compact_of(read, folder: Path):
    write_compact(folder / "o", read.words, read.matrix, "float16", None, read.subwords)
    return read_compact(folder / "o")
