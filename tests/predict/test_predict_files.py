"""Files in, files out: packed ones, folders, patterns, faulty ones, and options that are misuse."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from pathlib import Path

import pytest
import zstandard

from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.formats.read import read_corpus
from nertool.predict.request import Sizes
from nertool.tagging.annotate import Details
from tests.support.predicting import TEXT, objects, tag

PACK = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: zstandard.ZstdCompressor().compress(data),
}


UNPACK = {
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
    ".zst": lambda data: zstandard.ZstdDecompressor().stream_reader(data).read(),
}


@pytest.mark.parametrize("suffix", PACK)
def test_packed_files_are_read_and_written(suffix, run_dir, main, tmp_path):
    path, out = tmp_path / f"a.txt{suffix}", tmp_path / f"out.txt{suffix}"
    path.write_bytes(PACK[suffix](TEXT.encode()))
    expected = main("predict", run_dir, "-", stdin=TEXT).stdout
    assert main("predict", run_dir, path).stdout == expected
    assert main("predict", run_dir, "-", stdin=path.read_bytes()).stdout == expected
    assert main("predict", run_dir, path, "-o", out).returncode == 0
    assert UNPACK[suffix](out.read_bytes()).decode() == expected
    # Two in one, as cat makes them, and one that is cut short.
    path.write_bytes(PACK[suffix](TEXT.encode()) * 2)
    assert main("predict", run_dir, path).stdout == expected * 2
    whole = PACK[suffix](TEXT.encode())
    path.write_bytes(whole[: len(whole) - 8])
    done = main("predict", run_dir, path, "-o", tmp_path / "none")
    assert (done.returncode, "cut short or damaged" in done.stderr) == (1, True)
    assert not (tmp_path / "none").exists()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "a.txt").write_text("Ada left London.\n")
    (folder / "deep" / "b.jsonl").write_text('{"text": "Paris"}\n')
    (folder / "deep" / "er" / "c.txt.gz").write_bytes(gzip.compress(b"Charles\nmet\nAda\n"))
    (folder / ".hidden").write_text("no")
    return folder


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_a_folder_s_tree_is_mirrored_and_finished_files_are_left_alone(
    tree, run_dir, main, tmp_path
):
    out = tmp_path / "out"
    done = main("predict", run_dir, tree, "--out-dir", out)
    assert done.returncode == 0, done.stderr
    assert files(out) == ["a.txt", "deep/b.jsonl", "deep/er/c.txt.gz"]
    assert "read 3 files" in done.stderr
    (out / "a.txt").write_text("mine")
    (out / "deep" / "b.jsonl").unlink()
    done = main("predict", run_dir, tree, "--out-dir", out)
    assert "2 of 3 files exist already" in done.stderr
    assert (out / "a.txt").read_text() == "mine"
    assert json.loads((out / "deep" / "b.jsonl").read_text())["text"] == "Paris"
    done = main("predict", run_dir, tree, "--out-dir", tmp_path / "json", "--to", "jsonl")
    assert files(tmp_path / "json") == ["a.txt.jsonl", "deep/b.jsonl", "deep/er/c.txt.jsonl.gz"]
    done = main("predict", run_dir, tree, "--out-dir", tmp_path / "p", "--to", "parquet")
    assert done.returncode == 0, done.stderr
    assert files(tmp_path / "p") == [
        "a.txt.parquet",
        "deep/b.jsonl.parquet",
        "deep/er/c.txt.parquet",
    ]


def test_patterns_and_several_files_and_where_they_come_from(tree, run_dir, main, tmp_path):
    done = main(
        "predict", run_dir, tree / "**" / "*.txt*", tree / "deep" / "b.jsonl", "--to", "jsonl"
    )
    assert done.returncode == 0, done.stderr
    sources = [Path(record["source"]).name for record in objects(done.stdout)]
    assert list(dict.fromkeys(sources)) == ["a.txt", "c.txt.gz", "b.jsonl"]
    done = main("predict", run_dir, tree / "**" / "*.txt*", "--out-dir", tmp_path / "out")
    assert files(tmp_path / "out") == ["a.txt", "deep/er/c.txt.gz"]
    done = main("predict", run_dir, tree / "*.xml")
    assert (done.returncode, "found no file" in done.stderr) == (1, True)
    done = main("predict", run_dir, tree, "--out-dir", tree)
    assert (done.returncode, "found an input" in done.stderr) == (1, True)


@pytest.mark.parametrize(("policy", "code"), [("fail", 1), ("report", 1), ("skip", 0)])
def test_what_can_not_be_read_is_left_out_as_asked_and_accounted_for(
    policy, code, tree, run_dir, main, tmp_path
):
    (tree / "bad.txt").write_bytes(b"caf\xe9 \n" * 3)
    (tree / "deep" / "b.jsonl").write_text('{"text": "Paris"}\n{"text": \n{"text": "Rome"}\n')
    report, out = tmp_path / "report.tsv", tmp_path / "out"
    done = main(
        "predict", run_dir, tree, "--out-dir", out, "--on-error", policy, "--report", report
    )
    assert done.returncode == code
    if policy == "fail":
        assert "bad.txt" not in files(out)
        return
    assert files(out) == ["a.txt", "deep/b.jsonl", "deep/er/c.txt.gz"]
    assert [r["text"] for r in objects((out / "deep" / "b.jsonl").read_text())] == ["Paris", "Rome"]
    lines = report.read_text().splitlines()
    assert any(line.startswith(f"{tree / 'bad.txt'}\trefused") and "0xe9" in line for line in lines)
    assert any(line.startswith(f"{tree / 'deep' / 'b.jsonl'}:2\trefused") for line in lines)
    assert "refused: 1 × files that could not be read" in done.stderr
    # To one output, the faulty file leaves nothing in it.
    done = main("predict", run_dir, tree / "*.txt", "--on-error", policy, "--format", "raw")
    assert done.stdout == main("predict", run_dir, tree / "a.txt", "--format", "raw").stdout


def test_processes_in_parallel_give_the_same_text_and_the_same_account(
    tagger, run_dir, main
) -> None:
    for to in ("inline", "jsonl", "spans", "html", "hf"):
        how = {"to": to, "details": Details(thresholds={"": 0.5}), "sizes": Sizes(40, 300)}
        cases: dict[int, list[str]] = {1: [], 2: []}
        out, sums = {}, {}
        for workers, lines in cases.items():
            ledger = Ledger(lines.append)
            out[workers] = tag(tagger, TEXT * 40, ledger, workers=workers, **how)
            sums[workers] = ledger.lines()
        assert (out[1], sums[1], cases[1]) == (out[2], sums[2], cases[2])
        assert out[1]
        assert cases[1]
    faulty = '{"text": "Ada"}\n' * 50 + '{"text": 3}\n'
    done = main("predict", run_dir, "-", "--workers", "2", stdin=faulty)
    assert (done.returncode, "<stdin>:51: " in done.stderr.splitlines()[-1]) == (1, True)


def test_documents_have_heads_in_every_piece_or_in_none(tagger):
    small = Sizes(piece_characters=1)
    records = '{"text": "Ada left."}\n{"text": "Paris."}\n'
    assert tag(tagger, records, to="conll", sizes=small).count("-DOCSTART- -X- O O\n\n") == 2
    assert tag(tagger, records, to="inline", sizes=small).count("# id: ") == 2
    assert "DOCSTART" not in tag(tagger, TEXT * 3, to="conll", sizes=small)
    rows = "Ada X\n\nmet X\n" * 3
    inline = tag(tagger, rows, format_name="conll", to="inline", details=Details(True), sizes=small)
    assert "# id" not in inline


@pytest.mark.parametrize(
    ("to", "documents"), [("jsonl", 2), ("hf", 2), ("gliner", 2), ("bioc", 2), ("csv", 4)]
)
@pytest.mark.parametrize("form", ["conll", "conllu"])
def test_the_documents_of_two_files_in_one_output_stay_two(
    form, to, documents, run_dir, main, tmp_path
):
    row = {"conll": "{w} O\n", "conllu": "1\t{w}" + "\t_" * 8 + "\n"}[form]
    for name in ("a", "b"):
        text = "".join(row.format(w=w) + "\n" for w in ("Ada", "Paris"))
        (tmp_path / f"{name}.{form}").write_text(text)
    out = tmp_path / "out"
    done = main(
        "predict", run_dir, tmp_path / f"a.{form}", tmp_path / f"b.{form}", "--to", to, "-o", out
    )
    assert done.returncode == 0
    corpus = read_corpus(out, to, Reading(), Ledger())
    assert (corpus.documents, corpus.sentences) == (documents, 4)
    if to == "csv":
        assert len({fields["id"] for fields in corpus.records.fields}) == 4


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ("Ada NNP O\n", "found rows that get 4 columns separated by spaces, expected 3 columns"),
        (
            "Ada\tO\n",
            "found rows that get 3 columns separated by tabs, expected 3 columns separated by",
        ),
        (
            "Ada left.\n\nThey met in Paris again.\n",
            "found rows that get 2 columns, expected 3 columns",
        ),
        ("Ada O\n", ""),
        ("\n \n", ""),
        ("-DOCSTART-\n\n", ""),
    ],
)
def test_rows_of_several_files_in_one_output_have_the_same_columns(
    other, says, run_dir, main, tmp_path
):
    (tmp_path / "a.conll").write_text("Ada O\nmet O\n")
    (tmp_path / "b.txt").write_text(other)
    out = tmp_path / "out.conll"
    done = main(
        "predict", run_dir, tmp_path / "a.conll", tmp_path / "b.txt", "--to", "conll", "-o", out
    )
    assert (done.returncode, out.exists()) == ((1, False) if says else (0, True))
    assert f"{tmp_path / 'b.txt'}: {says}" in done.stderr


def test_brat_s_folder_is_one_input(run_dir, main, tmp_path):
    (tmp_path / "a.txt").write_text("Ada left.")
    (tmp_path / "a.ann").write_text("T1\tPER 0 3\tAda\n")
    done = main("predict", run_dir, tmp_path, "--format", "brat")
    assert done.returncode == 0, done.stderr
    (record,) = objects(done.stdout)
    assert (record["id"], record["text"]) == ("a", "Ada left.")


def test_a_probability_for_a_class_that_the_model_lacks_is_misuse(run_dir, tmp_path, main):
    path = tmp_path / "in.txt"
    path.write_text(TEXT)
    done = main("predict", run_dir, path, "--min-probability", "PRE=0.5")
    assert done.returncode == 2
    assert 'the model has no label PRE; did you mean "PER"?' in " ".join(done.stderr.split())
    assert main("predict", run_dir, path, "--min-probability", "PER=0.5").returncode == 0


def test_a_report_does_not_take_the_place_of_the_text(run_dir, tmp_path, main):
    path, out = tmp_path / "in.txt", tmp_path / "out.txt"
    path.write_text(TEXT)
    for report in (path, out):
        done = main("predict", run_dir, path, "-o", out, "--report", report)
        assert done.returncode == 2
        assert "read or written already" in " ".join(done.stderr.split())
    assert path.read_text() == TEXT
    assert not out.exists()
