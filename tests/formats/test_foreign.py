"""Files that are no text are recognised by their first bytes, and the message says what to do."""

from __future__ import annotations

import io
import time
import zipfile

import pytest

from tests.support.corpora import found, lines, read, refusal, surfaces


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
        (zipped("ppt/presentation.xml"), "slides", "plain text"),
        (b"PK\x05\x06" + bytes(18), "an empty zip", "text"),
        (b"a.txt".ljust(257, b"\0") + b"ustar\x0000", "a tar archive", "unpack"),
        (b"\x80\x04\x95\x10", "a Python pickle", "JSON lines"),
        (b"\x93NUMPY\x01\0v\0{", "a numpy array", "JSON lines"),
        (b"\x7fELF\x02\x01\x01" + bytes(60), "a program", "text"),
        (b"UIMA\0\0\0\x04", "a binary UIMA CAS", "WebAnno TSV 3"),
        (b"abc" + bytes(20), "binary data", "text"),
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


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize(
    ("text", "says", "remedy"),
    [
        (
            "<!-- x --><GateDocument><TextWithNodes>Ada</TextWithNodes></GateDocument>",
            "GATE XML",
            "inline",
        ),
        (
            '<TEI xmlns="http://x"><text><p><persName>Ada</persName></p></text></TEI>',
            "TEI XML",
            "inline XML",
        ),
        (
            '<xmi:XMI xmlns:xmi="http://x"><cas:Sofa sofaString="Ada"/></xmi:XMI>',
            "XMI",
            "WebAnno TSV 3",
        ),
        ("<FoLiA><s><w><t>Ada</t></w></s></FoLiA>", "FoLiA", "inline XML"),
        ("<!DOCTYPE html>\n<p>Ada met <b>me</b>.</p>", "HTML", "pandoc"),
        ("<p>Ada met <b>me</b>.</p>\n<p>It rained.</p>", "HTML", "pandoc"),
        ('<x xmlns="http://x"><y>Ada met</y></x>', "a scheme of its own (<x>)", "convert"),
        (
            '<n2c2><NAME id="1" start="1" end="4" TYPE="P">Ada</NAME></n2c2>',
            "beside the text",
            "JSON lines",
        ),
        ("<deIdi2b2><TEXT>Ada</TEXT></deIdi2b2>", "i2b2", "JSON lines"),
        ('<?xml version="1.0"?>\n<note/>', "XML", "convert"),
        ('c="ada lovelace" 1:0 1:1||t="person"\n', "i2b2", "JSON lines"),
        ("T1\tPER 0 3\tAda\n", "brat's .ann", "name the pair"),
        ("[PER Ada] met [LOC Paris] .\n", "in brackets", "[words](PER)"),
        ("<b_enamex type='PER'>Ada<e_enamex> met me.\n", "MUC", "ENAMEX TYPE"),
        (
            "Ada/B-PER met/O me\nIt rained/O all/O day\n",
            "words with their tags",
            "--format word-tag",
        ),
        ("name: a\nutterances:\n- light the [room:room](kitchen)\n", "Snips", "one per line"),
        (lines({"rasa_nlu_data": {}}), "Rasa", "common_examples"),
        (lines({"%FEATURE_STRUCTURES": []}), "UIMA CAS in JSON", "WebAnno TSV 3"),
        (lines({"textContent": "Ada", "textSegmentAnnotations": []}), "Vertex", "rename its keys"),
        ('[{"id": 0, "paragraphs": []}]', "spaCy 2's JSON", "spacy convert"),
    ],
)
def test_markup_of_other_programs_is_refused_with_or_without_labels(text, says, remedy, labelled):
    message = refusal(text, labelled=labelled)
    assert says in message
    assert remedy in message


def test_text_that_begins_with_a_bracket_or_a_tag_of_its_own_is_read_as_text():
    for text in (
        "<3 for Ada.\nIt rained.\n",
        "<Ada> hello there, you.\n<Bob> hi, Ada.\n",
        "<p> stays.\n",
    ):
        assert read(text, labelled=False).tokens > 2


BIOC = """<?xml version="1.0"?>
<!DOCTYPE collection SYSTEM "BioC.dtd">
<collection><source>x</source><document><id>7</id>
<passage><infon key="type">title</infon><offset>0</offset><text>Ada &amp; Bob met.</text>
<annotation id="1"><infon key="type">PER</infon><location offset="0" length="3"/><text>Ada</text></annotation>
</passage><passage><offset>16</offset><text></text></passage>
<passage><offset>16</offset><sentence><offset>16</offset><text>It rained in Paris.</text>
<annotation id="2"><infon key="type">LOC</infon>{places}<text>Paris</text></annotation></sentence></passage>
</document></collection>"""
PARIS = '<location offset="29" length="5"/>'


def test_bioc_in_xml_is_read_as_documents_of_passages():
    corpus = read(BIOC.format(places=PARIS))
    assert (corpus.documents, surfaces(corpus)) == (1, [("Ada", "PER"), ("Paris", "LOC")])
    assert corpus.records is not None
    assert [fields["id"] for fields in corpus.records.fields] == ["7", "7"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (BIOC.format(places=PARIS * 2), "x:#1: found an entity in 2 parts"),
        (BIOC.format(places=""), 'x:#1: found an annotation without "locations"'),
        (BIOC.format(places=PARIS.replace("29", "28")), 'found the entity "Paris" at 12–17'),
        (BIOC.format(places=PARIS)[:-20], "not well-formed XML"),
    ],
)
def test_faulty_bioc_in_xml_is_refused_with_its_place(text, says):
    assert says in refusal(text)


def test_a_row_as_long_as_the_head_of_a_file_is_recognised_at_once():
    began = time.process_time()
    for sign in "_", "[", "/O ":
        assert read("Ada met me" + f" a{sign}b in London" * 4000 + "\n", format_name="auto").tokens
    # Where each character's rest of the row was searched, this took a minute.
    assert time.process_time() - began < 10
