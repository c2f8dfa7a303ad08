"""Record batches in, the same batches with entities out: what every cluster's tasks run."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nertool
from nertool.errors import CorpusError
from nertool.integrations.arrow import RowTagger, entity_type, tag_arrow_batches

pa = pytest.importorskip("pyarrow")

TEXTS = ["Ada Lovelace met Charles in London. 🙂 Ada left.", "", "It rained.", "Siemens hired Ada."]


@pytest.fixture(scope="module")
def tagger(run_dir) -> nertool.Tagger:
    return nertool.load(run_dir)


def tagged(tagger, column, **options) -> list[tuple]:
    """Tag one column; return each row's entities and the reason why it has none."""
    batches = list(tag_arrow_batches([pa.record_batch({"text": column})], tagger, **options))
    table = pa.Table.from_batches(batches)
    return list(zip(table["entities"].to_pylist(), table["quarantine"].to_pylist(), strict=True))


def plain(entities) -> list[tuple]:
    return [(e["start"], e["end"], e["label"], e["text"]) for e in entities]


def test_each_row_has_the_entities_that_one_call_finds(tagger):
    rows = tagged(tagger, TEXTS)
    assert any(entities for entities, _ in rows)
    for text, (entities, reason) in zip(TEXTS, rows, strict=True):
        assert reason is None
        assert plain(entities) == [(e.start, e.end, e.label, e.text) for e in tagger(text)]
        assert [e["probability"] for e in entities] == pytest.approx(
            [e.probability for e in tagger(text)], abs=1e-6
        )
        for e in entities:
            assert text[e["start"] : e["end"]] == e["text"]


def test_other_columns_pass_and_the_schema_is_the_same_whatever_the_rows_are(tagger):
    nested = pa.array([{"a": [1, 2], "b": None}] * 4)
    batch = pa.record_batch({"id": [4, 3, 2, 1], "text": TEXTS, "more": nested})
    schema = pa.schema([*batch.schema, ("entities", entity_type()), ("quarantine", pa.string())])
    for rows in (batch, batch.slice(1, 2), batch.slice(0, 0)):
        (out,) = tag_arrow_batches([rows], tagger)
        assert out.schema == schema
        assert out.select(batch.schema.names).equals(rows)
    assert list(tag_arrow_batches([], tagger)) == []


def test_a_struct_s_field_is_named_by_its_path(tagger):
    batch = pa.record_batch({"doc": [{"body": "Ada left London."}, None, {"body": None}]})
    (out,) = tag_arrow_batches([batch], tagger, "doc.body")
    assert out["quarantine"].to_pylist() == [None, "null text", "null text"]
    assert plain(out["entities"].to_pylist()[0])
    with pytest.raises(CorpusError, match=r"no field title of the column doc\.title"):
        list(tag_arrow_batches([batch], tagger, "doc.title"))


RAW = pa.array([b"Ada left.", b"\xff\xfe", None], pa.binary())


@pytest.mark.parametrize(
    ("column", "reasons"),
    [
        (["Ada", None], [None, "null text"]),
        (pa.array(["Ada", None, ""]).dictionary_encode(), [None, "null text", None]),
        (pa.array(["Ada", None], pa.large_string()), [None, "null text"]),
        (RAW, [None, "not UTF-8", "null text"]),
        # Spark makes such strings of bytes; Arrow hands them on unchecked.
        (pa.Array.from_buffers(pa.string(), 3, RAW.buffers()), [None, "not UTF-8", "null text"]),
        ([1, None], ["not a string: found int64", "null text"]),
        ([["Ada"]], ["not a string: found list<item: string>"]),
        ([None, None], ["null text", "null text"]),
        (
            ["x" * 21, "x" * 20],
            ["too long: 21 characters, at most 20 (max_characters)", None],
        ),
    ],
)
def test_rows_that_cannot_be_tagged_get_a_reason_and_no_entities(tagger, column, reasons):
    rows = tagged(tagger, column, max_characters=20)
    assert [reason for _, reason in rows] == reasons
    assert [entities is None for entities, _ in rows] == [reason is not None for reason in reasons]


def test_a_row_that_fails_does_not_take_others_with_it(tagger, monkeypatch):
    annotated = nertool.Tagger._annotated

    def failing(self, records, details, language):
        if any("It rained" in record.text for record in records):
            raise ValueError("a fault\nof the tagger")
        return annotated(self, records, details, language)

    monkeypatch.setattr(nertool.Tagger, "_annotated", failing)
    rows = tagged(tagger, TEXTS)
    assert [reason for _, reason in rows] == [
        None,
        None,
        "failed: ValueError: a fault of the tagger",
        None,
    ]
    assert [plain(entities) for entities, reason in rows if not reason] == [
        [(e.start, e.end, e.label, e.text) for e in tagger(text)]
        for text in TEXTS
        if "rained" not in text
    ]


def test_out_of_memory_is_no_fault_of_a_row(tagger, monkeypatch):
    def failing(self, records, details, language):
        raise MemoryError

    monkeypatch.setattr(nertool.Tagger, "_annotated", failing)
    with pytest.raises(MemoryError):
        tagged(tagger, TEXTS)


def test_long_batches_are_yielded_in_pieces_and_counted(tagger):
    texts = [TEXTS[i % 4] for i in range(2500)] + [None]
    rows = RowTagger(tagger, 0.0, "en", 1000)
    from nertool.integrations.arrow import ColumnNames

    batch = pa.record_batch({"text": texts, "id": range(2501)})
    pieces = list(rows.tag(batch, ColumnNames()))
    assert len(pieces) > 2
    table = pa.Table.from_batches(pieces)
    assert table["id"].to_pylist() == list(range(2501))
    found = sum(len(entities) for entities in table["entities"].to_pylist() if entities)
    assert rows.counts == {"rows": 2501, "entities": found, "quarantined: null text": 1}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"text_col": "body"}, "found no column body, expected one of id, text"),
        ({"entities_col": "id"}, "found a column named id already"),
        ({"entities_col": "quarantine"}, "found the name quarantine for both new columns"),
        ({"quarantine_col": "text"}, "found a column named text already"),
    ],
)
def test_names_that_do_not_fit_are_refused(tagger, options, message):
    batch = pa.record_batch({"id": [1], "text": ["Ada"]})
    with pytest.raises(CorpusError, match=message):
        list(tag_arrow_batches([batch], tagger, **options))
    twice = pa.RecordBatch.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["text", "text"])
    with pytest.raises(CorpusError, match="several columns named text"):
        list(tag_arrow_batches([twice], tagger))


def test_thresholds_leave_out_entities(tagger):
    every = [e for entities, _ in tagged(tagger, TEXTS) for e in entities]
    p = sorted(e["probability"] for e in every)[len(every) // 2]
    kept = [e for entities, _ in tagged(tagger, TEXTS, threshold=p) for e in entities]
    assert 0 < len(kept) < len(every)
    assert all(e["probability"] >= p for e in kept)
    with pytest.raises(ValueError, match="from 0 to 1"):
        tagged(tagger, TEXTS, threshold=2.0)


@settings(max_examples=12, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=40)), max_size=8), st.integers(0, 8))
def test_any_text_passes_and_slices_of_a_batch_are_its_rows(tagger, texts, first):
    texts = [text and text.encode("utf-8", "replace").decode() for text in texts]
    column = pa.array(texts, pa.string())
    rows = tagged(tagger, column)
    assert [reason for _, reason in rows] == ["null text" if t is None else None for t in texts]
    part = tagged(tagger, column.slice(first))
    assert [plain(e or []) for e, _ in part] == [plain(e or []) for e, _ in rows[first:]]
