"""A model's folder is replaced whole or not at all."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nertool.files import folders as files
from nertool.files.folders import clear_unfinished, replacing_folder
from nertool.model.load import load_model
from nertool.model.save import save_model
from nertool.training.run import writing_run
from tests.support.models import FILES, SIMPLE, assert_same, make_model, make_simple, tree


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


@pytest.mark.parametrize("when", ["before", "after"])
def test_death_beside_the_exchange_leaves_one_of_the_two(tmp_path, monkeypatch, when):
    run_dir = tmp_path / "run"
    save_model(make_model(seed=1), run_dir / "best")
    real = files.exchange

    def dying(one, other):
        if when == "after":
            assert real(one, other)
        raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(files, "exchange", dying)
        with pytest.raises(PowerCut):
            save_model(make_model(seed=2), run_dir / "best")
    assert_same(load_model(run_dir), make_model(seed=1 if when == "before" else 2))


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
        patch.setattr(files, "exchange", lambda one, other: False)  # a system that can't
        patch.setattr(Path, "rename", dying)
        with pytest.raises(PowerCut):
            save_model(make_model(seed=2), run_dir / "best")
    assert (run_dir / "best").exists() == (renames == 0)
    before = sorted(path.name for path in run_dir.iterdir())
    assert_same(load_model(run_dir), make_model(seed=1))
    # Who reads changes nothing; the next one that writes puts things in order.
    assert sorted(path.name for path in run_dir.iterdir()) == before
    with writing_run(run_dir):
        assert_same(load_model(run_dir), make_model(seed=1))
        save_model(make_model(seed=2), run_dir / "best")
    assert_same(load_model(run_dir), make_model(seed=2))
    assert sorted(path.name for path in run_dir.iterdir()) == ["best"]


def test_clearing_leaves_a_whole_folder_alone(saved):
    shutil.copytree(saved, saved.with_name(".m.old"))
    (saved / "new.txt").touch()
    clear_unfinished(saved.parent)
    assert (saved / "new.txt").exists()
    assert not saved.with_name(".m.old").exists()
