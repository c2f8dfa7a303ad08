"""Predict: any text in, the same entities out, in every format; many files, packed ones, faulty ones."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nertool.api.tagger import Tagger
from nertool.corpus.ledger import Ledger
from nertool.formats.markup.inline import from_inline
from nertool.model.load import load_model
from nertool.predict.request import Sizes
from nertool.tagging.annotate import Details
from nertool.tagging.compiled import CompiledTagger
from tests.support.helpers import tag_text

TEXT = "Ada Lovelace met Charles in London. Siemens hired Ada.\n\nIt rained in  Paris.\n"


@pytest.fixture(scope="module")
def tagger(run_dir) -> CompiledTagger:
    return CompiledTagger(load_model(run_dir))


def tag(tagger: CompiledTagger, text: str | bytes, ledger: Ledger | None = None, **how) -> str:
    return "".join(tag_text(tagger, text, ledger, **how))


def objects(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


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


# Files


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
    assert "2 of 3 files are there already" in done.stderr
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


def test_processes_in_parallel_give_the_same_text_and_the_same_account(tagger, run_dir, main):
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


def test_columns_without_tags_have_no_gold_and_a_slip_among_tags_is_counted(tagger):
    assert "gold" not in objects(tag(tagger, "Ada NNP\nleft VBD\n", to="jsonl"))[0]
    ledger = Ledger()
    rows = "Ada B-PER\n" + "it O\n" * 20 + "x -\n"
    (value,) = objects(tag(tagger, rows, ledger=ledger, to="jsonl", format_name="conll"))
    assert [entry["label"] for entry in value["gold"]] == ["PER"]
    assert ledger.refused["own tags that are none, taken as O"] == 1
    assert "cells of the columns beside the words" not in ledger.left_out
