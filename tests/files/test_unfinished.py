"""Unfinished files and folders: none is left, between whichever two steps a signal arrives."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nertool.files import unfinished
from nertool.files.folders import replacing_folder
from nertool.files.output import open_binary_output


def test_a_folder_made_just_before_a_signal_is_removed(tmp_path, monkeypatch):
    make = Path.mkdir

    def make_and_be_ended(self, *arguments, **named):
        make(self, *arguments, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", make_and_be_ended)
        with pytest.raises(KeyboardInterrupt):
            unfinished.new_folder(tmp_path, ".model.new-")
    assert [path.name[:11] for path in tmp_path.iterdir()] == [".model.new-"]
    unfinished.remove_unfinished()
    assert list(tmp_path.iterdir()) == []


def test_a_file_made_just_before_a_signal_is_removed(tmp_path, monkeypatch):
    make = os.open

    def make_and_be_ended(*arguments):
        os.close(make(*arguments))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", make_and_be_ended)
        with pytest.raises(KeyboardInterrupt):
            unfinished.new_file(tmp_path, ".nertool-")
    assert len(list(tmp_path.iterdir())) == 1
    unfinished.remove_unfinished()
    assert list(tmp_path.iterdir()) == []


def test_what_is_finished_or_another_process_s_stays(tmp_path, monkeypatch):
    with replacing_folder(tmp_path / "model") as aside:
        (aside / "weights").write_text("1")
    with open_binary_output(tmp_path / "out.conll") as out:
        out.write(b"Rome\tO\n")
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: -1)
        other = unfinished.new_folder(tmp_path, ".other.new-")
    unfinished.remove_unfinished()
    assert {path.name for path in tmp_path.iterdir()} == {"model", "out.conll", other.name}
    unfinished.forget(other)
