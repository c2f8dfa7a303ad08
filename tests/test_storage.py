"""A model as a folder: whole or not at all, the same after a round trip, and nothing else accepted."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import random_model, text_of
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from nertool import files
from nertool.config import FeaturesConfig
from nertool.errors import ModelError
from nertool.files import replacing_folder, restore_interrupted
from nertool.tagging.compiled import CompiledTagger
from nertool.tagging.model import Member, Model
from nertool.tagging.storage import (
    ARRAYS,
    load_model,
    map_arrays,
    read_words,
    save_model,
    write_arrays,
    write_words,
)

# Words that a careless reader would cut, strip or merge: only LF ends a line of the vocabulary.
WORDS = [
    "the",
    "a b",
    " ",
    "",
    "é",
    "e\u0301",
    "\u2028",
    "\x85",
    "\r",
    "\x0c",
    "\ufeff",
    "😀",
    "\t",
]
FILES = ["memory.txt", "model.json", "model.safetensors"]
FILES += [f"vectors.{i}.safetensors" for i in (0, 1)] + [f"vocabulary.{i}.txt" for i in (0, 1)]
SIMPLE = ["model.json", "model.safetensors", "vectors.0.safetensors", "vocabulary.0.txt"]


def make_model(words: list[str] = WORDS, seed: int = 0, scheme: str = "bioes") -> Model:
    """Make a model with random arrays and everything that a model can have: two stages, three members
    on two files of vectors, a memory; K = 9 tags, or 1 for IO."""
    return random_model(
        files=[words, ["Paris", *words[:3]]],
        remembered=[*words[::2], "Paris"],
        labels=["LOC", "MISC-Ü"] if scheme == "bioes" else ["LOC"],
        seed=seed,
        vectors={"path": Path("/v/é.bin"), "more": (Path("/v/b.bin"),)},
        decoding={"scheme": scheme, "consistency": 0.25},
    )


def make_simple(seed: int = 0) -> Model:
    """Make a model with random arrays of one network without any feature."""
    features = FeaturesConfig(caps=0)
    return random_model(features, files=[WORDS], widths=[4], members=1, folds=0, seed=seed)


MODELS = {
    "everything": make_model,
    "one-output": lambda: make_model(scheme="io"),
    "simple": make_simple,
    "float64": lambda: random_model(dtype=np.float64),
}


def networks(model: Model) -> list[Member]:
    return [*model.first_stage, *model.members]


def assert_same_array(a: np.ndarray, b: np.ndarray) -> None:
    assert (a.shape, a.dtype) == (b.shape, b.dtype)
    assert a.tobytes() == b.tobytes()


def assert_same(a: Model, b: Model) -> None:
    assert (a.config, a.labels, a.tags) == (b.config, b.labels, b.tags)
    assert (a.corpus_scheme, a.provenance) == (b.corpus_scheme, b.provenance)
    assert (len(a.first_stage), len(a.members)) == (len(b.first_stage), len(b.members))
    # Which networks share an encoder, and so the tagger's work on each word form.
    shared = [[[m.encoder is n.encoder for m in networks(x)] for n in networks(x)] for x in (a, b)]
    assert shared[0] == shared[1]
    for one, other in zip(networks(a), networks(b), strict=True):
        for name in ("words", "features", "remembered"):
            assert getattr(one.encoder, name) == getattr(other.encoder, name)
        assert_same_array(one.L, other.L)
        assert_same_array(one.rows, other.rows)
        assert list(one.parameters) == list(other.parameters)
        for name, array in one.parameters.items():
            assert_same_array(array, other.parameters[name])


def tree(folder: Path) -> dict[str, bytes | None]:
    """Return every path below a folder, hidden ones too, with its bytes (None for a folder)."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


@pytest.fixture
def saved(tmp_path) -> Path:
    save_model(make_model(), tmp_path / "m")
    return tmp_path / "m"


def edit_header(folder: Path, **changes: object) -> None:
    header = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    header.update(changes)
    (folder / "model.json").write_text(json.dumps(header), encoding="utf-8")


# Round trips


@pytest.mark.parametrize("name", MODELS)
def test_a_saved_model_comes_back_bit_for_bit(tmp_path, name):
    model = MODELS[name]()
    # Bits that arithmetic would not keep: −0, a subnormal, infinity, a NaN with a payload.
    model.members[-1].parameters["b"].view(np.uint32)[:4] = [0x80000000, 1, 0x7F800000, 0x7FC12345]
    save_model(model, tmp_path / "m")
    assert_same(load_model(tmp_path / "m"), model)


@settings(max_examples=40, deadline=None)
@given(words=st.lists(st.text(st.characters(exclude_characters="\n", codec="utf-8")), unique=True))
def test_any_words_come_back_from_a_vocabulary(tmp_path_factory, words):
    path = tmp_path_factory.getbasetemp() / "words.txt"
    write_words(path, words)
    assert read_words(path, len(words)) == words


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
    arrays = map_arrays(tmp_path / "a")
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
    text = text_of(["the", "New New"], ["Paris the"])
    expected = CompiledTagger(model).scores(text)
    shutil.copytree(saved, tmp_path / "far" / "away")
    shutil.rmtree(saved)
    copy = load_model(tmp_path / "far" / "away")
    np.testing.assert_array_equal(CompiledTagger(copy).scores(text), expected)
    assert_same(copy, make_model())


def test_arrays_are_mapped_from_the_file_and_read_only(saved):
    def check(array: np.ndarray, name: str) -> None:
        assert isinstance(array.base, np.memmap)
        assert Path(array.base.filename).samefile(saved / name)
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


# Damage


def refusal(folder: Path) -> str:
    """Return the one line with which a folder is refused; it names the folder."""
    with pytest.raises(ModelError) as caught:
        load_model(folder)
    message = str(caught.value)
    assert message.startswith(str(folder))
    assert "\n" not in message
    return message.removeprefix(str(folder))


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_refused(saved, name):
    (saved / name).unlink()
    message = refusal(saved)
    assert name in message
    assert name == "model.json" or "missing" in message


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("keep", [0, 1, 7, 9, 0.3, 0.7, 0.99, -1])
def test_a_file_cut_short_anywhere_is_refused(saved, name, keep):
    # keep: bytes kept, as a count, as a share, or all but so many.
    whole = (saved / name).read_bytes()
    cut = whole[: keep if isinstance(keep, int) else int(len(whole) * keep)]
    if name == "model.json" and keep == -1:
        cut = whole[:-2]  # the last byte of a header is its line break, which JSON can spare
    (saved / name).write_bytes(cut)
    assert refusal(saved).startswith(f"/{name}: ")


@pytest.mark.parametrize("name", [name for name in FILES if name != "model.json"])
def test_a_file_with_more_at_its_end_is_refused(saved, name):
    with open(saved / name, "ab") as file:
        file.write(b"more\n")
    assert refusal(saved).startswith(f"/{name}: ")


def test_files_of_two_models_are_refused(saved, tmp_path):
    save_model(make_model(words=["the"]), tmp_path / "other")
    shutil.copy(tmp_path / "other" / "model.safetensors", saved)
    assert "don't belong together" in refusal(saved)
    for name, found in {
        "vocabulary.0.txt": "found 1 words, expected 13",
        "vectors.0.safetensors": "vocabulary.0.txt: found 13 words, expected 1",
        "memory.txt": "found 2 words, expected 8",
    }.items():
        save_model(make_model(), saved)
        shutil.copy(tmp_path / "other" / name, saved)
        assert found in refusal(saved)
    # One vocabulary in the other's place: of another length, so that it can't be taken for it.
    save_model(make_model(), saved)
    shutil.copy(saved / "vocabulary.1.txt", saved / "vocabulary.0.txt")
    assert "found 4 words, expected 13" in refusal(saved)


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"[]", b"3", b"null", b"{", b"{}\n{}", b"", b"[" * 99999]
)
def test_a_header_that_is_no_json_object_is_refused(saved, content):
    (saved / "model.json").write_bytes(content)
    assert "damaged" in refusal(saved)


def test_a_vocabulary_that_is_not_utf_8_is_refused(saved):
    (saved / "vocabulary.0.txt").write_bytes(b"caf\xe9\n" * len(WORDS))
    assert "not UTF-8" in refusal(saved)


def test_another_version_and_another_format_are_refused(saved):
    for version in (1, 3, None):
        edit_header(saved, version=version)
        assert f"found model version {version}, expected 2" in refusal(saved)
    edit_header(saved, version=2, format="something else")
    assert "found no nertool model" in refusal(saved)


@pytest.mark.parametrize(
    "key",
    ["labels", "tags", "corpus_scheme", "networks", "arrays", "config", "provenance"],
)
def test_a_header_without_a_key_or_with_nonsense_in_it_is_refused(saved, key):
    for nonsense in (None, 3, "x", ["x"]):
        edit_header(saved, **{key: nonsense})
        assert refusal(saved).startswith(("/model.json: ", ": model.safetensors and model.json"))
    header = json.loads((saved / "model.json").read_text(encoding="utf-8"))
    del header[key]
    (saved / "model.json").write_text(json.dumps(header), encoding="utf-8")
    assert key in refusal(saved)


@pytest.mark.parametrize(
    "change",
    [
        {"windows": {"size": 5}},
        {"windows": {"size": 4}},
        {"network": {"hidden": 6}},
        {"network": {"hiden": 6}},
        {"features": {"caps": 3}},
        {"decoding": {"scheme": "iob2"}},
        {"features": {"memory": False}},
        {"features": {"document": 2}},
        {"features": {"neighbours": False}},
        {"features": {"document_vector": False}},
        {"network": {"members": 2}},
        {"network": {"members": 4}},
        {"first_stage": {"folds": 0}},
        {"first_stage": {"hidden": 5}},
    ],
    ids=str,
)
def test_a_config_that_does_not_fit_the_arrays_is_refused_at_once_not_when_tagging(saved, change):
    config = json.loads((saved / "model.json").read_text(encoding="utf-8"))["config"]
    edit_header(saved, config={**config, **{k: {**config[k], **v} for k, v in change.items()}})
    assert refusal(saved).startswith("/model.json: ")


def rewrite_arrays(folder: Path, change: Callable[[dict[str, np.ndarray]], None]) -> None:
    """Change a model's arrays, and its header with them, so that the two agree."""
    arrays = {name: np.array(array) for name, array in map_arrays(folder / ARRAYS).items()}
    change(arrays)
    save_file(arrays, folder / ARRAYS)
    edit_header(folder, arrays={name: list(array.shape) for name, array in arrays.items()})


@pytest.mark.parametrize("name", ["rows", "L", "E.caps", "E.document", "M", "W", "b", "U"])
@pytest.mark.parametrize("network", ["first_stage.0", "members.0", "members.2"])
def test_a_model_without_one_of_its_arrays_is_refused(saved, network, name):
    rewrite_arrays(saved, lambda arrays: arrays.pop(f"{network}.{name}"))
    assert refusal(saved).startswith("/model.json: ")


@pytest.mark.parametrize("network", ["first_stage.0", "members.1"])
@pytest.mark.parametrize(
    "rows",
    [[0, 4, 2], [0, 2, 2], [-1, 0, 2], [0, 2, 99], [[0, 2, 4]], [0, 2]],
    ids=["out-of-order", "twice", "below-0", "beyond-the-end", "of-two-axes", "too-few"],
)
def test_rows_that_no_training_leaves_are_refused(saved, network, rows):
    count = len(load_model(saved).members[1].rows)
    assert count == 4  # of 3 + 4 rows, every second one

    def change(arrays: dict[str, np.ndarray]) -> None:
        old = arrays[f"{network}.rows"]
        head = np.array(rows)
        rest = old[3:] if head.shape == (3,) else old[:0]
        arrays[f"{network}.rows"] = np.concatenate([head, rest]) if head.ndim == 1 else head

    rewrite_arrays(saved, change)
    assert "config and arrays don't agree" in refusal(saved)


def test_rows_that_are_no_whole_numbers_are_refused(saved):
    def change(arrays: dict[str, np.ndarray]) -> None:
        arrays["members.0.rows"] = arrays["members.0.rows"].astype(np.float32)

    rewrite_arrays(saved, change)
    assert "config and arrays don't agree" in refusal(saved)


@pytest.mark.parametrize("numbers", [[0, 2, 0], [0, -1, 0], [0, 1], [0, "1", 0], [0, 1.0, 0], 3])
def test_networks_of_vectors_that_are_not_there_are_refused(saved, numbers):
    edit_header(saved, networks={"first_stage": [0], "members": numbers})
    message = refusal(saved)
    assert message.startswith(("/model.json: ", "/vectors.2.safetensors: missing"))


def test_vectors_without_their_table_are_refused(saved):
    save_file({"K": np.zeros((16, 4), np.float32)}, saved / "vectors.0.safetensors")
    assert refusal(saved).startswith("/model.json: ")
    save_file({"L": np.zeros(16, np.float32)}, saved / "vectors.0.safetensors")
    assert refusal(saved).startswith("/model.json: ")


def test_arrays_of_a_kind_that_no_model_has_are_refused(saved):
    def halve(arrays: dict[str, np.ndarray]) -> None:
        for name, array in arrays.items():
            arrays[name] = array.astype(np.float16)

    rewrite_arrays(saved, halve)
    assert refusal(saved).startswith("/model.safetensors: ")


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


def test_a_pickle_in_place_of_the_arrays_is_refused_and_not_run(saved, tmp_path):
    (saved / "model.safetensors").write_bytes(
        b"cos\nsystem\n(S'touch %s/ran'\ntR." % bytes(tmp_path)
    )
    refusal(saved)
    assert not (tmp_path / "ran").exists()


# Replacing


class PowerCut(BaseException):
    """Nothing that code could think of catching."""


@pytest.mark.parametrize(
    "error", [OSError("disk full"), ValueError(), KeyboardInterrupt(), PowerCut()]
)
def test_the_old_folder_stays_whole_when_writing_fails(saved, tmp_path, error):
    def fail() -> None:
        with replacing_folder(saved) as aside:
            (aside / "model.json").write_text("half")
            raise error

    before = tree(tmp_path)
    with pytest.raises(type(error)):
        fail()
    assert tree(tmp_path) == before


def test_a_model_that_can_not_be_written_leaves_the_old_one(saved, tmp_path):
    before = tree(tmp_path)
    unwritable = replace(make_model(), provenance={"numpy": np.float32(1)})  # no JSON
    with pytest.raises(TypeError):
        save_model(unwritable, saved)
    assert tree(tmp_path) == before


def test_a_replaced_folder_keeps_nothing_of_the_old_one(saved, tmp_path):
    (saved / "extra.txt").touch()
    save_model(make_simple(), saved)
    assert sorted(tree(tmp_path)) == ["m", *(f"m/{name}" for name in SIMPLE)]
    assert_same(load_model(saved), make_simple())


def test_a_new_folder_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "a" / "b"
    with replacing_folder(path) as aside:
        (aside / "x").touch()
        assert not path.exists()
        assert aside.parent == path.parent  # on the same disk, so that renaming can't fail
    assert sorted(tree(tmp_path)) == ["a", "a/b", "a/b/x"]


def test_everything_is_on_disk_before_it_takes_its_name(saved, monkeypatch):
    flushed = []

    def flush(path):
        assert (saved / "extra.txt").exists()  # the old one is still in place
        flushed.append(path.name)

    (saved / "extra.txt").touch()
    monkeypatch.setattr(files, "flush_to_disk", flush)
    save_model(make_model(), saved)
    assert sorted(flushed) == FILES


@pytest.mark.parametrize("renames", [0, 1])
def test_death_at_either_rename_loses_nothing(tmp_path, monkeypatch, renames):
    # First rename: the old folder steps aside; second: the new one takes its place.
    run_dir = tmp_path / "run"
    save_model(make_model(seed=1), run_dir / "best")
    done = []
    rename = Path.rename

    def dying(path, target):
        if len(done) == renames:
            raise PowerCut
        done.append(path)
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", dying)
        with pytest.raises(PowerCut):
            save_model(make_model(seed=2), run_dir / "best")
    assert (run_dir / "best").exists() == (renames == 0)
    assert_same(load_model(run_dir), make_model(seed=1))
    save_model(make_model(seed=2), run_dir / "best")
    assert_same(load_model(run_dir), make_model(seed=2))
    assert sorted(path.name for path in run_dir.iterdir()) == ["best"]


def test_restoring_leaves_a_whole_folder_alone(saved):
    shutil.copytree(saved, saved.with_name(".m.old"))
    (saved / "new.txt").touch()
    restore_interrupted(saved)
    assert (saved / "new.txt").exists()
    restore_interrupted(saved.with_name("never-there"))
    assert not saved.with_name("never-there").exists()
