"""What is no text in a known format: files of other programs, and known markup that is not read.

Both are recognised so that a message can say what to do.
"""

from __future__ import annotations

import re

_FILES: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF-", "a PDF file", "save its text, for example with: pdftotext FILE.pdf"),
    (b"{\\rtf", "a rich-text file (RTF)", "save it as plain text in UTF-8"),
    (b"\xd0\xcf\x11\xe0", "a file of an old Office program (doc, xls)", "save it as text in UTF-8"),
    (b"SQLite format 3\0", "an SQLite database", "export its rows as JSON lines or CSV"),
    (b"\x89PNG", "a picture (PNG)", "use text"),
    (b"\xff\xd8\xff", "a picture (JPEG)", "use text"),
    (b"ARROW1", "an Arrow file", "save it as Parquet"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it, and name the files within"),
)
_ZIPPED: tuple[tuple[bytes, str, str], ...] = (
    (b"word/", "a Word document (docx)", "save it as plain text in UTF-8"),
    (b"xl/", "an Excel table (xlsx)", "save it as CSV in UTF-8"),
    (b"opendocument.text", "an OpenDocument text (odt)", "save it as plain text in UTF-8"),
    (b"opendocument.spreadsheet", "an OpenDocument table (ods)", "save it as CSV in UTF-8"),
)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")

_MARKUP: tuple[tuple[str, str], ...] = (
    (r"<GateDocument\b", "GATE XML: export it as inline XML, or convert it with GATE"),
    (r"<collection>|<!DOCTYPE collection\b", "BioC XML: convert it to BioC JSON"),
    (r"<TEI\b", "TEI XML"),
    (r"<html\b|<!DOCTYPE html", "HTML"),
    (r"\A\s*<\?xml\b", "XML"),
    (r"<START:[^>\s]+>", "OpenNLP's <START:person> … <END>"),
    (r"(?m)^\d+\|t\|", "PubTator"),
    (r"<(?:ENAMEX|TIMEX|NUMEX)\b", "MUC's <ENAMEX TYPE=…>"),
    (r"(?m)^#FORMAT=WebAnno", "WebAnno TSV"),
    (r"\S\|[A-Z]{1,5}\$?\|(?:O|[BI]-\w+)(?:\s|$)", "word|POS|tag lines"),
    (r"\S[|_/](?:O|[BIES]-\w+)(?:\s|$)", "word|tag or word/TAG lines"),
    (r"<[a-zA-Z]+(?: [^<>]*)?>[^<>]+</[a-zA-Z]+>", "inline XML tags"),
    (r"\{\{[^{}]+\}\}|\[\[[^\[\]]+\]\]", "words in double brackets"),
    (r"\[[A-Z]{2,} [^\[\]]+\]", "[PER words] in brackets"),
)


def foreign_file(head: bytes) -> str | None:
    """Say which kind of file begins with these bytes, and what to do with it; None for text."""
    if head.startswith(b"PK\x03\x04"):
        for sign, what, remedy in _ZIPPED:
            if sign in head:
                return f"found {what}, expected text; {remedy}"
        return "found a zip archive, expected text; unpack it, and name the files within"
    for sign, what, remedy in _FILES:
        if head.startswith(sign):
            return f"found {what}, expected text; {remedy}"
    if not head.startswith(_UTF16) and _wide(head):
        return (
            "found text in UTF-16 or UTF-32 without a byte-order mark, expected UTF-8; convert it, for "
            "example with: iconv -f utf-16le -t utf-8"
        )
    return None


def _wide(head: bytes) -> bool:
    """Tell whether every second byte is zero in most of the first characters."""
    even, odd = head[:400:2], head[1:400:2]
    return len(odd) >= 4 and max(even.count(0) / len(even), odd.count(0) / len(odd)) > 0.7


def is_utf16(head: bytes) -> bool:
    """Tell whether a byte-order mark says that a text is in UTF-16 (and not in UTF-32)."""
    return head.startswith(_UTF16) and head[:4] != b"\xff\xfe\0\0"


def known_markup(text: str) -> str | None:
    """Name the markup of entities that a text shows and that is not read as what it was taken for."""
    for pattern, name in _MARKUP:
        if re.search(pattern, text):
            return name
    return None
