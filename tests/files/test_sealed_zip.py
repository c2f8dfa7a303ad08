"""Models in one file: read in place, and refused if anything about the zip is odd."""

from __future__ import annotations

import warnings
import zipfile

import numpy as np
import pytest

from nertool.errors import ModelError
from nertool.files.sealed_zip import ALIGNMENT, SealedZip
from nertool.model.load import load_model
from nertool.model.save import save_model
from tests.support.models import assert_same, make_model


@pytest.fixture
def packed(tmp_path):
    save_model(make_model(), tmp_path / "m.nertool")
    return tmp_path / "m.nertool"


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def write(path, files, compression=zipfile.ZIP_STORED):
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", compression) as archive:
        warnings.simplefilter("ignore")  # of names that stand twice
        for name, data in files:
            archive.writestr(name, data)


def test_members_begin_at_aligned_places(packed):
    with SealedZip(packed, "model.json") as opened:
        base = np.frombuffer(opened._raw, np.uint8).ctypes.data
        for name in opened.sizes():
            data = opened.read(name)
            assert (np.frombuffer(data, np.uint8).ctypes.data - base) % ALIGNMENT == 0
    with zipfile.ZipFile(packed) as archive:
        assert archive.testzip() is None


def test_arrays_point_into_the_file(packed):
    assert not load_model(packed).members[0].L.flags.owndata


@pytest.mark.parametrize(
    "compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA]
)
@pytest.mark.parametrize("before", [b"", b"#!/bin/sh\n"])
def test_zips_of_other_tools_are_read(packed, tmp_path, compression, before):
    other = tmp_path / "other.zip"
    write(other, members(packed).items(), compression)
    other.write_bytes(before + other.read_bytes())
    model = load_model(other)
    assert_same(model, make_model())
    assert all(member.L.flags.aligned for member in model.members)


def test_members_beside_the_model_are_not_looked_at(packed, tmp_path):
    files = [
        *members(packed).items(),
        ("../x", b"no"),
        ("/etc/x", b"no"),
        ("sub/model.json", b"{}"),
    ]
    write(tmp_path / "more.nertool", files)
    assert_same(load_model(tmp_path / "more.nertool"), make_model())


def test_every_changed_byte_is_noticed(packed):
    raw = packed.read_bytes()
    rng = np.random.default_rng(0)
    with SealedZip(packed, "model.json") as opened:
        base = np.frombuffer(opened._raw, np.uint8).ctypes.data
        inside = set()
        for name in opened.sizes():
            data = np.frombuffer(opened.read(name), np.uint8)
            inside |= set(range(data.ctypes.data - base, data.ctypes.data - base + len(data)))
    for at in rng.choice(sorted(inside), 60, replace=False).tolist():
        packed.write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
        with pytest.raises(ModelError):
            load_model(packed)


def test_a_file_that_is_cut_short_is_refused(packed):
    raw = packed.read_bytes()
    for length in [0, 1, 4, 30, len(raw) // 2, len(raw) - 30, len(raw) - 1]:
        packed.write_bytes(raw[:length])
        with pytest.raises(ModelError, match=r"m\.nertool"):
            load_model(packed)


def test_damage_anywhere_ends_in_a_clear_error_or_the_same_model(packed):
    raw = packed.read_bytes()
    rng = np.random.default_rng(1)
    directory = raw.rindex(b"PK\1\2") - 600
    for at in rng.integers(directory, len(raw), 150).tolist():
        packed.write_bytes(raw[:at] + bytes([int(rng.integers(256))]) + raw[at + 1 :])
        try:
            model = load_model(packed)
        except ModelError:
            continue
        assert_same(model, make_model())


def test_two_members_of_a_name_are_refused(packed):
    files = list(members(packed).items())
    write(packed, [*files, files[0]])
    with pytest.raises(ModelError, match="two members"):
        load_model(packed)


def test_a_bomb_is_refused_before_it_unpacks(packed):
    files = {**members(packed), "vectors.0.safetensors": bytes(1 << 22)}
    write(packed, files.items(), zipfile.ZIP_DEFLATED)
    with pytest.raises(ModelError, match="expected at most 1,048,576"):
        SealedZip(packed, "model.json", most_unpacked=1 << 20)


def test_a_member_with_a_password_is_refused(packed):
    raw = bytearray(packed.read_bytes())
    for mark, place in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        at = raw.index(mark)
        raw[at + place] |= 1
    packed.write_bytes(raw)
    with pytest.raises(ModelError, match=r"can't be read|damaged"):
        load_model(packed)


def test_files_of_other_kinds_are_refused(tmp_path):
    path = tmp_path / "x.nertool"
    path.write_bytes(b"no zip at all")
    with pytest.raises(ModelError, match="damaged zip file"):
        load_model(path)
    path = tmp_path / "x.txt"
    path.write_bytes(b"text")
    with pytest.raises(ModelError, match="found a file"):
        load_model(path)
