"""Argilla's exports: an annotator's submitted response is labels, a model's suggestion is none."""

from __future__ import annotations

import json

import pytest

from nertool.corpus.ledger import Ledger
from tests.support.corpora import lines, read, surfaces

TEXT = "Ada left London."
PER, ORG = ({"start": 0, "end": 3, "label": label} for label in ("PER", "ORG"))
UNLABELLED = "records without labels (absent, null or skipped) among labelled ones"


def flat(name: str, answers: list, status: list, suggestion: list | None = None) -> dict:
    """A record as records.to_list(flatten=True) and to_datasets() write it."""
    value: dict = {"id": name, "status": "completed", "_server_id": None, "text": TEXT}
    if answers:
        value |= {"spans.responses": answers, "spans.responses.users": ["u"] * len(answers),
                  "spans.responses.status": status}  # fmt: skip
    if suggestion is not None:
        value |= {"spans.suggestion": suggestion, "spans.suggestion.score": 0.4,
                  "spans.suggestion.agent": "m"}  # fmt: skip
    return value


def nested(name: str, answers: list, status: str, field: str = "text") -> dict:
    """A record as records.to_json() writes it."""
    return {
        "id": name, "fields": {field: TEXT}, "metadata": {"k": 1}, "vectors": {}, "_server_id": None,
        "suggestions": {"spans": {"value": [ORG], "score": None, "agent": "m"}}, "status": status,
        "responses": {"spans": [{"value": entry, "user_id": "u"} for entry in answers]},
    }  # fmt: skip


@pytest.mark.parametrize("table", [True, False])
def test_a_submitted_response_is_taken_and_a_suggestion_is_not(table):
    if table:
        # As in a table, all records have all columns.
        values = [
            flat("a", [[PER]], ["submitted"], [ORG]),
            flat("b", [[ORG], [PER]], ["draft", "submitted"], [ORG]),
            flat("c", [], [], [ORG]) | {"spans.responses": None, "spans.responses.users": None},
            flat("d", [[ORG]], ["discarded"], [ORG]),
            flat("e", [[]], ["submitted"], [ORG]),
        ]
    else:
        values = [
            nested("a", [[PER], [ORG]], "completed"),
            nested("b", [[PER]], "completed", "review"),
            nested("c", [], "pending"),
            nested("d", [[ORG]], "pending"),
            nested("e", [[]], "completed"),
        ]
    ledger = Ledger()
    corpus = read(lines(*values), ledger=ledger)
    assert surfaces(corpus) == [("Ada", "PER")] * 2
    assert [fields["id"] for fields in corpus.records.fields] == ["a", "b", "e"]
    assert ledger.refused == {UNLABELLED: 2}
    assert surfaces(read(json.dumps(values))) == [("Ada", "PER")] * 2


def test_a_prediction_keeps_responses_and_suggestions(main, run_dir):
    given = flat("a", [[PER]], ["submitted"], [ORG])
    done = main("predict", run_dir, "-", stdin=lines(given))
    (value,) = map(json.loads, done.stdout.splitlines())
    assert (value["gold"], value["id"]) == ([PER], "a")
    assert value["responses"] == {"spans": [[PER]]}
    assert value["suggestions"] == {"spans": [ORG]}
    assert value["spans.suggestion.agent"] == "m"


@pytest.mark.parametrize("key", ["prediction", "predictions", "model_suggestions"])
def test_what_a_model_found_is_no_label(key):
    values = [
        {"text": TEXT, "annotation": [["PER", 0, 3]], key: [ORG]},
        {"text": TEXT, "annotation": None, key: [ORG]},
    ]
    ledger = Ledger()
    assert surfaces(read(lines(*values), ledger=ledger)) == [("Ada", "PER")]
    assert ledger.refused == {UNLABELLED: 1}
