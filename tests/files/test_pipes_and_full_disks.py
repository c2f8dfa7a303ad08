"""Pipes where a file is read twice, and full disks: one line that names the right place, and no waiting."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from nertool.errors import OutputError
from nertool.files import output
from nertool.files.output import scratch_file, scratch_folder

FULL = Path("/dev/full")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize(
    "command",
    [
        "train PIPE.conll",
        "train PIPE.yaml",
        "train config.yaml --dev PIPE.conll",
        "train config.yaml --vectors PIPE",
        "prepare config.yaml --set corpus.test=PIPE.conll",
        "sweep PIPE.yaml",
        "gradcheck config.yaml --set corpus.train=PIPE.conll",
        "distil run --on PIPE.conll",
        "corpus check PIPE.yaml",
        "corpus suspects train.conll --vectors PIPE",
        "vectors info PIPE",
        "vectors prune PIPE --top 3 -o out",
        "vectors convert PIPE -o out",
        "evaluate --gold PIPE.conll",
        "compare run run PIPE.conll",
    ],
)
def test_a_pipe_is_refused_where_it_would_be_read_twice(main, tiny, run_dir, tmp_path, command):
    for path in [*tiny.iterdir(), run_dir]:
        (tmp_path / path.name).symlink_to(path)
    pipe = next(word for word in command.split() if "PIPE" in word).rpartition("=")[2]
    os.mkfifo(tmp_path / pipe)
    done = main(*command.split(), cwd=tmp_path)  # nobody writes to it: reading it would never end
    assert done.returncode == 1
    told = done.stderr.splitlines()[-1]
    assert told.startswith("nertool: ")
    assert f"{pipe}: found a pipe or a device, expected a regular file, since " in told


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("policy", ["report", "skip"])
def test_a_full_disk_is_no_input_that_cant_be_read(main, tiny, run_dir, tmp_path, policy):
    text = tiny / "dev.conll"
    done = main("predict", run_dir, text, text, "-o", FULL, "--on-error", policy)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("nertool: /dev/full: No space left on device")
    assert "could not be read" not in done.stderr


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_a_full_temporary_folder_is_named(main, tiny, run_dir, monkeypatch):
    def on_full_disk(prefix: str) -> tuple[int, str]:
        descriptor, path = tempfile.mkstemp(prefix)
        os.close(descriptor)
        return os.open(FULL, os.O_RDWR), path

    class Full:
        gettempdir = staticmethod(tempfile.gettempdir)
        mkstemp = staticmethod(on_full_disk)
        TemporaryDirectory = tempfile.TemporaryDirectory

    with monkeypatch.context() as patch:
        patch.setattr(output, "tempfile", Full)
        text = tiny / "dev.conll"
        done = main("predict", run_dir, text, "--on-error", "skip")
    assert done.returncode == 1
    assert done.stdout == ""
    told = done.stderr.splitlines()[-1]
    assert told.startswith("nertool: the temporary folder ")
    assert "No space left on device" in told


def test_a_scratch_file_is_written_and_read_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with scratch_file() as file:
        file.write(b"abc")
        file.seek(0)
        assert file.read() == b"abc"
    with scratch_folder() as folder:
        assert folder.parent == tmp_path
        (folder / "a").touch()
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_during_work_in_a_scratch_folder_is_an_output_error():
    with pytest.raises(OutputError, match=r"temporary folder .*: No space left"), scratch_folder():
        raise OSError(28, "No space left on device")
    with pytest.raises(FileNotFoundError), scratch_folder():
        raise FileNotFoundError("other errors stay what they are")
