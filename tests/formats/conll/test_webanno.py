"""WebAnno TSV: what is written is what INCEpTION's reader takes; places of its exports are kept."""

from __future__ import annotations

from itertools import cycle

import pytest

from nertool.corpus.annotated import labelled, views
from nertool.corpus.ledger import Ledger
from nertool.formats.base import Writing
from nertool.formats.conll.webanno_layers import DEFAULT
from nertool.formats.registry import text_writer
from tests.support.corpora import lines, read, surfaces
from tests.support.oracles.inception import document_of

LABELS = [
    "PER", "Job Title", "A|B", "A_B", "_", "[1]", "PER[2]", "a->b", "a;b", "*x", "\\", "a\\", "B-PER",
    "#x", "1-1", "\\n", "a\\[", "->", "é\U0001f600",
]  # fmt: skip
TEXTS = [
    "{} met me.",
    "I saw {} . It rained.\r\n\r\nThen {} left.\n",
    "  \U0001f600 {}\U0001f600\\n \\ \\t back\\slash [x] _ | *",
    "#Text={} \x0c \x0b \x1c \x85 \u2028 end",
    "\u00adsoft {}\u200b , {}",
]
NAMES = ["Ada", "New\r\nYork", "a\tb", "_", "#FORMAT=", "1-1", "\U0001f600\U0001f600", "back\\"]


def written(*values: dict) -> str:
    pieces = [labelled(read(lines(*values), misaligned="snap"))]
    return "".join(text_writer("webanno")(pieces, Writing(), Ledger()))


def value_of(text: str, name: str, label: str) -> dict:
    """A text with a name in each place that is left for it."""
    entities: list[list] = []
    out, *parts = text.split("{}")
    for part in parts:
        entities.append([len(out), len(out) + len(name), label])
        out += name + part
    return {"text": out, "entities": entities}


@pytest.mark.parametrize("text", TEXTS)
def test_odd_labels_and_words_arrive_in_inception_as_they_were(text):
    pairs = zip(cycle(NAMES), LABELS, strict=False)
    values = [value_of(text, name, label) for name, label in pairs]
    content = written(*values)
    corpus = read(lines(*values), misaligned="snap")
    document = document_of(content)
    words = [view.text[a:b] for view in views(labelled(corpus)) for a, b in view.places]
    assert document.tokens == words
    assert document.entities == surfaces(corpus)
    assert surfaces(read(content)) == surfaces(corpus)


def test_places_are_those_of_the_text_and_of_the_file_that_was_read():
    text = "\U0001f600 Ada left.It rained.\r\n\r\nBob came."
    content = written({"text": text, "entities": [[3, 6, "PER"]]})
    document = document_of(content)
    assert document.begins[1] == 3
    units = text.encode("utf-16-le")
    for begin, word in zip(document.begins, document.tokens, strict=True):
        assert units[2 * begin :].decode("utf-16-le").startswith(word)
    # A file whose sentences touch, stand apart, and begin after the start of the document.
    for gaps in ((0, 1, 1), (2, 0, 4), (0, 3, 0)):
        begin, parts = 0, []
        for i, gap in enumerate(gaps, 1):
            begin += gap
            parts.append(f"\n#Text=\U0001f600 a\n{i}-1\t{begin}-{begin + 2}\t\U0001f600\t_\t_\t\n"
                         f"{i}-2\t{begin + 3}-{begin + 4}\ta\t*[{i}]\tX[{i}]\t\n")  # fmt: skip
            begin += 4
        given = f"#FORMAT=WebAnno TSV 3.3\n#T_SP={DEFAULT}\n\n{''.join(parts)}"
        document_of(given)
        assert (
            "".join(text_writer("webanno")([labelled(read(given))], Writing(), Ledger())) == given
        )


def test_sentences_without_places_of_one_document_follow_each_other():
    head = "#FORMAT=WebAnno TSV 3.3\n#T_SP=x.NamedEntity|value\n\n"
    part = "\n#Text=Ada left\n1-1\t0-3\tAda\tPER[1]\t\n1-2\t4-8\tleft\t_\t\n"
    out = "".join(text_writer("webanno")([labelled(read(head + part + part))], Writing(), Ledger()))
    assert document_of(out).text == "Ada left\nAda left\n"
