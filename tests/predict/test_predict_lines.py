"""Predict on columns and on sentences a line: what becomes of every line, and where it goes to."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nertool
from nertool.config.file import load_config
from nertool.model.load import load_model
from nertool.tagging.compiled import CompiledTagger
from tests.support.helpers import tag_text


@pytest.fixture
def words(tiny: Path) -> list[list[str]]:
    """The tiny dev text's sentences."""
    blocks = (tiny / "dev.conll").read_text().split("\n\n")
    return [[line.split()[0] for line in block.splitlines()] for block in blocks if block]


def written_tags(tagger: nertool.Tagger, words: list[str], scheme: str) -> list[str]:
    """Write the tags of a sentence from its entities, by the schemes' definitions."""
    tags = ["O"] * len(words)
    before = None
    for entity in tagger.tag(words):
        start, end, label = entity.start, entity.end, entity.label
        for i in range(start, end):
            first, last = i == start, i == end - 1
            prefix = {
                "io": "",
                "iob1": "B-" if first and before == (start, label) else "I-",
                "iob2": "B-" if first else "I-",
                "bioes": ("S-" if last else "B-") if first else ("E-" if last else "I-"),
            }[scheme]
            tags[i] = prefix + label
        before = (end, label)
    return tags


def marked(tagger: nertool.Tagger, words: list[str]) -> str:
    """Mark a sentence's entities as [Ada Lovelace](PER)."""
    out = list(words)
    for entity in tagger.tag(words):
        out[entity.start] = f"[{out[entity.start]}"
        out[entity.end - 1] += f"]({entity.label})"
    return " ".join(out)


# Predict on columns


@pytest.mark.parametrize("scheme", ["io", "iob1", "iob2", "bioes"])
def test_predict_adds_a_column_of_tags_in_the_asked_scheme(tiny, run_dir, main, words, scheme):
    tagger = nertool.load(run_dir)
    given_text = (tiny / "dev.conll").read_text()
    done = main("predict", run_dir, tiny / "dev.conll", "--scheme", scheme)
    assert done.returncode == 0
    expected = [tag for sentence in words for tag in written_tags(tagger, sentence, scheme)]
    tags = iter(expected)
    lines = [f"{line} {next(tags)}" if line else "" for line in given_text.splitlines()]
    assert done.stdout == "\n".join(lines) + "\n"
    assert len(set(expected)) > 3
    assert done.stderr.count("\n") == 2  # how it was read, and the account


def test_the_training_texts_scheme_is_the_default(tiny, run_dir, main):
    default = main("predict", run_dir, tiny / "dev.conll").stdout
    assert default == main("predict", run_dir, tiny / "dev.conll", "--scheme", "iob2").stdout


def test_predict_keeps_line_ends_document_marks_and_the_lack_of_a_last_line_end(
    run_dir, main, tmp_path
):
    given_bytes = (
        b"\xef\xbb\xbf-DOCSTART- -X-\r\n\r\nAda\tNNP\r\nmet\tVBD\n   \nCharles\tNNP\r\n\r\n\r\n"
        b"-DOCSTART-\t-X-\nParis\tNNP"
    )
    path = tmp_path / "in.conll"
    path.write_bytes(given_bytes)
    done = main("predict", run_dir, path, "-o", tmp_path / "out", "--format", "conll")
    assert done.returncode == 0, done.stderr
    tagger = nertool.load(run_dir)
    tags = [written_tags(tagger, s, "iob2") for s in (["Ada", "met"], ["Charles"], ["Paris"])]
    ada, met, charles, paris = (tag.encode() for sentence in tags for tag in sentence)
    assert (tmp_path / "out").read_bytes() == (
        b"\xef\xbb\xbf-DOCSTART- -X-\r\n\r\nAda\tNNP\t%b\r\nmet\tVBD\t%b\n   \nCharles\tNNP\t%b\r\n\r\n\r\n"
        b"-DOCSTART-\t-X-\tO\nParis\tNNP\t%b" % (ada, met, charles, paris)
    )


@pytest.fixture(scope="module")
def commented_run_dir(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that takes lines starting with "# " for comments."""
    config = load_config(tiny / "config.yaml", ["corpus.comment='# '", "training.epochs=2"])
    folder = tmp_path_factory.mktemp("commented") / "run"
    nertool.train(config, folder)
    return folder


def test_comments_pass_as_they_are(commented_run_dir, main):
    run_dir = commented_run_dir
    text = "# text: Ada met\nAda X\nmet X\n\n# end of it\n"
    done = main("predict", run_dir, "-", "--format", "conll", stdin=text)
    tags = written_tags(nertool.load(run_dir), ["Ada", "met"], "iob2")
    assert done.stdout == f"# text: Ada met\nAda X {tags[0]}\nmet X {tags[1]}\n\n# end of it\n"


TOKENS = st.text(
    st.characters(exclude_categories=("Z", "C"), exclude_characters="\ufeff"),
    min_size=1,
    max_size=6,
)
ENDINGS = st.sampled_from(["\n", "\r\n"])


@st.composite
def conll_texts(draw: st.DrawFn) -> tuple[str, str, list[tuple[str, str]]]:
    """Draw a delimiter and lines of a word and another column, blank ones and document marks."""
    delimiter = draw(st.sampled_from([" ", "\t"]))
    token = st.tuples(TOKENS, TOKENS).map(delimiter.join)
    others = st.sampled_from(["", "", " ", f"-DOCSTART-{delimiter}O"])
    kinds = st.one_of(token, token, token, others)
    lines = draw(st.lists(st.tuples(kinds, ENDINGS), max_size=14))
    if draw(st.booleans()) and lines:
        lines[-1] = (lines[-1][0], "")
    return delimiter, "".join(text + end for text, end in lines), lines


@settings(max_examples=80, deadline=None)
@given(drawn=conll_texts())
def test_every_line_that_comes_in_goes_out_with_at_most_one_column_more(run_dir, drawn):
    delimiter, text, lines = drawn
    tagger = CompiledTagger(load_model(run_dir))
    out = "".join(tag_text(tagger, text, format_name="conll"))
    rest = out
    for line, end in lines:
        is_token = bool(line.strip()) and not line.startswith("-DOCSTART-")
        assert rest.startswith(line)
        rest = rest.removeprefix(line)
        if is_token or line.startswith("-DOCSTART-"):
            tag = re.match(rf"{delimiter}(O|[BI]-(LOC|ORG|PER))", rest)
            # A text without a single token has no known width: its marks stay as they are.
            assert tag or not is_token
            rest = rest[tag.end() :] if tag else rest
        assert rest.startswith(end)
        rest = rest.removeprefix(end)
    assert rest == ""


def test_the_format_does_not_depend_on_the_last_line_end(run_dir, main):
    for text in ("Ada\nmet\nParis", "\nAda X\nmet X", "\nAda X", "Ada X\n\nmet X\nin X"):
        open_ended, ended = (main("predict", run_dir, "-", stdin=text + end) for end in ("", "\n"))
        assert open_ended.returncode == ended.returncode == 0, open_ended.stderr
        assert open_ended.stdout + "\n" == ended.stdout


def test_comments_do_not_hide_that_a_text_is_in_columns(commented_run_dir, main):
    text = "# text: Ada met\nAda X\nmet X\n\n# end of it\n"
    with_format = main("predict", commented_run_dir, "-", "--format", "conll", stdin=text)
    assert main("predict", commented_run_dir, "-", stdin=text).stdout == with_format.stdout


# Predict on sentences


def test_predict_marks_plain_sentences_inline(run_dir, main, words):
    tagger = nertool.load(run_dir)
    text = "".join(" ".join(sentence) + "\n" for sentence in words)
    done = main("predict", run_dir, "-", stdin=text)
    assert done.stdout == "".join(marked(tagger, sentence) + "\n" for sentence in words)
    assert "](PER)" in done.stdout


def test_sentences_become_columns_and_columns_sentences(tiny, run_dir, main, words):
    text = "".join(" ".join(sentence) + "\n" for sentence in words)
    columns = main("predict", run_dir, "-", "--to", "conll", stdin=text).stdout
    tagger = nertool.load(run_dir)
    assert columns == "".join(
        "".join(f"{w} {t}\n" for w, t in zip(s, written_tags(tagger, s, "iob2"), strict=True))
        + "\n"
        for s in words
    )
    inline = main("predict", run_dir, tiny / "dev.conll", "--to", "inline").stdout
    assert inline == main("predict", run_dir, "-", stdin=text).stdout


def test_the_format_that_was_taken_is_noted_and_can_be_set(run_dir, main):
    text = "Ada met\nParis in\n"
    as_text = main("predict", run_dir, "-", stdin=text)
    assert "text, one sentence per line" in as_text.stderr
    as_columns = main("predict", run_dir, "-", "--format", "conll", stdin=text)
    assert as_columns.stderr.startswith("read 1 file, 1 sentence, 2 tokens")
    assert as_columns.stderr.count("\n") == 1
    assert [len(line.split()) for line in as_columns.stdout.splitlines()] == [3, 3]


def test_another_column_may_hold_the_words(run_dir, main):
    tagger = nertool.load(run_dir)
    text = "1 Ada\n2 left\n3 London\n\n"
    done = main("predict", run_dir, "-", "--token-column", "1", "--format", "conll", stdin=text)
    expected = written_tags(tagger, ["Ada", "left", "London"], "iob2")
    assert [line.split()[-1] for line in done.stdout.splitlines() if line] == expected


def test_what_inline_output_leaves_out_is_counted(run_dir, main):
    text = "-DOCSTART- O\n\nAda O\nmet O\n\n-DOCSTART- O\n\nParis O\n"
    done = main("predict", run_dir, "-", "--to", "inline", stdin=text)
    assert done.returncode == 0
    assert (
        "altered: 2 × document marks and comments, left out of inline (first at <stdin>:1)"
        in done.stderr
    )
    assert len(done.stdout.splitlines()) == 2


# Where it goes to


def test_several_files_follow_one_another_each_on_lines_of_its_own(tiny, run_dir, main, tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    first.write_text("Ada X\nmet X")  # no line end
    second.write_text("Paris X\n")
    empty = tmp_path / "empty"
    empty.touch()
    alone = [main("predict", run_dir, path, "--format", "conll").stdout for path in (first, second)]
    both = main("predict", run_dir, first, empty, second, "--format", "conll")
    assert both.stdout == f"{alone[0]}\n{alone[1]}"
    mixed = main("predict", run_dir, second, "-", "--format", "conll", stdin=first.read_bytes())
    assert mixed.stdout == alone[1] + alone[0]


def test_output_to_a_file_is_what_stdout_would_get(tiny, run_dir, main, tmp_path):
    expected = main("predict", run_dir, tiny / "dev.conll").stdout
    out = tmp_path / "out.conll"
    done = main("predict", run_dir, tiny / "dev.conll", "-o", out)
    assert (done.returncode, done.stdout) == (0, "")
    assert out.read_text() == expected
    assert os.listdir(tmp_path) == ["out.conll"]
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(out.stat().st_mode) == 0o666 & ~mask
    assert main("predict", run_dir, tiny / "dev.conll", "-o", "-").stdout == expected


def test_an_output_that_is_an_input_is_refused_by_whatever_name(tiny, run_dir, main, tmp_path):
    before = (tiny / "dev.conll").read_bytes()
    path, link, hard = tmp_path / "text.conll", tmp_path / "link", tmp_path / "hard"
    path.write_bytes(before)
    link.symlink_to(path.name)
    hard.hardlink_to(path)
    (tmp_path / "folder").mkdir()
    for name in (path, link, hard, tmp_path / "folder" / ".." / "text.conll"):
        done = main("predict", run_dir, path, "-o", name)
        assert (done.returncode, "found an input" in done.stderr) == (1, True)
    assert path.read_bytes() == before


def test_an_output_through_a_link_replaces_what_the_link_points_to(tiny, run_dir, main, tmp_path):
    expected = main("predict", run_dir, tiny / "dev.conll").stdout
    path, link = tmp_path / "old.conll", tmp_path / "link"
    path.write_text("old")
    link.symlink_to(path.name)
    assert main("predict", run_dir, tiny / "dev.conll", "-o", link).returncode == 0
    assert link.is_symlink()
    assert path.read_text() == expected


def test_a_pipe_or_device_is_written_to_and_never_replaced(tiny, run_dir, main, tmp_path):
    expected = main("predict", run_dir, tiny / "dev.conll").stdout
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_text()), daemon=True)
    reader.start()
    assert main("predict", run_dir, tiny / "dev.conll", "-o", pipe).returncode == 0
    reader.join(timeout=10)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert received == [expected]


def test_a_reader_that_has_had_enough_is_no_fault(tiny, run_dir, tmp_path):
    # More than a pipe holds, so that writing goes on after the reader has gone.
    path = tmp_path / "long.conll"
    path.write_bytes((tiny / "train.conll").read_bytes() * 400)
    command = [sys.executable, "-m", "nertool", "predict", run_dir, path]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with process:
        assert process.stdout.readline().startswith(b"Ada B-PER ")
        process.stdout.close()
        notes = process.stderr.read().decode()
    assert process.returncode in (0, 1)
    assert notes.count("\n") == 1
    assert "Traceback" not in notes
    assert "BrokenPipe" not in notes
