# ruff: noqa: E501  # files as they are
"""Bytes that are no text, other encodings, texts without labels."""

from __future__ import annotations

import gzip

from tests.campaigns.odd.case import ALL, COLUMNS, Odd, columns

PLAIN = "Ada met me in London. They talked about engines.\nIt rained.\n"

FILES = (
    Odd("utf16.conll", ("\ufeff" + COLUMNS).encode("utf-16-le"), ALL),
    Odd("utf16-without-mark.conll", COLUMNS.encode("utf-16-le"), "UTF-16", "UTF-16"),
    Odd("utf32.conll", ("\ufeff" + COLUMNS).encode("utf-32-le"), ALL),
    Odd("latin1.conll", columns("Ada", "Adé").encode("latin-1"), "0xe9", "0xe9"),
    Odd("latin1-named.conll", columns("Ada", "Adé").encode("latin-1"), ALL, options=("--encoding", "cp1252")),
    Odd("wrong-encoding.conll", COLUMNS, "--encoding", "--encoding", options=("--encoding", "utf-99")),
    Odd("not-so-encoded.conll", columns("Ada", "Adé").encode("latin-1"), "ascii", "ascii",
        options=("--encoding", "ascii")),
    Odd("packed.conll.gz", gzip.compress(COLUMNS.encode()), ALL),
    Odd("cut.conll.gz", gzip.compress(COLUMNS.encode())[:30], "cut.conll.gz", "cut.conll.gz"),
    Odd("not-packed.conll.gz", COLUMNS, ALL),
    Odd("empty.conll", "", "no token", tagged=-2),
    Odd("empty.jsonl", "", "no token", tagged=-2),
    Odd("blank.conll", "\n\n \n", "no token", tagged=-2),
    Odd("text.txt", PLAIN, "no labels here", tagged=-1),
    Odd("archive.zip", b"PK\x03\x04" + bytes(40), "a zip archive", "a zip archive"),
    Odd("data.pkl", b"\x80\x04\x95\x10", "pickle", "pickle"),
    Odd("letter.pdf", b"%PDF-1.7\n", "PDF", "PDF"),
    Odd("letter.rtf", b"{\\rtf1\\ansi Ada}", "RTF", "RTF"),
    Odd("sound.wav", b"RIFF\x24\x08\x00\x00WAVEfmt ", "WAV", "WAV"),
    Odd("apple.conll", b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        ", "macOS", "macOS"),
    Odd("pointer.conll", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "Git LFS",
        "Git LFS"),
    Odd("nul.txt", b"Ada met me.\0\0\0\n" * 3, "zero byte", "zero byte"),
    Odd("devices.txt", "The I/O bus is for I/O alone.\n", "no labels here", tagged=-1),
    Odd("chat.txt", "[WED 10:22] hello there\n[WED 10:23] hi, Ada\n", "no labels here", tagged=-1),
    Odd("names.txt", "Ada Lovelace\nCharles Babbage\nJohn von Neumann\n", "no labels here", tagged=-1),
    Odd("sentences.txt", "Yes, we can\nNo, they will not come\nMaybe, she said\n", "no labels here", tagged=-1),
    Odd("latex.txt", "\\documentclass{article}\n\\begin{document}\nAda met me.\n\\end{document}\n", "no labels here",
        tagged=-1),
    Odd("markdown.txt", "# Title\n\nSee [the page](https://example.org/x) and [Ada](notes.md).\n\nIt rained.\n",
        "no labels here", tagged=-1),
    Odd("shape.xml", "<?xml version='1.0'?>\n<note/>", "XML", "XML"),
)  # fmt: skip
