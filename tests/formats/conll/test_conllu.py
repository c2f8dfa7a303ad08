"""CoNLL-U: texts that fit # text, ranges of words, and tags under any of their keys."""

from __future__ import annotations

import pytest

from nertool.catalogue import NER_KEYS
from nertool.corpus.annotated import labelled
from nertool.corpus.ledger import Ledger
from nertool.formats.base import Writing
from nertool.formats.conll.conllu import ner_key, with_ner, write
from tests.support.corpora import read, refusal, surfaces


def row(number: str, form: str, misc: str = "_") -> str:
    return "\t".join([number, form, f"lemma-{form}", "X", *"____", "_", misc]) + "\n"


FRENCH = (
    "# newdoc id = d1\n# sent_id = s1\n# text = Le chef du Monde ne peut pas.\n"
    + row("1", "Le") + row("2", "chef")
    + row("3-4", "du") + row("3", "de") + row("4", "le", "NER=B-ORG") + row("5", "Monde", "NER=I-ORG")
    + row("6", "ne") + row("6.1", "elided") + row("7", "peut") + row("8", "pas", "SpaceAfter=No")
    + row("9", ".") + "\n"
)  # fmt: skip


def test_a_range_is_the_word_of_the_text():
    corpus = read(FRENCH)
    assert corpus.records is not None
    assert corpus.records.texts == ["Le chef du Monde ne peut pas."]
    assert surfaces(corpus) == [("du Monde", "ORG")]
    assert [corpus.words[i] for i in corpus.word_ids] == [
        "Le",
        "chef",
        "du",
        "Monde",
        "ne",
        "peut",
        "pas",
        ".",
    ]


def test_a_range_whose_words_are_its_parts_is_these_words():
    text = (
        row("1", "He") + row("2-3", "cannot", "SpaceAfter=No") + row("2", "can") + row("3", "not")
    )
    corpus = read(text + row("4", "!") + "\n", "conllu")
    assert corpus.records is not None
    assert corpus.records.texts == ["He cannot!"]
    assert [corpus.words[i] for i in corpus.word_ids] == ["He", "can", "not", "!"]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (("B-X", "I-X"), ["B-X"]), (("I-X", "O"), ["I-X"]), (("O", "B-X"), ["B-X"]),
        (("B-X", "E-X"), ["S-X"]), (("I-X", "E-X"), ["E-X"]), (("O", "O"), ["O"]),
    ],
)  # fmt: skip
def test_the_words_of_a_range_have_one_tag_together(tags, expected):
    misc = ["_" if tag == "O" else f"NER={tag}" for tag in tags]
    corpus = read(
        row("1-2", "du") + row("1", "de", misc[0]) + row("2", "le", misc[1]) + "\n", "conllu"
    )
    assert [corpus.tags[i] for i in corpus.tag_ids] == expected


def test_the_text_s_own_blanks_are_kept_and_a_text_of_other_words_is_counted():
    rows = row("1", "Ada", "NER=B-PER") + row("2", "left") + "\n"
    corpus = read(f"# text = Ada  left\n{rows}")
    assert corpus.records is not None
    assert corpus.records.texts == ["Ada  left"]
    ledger = Ledger()
    corpus = read(f"# text = Eve left\n{rows}", ledger=ledger)
    assert corpus.records is not None
    assert corpus.records.texts == ["Ada left"]
    assert sum(ledger.altered.values()) == 1


def test_a_range_without_its_words_is_refused():
    assert "x:1" in refusal(row("1-2", "du") + row("1", "de") + "\n", "conllu")


def test_lines_keep_everything_but_the_tag(main):
    for key in NER_KEYS:
        given = FRENCH.replace("NER=", f"{key}=")
        assert main("corpus", "convert", "-", "--to", "conllu", stdin=given).stdout == given
        other = main("corpus", "convert", "-", "--to", "conllu", "--ner-key", "name", stdin=given)
        assert other.stdout == FRENCH.replace("NER=", "name=")


def test_a_prediction_keeps_lines_ranges_and_the_key(main, run_dir):
    words = ["Ada", "Lovelace", "met", "Charles", "Babbage", "in", "London", "."]
    given = FRENCH + "".join(row(str(i), word) for i, word in enumerate(words, 1)) + "\n"
    given = given.replace("NER=", "NE=")
    out = main("predict", run_dir, "-", stdin=given).stdout
    bare = [line.rpartition("\t")[0] for line in given.splitlines()]
    assert [line.rpartition("\t")[0] for line in out.splitlines()] == bare
    assert "NE=B-PER" in out
    assert "NER=" not in out
    assert "name=B-PER" in main("predict", run_dir, "-", "--ner-key", "name", stdin=given).stdout


def test_a_name_in_misc_is_no_tag():
    corpus = read(row("1", "Ada", "name=Ada|NER=B-PER") + row("2", "left", "name=left") + "\n")
    assert [corpus.tags[i] for i in corpus.tag_ids] == ["B-PER", "O"]
    assert with_ner(row("1", "x", "name=x"), "B-Y").endswith("\tname=x\n|NER=B-Y")
    assert ner_key([row("1", "x", "name=x").rstrip(), row("1", "x", "a=b|NE=B-X").rstrip()]) == "NE"


def test_a_new_document_is_said_once():
    text = FRENCH + FRENCH.replace("d1", "d2").replace("s1", "s2")
    out = "".join(write([labelled(read(text))], Writing(), Ledger()))
    heads = [line for line in out.splitlines() if "newdoc" in line]
    assert heads == ["# newdoc id = d1", "# newdoc id = d2"]
    assert "# text = Le chef du Monde ne peut pas." in out
    assert surfaces(read(out)) == surfaces(read(text))
