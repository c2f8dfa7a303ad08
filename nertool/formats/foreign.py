"""Recognise inputs that nertool does not read: files of other programs, and known markup.

They are recognised so that a message can say what to do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_FILES: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF-", "a PDF file", "save its text, for example with: pdftotext FILE.pdf"),
    (b"{\\rtf", "a rich-text file (RTF)", "save it as plain text in UTF-8"),
    (b"\xd0\xcf\x11\xe0", "a file of an old Office program (doc, xls)", "save it as text in UTF-8"),
    (b"SQLite format 3\0", "an SQLite database", "export its rows as JSON lines or CSV"),
    (b"\x89PNG", "a picture (PNG)", "use text"),
    (b"\xff\xd8\xff", "a picture (JPEG)", "use text"),
    (b"GIF8", "a picture (GIF)", "use text"),
    (b"ARROW1", "an Arrow file", "save it as Parquet"),
    (b"\x89HDF", "an HDF5 file", "save the texts as JSON lines"),
    (b"\x93NUMPY", "a numpy array", "save the texts as JSON lines"),
    (b"UIMA", "a binary UIMA CAS", "export it as WebAnno TSV 3"),
    (b"\x7fELF", "a program", "use text"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it, and name the files within"),
    (b"Rar!\x1a", "a RAR archive", "unpack it, and name the files within"),
    (b"PK\x05\x06", "an empty zip archive", "use text"),
    (b"RIFF", "a recording or a picture (WAV, AVI, WebP)", "use text"),
    (b"ID3", "a recording (MP3)", "use text"),
    (b"OggS", "a recording (Ogg)", "use text"),
    (b"\x00\x05\x16\x07", "what macOS keeps beside a file (its name begins with ._)", "name the file itself"),
    (b"version https://git-lfs.github.com/spec/", "a pointer of Git LFS in place of the file",
     "fetch it: git lfs pull"),
    *((b"\x80" + bytes([n]), "a Python pickle, which may run code and is never loaded",
       "save the texts as JSON lines") for n in (2, 3, 4, 5)),
)  # fmt: skip
_ZIPPED: tuple[tuple[bytes, str, str], ...] = (
    (b"word/", "a Word document (docx)", "save it as plain text in UTF-8"),
    (b"xl/", "an Excel table (xlsx)", "save it as CSV in UTF-8"),
    (b"ppt/", "slides (pptx)", "save them as plain text in UTF-8"),
    (b"opendocument.text", "an OpenDocument text (odt)", "save it as plain text in UTF-8"),
    (b"opendocument.spreadsheet", "an OpenDocument table (ods)", "save it as CSV in UTF-8"),
    (b"epub+zip", "an e-book (EPUB)", "save it as plain text, for example with: pandoc -t plain"),
    (b"[Content_Types].xml", "a file of an Office program", "save it as plain text in UTF-8"),
)

_INLINE = "turn its names into inline XML, such as <PER>Ada</PER>"
_PLAIN = "save its text, for example with: pandoc -t plain"
# Documents by the name of their root element, in lower case.
_ROOTS: dict[str, tuple[str, str]] = {
    "gatedocument": ("GATE XML", "save it from GATE as inline XML"),
    "tei": ("TEI XML", _INLINE),
    "tei.2": ("TEI XML", _INLINE),
    "teicorpus": ("TEI XML", _INLINE),
    "xmi:xmi": ("a UIMA CAS in XMI", "export it as WebAnno TSV 3"),
    "cas": ("a UIMA CAS in XML", "export it as WebAnno TSV 3"),
    "folia": ("FoLiA XML", _INLINE),
    "naf": ("NAF, with annotations beside the text", "convert it to JSON lines"),
    "kaf": ("KAF, with annotations beside the text", "convert it to JSON lines"),
    "alto": ("ALTO, the output of text recognition", "save its text"),
    "pcgts": ("PAGE XML, the output of text recognition", "save its text"),
    "deidi2b2": ("i2b2's XML, with annotations beside the text", "convert it to JSON lines"),
    "html": ("HTML", _PLAIN),
    "svg": ("a picture (SVG)", "use text"),
    "rss": ("a news feed (RSS)", "save its texts, one per line"),
    "w:document": ("a Word document in XML", "save it as plain text in UTF-8"),
    "pkg:package": ("a Word document in XML", "save it as plain text in UTF-8"),
}
_HTML = {"body", "head", "div", "span", "p", "a", "b", "i", "em", "strong", "table", "ul", "ol", "h1", "h2",
         "h3", "section", "article", "script"}  # fmt: skip
# Possessive quantifiers: without them, backtracking would be slow where no element follows.
_PROLOGUE = r"(?>\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(?:\[[^\]]*\]\s*)?>)*+"
_ROOT = re.compile(rf"{_PROLOGUE}<([A-Za-z_][\w.:-]*)([^<>]*)>", re.DOTALL)
_STANDOFF = re.compile(
    r"""<[\w.:-]+\s[^<>]{0,1000}\b(?:start|begin|StartNode|offset|from)=["']\d+["'][^<>]{0,1000}"""
    r"""\b(?:end|EndNode|length|to)=["']\d+["']""",
    re.IGNORECASE,
)

_MARKUP: tuple[tuple[str, str], ...] = (
    (r"<START:[^>\s]+>", "OpenNLP's <START:person> … <END>"),
    (r"(?m)^\d+\|t\|", "PubTator"),
    (r"(?m)^T\d+\t\S+ \d+ \d+", "brat's .ann without its .txt"),
    (r"<(?:ENAMEX|TIMEX|NUMEX)\b", "MUC's <ENAMEX TYPE=…>"),
    (r"(?m)^#FORMAT=WebAnno", "WebAnno TSV"),
    (r"\S\|[A-Z]{1,5}\$?\|(?:O|[BI]-\w+)(?:\s|$)", "word|POS|tag lines"),
    (r"\S[|_/](?:O|[BIES]-\w+)(?:\s|$)", "word|tag or word/TAG lines"),
    (r"""(?m)^c="[^"\n]*" \d+:\d+ \d+:\d+\|\|t=""", "i2b2's rows of concepts"),
    (r"(?m)^ {0,8}- .*\[[^\[\]\n]+\]\(\w+\)", "Rasa's training data"),
    (r"<[a-zA-Z]+(?: [^<>]*)?>[^<>]+</[a-zA-Z]+>", "inline XML tags"),
    (r"\[[^\[\]\n]+\]\([^()\s]+\)", "[words](LABEL) beside brackets that belong to none"),
    (r"\{\{[^{}]+\}\}|\[\[[^\[\]]+\]\]", "words in double brackets"),
    (r"\[[A-Z]{2,} [^\[\]]+\]", "[PER words] in brackets"),
)

_KEYS = 'rename its keys to text and entities: [{"start", "end", "label"}]'
# JSON of other programs, recognised by a key.
_JSON: dict[str, tuple[str, str]] = {
    "rasa_nlu_data": ("Rasa's training data", "take its common_examples, one per line"),
    "%FEATURE_STRUCTURES": ("a UIMA CAS in JSON", "export it as WebAnno TSV 3"),
    "_referenced_fss": ("a UIMA CAS in JSON", "export it as WebAnno TSV 3"),
    "annotatable": ("tagtog's annotations without their texts", "export it in another format"),
    "projectFileVersion": ("an Azure project", "write its texts and entities as JSON lines"),
    "textSegmentAnnotations": ("Google Vertex AI's JSON lines", _KEYS),
    "text_snippet": ("Google AutoML's JSON lines", _KEYS),
    "source-ref": ("SageMaker Ground Truth's manifest", _KEYS),
    "query": ("questions of machine reading", _KEYS),
    "BeginOffset": ("what Amazon Comprehend found", _KEYS),
    "Entities": ("what Amazon Comprehend found, without its texts", _KEYS),
    "luis_schema_version": (
        "a LUIS app",
        "write its utterances as JSON lines: text and entities; endPos is the last character",
    ),
    "isTemplate": (
        "Dialogflow's phrases",
        "put the texts of each phrase together, and write its entities as JSON lines",
    ),
    "labelSets": ("Datasaur's JSON", "export it as CoNLL or as WebAnno TSV 3"),
    "paragraphs": ("spaCy 2's JSON", "convert it with: python -m spacy convert"),
    "cells": ("a Jupyter notebook", "use text"),
}


class Foreign(NamedTuple):
    """A document of another program. what: what it is. remedy: what the user can do."""

    what: str
    remedy: str


def foreign_file(head: bytes) -> str | None:
    """Describe a file that is not text, from its first bytes, and say what to do. None for text."""
    if head.startswith(b"PK\x03\x04"):
        for sign, what, remedy in _ZIPPED:
            if sign in head:
                return f"found {what}, expected text; {remedy}"
        return "found a zip archive, expected text; unpack it, and name the files within"
    if head[257:262] == b"ustar":
        return "found a tar archive, expected text; unpack it, and name the files within"
    for sign, what, remedy in _FILES:
        if head.startswith(sign):
            return f"found {what}, expected text; {remedy}"
    if not head.startswith((b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")) and _wide(head):
        return (
            "found text in UTF-16 or UTF-32 without a byte-order mark, expected UTF-8; name its encoding, "
            "such as --encoding utf-16-le (corpus.encoding), or convert it with iconv"
        )
    return None


def binary_data(head: bytes) -> str | None:
    """Describe binary data: more than 2 % of the first bytes are zero. None for text."""
    zeros = head.count(0)
    if zeros > 2 and 50 * zeros > len(head):
        at = head.index(0)
        return f"found binary data (a zero byte at byte {at}), expected text; name a file of text"
    return None


def _wide(head: bytes) -> bool:
    """Tell whether the bytes look like UTF-16 or UTF-32: most bytes at either even or odd positions are
    zero, and those at the other positions are not."""
    even, odd = head[:400:2], head[1:400:2]
    if len(odd) < 4:
        return False
    shares = sorted((even.count(0) / len(even), odd.count(0) / len(odd)))
    return shares[1] > 0.7 and shares[0] < 0.6


def foreign_document(text: str) -> Foreign | None:
    """Recognise HTML, and XML of another program's schema, by the beginning of a text. None for other text.

    Inline XML, whose elements are the entities, is not among them.
    """
    root = _ROOT.match(text) if "<" in text[:4096] else None
    if root is None:
        return None
    name = root[1].lower()
    if name in _ROOTS:
        return Foreign(*_ROOTS[name])
    if "<!doctype html" in text[: root.start(1)].lower():
        return Foreign(*_ROOTS["html"])
    if name in _HTML and f"</{name}" in text.lower():
        return Foreign("HTML", _PLAIN)
    if re.search(r"\bxmlns(?::\w+)?\s*=", root[2]):
        what = f"XML of a scheme of its own (<{root[1]}>)"
        return Foreign(what, "convert it to text, or to one of nertool's formats")
    if _STANDOFF.search(text):
        what = f"XML with annotations beside the text (<{root[1]}>)"
        return Foreign(what, "convert it to JSON lines")
    return None


def unread_document(text: str) -> Foreign | None:
    """Recognise a document that no reader has accepted: as foreign_document, and any other XML."""
    if found := foreign_document(text):
        return found
    if text.lstrip().startswith("<?xml"):
        return Foreign("XML", "convert it to text, or to one of nertool's formats")
    return None


def foreign_json(value: object) -> str:
    """Return the end of a message: which program's JSON this is, and what to do. "" if it is unknown."""
    if isinstance(value, dict):
        inner = value.get("data")
        keys = {*value, *(inner if isinstance(inner, dict) else ())}
        for key, (what, remedy) in _JSON.items():
            if key in keys:
                return f"; this looks like {what}: {remedy}"
        if any(map(_in_pieces, value.values())):
            remedy = "put the texts of each phrase together, and write its entities as JSON lines"
            return f"; this looks like Snips' JSON: {remedy}"
    return ""


class _Mark(NamedTuple):
    """A sign of another program's labels.

    pattern: a regular expression. what, remedy: as in Foreign. share: the least share of rows that match.
    """

    pattern: str
    what: str
    remedy: str
    share: float = 0.0


_LOOKED_AT = 100  # rows that are searched for marks
_LONGEST = 2_000  # characters of a row that are searched: some patterns look ahead from each
_TAGGED = r"\S[|_/](?:O|[BIES]-\w+)(?=\s|$)"
# Signs of labels that no reader has accepted. A text that only mentions such labels has fewer of them.
_UNREAD: tuple[_Mark, ...] = (
    _Mark(r"^\s*<START:[^>\s]+>", "OpenNLP's marks that are not words of their own",
          "put blanks around <START:class> and <END>"),
    _Mark(r"^T\d+\t\S+ \d+ \d+(?:;\d+ \d+)*\t", "brat's .ann without its .txt",
          "name the pair or its folder", 0.3),
    _Mark(r"(?i)</?(?:[be]_)?(?:ENAMEX|TIMEX|NUMEX)\b", "MUC's marks in a form that is not read",
          'write them as <ENAMEX TYPE="PERSON">Ada</ENAMEX>'),
    _Mark(r"^#FORMAT=WebAnno", "WebAnno TSV of a version that is not read", "export it as WebAnno TSV 3"),
    _Mark(r"""^c="[^"\n]*" \d+:\d+ \d+:\d+\|\|t=""", "i2b2's rows of concepts, without their text",
          "write texts and concepts as JSON lines", 0.3),
    _Mark(rf"^\s*\S*{_TAGGED}\s*$", "a word a line with its tag behind a sign",
          "divide the two by a tab, or take --format word-tag if each line is a sentence", 0.9),
    _Mark(r"^A -?\d+ -?\d+\|\|\|", "M2 rows of annotations",
          "write texts and entities as JSON lines", 0.2),
    _Mark(r"^\d+,\d+ \w+(?:\|\d+,\d+ \w+)*\s*$", "rows of places of entities under their sentences",
          "write texts and entities as JSON lines", 0.2),
    # Anchored at the row's beginning: otherwise a long row would be searched to its end from each character.
    _Mark(rf"^(?=.*\S[|_/][BIES]-\w+(?:\s|$)).*?(?:{_TAGGED}.*){{2}}",
          "words with their tags, but not all of them",
          "give each word a tag, or take --format word-tag, which names the words without", 0.2),
    _Mark(r"\[[A-Z]{2}[A-Z_]* [^\W\d][^\[\]]*\]", "[PER words] in brackets",
          "write them as [words](PER)", 0.5),
    _Mark(r"^ {0,8}- .*\[[^\[\]\n]+\]\([\w:]+\)",
          "lists of sentences with [words](label), as of Snips",
          "take only the sentences, one per line, with their [words](label)", 0.25),
)  # fmt: skip
_MAY_BE_MARKED = re.compile(r"[<\[|/_\t#]|^\d")  # each mark has one of these characters


def _in_pieces(value: object) -> bool:
    """Tell whether a value is a list of phrases that are cut into pieces: [{"data": [{"text": …}, …]}]."""
    first = value[0] if isinstance(value, list) and value else None
    data = first.get("data") if isinstance(first, dict) else None
    return isinstance(data, list) and all(
        isinstance(piece, dict) and "text" in piece for piece in data
    )


def unread_markup(text: str, rows: Sequence[str]) -> Foreign | None:
    """Recognise labels of another program in text that was detected as plain. None for plain text."""
    if not any(sign in text for sign in "<[|/_\t"):
        return None
    rows = [row[:_LONGEST] for row in rows[:_LOOKED_AT]]
    marked = [row for row in rows if _MAY_BE_MARKED.search(row)]
    for mark in _UNREAD:
        pattern = re.compile(mark.pattern)
        found = sum(bool(pattern.search(row)) for row in marked)
        if found and found >= mark.share * len(rows):
            return Foreign(mark.what, mark.remedy)
    return None


def known_markup(text: str) -> str | None:
    """Name the first known markup of entities that occurs in a text. None if there is none."""
    for pattern, name in _MARKUP:
        if re.search(pattern, text):
            return name
    return None
