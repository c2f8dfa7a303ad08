"""Real corpora are read as they come, with the counts that a few lines of plain Python give."""

from __future__ import annotations

from pathlib import Path

import pytest

from nertool.corpus.build import entities_of
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.formats.read import read_corpus


def counted(path: Path) -> tuple[int, int, int, int]:
    """Count a two-column file's sentences, tokens, entities (B- begins one) and faulty sentences."""
    sentences = tokens = entities = faulty = 0
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        rows = [line.split("\t") for line in block.split("\n") if line.strip()]
        if any(len(row) != 2 or not row[0].strip() for row in rows):
            faulty += 1
        elif rows:
            sentences, tokens = sentences + 1, tokens + len(rows)
            entities += sum(tag.startswith("B-") for _, tag in rows)
    return sentences, tokens, entities, faulty


@pytest.mark.parametrize("name", ["btc", "germeval"])
def test_a_real_corpus_is_read_as_it_comes_with_exact_counts(name, real_data):
    path = real_data / "suite" / name / "dev.conll"
    ledger = Ledger()
    corpus = read_corpus(path, "auto", Reading(pass_over_faulty=True), ledger)
    read = corpus.sentences, corpus.tokens, len(entities_of(corpus)), sum(ledger.refused.values())
    assert read == counted(path)


def test_the_broad_twitter_corpus_loses_only_sentences_with_an_empty_word(real_data, tmp_path):
    """Section h has rows such as <tab>O: three of them in 29,000."""
    blocks = (real_data / "suite" / "btc" / "dev.conll").read_text(encoding="utf-8").split("\n\n")
    for i in (5, 50, 500):
        blocks[i] += "\n\tO"
    path = tmp_path / "h.conll"
    path.write_text("\n\n".join(blocks), encoding="utf-8")
    ledger = Ledger()
    corpus = read_corpus(path, "auto", Reading(pass_over_faulty=True), ledger)
    assert (corpus.sentences, corpus.tokens, len(entities_of(corpus)), 3) == counted(path)
    assert ledger.refused == {"sentences with a faulty row": 3}


def test_germeval_s_own_columns_are_read_with_the_outer_entities(real_data, tmp_path) -> None:
    """As published: a comment with the source, then number, word, outer tag and nested tag."""
    source = real_data / "suite" / "germeval" / "dev.conll"
    out = []
    for i, block in enumerate(source.read_text(encoding="utf-8").strip().split("\n\n")):
        rows = [line.split("\t") for line in block.split("\n")]
        out.append(f"#\thttp://de.wikipedia.org/{i}\t[2009-10-17]\n")
        nested = "B-LOCderiv" if i % 10 == 0 else "O"
        out += [
            f"{n}\t{word}\t{tag}\t{nested if n == 1 else 'O'}\n"
            for n, (word, tag) in enumerate(rows, 1)
        ]
        out.append("\n")
    path = tmp_path / "NER-de-dev.tsv"
    path.write_text("".join(out), encoding="utf-8")
    said: list[str] = []
    corpus = read_corpus(path, "auto", Reading(), Ledger(), said.append)
    assert (corpus.sentences, corpus.tokens, len(entities_of(corpus)), 0) == counted(source)
    assert any("tags in column 2" in line for line in said)
