"""Files that are no text are recognised by their first bytes, and the message says what to do."""

from __future__ import annotations

import io
import zipfile

import pytest

from tests.support.corpora import found, read, refusal


def zipped(name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, "x")
    return out.getvalue()


@pytest.mark.parametrize(
    ("raw", "says", "remedy"),
    [
        (zipped("word/document.xml"), "a Word document", "plain text"),
        (zipped("xl/workbook.xml"), "an Excel table", "CSV"),
        (zipped("a.txt"), "a zip archive", "unpack"),
        (b"%PDF-1.7\n...", "a PDF file", "pdftotext"),
        (b"{\\rtf1\\ansi Ada}", "RTF", "plain text"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Office", "UTF-8"),
        ("Ada met me.".encode("utf-16-le"), "UTF-16", "iconv"),
        ("Ada met me.".encode("utf-16-be"), "UTF-16", "iconv"),
    ],
)
def test_a_file_that_is_no_text_is_named_with_what_to_do(raw, says, remedy):
    message = refusal(raw)
    assert says in message
    assert remedy in message


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_with_a_byte_order_mark_is_simply_read(encoding):
    rows = "Zoë\tB-PER\nmet\tO\n" * 40_000  # more than the head
    raw = ("\ufeff" + rows).encode(encoding)
    assert found(read(raw)) == found(read(rows))


@pytest.mark.parametrize("line", ["x|y/O Ada/B-PER", "|/O", "a_b/O c/O"])
def test_the_sign_before_a_tag_is_found_where_a_word_holds_another(line):
    from io import BytesIO

    from nertool.corpus.ledger import Ledger
    from nertool.corpus.record import Reading
    from nertool.formats.markup.slashed import read

    (record,) = read(BytesIO(f"{line}\n".encode()), "x", Reading(), Ledger())
    assert record.text == line.replace("/O", "").replace("/B-PER", "")
