"""Rows set aside in a temporary file: the same rows as in memory; a full disk is one clear line."""

from __future__ import annotations

import os
import tempfile

import numpy as np
import pytest

from nertool.errors import OutputError
from nertool.files.scratch import Spill, Stored, trim_memory

PIECES = [np.arange(12.0).reshape(4, 3), np.ones((2, 3)), np.zeros((0, 3))]


@pytest.mark.parametrize("largest", [0, 100, 10_000])
def test_rows_are_the_same_in_a_file_as_in_memory(largest):
    spill = Spill(largest)
    for piece in PIECES:
        spill.add(piece)
    rows = spill.whole()
    assert isinstance(rows, Stored) == (largest < 18 * 8)
    assert (rows.shape, rows.dtype, len(rows)) == ((6, 3), np.float64, 6)
    for picked in (np.array([5, 0, 5]), slice(1, 4), np.array([], dtype=np.int64)):
        for _ in range(3):
            np.testing.assert_array_equal(rows[picked], np.concatenate(PIECES)[picked])


def test_the_file_has_no_name(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    spill = Spill(0)
    spill.add(PIECES[0])
    assert isinstance(spill.whole(), Stored)
    assert os.listdir(tmp_path) == []


def test_a_folder_that_cannot_be_written_to_is_named_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(
        OutputError, match=r"gone: No such file or directory .* set TMPDIR"
    ) as found:
        Spill(0).add(PIECES[0])
    assert "\n" not in str(found.value)


def test_memory_is_given_back_and_what_is_in_use_stays():
    kept = [bytes([i]) * 1000 for i in range(200)]
    trim_memory()
    assert [len(set(piece)) for piece in kept] == [1] * 200
