"""Odd files of every kind are read right, or refused with what is wrong: those that a campaign gives to the
commands (tests/campaigns/odd_files.py)."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from nertool.cli.common.reading_options import read_options
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.errors import CorpusError
from nertool.formats.base import Writing
from nertool.formats.convert import convert
from nertool.formats.json.parse import parsed
from nertool.formats.read import read_corpus
from tests.campaigns.odd.case import Odd, written
from tests.campaigns.odd.cases import CASES
from tests.support.corpora import read, refusal

PLAIN = ("running text", "texts, one per line", "text, one sentence per line")


def reading_of(odd: Odd, **how: Any) -> Reading:
    pairs = zip(odd.options[::2], odd.options[1::2], strict=True)
    return read_options(**{name[2:].replace("-", "_"): value for name, value in pairs}).reading(
        Reading(**how)
    )


def labels_in(odd: Odd, path: Path, out: Path) -> Counter[str] | str:
    """Return the number of entities by class, or what the refusal says."""
    try:
        convert([path], "auto", "jsonl", reading_of(odd), Writing(), False, out, Ledger(), print)
    except CorpusError as error:
        return str(error)
    rows = [json.loads(row) for row in out.read_text(encoding="utf-8").splitlines()]
    return Counter(entity["label"] for row in rows for entity in row["entities"])


def words_in(odd: Odd, path: Path) -> int | str:
    """Return how many words are found where labels are not looked at, or what the refusal says."""
    notes: list[str] = []
    try:
        corpus = read_corpus(path, "auto", reading_of(odd, labelled=False), Ledger(), notes.append)
    except CorpusError as error:
        return str(error)
    plain = any(f"read as {what}" in note for note in notes for what in PLAIN)
    return -1 if plain else corpus.tokens


@pytest.mark.parametrize("odd", CASES, ids=[odd.name for odd in CASES])
def test_an_odd_file_is_read_right_or_refused(odd, tmp_path):
    path = written(odd, tmp_path)
    found = labels_in(odd, path, tmp_path / "out.jsonl")
    words = words_in(odd, path)
    if isinstance(odd.expected, str):
        assert odd.expected in str(found)
        assert not (tmp_path / "out.jsonl").exists()
    else:
        assert found == odd.expected
    refusal = odd.predict or ("" if odd.tagged else str(odd.expected))
    if odd.predict or (isinstance(odd.expected, str) and not odd.tagged):
        assert refusal in str(words)
    elif odd.tagged != -2:
        assert isinstance(words, int), words
        assert odd.tagged == -1 or words == (odd.tagged or max(1, words))


def test_a_key_twice_is_named_with_the_line_of_its_object():
    text = '[\n{"text": "Ada met.", "entities": []},\n{"text": "Bob",\n "text": "Cy", "entities": []}\n]\n'
    assert 'x:3: found the key "text" twice' in refusal(text)
    assert read(text.replace("Cy", "Bob")).tokens == 4


@pytest.mark.parametrize("notation", ['{"start": 0, "start": %d}', "{'start': 0, 'start': %d}"])
def test_a_key_twice_is_refused_for_another_value_in_json_and_in_pythons_notation(notation):
    assert parsed(notation % 0) == {"start": 0}
    with pytest.raises(CorpusError, match='the key "start" twice in one object'):
        parsed(notation % 1)


@pytest.mark.parametrize(
    ("tag", "others", "asks"),
    [
        ("OTHER", "B-PER", True),  # no O: it is O
        ("OTHER", "O", False),  # beside O, it is a class
        ("Foo", "B-PER", True),  # the only tag without a prefix
        ("NIL", "O", True),
    ],
)
def test_another_word_for_o_is_asked_for(tag, others, asks):
    text = "".join(f"w{i}\t{others if i % 3 else tag}\n" for i in range(9)) + "\n"
    if asks:
        assert f"--outside {tag}" in refusal(text)
        assert tag not in read(text, outside=tag).tags
    assert tag in read(text, outside="O").tags


def test_a_class_that_may_stand_for_o_is_questioned_beside_o(tmp_path: Path) -> None:
    path = tmp_path / "x.tsv"
    path.write_text("Ada\tB-PER\nmet\tOTHER\nme\tO\n\n")
    notes: list[str] = []
    read_corpus(path, "auto", Reading(), Ledger(), notes.append)
    assert any('"OTHER" without a prefix' in note and "--outside OTHER" in note for note in notes)


def test_all_faulty_rows_of_a_block_are_named_when_columns_are_tagged(main, run_dir, tmp_path):
    path = tmp_path / "x.conll"
    path.write_text("Ada O\nmet\n\n" * 30)
    done = main("predict", run_dir, path)
    assert done.returncode == 1
    assert f"{path}:2: found 1 column, expected 2" in done.stderr
    assert "30 faulty rows in all, in lines 2, 5, 8," in done.stderr
    assert "59, … (--on-error skip" in done.stderr


def test_text_in_another_encoding_is_read_in_pieces_and_its_faulty_byte_is_named():
    text = "Zoë\tB-PER\nmet\tO\n\n" * 30_000
    corpus = read(text.encode("cp1252"), encoding="cp1252")
    assert corpus.tokens == 60_000
    assert corpus.words == ["Zoë", "met"]
    message = refusal(text.encode() + "Zoë\tO\n".encode("latin-1"), encoding="utf-8")
    assert "x:90001: found the byte 0xeb" in message
    assert "--encoding" in message


@pytest.mark.parametrize("sign", [" ", "\t"])
def test_a_no_break_blank_in_words_divides_no_columns_that_others_divide(sign):
    corpus = read(f"\u00a0x{sign}B-PER\n\u00a0y{sign}O\n\n")
    assert corpus.words == ["\u00a0x", "\u00a0y"]
