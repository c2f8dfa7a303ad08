"""Tags that are written otherwise than B-PER and O are refused; they are no classes of their own."""

from __future__ import annotations

import pytest

from tests.support.corpora import found, read, refusal


@pytest.mark.parametrize("outside", ["o", "OUTSIDE", "None", "NIL"])
def test_another_word_for_no_entity_is_no_class(outside):
    assert "the tag of tokens in no entity" in refusal(
        f"Ada\tB-PER\nmet\t{outside}\nme\t{outside}\n\n", "conll"
    )


@pytest.mark.parametrize("tag", ["B_PER", "b-per", "PER-B", "PER_B"])
def test_a_prefix_written_otherwise_is_no_part_of_a_class(tag):
    assert "written B-PER" in refusal(f"Ada\t{tag}\nmet\tO\nme\tO\n\n", "conll")


ROWS = [("Ada", "B-PER"), ("met", "O"), ("It", "O"), ("rained", "O")]


def test_tags_in_the_first_of_two_columns_are_found():
    text = "".join(f"{tag}\t{word}\n" for word, tag in ROWS)
    assert found(read(text)) == [(["Ada", "met", "It", "rained"], [(0, 1, "PER")])]


def test_ids_of_sentences_divide_rows_that_no_blank_line_divides():
    text = "".join(f"{i // 2}\t{word}\t{tag}\n" for i, (word, tag) in enumerate(ROWS))
    assert found(read(text)) == [(["Ada", "met"], [(0, 1, "PER")]), (["It", "rained"], [])]
