"""The vectors that training starts from: of files side by side, of raw text, and cut to a model's words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nertool.errors import ConfigError, CorpusError, StaleError, VectorsError
from nertool.model.load import load_model
from nertool.training.preparation.encode import prepare
from nertool.training.preparation.store import input_hashes, load_prepared, save_prepared
from tests.support.helpers import change

RAW = "Ada met Charles in London . She lives in Paris with Ada .\n" * 30


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    path = tmp_path / "raw.txt"
    path.write_text(RAW, encoding="utf-8")
    return path


def test_vectors_of_raw_text_take_the_place_of_random_ones(config, raw) -> None:
    own = change(config, vectors={"path": None, "raw_text": (raw,), "width": 6})
    notes: list[str] = []
    prepared = prepare(own, notes.append)
    (vectors,) = prepared.vectors
    assert vectors.L.shape[1] == 6
    assert {"Ada", "Paris", "lives"} <= set(vectors.words)
    assert all(word in set(vectors.words) for word in prepared.train.words)
    assert any("trained on 390 tokens of raw text" in line for line in notes), notes
    again = prepare(own)
    assert again.vectors[0].L.tobytes() == vectors.L.tobytes()


def test_raw_text_that_is_not_utf8_has_the_encoding_of_the_labelled_text(config, tmp_path):
    texts = [tmp_path / "utf8.txt", tmp_path / "latin1.txt"]
    for text, encoding in zip(texts, ("utf-8", "latin-1"), strict=True):
        text.write_text("Ada wohnt in Köln .\n" * 30, encoding=encoding)
    for text in texts:
        own = change(config, vectors={"path": None, "raw_text": (text,), "width": 3})
        own = change(own, corpus={"encoding": "latin-1"})
        assert "Köln" in prepare(own).vectors[0].words
    with pytest.raises(CorpusError, match="name the file's encoding"):
        prepare(change(config, vectors={"raw_text": (texts[1],), "width": 3}))


def test_vectors_of_raw_text_stand_beside_those_of_a_file(config, raw):
    alone = prepare(config).vectors[0]
    both = prepare(change(config, vectors={"raw_text": (raw,), "width": 6})).vectors[0]
    assert both.L.shape[1] == alone.L.shape[1] + 6
    place = [3 + both.words.index(word) for word in alone.words]
    np.testing.assert_array_equal(both.L[place, : alone.L.shape[1]], alone.L[3:])
    assert "lives" in both.words


def test_files_stand_side_by_side_if_the_config_says_so(config):
    path = config.vectors.path
    own = change(config, vectors={"more": (path,), "side_by_side": True})
    (vectors,) = prepare(own).vectors
    (alone,) = prepare(config).vectors
    d = alone.L.shape[1]
    np.testing.assert_array_equal(vectors.L[3:, :d], alone.L[3:])
    np.testing.assert_allclose(vectors.L[3:, d:], alone.L[3:], rtol=1e-6)
    assert len(prepare(change(config, vectors={"more": (path,)})).vectors) == 2


@pytest.mark.parametrize("vocabulary", ["corpus", 3])
def test_the_model_keeps_the_words_that_the_config_names(config, vocabulary):
    config = change(config, features={"clusters": 2})
    everything = prepare(config)
    cut = prepare(change(config, model={"vocabulary": vocabulary}))
    words, L, _, clusters, _ = everything.vectors[0]
    met = set(everything.train.type_ids[0, :, 0].tolist())
    first = 0 if vocabulary == "corpus" else vocabulary
    kept = [w for i, w in enumerate(words) if i < first or 3 + i in met]
    assert cut.vectors[0].words == kept
    rows = [0, 1, 2, *(3 + words.index(word) for word in kept)]
    np.testing.assert_array_equal(cut.vectors[0].L, L[rows])
    np.testing.assert_array_equal(cut.vectors[0].clusters, clusters[rows])
    # The training text is encoded as before, in other numbers.
    before, after = (p.vectors[0].L[p.train.type_ids[0, :, 0]] for p in (everything, cut))
    np.testing.assert_array_equal(before, after)


def test_clusters_need_vectors(config):
    without = change(config, vectors={"path": None}, features={"clusters": 2})
    with pytest.raises(VectorsError, match="clusters: found 2, expected 0 without vectors"):
        prepare(without)


def test_other_raw_text_makes_prepared_inputs_stale(config, raw, tmp_path):
    own = change(config, vectors={"raw_text": (raw,), "width": 4})
    save_prepared(prepare(own), tmp_path / "prepared")
    load_prepared(tmp_path / "prepared", own, "again")
    raw.write_text(RAW + "More .\n", encoding="utf-8")
    with pytest.raises(StaleError, match="raw_text"):
        load_prepared(tmp_path / "prepared", own, "again")
    assert "model.vocabulary" not in input_hashes(config)


def test_faulty_raw_text_is_refused_by_name(config, tmp_path):
    missing = change(config, vectors={"raw_text": (tmp_path / "none.txt",)})
    with pytest.raises(CorpusError, match=r"none\.txt: no such file"):
        prepare(missing)
    empty = tmp_path / "few.txt"
    empty.write_text(" \n\n", encoding="utf-8")
    with pytest.raises(VectorsError, match=r"few\.txt: found no word, expected text"):
        prepare(change(config, vectors={"raw_text": (empty,)}))


@pytest.mark.parametrize("value", [0, -1, "some", 2.5, None])
def test_other_vocabularies_are_refused(value):
    from nertool.config.values import config_from_dict

    with pytest.raises(ConfigError, match=r"model\.vocabulary"):
        config_from_dict({"model": {"vocabulary": value}}, "here")


def test_train_takes_raw_text(main, tiny, raw, tmp_path):
    done = main(
        "train", tiny / "config.yaml", "--raw-text", raw, "--run-dir", tmp_path / "run",
        "--set", "vectors.width=4", "--set", "training.epochs=1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "tokens of raw text" in done.stderr
    assert load_model(tmp_path / "run").config.vectors.raw_text == (raw,)
    again = main(
        "train", tiny / "config.yaml", "--raw-text", raw, "--run-dir", tmp_path / "run", "--resume",
        "--set", "vectors.width=4", "--set", "training.epochs=2",
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert "trained on" not in again.stderr  # its vectors are kept with the prepared inputs


def test_a_model_says_how_the_words_of_its_texts_were_found(main, run_dir):
    (covered,) = load_model(run_dir).provenance["coverage"]
    prepared = load_prepared(run_dir / "prepared", None, "again")
    assert prepared.coverage == [covered]
    for name, part in (("train", prepared.train), ("dev", prepared.dev)):
        assert part is not None
        assert sum(covered[name].values()) == len(part.word_ids)
    assert '"coverage"' in main("info", run_dir, "--json").stdout


def test_words_that_start_from_random_rows_do_not_count_as_words_with_a_vector(config, tmp_path):
    text = tmp_path / "raw.txt"
    text.write_text("Ada went home . Bob went home .\n" * 30)  # of the training words: Ada and "."
    lines: list[str] = []
    own = change(config, vectors={"path": None, "raw_text": (text,), "width": 3})
    prepared = prepare(own, lines.append)
    words = prepared.train.words
    counts = np.bincount(prepared.train.word_ids, minlength=len(words))
    known = sum(
        int(counts[i]) for i, w in enumerate(words) if w in ("Ada", "went", "home", ".", "Bob")
    )
    exact = prepared.coverage[0]["train"]["exact"]
    assert 0 < exact == known < counts.sum()
    share = f"{100 * known / counts.sum():.1f} % as written"
    assert any(line.startswith("vectors: train:") and share in line for line in lines)
