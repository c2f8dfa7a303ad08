"""Texts made to keep a pattern or a loop busy: each of these would take minutes if time grew as the square of
its length. tests/campaigns/repeated.py tries many more."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from io import BytesIO

import pytest

from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.corpus.tokens import pieces
from nertool.doctor.check_text import _is_link
from nertool.errors import CorpusError
from nertool.formats.conll.conllu import read_conllu
from nertool.formats.foreign import foreign_document, unread_markup
from nertool.formats.head import head_of
from nertool.formats.markup import inline, opennlp, xml

N = 50_000


def in_xml(text: str) -> list[tuple[str, int, int]]:
    """Read inline XML; return each record's text, its line, and how many entities it has."""
    found = xml.read(BytesIO(text.encode()), "text.xml", Reading(), Ledger())
    return [(record.text, record.line, len(record.spans or ())) for record in found]


@pytest.mark.parametrize("unit", ["a+", "漢", "a@", "1-", "\u0e01", "a.\u200d"])
def test_the_tokeniser_reads_each_character_a_few_times(unit: str) -> None:
    text = unit * (N // len(unit))
    assert "".join(pieces(text)) == text


HOSTILE: dict[str, Callable[[], object]] = {
    "comments that are not closed": lambda: in_xml("<!--" * N + "a <PER>Ada</PER>"),
    "a document of many paragraphs": lambda: in_xml("<PER>Ada</PER> slept.\n\n" * (N // 10)),
    "a comment of blanks": lambda: list(read_conllu(["#" + " " * N + "x"], "text.conllu")),
    "comments before no element": lambda: foreign_document("<!-- a -->" * 60 + "text"),
    "attributes without an end": lambda: foreign_document("<a " + 'start="1" ' * 6000 + ">b</a>"),
    "signs of tags in one row": lambda: unread_markup("a|" * N, ["a|" * N]),
    "openings without an end": lambda: opennlp.detect(head_of(b"<START:" * 9000, True)),
    "blank lines": lambda: inline.detect(head_of(b"\n \n" * 20_000, True)),
    "signs of addresses": lambda: _is_link("@" * N),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_ends(name: str) -> None:
    with suppress(CorpusError):
        HOSTILE[name]()


def test_paragraphs_of_xml_keep_their_lines_and_entities() -> None:
    text = "<!-- a\nb --><PER>Ada</PER> met\nBob.\n\n<?x?>Eve <LOC>in\n\nRome</LOC>.\n\n\nEnd"
    assert in_xml(text) == [
        ("Ada met\nBob.", 2, 1),
        ("Eve in\n\nRome.", 5, 1),
        ("End", 10, 0),
    ]


def test_an_address_is_no_long_word() -> None:
    found = [
        _is_link(word) for word in ("ada@b.org", "a@.b", "@b.org", "ada@org", "www.b", "a@b.c")
    ]
    assert found == [True, False, False, False, True, True]
