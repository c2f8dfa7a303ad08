"""The registry: one record a format, from which everything else follows, and what a new one costs."""

from __future__ import annotations

import inspect
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import nertool
from nertool.catalogue import FORMATS, INPUT_FORMATS, LABELLED_INPUTS, OUTPUT_FORMATS, find_format
from nertool.errors import CorpusError
from nertool.formats.registry import module_of
from tests.support.corpora import read

ROOT = Path(nertool.__file__).resolve().parents[1]


@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.name)
def test_a_format_s_module_has_the_functions_that_its_record_promises(known):
    module = module_of(known)
    in_columns = known.name == "conll"
    stream = {"text": [], "binary": ["stream"], "folder": ["folder"]}[known.container]
    if known.writes:
        parameters = list(inspect.signature(module.write).parameters)
        assert parameters == ["pieces", "writing", "ledger", *stream]
    if known.reads and not in_columns:
        parameters = list(inspect.signature(module.read).parameters)
        assert parameters[1:] == ["source", "reading", "ledger"]
    if known.reads:
        assert hasattr(module, "detect_path" if known.container == "folder" else "detect")
    assert find_format(known.written_as).writes
    for name in (known.name, *known.other_names):
        assert find_format(name) is known


def test_the_lists_of_choices_follow_from_the_records():
    assert len({name for f in FORMATS for name in (f.name, *f.other_names)}) == len(
        OUTPUT_FORMATS
    ) + sum(1 + len(f.other_names) for f in FORMATS if not f.writes)
    assert {"auto", "conll", "raw", "prodigy", "parquet"} <= set(INPUT_FORMATS)
    assert not {"raw", "lines", "text", "html"} & set(LABELLED_INPUTS)
    assert "html" in OUTPUT_FORMATS
    assert "raw" not in OUTPUT_FORMATS


def test_a_format_that_is_not_there_is_refused_with_the_nearest_name():
    with pytest.raises(CorpusError, match='did you mean "conllu"'):
        find_format("conlu")
    with pytest.raises(CorpusError, match="only written"):
        read("x", "spans")
    with pytest.raises(CorpusError, match="name a path"):
        read("x", "brat")


TOY = '''"""A toy format: words in {{double braces}} are entities of the class X.

    {{Ada}} met me.
"""

import re

from nertool.corpus.annotated import views, with_records
from nertool.corpus.columnar import Span
from nertool.corpus.record import Record
from nertool.formats.plain.lines import numbered_lines


def detect(head):
    return "words in {{braces}}" if "{{" in head.text else None


def read(stream, source, reading, ledger):
    for number, line, _ in numbered_lines(stream, source):
        text, spans, at = "", [], 0
        for match in re.finditer(r"\\{\\{(.+?)\\}\\}", line):
            text += line[at : match.start()]
            spans.append(Span(len(text), len(text) + len(match[1]), "X"))
            text, at = text + match[1], match.end()
        yield Record(text + line[at:], number, spans)


def write(pieces, writing, ledger):
    for piece in pieces:
        for view in views(piece._replace(corpus=with_records(piece.corpus, True))):
            text = view.text
            for entity in reversed(view.entities):
                text = f"{text[: entity.start]}{{{{{text[entity.start : entity.end]}}}}}{text[entity.end :]}"
            yield text + "\\n"
'''
RECORD = '    Format("toy", "words in braces", "markup.toy", ".toy", written_as="toy"),\n'


def test_a_new_format_is_one_file_and_one_record(tmp_path):
    """Added to a copy of the package, it is read, written, recognised and listed by every command."""
    shutil.copytree(
        ROOT / "nertool", tmp_path / "nertool", ignore=shutil.ignore_patterns("__pycache__")
    )
    (tmp_path / "nertool/formats/markup/toy.py").write_text(TOY)
    catalogue = tmp_path / "nertool/catalogue.py"
    first = "FORMATS: tuple[Format, ...] = (\n"
    assert first in catalogue.read_text()
    catalogue.write_text(catalogue.read_text().replace(first, first + RECORD))

    def run(*arguments: str, stdin: str = "") -> str:
        done = subprocess.run(
            [sys.executable, "-m", "nertool", *arguments],
            input=stdin, capture_output=True, text=True, check=False, cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path), "COLUMNS": "500", "NO_COLOR": "1"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert run("corpus", "convert", "-", stdin="{{Ada}} left .\n") == "Ada B-X\nleft O\n. O\n\n"
    columns = "Ada B-X\nleft O\n\n"
    assert run("corpus", "convert", "-", "--to", "toy", stdin=columns) == "{{Ada}} left\n"
    for command in ("predict", "corpus convert", "corpus check"):
        assert re.search(r"\btoy\b", run(*command.split(), "--help")), command
