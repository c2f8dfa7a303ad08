"""`nertool vectors`: what each subcommand prints and writes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from nertool.vectors.files.load import load_vectors

TEXT = "the cat sat . the dog sat . a cat and a dog met the old cat .\n"


@pytest.fixture
def glove(tmp_path: Path) -> Path:
    """Five words in two clear directions: cat and dog are alike, the and of are alike."""
    path = tmp_path / "glove.txt"
    path.write_text("the 0 1\nof 0 0.9\ncat 1 0.1\ndog 2 0\nrare 0.5 0.5\n")
    return path


def test_info_describes_and_covers(main, glove, tmp_path):
    (tmp_path / "t.txt").write_text("The cat saw Zanzibar .\n")
    done = main("vectors", "info", glove, "--like", "Cat", "--corpus", tmp_path / "t.txt", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["words"], found["width"], found["case"]) == (5, 2, "lower")
    assert found["norms"] == {"least": 0.7071, "median": 1.0, "largest": 2.0}
    assert found["nearest"][0] == ["dog", 0.995]  # (1, 0.1)·(2, 0) / (√1.01 · 2)
    (text,) = found["coverage"]
    assert text["tokens"] == 5
    assert text["share"] == 0.4
    assert text["steps"]["lower"] == 1
    assert {word for word, _ in text["unknown"]} == {"saw", "Zanzibar", "."}
    assert any("only 5 words" in reason for reason in text["reasons"])
    shown = main("vectors", "info", glove, "--like", "unheard").stdout
    assert "5 words of width 2" in shown
    assert "no vector for it" in shown


def test_prune_keeps_the_corpus_and_the_first(main, glove, tmp_path):
    (tmp_path / "t.txt").write_text("A DOG ran .\n")
    out = tmp_path / "small"
    done = main("vectors", "prune", glove, "--corpus", tmp_path / "t.txt", "--top", "1", "-o", out)
    assert done.returncode == 0, done.stderr
    assert "kept 2 of 5 words" in done.stderr
    assert load_vectors(out).words == ["the", "dog"]
    again = main("vectors", "prune", out, "--top", "1", "-o", tmp_path / "smaller")
    assert again.returncode == 0
    assert load_vectors(tmp_path / "smaller").words == ["the"]


def test_prune_refuses_to_overwrite_what_it_reads(main, glove):
    before = glove.read_bytes()
    link = glove.with_name("link")
    link.symlink_to(glove)
    assert main("vectors", "prune", glove, "--top", "1", "-o", link).returncode == 2
    assert main("vectors", "prune", glove, "-o", glove.with_name("x")).returncode == 2
    assert glove.read_bytes() == before


@pytest.mark.parametrize("to", ["nertool", "word2vec", "text", "glove"])
def test_convert_and_back_changes_nothing(main, glove, tmp_path, to):
    out = tmp_path / "out"
    done = main("vectors", "convert", glove, "--to", to, "-o", out)
    assert done.returncode == 0, done.stderr
    first, second = load_vectors(glove), load_vectors(out)
    assert first.words == second.words
    np.testing.assert_array_equal(first.matrix, second.matrix)


def test_numpy_arrays_need_their_words(main, tmp_path):
    np.save(tmp_path / "v.npy", np.eye(3, dtype=np.float64))
    (tmp_path / "w.txt").write_text("a\nb\nc\n")
    done = main("vectors", "convert", tmp_path / "v.npy", "-o", tmp_path / "out")
    assert done.returncode == 1
    assert "--words FILE" in done.stderr
    words = ("--words", tmp_path / "w.txt")
    assert (
        main("vectors", "convert", tmp_path / "v.npy", *words, "-o", tmp_path / "out").returncode
        == 0
    )
    assert load_vectors(tmp_path / "out").words == ["a", "b", "c"]


def test_gensims_own_files_are_read_only_when_trusted(main, tmp_path):
    from gensim.models import KeyedVectors

    vectors = KeyedVectors(2)
    vectors.add_vectors(["x", "y"], np.float32([[1, 2], [3, 4]]))
    vectors.save(str(tmp_path / "kv"))
    done = main("vectors", "info", tmp_path / "kv")
    assert done.returncode == 1
    assert "pickle" in done.stderr
    done = main("vectors", "convert", tmp_path / "kv", "--trust", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert load_vectors(tmp_path / "out").matrix.tolist() == [[1, 2], [3, 4]]


def test_fasttext_models_give_unseen_words_vectors_from_their_letters(main, tmp_path):
    from gensim.models import FastText
    from gensim.models.fasttext import save_facebook_model

    model = FastText([TEXT.split()] * 4, vector_size=4, min_count=1, epochs=1, seed=1, bucket=50)
    save_facebook_model(model, str(tmp_path / "ft.bin"))
    (tmp_path / "t.txt").write_text("catdog the\n")
    done = main(
        "vectors",
        "convert",
        tmp_path / "ft.bin",
        "--subwords-of",
        tmp_path / "t.txt",
        "-o",
        tmp_path / "o",
    )
    assert done.returncode == 0, done.stderr
    loaded = load_vectors(tmp_path / "o")
    row = loaded.words.index("catdog")
    np.testing.assert_allclose(loaded.matrix[row], model.wv["catdog"], rtol=1e-5, atol=1e-7)
    damaged = tmp_path / "cut.bin"
    damaged.write_bytes((tmp_path / "ft.bin").read_bytes()[:200])
    done = main("vectors", "info", damaged)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1


def test_vectors_are_trained_on_raw_text_and_the_same_twice(main, tmp_path):
    (tmp_path / "t.txt").write_text(TEXT * 30)
    for name in ("one", "two"):
        done = main(
            "vectors",
            "train",
            tmp_path / "t.txt",
            "-o",
            tmp_path / name,
            "--width",
            "8",
            "--epochs",
            "2",
        )
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    loaded = load_vectors(tmp_path / "one")
    assert loaded.matrix.shape == (len(set(TEXT.split())), 8)
    done = main(
        "vectors", "train", tmp_path / "t.txt", "-o", tmp_path / "n", "--min-count", "1000000"
    )
    assert done.returncode == 1
    assert "--min-count" in done.stderr
    assert not (tmp_path / "n").exists()


def test_parts_of_words_and_counts_are_trained_on_raw_text(main, tmp_path):
    (tmp_path / "t.txt").write_text(TEXT * 3)
    train = ("vectors", "train", tmp_path / "t.txt", "--width", "2")
    fast = (*train, "--kind", "fasttext", "--epochs", "1", "--subwords", "50")
    done = main(*fast, "-o", tmp_path / "fast")
    assert done.returncode == 0, done.stderr
    loaded = load_vectors(tmp_path / "fast")
    assert loaded.subwords is not None
    assert len(loaded.subwords.rows) == 50
    assert loaded.subwords.compose(["catdog"])[1].all()
    done = main(*train, "--kind", "ppmi", "--window", "1", "-o", tmp_path / "counted")
    assert done.returncode == 0, done.stderr
    assert load_vectors(tmp_path / "counted").matrix.shape == (len(set(TEXT.split())), 2)
    refused = main(*train, "--subwords", "50", "-o", tmp_path / "n")
    assert refused.returncode == 2
    assert "add --kind fasttext" in refused.stderr
