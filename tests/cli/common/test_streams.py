"""Standard streams, full devices, signals, terminal escapes and limits: one line and an exit code, always."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nertool.errors import LimitError, NertoolError, printable
from nertool.files.limits import Limited, Limits, limits

FULL = Path("/dev/full")
NERTOOL = [sys.executable, "-m", "nertool"]
needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


@pytest.fixture
def corpus(tmp_path) -> Path:
    path = tmp_path / "a.conll"
    path.write_text("Ada B-PER\nmet O\n\nParis B-LOC\n")
    return path


def failures(stderr: str) -> list[str]:
    """Return the lines that say why a command failed; no traceback is among the others."""
    assert "Traceback" not in stderr
    assert "Exception ignored" not in stderr
    return [line for line in stderr.splitlines() if line.startswith("nertool: ")]


def test_closed_stdout_is_a_failure_of_one_line(corpus):
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *NERTOOL, "corpus", "stats", corpus],
        stderr=subprocess.PIPE, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    (line,) = failures(done.stderr)
    assert line.startswith("nertool: standard output: closed")


@needs_full
def test_a_full_device_at_stdout_is_a_failure_that_names_stdout(corpus):
    with open(FULL, "wb") as full:
        done = subprocess.run(
            [*NERTOOL, "corpus", "stats", corpus],
            stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    (line,) = failures(done.stderr)
    assert line.startswith("nertool: standard output: No space left on device")


@needs_full
def test_a_full_device_as_the_output_is_a_failure_that_names_it(corpus, main):
    done = main("corpus", "convert", corpus, "-o", FULL)
    assert done.returncode == 1
    (line,) = failures(done.stderr)
    assert line.startswith("nertool: /dev/full: No space left on device")
    assert FULL.is_char_device()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_ends_with_its_code_and_leaves_no_unfinished_file(tmp_path, name):
    number = getattr(signal, name)
    output = tmp_path / "out.jsonl"
    process = subprocess.Popen(
        [*NERTOOL, "corpus", "convert", "-", "--from", "conll", "--to", "jsonl", "-o", output],
        stdin=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdin is not None
        process.stdin.write(b"Ada B-PER\nmet O\n\n")  # and the input does not end here
        process.stdin.flush()
        end = time.monotonic() + 30
        while not list(tmp_path.iterdir()) and time.monotonic() < end:
            time.sleep(0.01)
        assert list(tmp_path.iterdir()), "no output was begun"
        time.sleep(0.1)  # until it waits for more input
        process.send_signal(number)
        assert process.wait(timeout=30) == 128 + number
        assert process.stderr is not None
        told = process.stderr.read().decode().splitlines()
    finally:
        process.kill()
        process.communicate()
    assert told[-1].startswith(f"ended by {name}; ")
    assert not any("Traceback" in line for line in told)
    assert list(tmp_path.iterdir()) == []


def test_a_terminal_escape_in_a_message_is_shown_and_not_obeyed(main, tmp_path):
    clear = "\x1b[2J\x1b]0;title\x07"
    path = tmp_path / f"no{clear}"
    for command in (["corpus", "stats"], ["info"], ["vectors", "info"]):
        done = main(*command, path)
        assert done.returncode == 1
        (line,) = failures(done.stderr)
        assert r"\x1b[2J\x1b]0;title\x07" in line
        assert line.isprintable()


def test_what_reorders_or_splits_a_line_is_escaped():
    assert printable("a\nb\rc\td") == r"a\nb\rc\td"
    assert printable("a\u202eb\u2028c\x9bd") == r"a\u202eb\u2028c\x9bd"
    assert printable(os.fsdecode(b"a\xff")) == r"a\xff"
    assert printable("Zoë 東京") == "Zoë 東京"


def test_a_line_beyond_the_limit_is_refused_and_the_message_says_how_to_raise_it(
    main, corpus, monkeypatch
):
    monkeypatch.setenv("NERTOOL_MAX_LINE", "8")
    refused = main("corpus", "stats", corpus)  # the longest line has 11 bytes
    assert refused.returncode == 1
    (line,) = failures(refused.stderr)
    assert line.startswith(f"nertool: {corpus}: found a line of more than 8 bytes")
    assert "NERTOOL_MAX_LINE=BYTES" in line
    monkeypatch.setenv("NERTOOL_MAX_LINE", "11")
    assert main("corpus", "stats", corpus).returncode == 0


@pytest.mark.parametrize("text", ["x", "0", "-1", "1.5"])
def test_a_limit_that_is_no_number_of_bytes_is_refused(monkeypatch, text):
    monkeypatch.setenv("NERTOOL_MAX_LINE", text)
    with pytest.raises(
        NertoolError, match=f"NERTOOL_MAX_LINE: found {text}, expected a whole number"
    ):
        limits()


@pytest.mark.parametrize("size", [1, 3, 100])
def test_the_limit_is_of_one_line_whatever_pieces_it_is_read_in(tmp_path, size):
    def read(content: bytes) -> bytes:
        (tmp_path / "f").write_bytes(content)
        with open(tmp_path / "f", "rb") as file:
            limited = Limited(file, "f", Limits(line=4))
            return b"".join(iter(lambda: limited.read(size), b""))

    assert read(b"abcd\nabcd\nabcd") == b"abcd\nabcd\nabcd"
    for long in (b"abcde", b"ab\nabcde\n", b"abcde\nab", b"a\nabcde"):
        with pytest.raises(LimitError, match="more than 4 bytes"):
            read(long)


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="this system has no pseudo-terminals")
def test_a_table_on_a_terminal_shows_the_controls_of_labels(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(r'{"text": "Ada met", "entities": [[0, 3, "P\u001b[2J\u202eR"]]}' + "\n")
    ours, theirs = os.openpty()
    done = subprocess.run(
        [*NERTOOL, "corpus", "stats", path],
        stdout=theirs, stderr=subprocess.PIPE, timeout=60, check=False,
    )  # fmt: skip
    os.close(theirs)
    shown = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert done.returncode == 0
    assert r"P\x1b[2J\u202eR" in shown
    assert "\x1b[2J" not in shown
    assert "\u202e" not in shown


def test_a_report_of_cases_holds_no_controls(main, tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(r'{"text": "Ada met", "entities": [[0, 2, "P\u001b[2J"]]}' + "\n")
    report = tmp_path / "cases.tsv"
    main("corpus", "convert", path, "--to", "conll", "--misaligned", "drop", "--report", report)
    assert report.read_text()
    assert "\x1b" not in report.read_text()
