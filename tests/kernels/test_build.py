"""Where the compiled kernels come from: what is built, what is not, and which library is called."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nertool.kernels import build, library

HERE = Path(library.__file__).parent
SOURCES = [path for path in HERE.iterdir() if path.suffix in (".c", ".h")]


@pytest.mark.skipif(
    not library.compiled(), reason="nertool was installed without its compiled kernels"
)
def test_a_library_of_another_source_is_not_called(tmp_path, monkeypatch):
    shutil.copytree(HERE, tmp_path / "kernels")
    monkeypatch.setattr(library, "__file__", str(tmp_path / "kernels" / "library.py"))
    assert library._load()
    with open(tmp_path / "kernels" / "words.c", "a") as source:
        source.write("/* changed */")
    assert library._load() is None


def source_tree(folder: Path) -> Path:
    for path in SOURCES:
        shutil.copy(path, folder)
    (folder / "kernels-0123456789abcdef.so").write_bytes(b"of an older source")
    return folder


@pytest.mark.skipif(build.compiler() is None, reason="there is no C compiler")
def test_what_is_built_takes_the_place_of_older_ones(tmp_path):
    made = build.build(source_tree(tmp_path))
    assert isinstance(made, Path), made
    expected = sorted([*(path.name for path in SOURCES), made.name])
    assert sorted(path.name for path in tmp_path.iterdir()) == expected
    if library.compiled():
        assert made.name in {path.name for path in HERE.iterdir()}


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("false", "false ended with 1, and said nothing"),
        ("true", "true ended with 0, and said nothing"),
        ("/no/such/compiler --fast", "/no/such/compiler: No such file"),
    ],
)
def test_without_a_compiler_that_works_nothing_is_built_and_it_is_said_why(
    tmp_path, monkeypatch, command, said
):
    monkeypatch.setenv("CC", command)
    reason = build.build(source_tree(tmp_path))
    assert isinstance(reason, str)
    assert said in reason
    assert len(list(tmp_path.iterdir())) == len(SOURCES) + 1  # as before


def test_no_compiler_at_all(tmp_path, monkeypatch):
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", "")
    assert build.build(tmp_path) == "found no C compiler"
