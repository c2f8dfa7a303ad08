"""Parquet tagged part by part: every part of one input, each in a file of its own, in any order."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import nertool
from nertool.errors import CorpusError, OutputError
from nertool.integrations.arrow import ColumnNames, RowTagger
from nertool.integrations.parts import Plan, begin, finish, plan_parts, tag_part

pa = pytest.importorskip("pyarrow")
import pyarrow.parquet as pq  # noqa: E402

NAMES = ColumnNames()
TEXTS = ["Ada Lovelace met Charles in London.", "It rained.", "Siemens hired Ada in Paris."]
SETTINGS = {"model": "a"}


@pytest.fixture(scope="module")
def rows(run_dir) -> RowTagger:
    return RowTagger(nertool.load(run_dir), 0.0, "en", 1000)


def write(path: Path, first: int, number: int, group: int = 1000) -> Path:
    ids = list(range(first, first + number))
    columns = {"id": ids, "text": [f"{TEXTS[i % 3]} {i}" for i in ids]}
    table = pa.table(columns, schema=pa.schema([("id", pa.int64()), ("text", pa.string())]))
    path.parent.mkdir(exist_ok=True)
    pq.write_table(table, path, row_group_size=group)
    return path


def tag_all(plan: Plan, output: Path, rows: RowTagger, but: int = 0) -> None:
    for part in plan.parts[: len(plan.parts) - but]:
        tag_part(part, plan.schema, str(output), rows, NAMES)


def test_a_folder_is_cut_into_parts_that_hold_every_row_once_in_order(tmp_path, rows):
    folder = tmp_path / "in"
    write(folder / "b.parquet", 7, 0)
    write(folder / "a.parquet", 0, 7, group=3)
    write(folder / "c.parquet", 7, 90)
    write(folder / "_note.parquet", 0, 1)
    (folder / "notes.txt").write_text("no data")
    plan = plan_parts([str(folder)], NAMES, part_bytes=1000)
    assert len(plan.parts) > 5
    assert {part.first > 0 for part in plan.parts} == {True, False}
    out = tmp_path / "out"
    assert begin(str(out), plan, SETTINGS) == {}
    for part in reversed(plan.parts):
        tag_part(part, plan.schema, str(out), rows, NAMES)
    finish(str(out), plan)
    table = pq.read_table(out)
    assert table["id"].to_pylist() == list(range(97))
    for text, entities in zip(
        table["text"].to_pylist(), table["entities"].to_pylist(), strict=True
    ):
        found = [(e["start"], e["end"], e["label"]) for e in entities]
        assert found == [(e.start, e.end, e.label) for e in rows.tagger(text)]


def test_parts_that_are_done_are_counted_and_kept_and_unfinished_ones_cleared(tmp_path, rows):
    plan = plan_parts([str(write(tmp_path / "in.parquet", 0, 9, group=3))], NAMES)
    out = tmp_path / "out"
    begin(str(out), plan, SETTINGS)
    tag_all(plan, out, rows, but=1)
    (out / ".0123.new").write_bytes(b"half")
    with pytest.raises(OutputError, match=r"part-00002\.parquet is gone"):
        finish(str(out), plan)
    done = begin(str(out), plan, SETTINGS)
    assert done is not None
    assert sorted(done) == ["part-00000.parquet", "part-00001.parquet"]
    assert [counts["rows"] for counts in done.values()] == [3, 3]
    assert done["part-00000.parquet"]["entities"] > 0
    assert not list(out.glob(".*.new"))
    tag_all(plan, out, rows)
    finish(str(out), plan)
    assert begin(str(out), plan, SETTINGS) is None


def test_the_parts_of_something_else_are_not_taken(tmp_path, rows):
    source = write(tmp_path / "in.parquet", 0, 3)
    plan, out = plan_parts([str(source)], NAMES), tmp_path / "out"
    begin(str(out), plan, {"model": "of a job that never tagged a part"})
    begin(str(out), plan, SETTINGS)
    tag_part(plan.parts[0], plan.schema, str(out), rows, NAMES)
    with pytest.raises(CorpusError, match=r"made from something else \(model\)"):
        begin(str(out), plan, {"model": "b"})
    write(source, 0, 4)
    with pytest.raises(CorpusError, match="the input's files"):
        begin(str(out), plan_parts([str(source)], NAMES), SETTINGS)
    (out / "_nertool.json").write_text("{")
    with pytest.raises(CorpusError, match=r"damaged _nertool\.json"):
        begin(str(out), plan, SETTINGS)
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine.txt").write_text("kept")
    with pytest.raises(CorpusError, match="already there, expected a new or empty folder"):
        begin(str(other), plan, SETTINGS)
    with pytest.raises(CorpusError, match="found a file, expected a new folder"):
        begin(str(source), plan, SETTINGS)
    assert os.listdir(other) == ["mine.txt"]


def test_an_input_of_no_rows_gives_an_output_with_the_columns(tmp_path, rows):
    plan = plan_parts([str(write(tmp_path / "in.parquet", 0, 0))], NAMES)
    out = tmp_path / "out"
    begin(str(out), plan, SETTINGS)
    tag_all(plan, out, rows)
    table = pq.read_table(out)
    assert (table.num_rows, table.schema.names) == (
        0,
        ["id", "text", "entities", "quarantine"],
    )


def test_what_is_no_parquet_or_of_another_table_is_refused(tmp_path):
    good = write(tmp_path / "a.parquet", 0, 3)
    other = tmp_path / "b.parquet"
    pq.write_table(pa.table({"id": ["1"], "text": ["a"]}), other)
    with pytest.raises(CorpusError, match=r"b\.parquet: found other columns than in .*id: string"):
        plan_parts([str(good), str(other)], NAMES)
    other.write_bytes(b"no table")
    with pytest.raises(CorpusError, match=r"b\.parquet: damaged, or no Parquet file"):
        plan_parts([str(tmp_path / "*.parquet")], NAMES)
    with pytest.raises(CorpusError, match="no such file or folder"):
        plan_parts([str(tmp_path / "none")], NAMES)
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError, match="found no Parquet file in"):
        plan_parts([str(tmp_path / "empty")], NAMES)
    with pytest.raises(CorpusError, match="found no file system for it"):
        plan_parts(["nowhere://bucket/in"], NAMES)


def test_a_part_that_cannot_be_read_leaves_nothing_behind(tmp_path, rows):
    source = write(tmp_path / "in.parquet", 0, 50)
    plan, out = plan_parts([str(source)], NAMES), tmp_path / "out"
    begin(str(out), plan, SETTINGS)
    raw = bytearray(source.read_bytes())
    raw[4:200] = b"\xff" * 196  # the footer is whole, the rows are not
    source.write_bytes(raw)
    with pytest.raises(CorpusError, match=r"in\.parquet: "):
        tag_part(plan.parts[0], plan.schema, str(out), rows, NAMES)
    assert os.listdir(out) == ["_nertool.json"]
