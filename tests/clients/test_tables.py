"""Tables with odd words, labels and ids, as pandas, polars, pyarrow and datasets read them."""

from __future__ import annotations

import csv
import io
import json
from itertools import cycle
from pathlib import Path

import pandas
import polars
import pytest

from tests.support.corpora import lines

SURFACES = [
    '"', '""', 'a "b" c', '"a', "a,b", "a;b", "a|b", "'", "\\", 'a\\"b', "a\tb", "a\r\nb", "a\nb", "NA",
    "null", "007", "1e5", "-", "#x", "=1+1", "é\U0001f600", "a\u2028b", "a\u00a0b", "[1, 2]", '{"a": 1}',
]  # fmt: skip
LABELS = ["PER", 'A "B"', "A,B", "A\tB", "A|B", "NA", "B-PER", "A;B", "x1", "'A'", "A\\B"]
IDS = ["a", None, 7, "007", 'x "y"', "a,b", "", "a\tb", "NA"]


def a_text() -> list[dict]:
    """A record for each surface, with another label and id each."""
    return [
        {"id": name, "text": f"He saw {surface} there {surface}", "entities": [
            [7, 7 + len(surface), label], [14 + len(surface), 14 + 2 * len(surface), label]]}
        for surface, label, name in zip(SURFACES * 3, cycle(LABELS), cycle(IDS), strict=False)
    ]  # fmt: skip


def readers(path: Path, tab: str) -> dict[str, list[dict]]:
    """Read a table as text in each cell, by each library."""
    import pyarrow
    from datasets import Features, Value, load_dataset
    from pyarrow import csv as arrow_csv

    text = path.read_bytes().decode()
    names = text.partition("\n")[0].split(tab)
    kept = {"dtype": str, "keep_default_na": False, "sep": tab}
    return {
        "csv": list(csv.DictReader(io.StringIO(text, newline=""), delimiter=tab)),
        "pandas": pandas.read_csv(path, **kept).to_dict("records"),
        "pandas in Python": pandas.read_csv(path, engine="python", **kept).to_dict("records"),
        "polars": polars.read_csv(path, separator=tab, infer_schema=False).fill_null("").to_dicts(),
        "pyarrow": arrow_csv.read_csv(
            path,
            parse_options=arrow_csv.ParseOptions(delimiter=tab, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                column_types={name: pyarrow.string() for name in names}
            ),
        ).to_pylist(),
        "datasets": load_dataset(
            "csv",
            data_files=str(path),
            split="train",
            cache_dir=path.parent / "cache",
            sep=tab,
            keep_default_na=False,
            features=Features({name: Value("string") for name in names}),
        ).to_list(),
    }


@pytest.mark.integration
@pytest.mark.parametrize(("to", "tab"), [("spans", "\t"), ("csv", ",")])
def test_every_reader_of_tables_reads_odd_words_labels_and_ids(main, tmp_path, to, tab):
    given = a_text()
    path = tmp_path / "a.table"
    done = main("corpus", "convert", "-", "--to", to, "--misaligned", "snap", "-o", path,
                stdin=lines(*given))  # fmt: skip
    assert done.returncode == 0, done.stderr
    if to == "spans":
        # A cell is one line: blanks of any kind become one each.
        expected = [
            ["" if value["id"] is None else str(value["id"]), str(start), str(end), label,
             value["text"][start:end]]
            for value in given for start, end, label in value["entities"]
        ]  # fmt: skip
        expected = [[" ".join(cell.split()) for cell in row] for row in expected]
        columns = ["record", "start", "end", "label", "text"]
    else:
        expected = [
            ["" if value["id"] is None else str(value["id"]), value["text"], value["entities"]]
            for value in given
        ]
        columns = ["id", "text", "label"]
    for name, rows in readers(path, tab).items():
        cells = [[row[column] for column in columns] for row in rows]
        if to == "csv":
            cells = [[*row[:-1], json.loads(row[-1])] for row in cells]
        assert cells == expected, name
    if to == "csv":
        again = main("corpus", "convert", path, "--from", "csv", "--to", "jsonl")
        assert again.returncode == 0, again.stderr
        values = [json.loads(line) for line in again.stdout.rstrip("\n").split("\n")]
        assert [value["text"] for value in values] == [value["text"] for value in given]
        assert [[[e["start"], e["end"], e["label"]] for e in value["entities"]]
                for value in values] == [value["entities"] for value in given]  # fmt: skip
