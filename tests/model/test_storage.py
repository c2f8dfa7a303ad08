"""A model as a folder: the same after a round trip, and found where it lies."""

from __future__ import annotations

import errno
import json
import mmap
import os
import shutil
import stat
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nertool.errors import ModelError
from nertool.files.arrays import write_arrays
from nertool.files.sealed import rewrite_header, words_in, write_words
from nertool.model.load import load_model
from nertool.model.save import save_model
from nertool.tagging.compiled import CompiledTagger
from nertool.vectors.lookup import SPELLINGS, STEPS
from tests.support.helpers import document_text, random_model
from tests.support.models import (
    FILES,
    MODELS,
    SIMPLE,
    arrays_of_file,
    assert_same,
    make_model,
    make_simple,
    networks,
    tree,
)

# Round trips


@pytest.mark.parametrize("name", MODELS)
def test_a_saved_model_comes_back_bit_for_bit(tmp_path, name):
    model = MODELS[name]()
    # Bits that arithmetic would not keep: −0, subnormals, the largest number.
    model.members[-1].parameters["b"].view(np.uint32)[:4] = [0x80000000, 1, 0x80000001, 0x7F7FFFFF]
    save_model(model, tmp_path / "m")
    assert_same(load_model(tmp_path / "m"), model)


@settings(max_examples=40, deadline=None)
@given(words=st.lists(st.text(st.characters(exclude_characters="\n", codec="utf-8")), unique=True))
def test_any_words_come_back_from_a_vocabulary(tmp_path_factory, words):
    path = tmp_path_factory.getbasetemp() / "words.txt"
    write_words(path, words)
    assert words_in(path.read_bytes(), path, len(words)) == words


@pytest.mark.parametrize(
    "array",
    [
        np.array([1.5], dtype=np.float32),
        np.zeros((0, 3), dtype=np.int32),
        np.array([[True, False]]),
        np.array([2**40], dtype=np.int64),
        np.arange(6, dtype=np.float64).reshape(2, 3).T,  # not contiguous
        np.arange(8, dtype=np.float32)[::2],
    ],
    ids=["one", "empty", "bool", "int64", "transposed", "strided"],
)
def test_every_kind_of_array_comes_back(tmp_path, array):
    write_arrays(tmp_path / "a", {"x": array, "second": np.arange(3, dtype=np.int32)})
    arrays = arrays_of_file(tmp_path / "a")
    assert set(arrays) == {"x", "second"}
    assert arrays["x"].dtype == array.dtype
    np.testing.assert_array_equal(arrays["x"], array, strict=True)
    np.testing.assert_array_equal(arrays["second"], [0, 1, 2])


def test_saving_twice_gives_the_same_bytes(tmp_path):
    for name in ("m", "n"):
        save_model(make_model(), tmp_path / name)
    assert sorted(tree(tmp_path / "m")) == FILES
    assert tree(tmp_path / "m") == tree(tmp_path / "n")
    save_model(load_model(tmp_path / "m"), tmp_path / "n")
    assert tree(tmp_path / "m") == tree(tmp_path / "n")
    save_model(make_simple(), tmp_path / "n")
    assert sorted(tree(tmp_path / "n")) == SIMPLE


def test_a_path_that_is_not_utf_8_is_kept_as_it_is(tmp_path):
    model = make_model()
    path = Path(os.fsdecode(b"/v/caf\xe9.bin"))
    config = replace(model.config, vectors=replace(model.config.vectors, path=path))
    save_model(replace(model, config=config), tmp_path / "m")
    assert load_model(tmp_path / "m").config == config


def test_a_model_can_be_saved_over_the_one_that_it_was_loaded_from(saved):
    # Its arrays are maps of the very file that is replaced.
    save_model(load_model(saved), saved)
    assert_same(load_model(saved), make_model())


def test_a_copied_model_stands_alone(saved, tmp_path):
    model = load_model(saved)
    text = document_text(["the", "New New"], ["Paris the"])
    expected = CompiledTagger(model).scores(text)
    shutil.copytree(saved, tmp_path / "far" / "away")
    shutil.rmtree(saved)
    copy = load_model(tmp_path / "far" / "away")
    np.testing.assert_array_equal(CompiledTagger(copy).scores(text), expected)
    assert_same(copy, make_model())


def test_arrays_are_mapped_from_the_file_and_read_only(saved):
    def check(array: np.ndarray, name: str) -> None:
        base: object = array
        while isinstance(base, np.ndarray):
            base = base.base
        base = base.obj if isinstance(base, memoryview) else base
        assert isinstance(base, mmap.mmap)
        assert base[:] == (saved / name).read_bytes()
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0

    model = load_model(saved)
    for member in networks(model):
        for array in (member.rows, *member.parameters.values()):
            check(array, "model.safetensors")
    for i, member in enumerate(model.members):
        check(member.L, f"vectors.{i % 2}.safetensors")


def test_other_users_may_read_what_the_umask_allows(tmp_path):
    before = os.umask(0o027)
    try:
        save_model(make_model(), tmp_path / "m")
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "m").iterdir()}
    assert modes == dict.fromkeys(FILES, 0o640)
    assert stat.S_IMODE((tmp_path / "m").stat().st_mode) == 0o750


# Finding the model


def test_a_run_folder_gives_its_best_model(tmp_path):
    for seed, name in enumerate(("best", "last")):
        save_model(make_model(seed=seed), tmp_path / "run" / name)
    assert_same(load_model(tmp_path / "run"), make_model(seed=0))
    assert_same(load_model(tmp_path / "run" / "last"), make_model(seed=1))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nowhere", "no such folder"),
        ("a-file", "found a file"),
        ("a-file/x", "no such folder"),
        ("empty", "nertool train makes one"),
        ("started", "not finished an epoch yet"),
    ],
)
def test_what_holds_no_model_is_refused(tmp_path, name, expected):
    (tmp_path / "a-file").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "started" / "prepared").mkdir(parents=True)
    with pytest.raises(ModelError) as caught:
        load_model(tmp_path / name)
    assert str(caught.value).startswith(f"{tmp_path / name}: ")
    assert expected in str(caught.value)


# Vectors that are there already


@pytest.fixture
def prepared_vectors(tmp_path) -> Path:
    """A folder that has the files of vectors as stage 1 leaves them."""
    save_model(make_model(), tmp_path / "prepared")
    for name in ("model.json", "model.safetensors", "memory.txt"):
        (tmp_path / "prepared" / name).unlink()
    return tmp_path / "prepared"


def test_vectors_that_are_there_already_are_linked_to_and_not_written_again(
    saved, prepared_vectors, tmp_path
):
    save_model(make_model(), tmp_path / "linked", prepared_vectors)
    assert tree(tmp_path / "linked") == tree(saved)
    for name in os.listdir(prepared_vectors):
        assert (tmp_path / "linked" / name).samefile(prepared_vectors / name)
    # A link shares the file, not its fate: the model stands alone.
    shutil.rmtree(prepared_vectors)
    assert_same(load_model(tmp_path / "linked"), make_model())


def test_where_links_can_not_be_made_vectors_are_copied(
    saved, prepared_vectors, tmp_path, monkeypatch
):
    def refuse(source, target):
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "link", refuse)
    save_model(make_model(), tmp_path / "copied", prepared_vectors)
    assert tree(tmp_path / "copied") == tree(saved)
    for name in os.listdir(prepared_vectors):
        assert not (tmp_path / "copied" / name).samefile(prepared_vectors / name)


def test_a_model_that_does_not_name_its_lookup_has_the_steps_of_its_time(tmp_path):
    save_model(random_model(vectors={"lookup": STEPS}), tmp_path / "m")
    header = json.loads((tmp_path / "m" / "model.json").read_text())
    del header["config"]["vectors"]["lookup"]
    rewrite_header(tmp_path / "m" / "model.json", header)
    model = load_model(tmp_path / "m")
    assert model.config.vectors.lookup == SPELLINGS
    assert model.members[0].encoder.step_of("Ada-Ada") is None
