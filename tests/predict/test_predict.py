"""Predict: any text in, the same entities out, in every format; many files, packed ones, faulty ones."""

from __future__ import annotations

import io
import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nertool.api.tagger import Tagger
from nertool.corpus.ledger import Ledger
from nertool.formats.markup.inline import from_inline
from nertool.predict.request import Sizes
from nertool.tagging.annotate import Details
from tests.support.predicting import TEXT, objects, tag


def surfaces(records: list[dict]) -> list[tuple[str, str]]:
    for record in records:
        for entity in record["entities"]:
            assert record["text"][entity["start"] : entity["end"]] == entity["text"]
    return [(e["text"], e["label"]) for record in records for e in record["entities"]]


def test_running_text_keeps_every_character_and_gets_its_entities_marked(tagger):
    out = tag(tagger, TEXT)
    assert "[Ada Lovelace](PER)" in out
    lines = [from_inline(line, "x")[0] for line in out.split("\n")]
    assert "\n".join(lines) == TEXT


def test_the_same_entities_come_from_every_format(tagger):
    """A text as columns, JSON, running text and Parquet."""
    import pyarrow as pa
    from pyarrow.parquet import write_table

    expected = surfaces(objects(tag(tagger, TEXT, to="jsonl")))
    assert len(expected) >= 5
    columns = tag(tagger, TEXT, to="conll")
    bare = re.sub(r"(?m) \S+$", "", columns)
    assert surfaces(objects(tag(tagger, bare, to="jsonl"))) == expected
    assert surfaces(objects(tag(tagger, json.dumps({"text": TEXT}) + "\n"))) == expected
    packed = io.BytesIO()
    write_table(pa.table({"text": [TEXT], "n": [3]}), packed)
    out = objects(tag(tagger, packed.getvalue(), to="jsonl"))
    assert (surfaces(out), out[0]["n"]) == (expected, 3)
    as_list = json.dumps([{"data": {"text": TEXT}, "id": 3}])
    (task,) = json.loads(tag(tagger, as_list))
    assert task["annotations"] == []  # a model's entities are a prediction, never a person's
    (prediction,) = task["predictions"]
    assert prediction["model_version"] == "nertool"
    results = prediction["result"]
    assert [(r["value"]["text"], r["value"]["labels"][0]) for r in results] == expected
    rows = tag(tagger, TEXT, to="spans").splitlines()[1:]
    cells = [row.split("\t") for row in rows]
    assert [(cell[6], cell[4]) for cell in cells] == expected
    assert all(TEXT[int(c[2]) : int(c[3])] == c[6] for c in cells)


def test_fields_pass_through_and_the_input_s_own_labels_stand_as_gold(tagger):
    line = {
        "id": "a7",
        "text": "Ada left.",
        "label": [[0, 3, "ORG"]],
        "meta": {"by": "é", "n": [1]},
    }
    (out,) = objects(tag(tagger, json.dumps(line) + "\n"))
    assert {k: out[k] for k in ("id", "meta", "gold")} == {
        "id": "a7",
        "meta": {"by": "é", "n": [1]},
        "gold": [[0, 3, "ORG"]],
    }
    (out,) = objects(
        tag(tagger, '{"tokens": ["Ada", "left"], "ner_tags": [1, 0], "id": 3}\n', to="jsonl")
    )
    assert (out["gold"], out["id"]) == ([1, 0], 3)


def test_columns_may_be_replaced_and_get_probabilities(tagger):
    text = "-DOCSTART- x O\n\nAda NN B-ORG\r\nleft VB O\n\n# a comment here, too long\nParis NN O\n"
    out = tag(tagger, text, replace_tags=True).split("\n")
    added = tag(tagger, text).split("\n")
    lines = text.split("\n")
    for line, new, longer in zip(lines, out, added, strict=True):
        if len(line.split()) != 3:
            assert line == new == longer
        elif line.startswith("-DOC"):
            assert (new, longer) == (line, line + " O")
        else:
            assert longer.rstrip("\r").rsplit(" ", 1)[0] == line.rstrip("\r")
            assert new.rstrip("\r").rsplit(" ", 1)[0] == line.rstrip("\r").rsplit(" ", 1)[0]
            assert new.rstrip("\r").split()[-1] == longer.rstrip("\r").split()[-1]
            assert new.endswith("\r") == longer.endswith("\r") == line.endswith("\r")
    sure = tag(tagger, text, details=Details(probabilities=True)).split("\n")
    for line, new in zip(added, sure, strict=True):
        if new != line:
            assert new.rstrip("\r").startswith(line.rstrip("\r") + " ")
            assert re.fullmatch(r"[01]\.\d{6}|_", new.rstrip("\r").split(" ")[-1])


def test_text_becomes_columns_with_probabilities_and_one_delimiter(tagger):
    rows = tag(tagger, "Ada left Paris\n", to="conll", details=Details(probabilities=True))
    assert re.fullmatch(r"(\w+ [\w-]+ ([01]\.\d{6}|_)\n){3}\n", rows)


def test_a_header_and_a_table_of_commas_keep_their_form(tagger):
    out = tag(tagger, 'Word,Tag\nAda,O\n",",O\n')
    assert out.splitlines()[0] == "Word,Tag,predicted"
    assert re.fullmatch(r"Ada,O,(O|B-\w+)", out.splitlines()[1])
    assert out.splitlines()[2].startswith('",",O,')


def test_conllu_keeps_all_but_the_tag_in_misc(tagger):
    row = "\t_" * 7
    ada = f"1\tAda{row}\tSpaceAfter=No|NER=B-ORG\n"
    text = f"# newdoc\n# x = y\n1-2\tAda's{row}\t_\n{ada}2\tleft{row}\t_\r\n\n"
    tags = {"Ada": None, "left": None}

    def without(line: str) -> str:
        """Take the tag out of a line's MISC, and keep it."""
        cells = line.split("\t")
        entries = cells[-1].removesuffix("\r").split("|")
        tags[cells[1]] = next((e for e in entries if e.startswith("NER=")), "NER=O")
        rest = "|".join(e for e in entries if not e.startswith("NER=")) or "_"
        return "\t".join(cells[:-1]) + f"\t{rest}" + "\r" * line.endswith("\r")

    out = tag(tagger, text).split("\n")
    for new, old in zip(out, text.split("\n"), strict=True):
        assert new == old if old[:2] not in ("1\t", "2\t") else without(new) == without(old)
    for new in out[3:5]:
        without(new)
    words = [e.label for e in Tagger(tagger.model).tag(["Ada", "left"])]
    assert tags == {"Ada": f"NER=B-{words[0]}" if words else "NER=O", "left": "NER=O"}


ODD_LINE = st.sampled_from(
    ["Ada left London.", "", " ", "\t", "# x", "-DOCSTART-", "a\u2028b", "x\u00a0y", "[a](B)", "\\"]
) | st.text("ab .\u0301é😀", max_size=8)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    lines=st.lists(ODD_LINE, max_size=8),
    end=st.sampled_from(["\n", "\r\n"]),
    form=st.sampled_from(["raw", "text", "lines"]),
    mark=st.sampled_from(["", "\ufeff"]),
    sure=st.booleans(),
)
def test_marked_text_without_its_marks_is_the_text(tagger, lines, end, form, mark, sure):
    text = mark + end.join(lines)
    out = tag(tagger, text, format_name=form, to="inline", details=Details(sure))
    assert "\n".join(from_inline(line, "x")[0] for line in out.split("\n")) == text


def test_min_probability_leaves_out_by_class_and_accounts_for_it(tagger):
    everything = objects(tag(tagger, TEXT, to="jsonl", details=Details(probabilities=True)))
    found = [(e["label"], e["probability"]) for record in everything for e in record["entities"]]
    bar = sorted(p for label, p in found if label == "PER")[1] - 1e-5
    ledger = Ledger()
    out = objects(
        tag(tagger, TEXT, ledger, to="jsonl", details=Details(True, {"PER": bar, "LOC": 1.1}))
    )
    kept = [(e["label"], e["probability"]) for record in out for e in record["entities"]]
    assert kept == [(c, p) for c, p in found if c == "ORG" or (c == "PER" and p >= bar)]
    assert sum(ledger.refused.values()) == len(found) - len(kept)


def test_n_best_and_marginals_are_distributions(tagger):
    details = Details(True, n_best=4, marginals=True)
    (out,) = objects(
        tag(tagger, "Ada left London.\n", format_name="raw", to="jsonl", details=details)
    )
    (readings,), (tokens,) = out["n_best"], out["marginals"]
    shares = [reading["probability"] for reading in readings]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) <= 1 + 1e-5
    best = [(e["token_start"], e["token_end"], e["label"]) for e in readings[0]["entities"]]
    assert best == [(e["token_start"], e["token_end"], e["label"]) for e in out["entities"]]
    assert len(tokens) == 4
    assert all(0.99 < sum(token.values()) < 1.01 for token in tokens)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text: list[str] = []
        self.inside = False

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.inside |= tag == "p"

    def handle_endtag(self, tag):
        self.inside &= tag != "p"

    def handle_data(self, data):
        if self.inside:
            self.text.append(data)


def test_html_is_one_page_with_the_text_escaped(tagger):
    text = '<script>alert("x")</script> & Ada met <b>Charles</b> in London.'
    page = _Page()
    page.feed(tag(tagger, text, format_name="raw", to="html", details=Details(True)))
    assert "".join(page.text) == text
    own = {"html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "p", "span"}
    assert set(page.tags) == own


def test_documents_are_numbered_on_over_the_blocks(tagger):
    text = "".join(f"-DOCSTART- O\n\nAda O\n{i} O\n\nleft O\n{i} O\n\n" for i in range(9))
    out = objects(tag(tagger, text, to="jsonl", sizes=Sizes(block_bytes=40)))
    assert [record["document"] for record in out] == [i for i in range(9) for _ in range(2)]
    assert [record["id"] for record in out] == list(range(18))


def test_long_lines_and_sentences_are_tagged_whole(tagger):
    sentence = "Ada met Charles in London and then "
    text = sentence * 8_000  # a long line, without an end of a sentence
    (words,) = {
        len(tag(tagger, text, format_name=form, to="inline").split("](PER)"))
        for form in ("raw", "text")
    }
    assert words == len(
        tag(tagger, "\n".join([sentence] * 8_000), format_name="text").split("](PER)")
    )
    rows = "Ada\nmet\n" * 20_000
    out = tag(tagger, rows, format_name="conll")
    assert out.count("\n") == 40_000
    assert len(set(out.split("\n")[2:-3])) <= 4


GOLD = [{"start": 0, "end": 12, "label": "PER"}]
LABELLED = {
    "conll": "Ada B-PER\nLovelace I-PER\nleft O\n\nIt O\nrained O\n",
    "conllu": "".join(
        f"{i}\t{word}" + "\t_" * 7 + f"\t{misc}\n"
        for i, word, misc in (
            (1, "Ada", "NER=B-PER"), (2, "Lovelace", "NER=I-PER"), (3, "left", "_")
        )
    )
    + "\n1\tIt" + "\t_" * 8 + "\n2\trained" + "\t_" * 8 + "\n\n",
    "inline": "[Ada Lovelace](PER) left\n# id: 2\nIt rained\n",
    "opennlp": "<START:PER> Ada Lovelace <END> left\nIt rained\n",
    "word-tag": "Ada/B-PER Lovelace/I-PER left/O\nIt/O rained/O\n",
    "xml": "<doc><s><ENAMEX TYPE='PER'>Ada Lovelace</ENAMEX> left</s><s>It rained</s></doc>\n",
    "csv": 'text,label\nAda Lovelace left,"[{""start"": 0, ""end"": 12, ""label"": ""PER""}]"\n'
    "It rained,[]\n",
    "bioc": json.dumps(
        [{"passages": [{"offset": 0, "text": text, "annotations": [
            {"infons": {"type": "PER"}, "locations": [{"offset": 0, "length": 12}]}
        ][:n]}]} for text, n in (("Ada Lovelace left", 1), ("It rained", 0))]
    ),
    "pubtator": "1|t|Ada Lovelace left\n1\t0\t12\tAda Lovelace\tPER\n\n2|t|It rained\n\n",
}  # fmt: skip


@pytest.mark.parametrize("name", LABELLED)
def test_json_keeps_the_input_s_own_labels_as_gold(tagger, name):
    for to in ("jsonl", "doccano", "spacy"):
        first, second = objects(tag(tagger, LABELLED[name], to=to, format_name=name))
        assert first["gold"] == GOLD
        assert second["gold"] == []
    infons = [
        passage["infons"]
        for document in json.loads(tag(tagger, LABELLED[name], to="bioc", format_name=name))[
            "documents"
        ]
        for passage in document["passages"]
    ]
    assert [json.loads(one["gold"]) for one in infons] == [GOLD, []]


def test_columns_without_tags_have_no_gold_and_a_slip_among_tags_is_counted(tagger):
    assert "gold" not in objects(tag(tagger, "Ada NNP\nleft VBD\n", to="jsonl"))[0]
    ledger = Ledger()
    rows = "Ada B-PER\n" + "it O\n" * 20 + "x -\n"
    (value,) = objects(tag(tagger, rows, ledger=ledger, to="jsonl", format_name="conll"))
    assert [entry["label"] for entry in value["gold"]] == ["PER"]
    assert ledger.refused["own cells that are not tags, treated as O"] == 1
    assert "cells of columns other than the words" not in ledger.left_out
