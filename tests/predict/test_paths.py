"""Which files are read and written: by the files that paths lead to, however they are written."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from nertool.catalogue import find_format
from nertool.errors import CorpusError
from nertool.predict.paths import Input, check_outputs, expand, output_path
from nertool.predict.request import PredictRequest
from nertool.predict.run import find_files


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """in/a.txt and other/b.txt."""
    for name in ("in/a.txt", "other/b.txt"):
        path = tmp_path / name
        path.parent.mkdir()
        path.write_text("Ada left London.\n")
    return tmp_path / "in" / "a.txt", tmp_path / "other" / "b.txt"


def test_dots_in_a_path_lead_to_no_place_outside_the_folder(two, run_dir, main, tmp_path):
    a, b = two
    out = tmp_path / "out"
    dotted = f"{tmp_path}/in/../other/b.txt"
    done = main("predict", run_dir, a, dotted, "--out-dir", out)
    assert done.returncode == 0, done.stderr
    assert b.read_text() == "Ada left London.\n"
    assert files(out) == ["in/a.txt", "other/b.txt"]


def test_a_file_named_in_two_ways_is_one_input(two):
    a, _ = two
    names = [str(a), f"{a.parent}/../in/a.txt", os.path.relpath(a)]
    assert [entry.path for entry in expand(names, "auto", folders=False)] == [a]


@pytest.mark.parametrize("where", ["out/in", "out/in/a.txt"])
def test_links_in_the_output_folder_lead_to_no_place_outside_it(
    where, two, run_dir, main, tmp_path
):
    a, b = two
    link = tmp_path / where
    link.parent.mkdir(parents=True)
    outside = tmp_path / "outside"
    outside.mkdir()
    link.symlink_to(outside if where == "out/in" else outside / "new.txt")
    done = main("predict", run_dir, a, b, "--out-dir", tmp_path / "out")
    assert (done.returncode, "found a place outside" in done.stderr) == (1, True)
    assert files(outside) == []


def test_two_inputs_with_one_output_are_refused(tmp_path):
    for name in ("in/x.txt", "in/x.txt.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    request = PredictRequest((str(tmp_path / "in"),), out_dir=tmp_path / "out", to="jsonl")
    with pytest.raises(CorpusError, match=r"is that of .*, too"):
        find_files(request)
    # Two outputs that a link makes one.
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "b.txt").symlink_to("a.txt")
    inputs = [Input(tmp_path / n, Path(n)) for n in ("a.txt", "b.txt")]
    outputs = [tmp_path / "out" / n for n in ("a.txt", "b.txt")]
    with pytest.raises(CorpusError, match=r"is that of .*, too"):
        check_outputs(outputs, inputs, tmp_path / "out")


def test_an_output_folder_that_holds_the_inputs_by_another_name_is_refused(two, tmp_path):
    a, _ = two
    (tmp_path / "link").symlink_to("in")
    request = PredictRequest((str(a.parent),), out_dir=tmp_path / "link")
    with pytest.raises(CorpusError, match="found an input"):
        find_files(request)


def test_no_file_of_a_brat_pair_is_an_output(tmp_path):
    (tmp_path / "a.txt").write_text("Ada left.")
    (tmp_path / "a.ann").write_text("T1\tPER 0 3\tAda\n")
    for named in (tmp_path, tmp_path / "a.txt", tmp_path / "a.ann"):
        for output in ("a.txt", "a.ann"):
            with pytest.raises(CorpusError, match="found an input"):
                find_files(PredictRequest((str(named),), output=tmp_path / output))


@pytest.mark.parametrize(
    ("name", "to", "expected"),
    [
        ("a.txt", None, "a.txt"),
        ("a.txt.gz", None, "a.txt.gz"),
        ("a.txt.gz", "jsonl", "a.txt.jsonl.gz"),
        ("a.jsonl", "jsonl", "a.jsonl"),
        ("a.parquet", None, "a.parquet"),
        ("a.txt.gz", "parquet", "a.txt.parquet"),
        ("a.txt", "brat", "a.ann"),
        ("noending", None, "noending"),
    ],
)
def test_an_output_s_name_is_the_input_s_with_the_format_s_ending(name, to, expected):
    to_format = find_format(to) if to else None
    assert output_path(Path(), Input(Path(name), Path(name)), "auto", to_format) == Path(expected)


# Formats of several files go the same way as all others.


@pytest.fixture
def brat(tmp_path: Path) -> Path:
    folder = tmp_path / "brat"
    (folder / "deep").mkdir(parents=True)
    for name, text in (("a", "Ada left London."), ("deep/b", "Siemens hired Ada.")):
        (folder / f"{name}.txt").write_text(text)
        (folder / f"{name}.ann").write_text("T1\tPER 0 3\t" + text[:3] + "\n")
    return folder


@pytest.mark.parametrize("named", ["auto", "brat"])
def test_a_brat_folder_is_one_input_to_every_output(brat, named, run_dir, main, tmp_path):
    how = ("predict", run_dir, brat, "--format", named)
    lines = [json.loads(line) for line in main(*how).stdout.splitlines()]
    assert [(r["id"], r["text"]) for r in lines] == [
        ("a", "Ada left London."),
        ("deep/b", "Siemens hired Ada."),
    ]
    table = tmp_path / "out.parquet"
    done = main(*how, "--to", "parquet", "-o", table)
    assert done.returncode == 0, done.stderr
    from pyarrow.parquet import read_table

    rows = read_table(table).to_pylist()
    assert [row["text"] for row in rows] == [r["text"] for r in lines]
    assert [row["entities"] for row in rows] == [r["entities"] for r in lines]
    done = main(*how, "--out-dir", tmp_path / "out", "--to", "html")
    assert (done.returncode, files(tmp_path / "out")) == (0, ["brat.html"]), done.stderr


def test_an_annotated_brat_text_is_read_as_such_and_once(brat, run_dir, main):
    for named in ([brat / "a.txt"], [brat / "a.ann"], [brat / "a.*"]):
        done = main("predict", run_dir, *named, "--to", "jsonl")
        assert done.returncode == 0, done.stderr
        (record,) = [json.loads(line) for line in done.stdout.splitlines()]
        assert (record["id"], record["text"]) == ("a", "Ada left London.")


def test_predictions_are_written_as_brat_s_pairs_too(brat, run_dir, main, tmp_path):
    out = tmp_path / "predicted"
    done = main("predict", run_dir, brat, "--to", "brat", "-o", out)
    assert done.returncode == 0, done.stderr
    assert files(out) == ["a.ann", "a.txt", "deep/b.ann", "deep/b.txt"]
    assert (out / "a.txt").read_text() == "Ada left London."
    expected = json.loads(main("predict", run_dir, brat, "--to", "jsonl").stdout.splitlines()[0])
    rows = (out / "a.ann").read_text().splitlines()
    assert [row.split("\t")[2] for row in rows] == [e["text"] for e in expected["entities"]]
    done = main("predict", run_dir, brat, "--to", "brat")
    assert (done.returncode, "standard output" in done.stderr) == (2, True)


def test_several_inputs_make_one_list_and_one_table(two, run_dir, main):
    for to in ("json", "label-studio"):
        assert len(json.loads(main("predict", run_dir, *two, "--to", to).stdout)) == 2
    table = main("predict", run_dir, *two, "--to", "spans").stdout.splitlines()
    assert sum(line.startswith("source\t") for line in table) == 1
    assert main("predict", run_dir, *two, "--to", "html").stdout.count("<!DOCTYPE") == 1
    # Held back until each is whole, as a faulty one may be left out.
    done = main("predict", run_dir, *two, "--to", "json", "--on-error", "skip")
    assert len(json.loads(done.stdout)) == 2


def test_inputs_of_several_formats_make_one_list_and_one_table(tmp_path, run_dir, main):
    contents = {
        "a.jsonl": '{"text": "It rained.", "n": 1}\n',
        "b.conll": "Ada NNP O\n\n",
        "c.txt": "No.\n",
    }
    for name, content in contents.items():
        (tmp_path / name).write_text(content)
    names = [tmp_path / name for name in contents]
    for to in ("json", "label-studio"):
        for inputs in (names, names[::-1]):
            assert len(json.loads(main("predict", run_dir, *inputs, "--to", to).stdout)) == 3
    assert main("predict", run_dir, *names, "--to", "csv").stdout.count("id,text,label") == 1
    lines = main("predict", run_dir, *names, "--to", "doccano").stdout.splitlines()
    assert len({frozenset(json.loads(line)) for line in lines}) == 1  # all have the same fields


def test_brat_s_files_stand_beside_the_texts_of_a_folder(run_dir, tmp_path, main):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    text = b"\xef\xbb\xbfYesterday Ada Lovelace\r\nmet me.\r\n\r\nShe is in London now, they say.\n"
    (tmp_path / "in" / "deep" / "a.txt").write_bytes(text)
    (tmp_path / "in" / "c.txt").write_text("Ada B-PER\nleft O\n\nBob B-PER\nleft O\n")
    command = ("predict", run_dir, tmp_path / "in", "--to", "brat", "--on-error", "report")
    done = main(*command, "--out-dir", tmp_path / "out")
    assert "c.txt: found CoNLL columns, expected running text" in done.stderr
    names = sorted(
        p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.*")
    )
    assert names == ["deep/a.ann", "deep/a.txt"], done.stderr
    assert (tmp_path / "out" / "deep" / "a.txt").read_bytes() == text
    again = main("corpus", "convert", tmp_path / "out", "--to", "jsonl")
    told = main("predict", run_dir, tmp_path / "in" / "deep" / "a.txt", "--to", "jsonl")
    texts = [[e["text"] for e in json.loads(line)["entities"]] for line in told.stdout.splitlines()]
    assert [e["text"] for e in json.loads(again.stdout)["entities"]] == [
        text for own in texts for text in own
    ]
    # In the same folder, what is there is left alone.
    deep, out = tmp_path / "in" / "deep", tmp_path / "out" / "deep"
    here = ("predict", run_dir, deep, "--to", "brat", "--out-dir")
    assert main(*here, deep).returncode == 0
    assert (deep / "a.ann").read_bytes() == (out / "a.ann").read_bytes()
    assert "1 of 1 files exist already, and are left unchanged" in main(*here, deep).stderr
    assert sorted(p.name for p in deep.iterdir()) == ["a.ann", "a.txt"]
    (out / "a.ann").unlink()
    (out / "a.txt").write_text("another text")
    done = main(*here, out)
    assert done.returncode == 1
    assert "found another text than" in done.stderr
