"""Parquet and folders of datasets: one schema for all texts, names of numbers, what a table can't hold."""

from __future__ import annotations

import io
import json
from datetime import date

import pandas
import polars
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from nertool.corpus.annotated import labelled
from nertool.corpus.ledger import Ledger
from nertool.formats.base import Writing
from nertool.formats.tables import hf_parquet
from nertool.formats.tables import parquet as table_format
from nertool.formats.tables.arrow import spooled
from nertool.formats.tables.features import Numbering, class_names, with_class_names
from tests.support.corpora import lines, read, refusal


def packed(columns: dict, features: dict | None = None) -> bytes:
    told = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    table = pa.table(columns)
    out = io.BytesIO()
    parquet.write_table(table.replace_schema_metadata(told) if features else table, out)
    return out.getvalue()


def written(data: str | bytes, writer=table_format, exact: bool = True, **how) -> pa.Table:
    out = io.BytesIO()
    ledger = Ledger()
    writer.write([labelled(read(data, **how))], Writing(exact=exact), ledger, out)
    table = parquet.read_table(io.BytesIO(out.getvalue()))
    return table.replace_schema_metadata(
        {**(table.schema.metadata or {}), b"altered": str(dict(ledger.altered)).encode()}
    )


def altered(table: pa.Table) -> str:
    return table.schema.metadata[b"altered"].decode()


def test_all_texts_have_one_schema_with_entities_or_without():
    tables = [
        written(lines({"text": "It rained.", "entities": []}, {"text": "No.", "entities": []})),
        written(lines({"text": "Ada left.", "entities": [[0, 3, "PER"]]})),
    ]
    assert tables[0].schema == tables[1].schema
    assert pa.concat_tables(tables).num_rows == 3
    names = ["start", "end", "label", "text", "token_start", "token_end", "probability"]
    kind = tables[0].schema.field("entities").type.value_type
    assert [kind.field(i).name for i in range(kind.num_fields)] == names


def test_pandas_and_polars_read_entities_and_put_tables_together(tmp_path):
    for name, spans in (("a", []), ("b", [[0, 3, "PER"]])):
        parquet.write_table(
            written(lines({"text": "Ada left.", "entities": spans})), tmp_path / f"{name}.parquet"
        )
    both = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    frame = pandas.concat([pandas.read_parquet(path) for path in both], ignore_index=True)
    assert [e["label"] for row in frame["entities"] for e in row] == ["PER"]
    one = polars.concat([polars.read_parquet(path) for path in both])
    found = one.explode("entities").unnest("entities", separator=".")
    assert found["entities.label"].drop_nulls().to_list() == ["PER"]


def test_fields_of_several_kinds_become_strings_and_are_counted():
    values = [7, "seven", 2**70, None, {"a": 1}]
    table = written(lines(*({"text": "Ada.", "entities": [], "id": v} for v in values)))
    assert table["id"].to_pylist() == ["7", "seven", str(2**70), None, '{"a": 1}']
    assert "several kinds" in altered(table)


def test_a_field_that_comes_after_a_thousand_rows_or_changes_its_type_there_is_kept():
    rows = [{"n": i} for i in range(1500)] + [{"n": 0.5, "late": "x"}, {"late": None}]
    with spooled(rows, {}, [], lambda what, where: None) as (schema, batches):
        table = pa.Table.from_batches(batches, schema)
    assert table["n"].to_pylist() == [*map(float, range(1500)), 0.5, None]
    assert table["late"].to_pylist()[-2:] == ["x", None]


def test_half_a_surrogate_pair_is_replaced_and_counted():
    table = written('{"text": "Ada \\ud83d left", "entities": [[0, 3, "PER"]]}\n')
    assert table["text"].to_pylist() == ["Ada \ufffd left"]
    assert "surrogate" in altered(table)


def test_dates_numbers_and_bytes_of_a_table_stay_and_become_strings_in_json(
    main, run_dir, tmp_path
):
    columns = {
        "text": ["Ada left.", "It rained."],
        "day": [date(2024, 5, 1), None],
        "raw": [b"\x00\xff", b"a"],
        "odd": [float("nan"), 1.5],
        "level": pa.array([1, None], pa.int8()),
    }
    (tmp_path / "a.parquet").write_bytes(packed(columns))
    done = main("predict", run_dir, tmp_path / "a.parquet", "-o", tmp_path / "b.parquet")
    assert done.returncode == 0, done.stderr
    table = parquet.read_table(tmp_path / "b.parquet")
    for name in ("day", "raw", "level"):
        assert table[name].type == pa.table(columns)[name].type
        assert table[name].to_pylist() == pa.table(columns)[name].to_pylist()
    done = main("predict", run_dir, tmp_path / "a.parquet")
    assert done.returncode == 0, done.stderr
    first = json.loads(done.stdout.splitlines()[0], parse_constant=lambda name: pytest.fail(name))
    assert (first["day"], first["raw"], first["odd"]) == ("2024-05-01", "AP8=", None)


NAMES = ["O", "B-LOC", "I-LOC", "B-PER", "I-PER"]


@pytest.mark.parametrize("form", ["sequence", "list"])
def test_numbers_keep_the_names_of_their_own_column(form):
    def feature(names):
        label = {"names": names, "_type": "ClassLabel"}
        return [label] if form == "list" else {"feature": label, "_type": "Sequence"}

    columns = {"tokens": [["Ada", "left"]], "pos_tags": [[0, 1]], "ner_tags": [[3, 0]]}
    features = {"pos_tags": feature(["N", "V"]), "ner_tags": feature(NAMES)}
    table = written(packed(columns, features))
    assert table["ner_tags"].to_pylist() == [[3, 0]]
    kept = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
    assert class_names(kept["ner_tags"]) == tuple(NAMES)
    assert kept["pos_tags"] == features["pos_tags"]


def test_numbers_without_names_get_names_and_those_given_by_the_user_are_kept():
    columns = {"tokens": [["Ada", "left"]], "ner_tags": [[3, 0]]}
    assert "list the names" in refusal(packed(columns), "parquet")
    table = written(packed(columns), tag_names=tuple(NAMES))
    assert table["ner_tags"].to_pylist() == [[3, 0]]
    kept = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
    assert class_names(kept["ner_tags"]) == tuple(NAMES)


def test_tags_by_name_stay_names():
    columns = {"tokens": [["Ada", "left"]], "ner_tags": [["B-PER", "O"]]}
    assert written(packed(columns))["ner_tags"].to_pylist() == [["B-PER", "O"]]


def test_further_tags_are_numbered_behind_a_table_s_own():
    numbering = Numbering(["O", "B-LOC", "L-LOC", "I-LOC", "U-LOC"], "iob2")
    assert numbering.scheme == "bioes"
    numbering.add(["LOC", "PER"])
    assert numbering.names[:5] == ["O", "B-LOC", "L-LOC", "I-LOC", "U-LOC"]
    assert numbering.numbers(["E-LOC", "S-LOC", "O", "B-PER"]) == [2, 4, 0, 5]
    assert with_class_names(None, ["O"])["_type"] == "Sequence"


def test_columns_become_numbers_whose_names_stand_in_the_metadata():
    table = written("Ada B-PER\nleft O\n\nIt O\nrained O\n", hf_parquet)
    assert table["tokens"].to_pylist() == [["Ada", "left"], ["It", "rained"]]
    names = class_names(
        json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]["ner_tags"]
    )
    assert [[names[i] for i in row] for row in table["ner_tags"].to_pylist()] == [
        ["B-PER", "O"], ["O", "O"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "output", "begins"),
    [
        ("Ada Lovelace met me.\n", "o.parquet", b"PAR1"),
        ("Ada Lovelace met me.\n", "o.jsonl", b'{"offset"'),
        ("Ada Lovelace met me.\n", "o.json", b"[\n{"),
        ("Ada Lovelace met me.\n", "o.txt", b"[Ada]("),
        ("Ada Lovelace met me.\n", "o.conll", b"Ada B-PER"),
        ("Ada Lovelace met me.\n", "o.html", b"<!doctype"),
        ("Ada\tx\nleft\tx\n", "o.tsv", b"Ada\tx\t"),
        ("Ada\nleft\n", "o.txt", b"Ada O"),
        ("Ada\nleft\n", "o.jsonl", b'{"id"'),
        ('{"text": "Ada left."}\n', "o.tsv", b"source\t"),
        ('{"text": "Ada left."}\n', "o", b'{"text"'),
    ],
)
def test_the_output_s_ending_decides_where_nothing_is_said(
    main, run_dir, tmp_path, source, output, begins
):
    done = main("predict", run_dir, "-", "-o", tmp_path / output, stdin=source)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / output).read_bytes()[: len(begins)].lower() == begins.lower()


def test_inputs_of_other_kinds_make_no_table_of_one_kind(main, run_dir, tmp_path):
    (tmp_path / "a.parquet").write_bytes(packed({"text": ["Ada left."]}))
    (tmp_path / "b.txt").write_text("Ada left.\n")
    both = [tmp_path / "a.parquet", tmp_path / "b.txt"]
    done = main("predict", run_dir, *both, "-o", tmp_path / "out")
    assert done.returncode == 1
    assert "--to" in done.stderr
    assert not (tmp_path / "out").exists()
    done = main("predict", run_dir, *both, "-o", tmp_path / "out.parquet")
    assert done.returncode == 0, done.stderr
    assert parquet.read_table(tmp_path / "out.parquet").num_rows == 2


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("state.json", "{", "not JSON"),
        ("state.json", '{"_data_files": [{"filename": "../a"}]}', "not there"),
        ("state.json", '{"_data_files": [{"filename": "none.arrow"}]}', "not there"),
        ("data-00000-of-00001.arrow", "no arrow", "no Arrow file"),
    ],
)
def test_a_folder_that_is_not_whole_is_refused(main, tmp_path, name, content, message):
    (tmp_path / "a.jsonl").write_text(lines({"text": "Ada left.", "entities": [[0, 3, "PER"]]}))
    folder = tmp_path / "saved"
    done = main("corpus", "convert", tmp_path / "a.jsonl", "--to", "hf-disk", "-o", folder)
    assert done.returncode == 0, done.stderr
    assert main("corpus", "stats", folder).returncode == 0
    (folder / name).write_text(content)
    done = main("corpus", "stats", folder)
    assert done.returncode == 1
    assert message in done.stderr
