"""Stage 1: what is made of corpus and vectors, and when what was made is refused as stale."""

from __future__ import annotations

import re
import shutil
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from nertool.config.file import load_config
from nertool.errors import CorpusError, ModelError, StaleError
from nertool.training import run
from nertool.training.preparation.encode import prepare
from nertool.training.preparation.store import (
    Prepared,
    input_hashes,
    load_prepared,
    refuse_stale,
    save_prepared,
)
from nertool.vectors.clusters import COLUMNS, NONE, PADDING, cluster_arrays
from tests.support.helpers import change, outcome, run_training

# Prepared inputs


@pytest.fixture
def own_data(tiny: Path, tmp_path: Path) -> Path:
    """A copy of the tiny data, for tests that change it."""
    folder = tmp_path / "data"
    shutil.copytree(tiny, folder, ignore=shutil.ignore_patterns("run"))
    return folder


def assert_same_prepared(a: Prepared, b: Prepared) -> None:
    assert (a.labels, a.tags, a.inputs) == (b.labels, b.tags, b.inputs)
    assert len(a.vectors) == len(b.vectors)
    for one, other in zip(a.vectors, b.vectors, strict=True):
        assert one.words == other.words
        assert one.L.tobytes() == other.L.tobytes()
        kept, same = cluster_arrays(one.clusters), cluster_arrays(other.clusters)
        assert kept.keys() == same.keys()
        assert all(np.array_equal(array, same[name]) for name, array in kept.items())
    for part, again in ((a.train, b.train), (a.dev, b.dev)):
        assert (part is None) == (again is None)
        for entry in fields(part) if part else ():
            value, same = getattr(part, entry.name), getattr(again, entry.name)
            assert np.array_equal(value, same), entry.name
            assert getattr(value, "dtype", None) == getattr(same, "dtype", None)


def test_prepared_inputs_come_back_as_they_were(config, prepared, tmp_path):
    save_prepared(prepared, tmp_path / "p")
    assert_same_prepared(load_prepared(tmp_path / "p", config, ""), prepared)
    without = replace(prepared, dev=None)
    save_prepared(without, tmp_path / "p")
    assert_same_prepared(load_prepared(tmp_path / "p", config, ""), without)


def test_training_takes_what_prepare_made(config, tmp_path, monkeypatch):
    run_training(config, tmp_path / "at-once")
    run.prepare_run(config, tmp_path / "staged", lambda line: None)
    monkeypatch.setattr(run, "prepare", lambda *arguments: pytest.fail("prepared a second time"))
    lines = []
    run.prepared_for(config, tmp_path / "staged", "", lines.append)
    assert lines == [f"prepared inputs: from {tmp_path / 'staged' / 'prepared'}"]
    run_training(config, tmp_path / "staged")
    assert outcome(tmp_path / "staged") == outcome(tmp_path / "at-once")


@pytest.mark.parametrize(
    ("name", "key"),
    [("train.conll", "corpus.train"), ("dev.conll", "corpus.dev"), ("vectors.txt", "vectors.path")],
)
def test_inputs_made_from_another_file_are_refused_and_rebuilt_by_overwrite(
    own_data, tmp_path, name, key
):
    config = load_config(own_data / "config.yaml")
    run.prepare_run(config, tmp_path / "run", lambda line: None)
    path = own_data / name
    path.write_text(path.read_text().replace("Berlin", "Bonn").replace("berlin", "bonn"))
    if name == "dev.conll":
        path.write_text(path.read_text().replace("Siemens", "Bosch"))
    rebuild = "nertool prepare a.yaml --run-dir r"
    with pytest.raises(StaleError) as caught:
        run.prepared_for(config, tmp_path / "run", rebuild, lambda line: None)
    assert f"({key} changed since)" in str(caught.value)
    assert str(caught.value).endswith(f"make it again with: {rebuild}")
    again = run.prepared_for(config, tmp_path / "run", "", lambda line: None, overwrite=True)
    assert_same_prepared(again, prepare(config))
    assert_same_prepared(load_prepared(tmp_path / "run" / "prepared", config, ""), again)


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("seed=2", "seed"),
        ("vectors.limit=20", "vectors.limit"),
        ("vectors.own_rows=1", "vectors.own_rows"),
        ("features.caps=0", "features"),
        ("decoding.scheme=io", "decoding.scheme"),
        ("corpus.scheme=iob1", "corpus.scheme"),
        ("corpus.dev=", "corpus.dev"),
    ],
)
def test_inputs_made_under_other_settings_are_refused(tiny, prepared, tmp_path, override, named):
    save_prepared(prepared, tmp_path / "p")
    changed = load_config(tiny / "config.yaml", [override])
    with pytest.raises(StaleError, match=rf"\({re.escape(named)} changed since\)"):
        load_prepared(tmp_path / "p", changed, "")


@pytest.mark.parametrize(
    "override",
    [
        "network.hidden=3",
        "training.alpha=1",
        "windows.size=3",
        "vectors.fine_tune=false",
        "decoding.method=argmax",
        "features.caps=9",
        "corpus.test=",
    ],
)
def test_inputs_stay_good_under_settings_that_they_do_not_depend_on(
    tiny, prepared, tmp_path, override
):
    # What another prepare would make is the same, so that refusing these would waste time.
    save_prepared(prepared, tmp_path / "p")
    changed = load_config(tiny / "config.yaml", [override])
    loaded = load_prepared(tmp_path / "p", changed, "")
    assert_same_prepared(loaded, prepare(changed))


def test_inputs_stay_good_when_their_files_move(own_data, prepared, tmp_path):
    save_prepared(prepared, tmp_path / "p")
    load_prepared(tmp_path / "p", load_config(own_data / "config.yaml"), "")


@pytest.mark.parametrize(
    "name",
    ["prepared.json", "arrays.safetensors", "vocabulary.0.txt", "train.words.txt", "dev.words.txt"],
)
def test_damaged_inputs_are_refused_and_rebuilt_by_overwrite(config, prepared, tmp_path, name):
    folder = tmp_path / "run" / "prepared"
    save_prepared(prepared, folder)
    path = folder / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ModelError, match=re.escape(str(folder))):
        run.prepared_for(config, tmp_path / "run", "", lambda line: None)
    again = run.prepared_for(config, tmp_path / "run", "", lambda line: None, overwrite=True)
    assert_same_prepared(again, prepared)


@pytest.mark.parametrize("header", ["{}", '{"inputs": {}}', '{"inputs": {"sha256": []}}'])
def test_a_header_of_prepared_inputs_that_lacks_something_is_refused(
    config, prepared, tmp_path, header
):
    save_prepared(prepared, tmp_path / "p")
    (tmp_path / "p" / "prepared.json").write_text(header)
    with pytest.raises(ModelError, match="make it again with: nertool prepare"):
        load_prepared(tmp_path / "p", config, "nertool prepare")


# Several files of vectors


@pytest.fixture
def full_data(full: Path, tmp_path: Path) -> Path:
    """A copy of the data with two files of vectors, for tests that change it."""
    folder = tmp_path / "data"
    shutil.copytree(full, folder, ignore=shutil.ignore_patterns("run"))
    return folder


def test_each_file_of_vectors_has_its_words_its_table_and_its_row_numbers(full_data, tmp_path):
    config = load_config(full_data / "config.yaml")
    prepared = prepare(config)
    first, second = prepared.vectors
    assert (first.L.shape[1], second.words, second.L.shape) == (
        8,
        ["Ada", "in", "Paris", "to"],
        (7, 3),
    )
    np.testing.assert_array_equal(second.L[3:], [[0, -2, 1], [1, -1, 1], [2, 0, 1], [0, 1, 1]])
    alone = prepare(change(config, vectors={"more": None}))
    assert prepared.train.type_ids.shape == (2, 2 + len(prepared.train.words), 1 + 1 + 7 + COLUMNS)
    np.testing.assert_array_equal(prepared.train.type_ids[:1], alone.train.type_ids)
    np.testing.assert_array_equal(first.L, alone.vectors[0].L)
    # In the second, words are known as they are written there, in lower case, or from capitals in title case.
    rows = dict(zip(prepared.train.words, prepared.train.type_ids[1, 2:, 0].tolist(), strict=True))
    assert (rows["Ada"], rows["in"], rows["ADA"], rows["London"]) == (3, 4, 3, 0)
    # The looks are the word's own, whatever vectors it has.
    looks = slice(1, 1 + 1 + 7)
    np.testing.assert_array_equal(
        prepared.train.type_ids[0, :, looks], prepared.train.type_ids[1, :, looks]
    )
    # Clusters are those of the file's own vectors; a word without a vector has none.
    for i, own in enumerate(prepared.vectors):
        assert own.clusters is not None
        rows = prepared.train.type_ids[i, :, 0]
        np.testing.assert_array_equal(prepared.train.type_ids[i, :, 9:], own.clusters[rows])
        assert (own.clusters[0] == NONE).all()
        assert (own.clusters[1:3] == PADDING).all()
        assert (own.clusters[3:] > NONE).all()
    save_prepared(prepared, tmp_path / "p")
    assert_same_prepared(load_prepared(tmp_path / "p", config, ""), prepared)
    without = [own._replace(clusters=None) for own in prepared.vectors]
    save_prepared(replace(prepared, vectors=without), tmp_path / "p")
    with pytest.raises(ModelError, match="settings and clusters don't agree"):
        load_prepared(tmp_path / "p", config, "")


@pytest.mark.parametrize(
    "name", ["vectors.1.safetensors", "vocabulary.1.txt", "vectors.0.safetensors"]
)
def test_a_file_of_vectors_that_is_missing_or_damaged_is_refused(full_data, tmp_path, name):
    config = load_config(full_data / "config.yaml")
    save_prepared(prepare(config), tmp_path / "p")
    path = tmp_path / "p" / name
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(ModelError, match=re.escape(str(path))):
        load_prepared(tmp_path / "p", config, "")
    path.unlink()
    with pytest.raises(ModelError, match=re.escape(str(path))):
        load_prepared(tmp_path / "p", config, "")


def test_any_file_of_vectors_that_was_changed_added_or_moved_in_order_makes_inputs_stale(
    full_data, tmp_path
):
    config = load_config(full_data / "config.yaml")
    save_prepared(prepare(config), tmp_path / "p")
    more = config.vectors.more[0]
    swapped = {"path": more, "more": (config.vectors.path,)}
    for changed in (swapped, {"more": None}, {"more": (more, more)}):
        with pytest.raises(StaleError, match=r"\(vectors\."):
            load_prepared(tmp_path / "p", change(config, vectors=changed), "")
    more.write_text(more.read_text().replace("Paris", "Rome"))
    with pytest.raises(StaleError, match=r"\(vectors\.more changed since\)"):
        load_prepared(tmp_path / "p", config, "")


@pytest.mark.parametrize(
    ("section", "key", "value", "named"),
    [
        ("features", "clusters", 2, "features.clusters"),
        ("vectors", "lookup", ("exact",), "vectors.lookup"),
        ("model", "vocabulary", "corpus", "model.vocabulary"),
        ("corpus", "labels", ("PER", "LOC"), "corpus.labels"),
    ],
)
def test_a_stale_input_is_named_whether_its_key_was_set_or_unset(
    config, prepared, section, key, value, named
):
    other = change(config, **{section: {key: value}})
    then, now = prepared.inputs, input_hashes(other)
    for one, following in ((then, now), (now, then)):
        with pytest.raises(StaleError, match=rf"\({re.escape(named)} changed since\)"):
            refuse_stale(one, following, Path("p"), "again")


def test_what_an_older_nertool_prepared_is_no_stale_input(config, prepared):
    then = {**prepared.inputs}
    then["vectors"] = {k: v for k, v in then["vectors"].items() if k != "limit"}
    then["corpus"] = {k: v for k, v in then["corpus"].items() if k not in ("outside", "encoding")}
    refuse_stale(then, input_hashes(config), Path("p"), "again")
    # A version wrote the key down, on which prepared inputs do not depend.
    then["vectors"]["more_for"] = "all"
    of_first = change(config, vectors={"more_for": "first_stage", "fine_tune": False})
    refuse_stale(then, input_hashes(of_first), Path("p"), "again")


def test_keys_of_a_first_stage_without_one_are_named(config):
    lines: list[str] = []
    prepare(change(config, first_stage={"max_pooling": True, "window": 3}), lines.append)
    (line,) = [line for line in lines if "no effect" in line]
    assert "first_stage.window, first_stage.max_pooling have no effect" in line
    lines.clear()
    prepare(change(config, first_stage={"max_pooling": True, "folds": 2}), lines.append)
    assert not any("no effect" in line for line in lines)


# Starting vectors


def test_the_tables_first_rows_are_made_and_the_others_are_the_files(prepared, tiny):
    lines = (tiny / "vectors.txt").read_text().splitlines()[1:]
    assert prepared.vectors[0].words == [line.split()[0] for line in lines]
    rows = np.array([line.split()[1:] for line in lines], dtype=np.float32)
    np.testing.assert_array_equal(prepared.vectors[0].L[3:], rows)
    # The unknown word starts at the mean of the rarest words: here, of all.
    np.testing.assert_allclose(prepared.vectors[0].L[0], rows.mean(axis=0), rtol=1e-5)
    assert not np.array_equal(prepared.vectors[0].L[1], prepared.vectors[0].L[2])


def test_without_a_file_every_training_word_starts_from_a_random_vector(config, tmp_path):
    config = change(config, vectors={"path": None, "width": 6}, training={"epochs": 25})
    prepared = prepare(config)
    assert prepared.vectors[0].words == prepared.train.words
    assert prepared.vectors[0].L.shape == (3 + len(prepared.train.words), 6)
    assert prepared.vectors[0].L.dtype == np.float32
    # d numbers of variance 1/d: a vector's expected squared length is 1.
    assert 0.6 < (prepared.vectors[0].L ** 2).sum(axis=1).mean() < 1.4
    np.testing.assert_array_equal(prepare(config).vectors[0].L, prepared.vectors[0].L)
    assert not np.array_equal(prepare(replace(config, seed=2)).vectors[0].L, prepared.vectors[0].L)
    *_, last = run_training(config, tmp_path / "run")
    assert last.dev.f1 > 0.8


def test_frequent_words_without_a_vector_get_rows_of_their_own(config, tmp_path):
    # Zork stands 3 times, Quux twice, Fnord once; none has a vector, in any spelling. ADA finds
    # ada's row, and so needs none however often it stands.
    words = ["Zork", "Quux", "ADA", "Zork", "Fnord", "Quux", "ADA", "Zork", "ADA", "ADA"]
    path = tmp_path / "train.conll"
    path.write_text("".join(f"{word} B-PER\n" for word in words))
    base = change(config, corpus={"train": (path,), "dev": None})
    V = len(prepare(base).vectors[0].words)
    for own_rows, own in [(0, []), (1, ["Zork", "Quux", "Fnord"]), (2, ["Zork", "Quux"]), (4, [])]:
        prepared = prepare(change(base, vectors={"own_rows": own_rows}))
        assert prepared.vectors[0].words[V:] == own
        assert len(prepared.vectors[0].L) == 3 + V + len(own)
        rows = dict(zip(prepared.train.words, prepared.train.type_ids[0, 2:, 0], strict=True))
        expected = {word: 3 + V + own.index(word) if word in own else 0 for word in words}
        assert rows == {**expected, "ADA": 3 + prepared.vectors[0].words.index("ada")}
        # They start near the unknown word, each at a place of its own.
        assert len({row.tobytes() for row in prepared.vectors[0].L[3 + V :]}) == len(own)


def test_a_limit_keeps_the_first_vectors_only(config):
    prepared = prepare(change(config, vectors={"limit": 4}))
    assert prepared.vectors[0].words == prepare(config).vectors[0].words[:4]


def test_vectors_of_another_language_are_loudly_noted(config, tmp_path):
    path = tmp_path / "v.txt"
    path.write_text("mies 1 2\nnainen 3 4\n")
    lines = []
    prepare(change(config, vectors={"path": path}), lines.append)
    warnings = [line for line in lines if line.startswith("WARNING: only")]
    assert len(warnings) == 2
    assert all("only 0.0 % of the" in line for line in warnings)


def test_a_config_without_a_training_text_is_refused(config):
    with pytest.raises(CorpusError, match=r"corpus\.train is not set"):
        prepare(change(config, corpus={"train": None}))


def test_nothing_is_held_out_of_a_text_whose_dev_would_have_no_entity(tmp_path):
    # One entity of each of two classes: neither may be in dev alone.
    text = "see O\nAda B-PER\n. O\n\nsee O\nRome B-LOC\n. O\n\n" + "no O\none O\n\n" * 20
    (tmp_path / "t.conll").write_text(text)
    (tmp_path / "c.yaml").write_text("corpus: {train: t.conll, held_out: 0.1}\n")
    lines: list[str] = []
    prepared = prepare(load_config(tmp_path / "c.yaml"), lines.append)
    assert (prepared.dev, len(prepared.train.word_ids)) == (None, 46)
    assert any(
        line.startswith("WARNING: found too few entities to hold some out") for line in lines
    )
