"""Rasa's training data, in Markdown and in YAML, gives the sentences of intents alone."""

from __future__ import annotations

import pytest

from nertool.corpus.ledger import Ledger
from tests.support.corpora import read, refusal, surfaces

MARKDOWN = """## intent:travel
- I fly to [Berlin](city)
- from [Paris](city:paris) to [NYC]{"entity": "city", "role": "to"} .

## synonym:nyc
- New York
## story 1
* travel
  - utter_travel
"""
YAML = """version: "3.1"
nlu:
- intent: travel
  examples: |
    - I fly to [Berlin](city)
    - from [Paris](city:paris) to [NYC]{"entity": "city", "role": "to"} .
- synonym: nyc
  examples: |
    - New York
stories:
- story: one
  steps:
  - intent: travel
  - action: utter_travel
"""


@pytest.mark.parametrize("text", [MARKDOWN, YAML])
def test_sentences_of_intents_are_read_and_other_entries_are_counted(text):
    ledger = Ledger()
    corpus = read(text, ledger=ledger)
    assert surfaces(corpus) == [("Berlin", "city"), ("Paris", "city"), ("NYC", "city")]
    assert corpus.records is not None
    assert corpus.records.texts == ["I fly to Berlin", "from Paris to NYC ."]
    assert [fields["intent"] for fields in corpus.records.fields] == ["travel", "travel"]
    what = "entries of synonyms, lookup tables and patterns, which are no sentences"
    assert ledger.refused == {what: 1}
    assert read(text, labelled=False).words == corpus.words


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("- to [NYC]{entity: city}", "x:2: found {entity: city} behind [words]"),
        ("- text: |", "x:2: found an example that is an object (text: |)"),
    ],
)
def test_a_faulty_example_is_named_by_its_line_or_left_out(line, says):
    text = f"## intent:a\n{line}\n- to [Rome](city)\n"
    assert says in refusal(text)
    assert surfaces(read(text, pass_over_faulty=True)) == [("Rome", "city")]
