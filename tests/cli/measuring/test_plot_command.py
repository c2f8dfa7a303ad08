"""`nertool plot`: the pictures of a run."""

from __future__ import annotations

import numpy as np
import pytest

from nertool.evaluation.plots.vectors import moved_most, plane_of
from nertool.model.load import load_model

PICTURES = ["calibration", "confusion", "epochs", "vectors"]


def test_a_run_is_drawn_the_same_each_time(run_dir, tmp_path, main):
    pytest.importorskip("matplotlib")
    for folder in ("a", "b"):
        done = main("plot", run_dir, "--kind", "svg", "-o", tmp_path / folder)
        assert done.returncode == 0, done.stderr
    assert sorted(path.stem for path in (tmp_path / "a").iterdir()) == PICTURES
    for name in PICTURES:
        text = (tmp_path / "a" / f"{name}.svg").read_text()
        assert text == (tmp_path / "b" / f"{name}.svg").read_text()
    confusion = (tmp_path / "a" / "confusion.svg").read_text()
    assert all(f">{label}<" in confusion for label in ("LOC", "ORG", "PER", "nothing"))


def test_what_is_no_run_is_refused(tmp_path, main):
    done = main("plot", tmp_path / "none")
    assert (done.returncode, "found no run folder" in done.stderr) == (1, True)
    assert main("plot", tmp_path, "--kind", "gif").returncode == 2


def test_the_words_that_moved_most_come_first(run_dir):
    before, after, names = moved_most(load_model(run_dir).members[0], 5)
    moved = np.linalg.norm(after - before, axis=1)
    assert len(names) == len(set(names)) == 5
    assert (np.diff(moved) <= 0).all()
    assert moved[-1] > 0


def test_the_plane_holds_the_directions_of_greatest_spread():
    rows = np.array([[3.0, 0, 0], [-3, 0, 0], [0, 0, 1], [0, 0, -1]])
    assert plane_of(rows) == pytest.approx(np.array([[1.0, 0], [0, 0], [0, 1]]), abs=1e-12)
    assert plane_of(np.array([[1.0], [2.0]])).shape == (1, 2)


def test_a_text_that_can_not_be_read_leaves_no_picture(main, run_dir, tmp_path):
    (tmp_path / "bad.conll").write_text("Ada\tB-PER\nLondon\n")
    done = main("plot", run_dir, "-o", tmp_path / "out", "--text", tmp_path / "bad.conll")
    assert done.returncode == 1
    assert "bad.conll:2" in done.stderr
    assert not (tmp_path / "out").exists()
