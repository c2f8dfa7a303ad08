"""A damaged model is refused when it is loaded, in one line, and nothing in it is run."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from nertool.errors import ModelError
from nertool.files.sealed import SealedFolder, rewrite_header
from nertool.model import load
from nertool.model.files import ARRAYS
from nertool.model.load import load_model
from nertool.model.save import save_model
from tests.support.models import FILES, WORDS, arrays_of_file, assert_same, make_model


def write_with_sums(folder: Path, header: dict) -> None:
    """Write a header with the right sums: what is wrong with it must be found without them."""
    sums = {name: sha256((folder / name).read_bytes()).hexdigest() for name in FILES}
    rewrite_header(folder / "model.json", {**header, "sha256": sums})


def edit_header(folder: Path, **changes: object) -> None:
    header = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    header.update(changes)
    write_with_sums(folder, header)


def refusal(folder: Path, verify: bool = True) -> str:
    """Return the one line with which a folder is refused; it names the folder."""
    with pytest.raises(ModelError) as caught:
        load_model(folder, verify)
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
    assert refusal(saved).startswith("/model.safetensors: ")
    assert "SHA-256" in refusal(saved)
    assert "don't belong together" in refusal(saved, verify=False)
    for name, found in {
        "vocabulary.0.txt": "found 1 words, expected 13",
        "vectors.0.safetensors": "vocabulary.0.txt: found 13 words, expected 1",
        "memory.txt": "found 2 words, expected 8",
    }.items():
        save_model(make_model(), saved)
        shutil.copy(tmp_path / "other" / name, saved)
        assert f"{name}: " in refusal(saved)
        assert found in refusal(saved, verify=False)
    # One vocabulary in the other's place: of another length, so that it can't be taken for it.
    save_model(make_model(), saved)
    shutil.copy(saved / "vocabulary.1.txt", saved / "vocabulary.0.txt")
    assert "vocabulary.0.txt: " in refusal(saved)
    assert "found 4 words, expected 13" in refusal(saved, verify=False)


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"[]", b"3", b"null", b"{", b"{}\n{}", b"", b"[" * 99999]
)
def test_a_header_that_is_no_json_object_is_refused(saved, content):
    (saved / "model.json").write_bytes(content)
    assert "damaged" in refusal(saved)


def test_a_vocabulary_that_is_not_utf_8_is_refused(saved):
    (saved / "vocabulary.0.txt").write_bytes(b"caf\xe9\n" * len(WORDS))
    assert "SHA-256" in refusal(saved)
    assert "not UTF-8" in refusal(saved, verify=False)


def test_another_version_and_another_format_are_refused(saved):
    for version in (1, 5, None):
        edit_header(saved, version=version)
        assert f"found model version {version}, expected at most 4" in refusal(saved)
    edit_header(saved, version=3, format="something else")
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
    write_with_sums(saved, header)
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
    arrays = {name: np.array(array) for name, array in arrays_of_file(folder / ARRAYS).items()}
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
    edit_header(saved)
    assert refusal(saved).startswith("/model.json: ")
    save_file({"L": np.zeros(16, np.float32)}, saved / "vectors.0.safetensors")
    edit_header(saved)
    assert refusal(saved).startswith("/model.json: ")


def test_arrays_of_a_kind_that_no_model_has_are_refused(saved):
    def narrow(arrays: dict[str, np.ndarray]) -> None:
        for name, array in arrays.items():
            arrays[name] = array.astype(np.int16)

    rewrite_arrays(saved, narrow)
    assert refusal(saved).startswith("/model.safetensors: ")


def test_a_pickle_in_place_of_the_arrays_is_refused_and_not_run(saved, tmp_path):
    (saved / "model.safetensors").write_bytes(
        b"cos\nsystem\n(S'touch %s/ran'\ntR." % bytes(tmp_path)
    )
    refusal(saved)
    assert not (tmp_path / "ran").exists()


# What only a sum can find: files that are whole, and fit each other, and are not the model's


def test_a_bit_that_flipped_anywhere_is_found(saved):
    rng = np.random.default_rng(0)
    before = {name: (saved / name).read_bytes() for name in FILES}
    for name in FILES:
        places = rng.integers(0, 8 * len(before[name]), 10)  # the campaigns try more
        for place in places:
            raw = bytearray(before[name])
            raw[place // 8] ^= 1 << (place % 8)
            (saved / name).write_bytes(raw)
            assert refusal(saved).startswith(f"/{name}: "), (name, place)
        (saved / name).write_bytes(before[name])
    assert_same(load_model(saved), make_model())


def test_a_damaged_model_is_read_once(saved, monkeypatch):
    # Only a model whose place another has taken meanwhile is read again.
    opened = []
    true = load.open_model
    monkeypatch.setattr(load, "open_model", lambda *given: opened.append(1) or true(*given))
    (saved / "vocabulary.0.txt").write_text("the\n")
    refusal(saved)
    assert len(opened) == 1


def test_two_words_that_changed_places_are_found(saved):
    lines = (saved / "vocabulary.0.txt").read_bytes().split(b"\n")
    lines[0], lines[1] = lines[1], lines[0]
    (saved / "vocabulary.0.txt").write_bytes(b"\n".join(lines))
    assert refusal(saved).startswith("/vocabulary.0.txt: ")
    assert load_model(saved, verify=False)


def test_the_arrays_of_another_seed_are_found(saved, tmp_path):
    save_model(make_model(seed=1), tmp_path / "other")
    for name in ("model.safetensors", "vectors.0.safetensors", "vectors.1.safetensors"):
        kept = (saved / name).read_bytes()
        shutil.copy(tmp_path / "other" / name, saved)
        assert refusal(saved).startswith(f"/{name}: ")
        (saved / name).write_bytes(kept)


@pytest.mark.parametrize("key", ["sha256", "header_sha256", "provenance", "labels"])
def test_a_header_with_a_key_taken_out_is_refused(saved, key):
    header = json.loads((saved / "model.json").read_text(encoding="utf-8"))
    del header[key]
    (saved / "model.json").write_text(json.dumps(header, ensure_ascii=False, indent=1) + "\n")
    assert refusal(saved).startswith("/model.json: ")


def test_a_header_without_any_sum_is_refused_unless_its_version_had_none(saved):
    header = json.loads((saved / "model.json").read_text(encoding="utf-8"))
    for key in ("sha256", "header_sha256"):
        del header[key]
    (saved / "model.json").write_text(json.dumps(header))
    assert "no SHA-256" in refusal(saved)
    assert load_model(saved, verify=False)
    (saved / "model.json").write_text(json.dumps({**header, "version": 2}))
    assert_same(load_model(saved), make_model())


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["members.1.W", "members.0.L", "first_stage.0.b"])
def test_numbers_that_are_not_finite_are_refused_even_with_the_right_sums(saved, name, value):
    def spoil(arrays: dict[str, np.ndarray]) -> None:
        arrays[name].reshape(-1)[-1] = value

    rewrite_arrays(saved, spoil)
    assert refusal(saved).startswith("/model.safetensors: damaged: " + name)


def test_vectors_that_are_not_finite_are_refused_where_no_sum_speaks_for_them(saved):
    arrays = arrays_of_file(saved / "vectors.1.safetensors")
    L = np.array(arrays["L"])
    L[2, 1] = np.nan
    save_file({**arrays, "L": L}, saved / "vectors.1.safetensors")
    assert refusal(saved).startswith("/vectors.1.safetensors: cut short, damaged")
    assert "NaN" in refusal(saved, verify=False)


def test_whole_numbers_in_place_of_weights_are_refused(saved):
    def as_ints(arrays: dict[str, np.ndarray]) -> None:
        arrays["members.0.W"] = arrays["members.0.W"].view(np.int32)

    rewrite_arrays(saved, as_ints)
    assert "config and arrays don't agree" in refusal(saved)


def test_a_named_pipe_in_place_of_a_file_is_refused_at_once(saved):
    for name in FILES:
        kept = (saved / name).read_bytes()
        (saved / name).unlink()
        os.mkfifo(saved / name)
        refusal(saved)
        (saved / name).unlink()
        (saved / name).write_bytes(kept)


def test_a_model_that_takes_the_place_of_another_while_it_is_read_is_read_whole(saved, monkeypatch):
    # A training replaces the folder just when its header has been read.
    models = [make_model(seed=seed) for seed in (1, 2, 3)]
    real = SealedFolder.header
    waiting = list(models)

    def header(folder: SealedFolder, name: str) -> dict:
        found = real(folder, name)
        if waiting:
            save_model(waiting.pop(0), saved)
        return found

    monkeypatch.setattr(SealedFolder, "header", header)
    assert_same(load_model(saved), models[-1])
