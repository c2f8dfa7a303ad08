"""A column of texts in, a frame of entities out: the same for pandas and polars."""

from __future__ import annotations

import subprocess
import sys

import pytest

import nertool

TEXTS = ["Ada Lovelace met Charles in London.", None, "It rained.", "Siemens hired Ada in Paris."]


@pytest.fixture(scope="module")
def tagger(run_dir) -> nertool.Tagger:
    return nertool.load(run_dir)


def expected(tagger: nertool.Tagger, keys: list) -> list[tuple]:
    return [
        (key, e.text, e.label, e.start, e.end, e.probability)
        for key, text in zip(keys, TEXTS, strict=True)
        if text
        for e in tagger(text)
    ]


def test_pandas_frames_keep_their_index_or_key(tagger):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"body": TEXTS, "id": ["a", "b", "c", "d"]}, index=[3, 5, 7, 9])
    out = nertool.tag_column(frame, "body", tagger)
    assert list(out.columns) == ["row", "text", "label", "start", "end", "probability"]
    rows = [tuple(row) for row in out.itertuples(index=False)]
    assert [row[:5] for row in rows] == [row[:5] for row in expected(tagger, [3, 5, 7, 9])]
    keyed = nertool.tag_column(frame, "body", tagger, key="id", workers=2)
    assert list(keyed["id"]) == [row[0] for row in expected(tagger, ["a", "b", "c", "d"])]
    merged = keyed.merge(frame, on="id")
    for row in merged.itertuples():
        assert row.body[row.start : row.end] == row.text
    empty = nertool.tag_column(frame[:0], "body", tagger)
    assert (len(empty), list(empty.columns)) == (0, list(out.columns))
    assert str(empty.dtypes["start"]) == "int64"


def test_polars_frames_keep_their_row_or_key(tagger):
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"body": TEXTS, "id": ["a", "b", "c", "d"]})
    out = nertool.tag_column(frame, "body", tagger)
    assert out.columns == ["row", "text", "label", "start", "end", "probability"]
    assert [row[:5] for row in out.rows()] == [row[:5] for row in expected(tagger, [0, 1, 2, 3])]
    keyed = nertool.tag_column(frame, "body", tagger, key="id")
    assert keyed["id"].to_list() == [row[0] for row in expected(tagger, ["a", "b", "c", "d"])]
    assert nertool.tag_column(frame[:0], "body", tagger).schema == out.schema


def test_a_model_s_path_and_thresholds_do_too(tagger, run_dir):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"body": TEXTS})
    out = nertool.tag_column(frame, "body", run_dir, threshold=0.9)
    assert (out["probability"] >= 0.9).all()


def test_what_is_no_frame_of_texts_is_refused(tagger):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"body": ["Ada", 3], "text": [1, 2]})
    with pytest.raises(TypeError, match="row 1: found a int"):
        nertool.tag_column(frame, "body", tagger)
    with pytest.raises(KeyError, match="found no column 'boody'"):
        nertool.tag_column(frame, "boody", tagger)
    with pytest.raises(ValueError, match="rename it"):
        nertool.tag_column(frame, "body", tagger, key="text")
    with pytest.raises(TypeError, match="found a list"):
        nertool.tag_column([["Ada"]], "body", tagger)


def test_the_package_imports_none_of_these_libraries_by_itself():
    code = (
        "import sys, nertool; nertool.tag_column, nertool.load; "
        "print({'pandas', 'polars', 'sklearn'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
