"""Whatever bytes come in: a correct result, or one clear line; no traceback, nothing half-written."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nertool.catalogue import INPUT_FORMATS, OUTPUT_FORMATS, find_format
from nertool.corpus.build import entities_of
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.errors import CorpusError
from nertool.formats.base import Writing
from nertool.formats.convert import convert
from nertool.formats.read import read_stream
from nertool.model.load import load_model
from nertool.tagging.annotate import Details
from nertool.tagging.compiled import CompiledTagger
from tests.support.helpers import tag_text

# What real files of each kind begin like, to be cut, joined and spoilt.
SEEDS = [
    b"Ada B-PER\nmet O\n\nParis B-LOC\n",
    b"-DOCSTART- O\n\nAda\tB-PER\r\nmet\tO\r\n",
    b"1\tAda\tB-PER\tO\n2\tmet\tO\tO\n",
    b"# text = x\n1\tAda" + b"\t_" * 7 + b"\tNER=B-PER\n\n",
    b'{"text": "Ada met", "entities": [[0, 3, "PER"]]}\n',
    b'{"tokens": ["Ada", "met"], "ner_tags": ["B-PER", "O"]}\n',
    b'[{"data": {"text": "Ada"}, "annotations": [{"result": []}]}]',
    b'[{"text": "Ada", "label": []},\n {"text": "met", "label": []}]',
    b"[Ada Lovelace](PER) met \\[us\\].\n",
    b"Ada met Charles in London. It rained.\n\nAll day.\n",
    b"Token,Tag\nAda,B-PER\n",
    b"PAR1\x15\x04\x15\x00PAR1",
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
    b"BZh91AY&SY",
    b"\xfd7zXZ\x00\x00",
    b"(\xb5/\xfd\x04\x00",
    b"\xff\xfeA\x00d\x00a\x00",
    b"\x00" * 20,
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",  # half of a surrogate pair, as some write it
    b'{"text": "\\ud800", "entities": [[0, 1, "X"]]}\n',
    b'{"text": 1e999999, "n": ' + b"9" * 5000 + b"}\n",
    b"\r\r\n\n\r",
    b"a" * 3000,
    b"[" * 3000,
    b'"',
]
SPOILT = st.lists(
    st.one_of(
        st.sampled_from(SEEDS),
        st.sampled_from(SEEDS).flatmap(
            lambda seed: st.tuples(st.integers(0, len(seed)), st.integers(0, len(seed))).map(
                lambda ends: seed[min(ends) : max(ends)]
            )
        ),
        st.binary(max_size=12),
        st.sampled_from([b"\n", b"\r\n", b"\t", b" ", b"\x00", b"\xc2\xa0", b"\xe2\x80\xa8", b"#", b"\\"]),
    ),
    max_size=5,
).map(b"".join)  # fmt: skip


@pytest.fixture(scope="module")
def tagger(run_dir) -> CompiledTagger:
    return CompiledTagger(load_model(run_dir))


def check_error(error: Exception) -> None:
    """Assert that an error is one line for people."""
    message = " ".join(str(error).split())
    assert message
    assert "Traceback" not in message


@settings(max_examples=80, deadline=2000, suppress_health_check=list(HealthCheck))
@given(
    raw=SPOILT,
    form=st.sampled_from(["auto", *INPUT_FORMATS]),
    misaligned=st.sampled_from(["error", "snap", "drop"]),
)
def test_any_bytes_are_read_or_refused(raw, form, misaligned):
    if form in ("brat", "docbin"):  # spaCy is tried in tests/clients
        return
    reading = Reading(misaligned=misaligned, tag_names=("O", "B-X"))
    try:
        corpus = read_stream(io.BytesIO(raw), "x", form, reading, Ledger(), lambda line: None)
    except CorpusError as error:
        check_error(error)
        return
    assert corpus.tokens == corpus.sentence_starts[-1] == len(corpus.line_numbers) > 0
    assert len(corpus.tag_ids) in (0, corpus.tokens)
    assert corpus.document_starts[-1] == corpus.sentences
    entities_of(corpus)
    if corpus.records is not None:
        for i, (start, end) in enumerate(
            zip(corpus.records.token_starts, corpus.records.token_ends, strict=True)
        ):
            word = corpus.words[corpus.word_ids[i]]
            assert word
            assert end - start == len(word)


@settings(max_examples=80, deadline=4000, suppress_health_check=list(HealthCheck))
@given(
    raw=SPOILT,
    form=st.sampled_from(["auto", "auto", *INPUT_FORMATS]),
    to=st.sampled_from([None, *OUTPUT_FORMATS]),
    sure=st.booleans(),
    replace=st.booleans(),
)
def test_any_bytes_are_tagged_or_refused(tagger, raw, form, to, sure, replace):
    if form in ("brat", "docbin") or (to and find_format(to).container != "text"):
        return
    try:
        out = "".join(
            tag_text(
                tagger, raw, format_name=form, to=to, replace_tags=replace, details=Details(sure)
            )
        )
        out.encode()
    except (CorpusError, UnicodeEncodeError) as error:
        check_error(error)
        return
    if to in ("json", "label-studio"):
        json.loads(out)
    if to in ("jsonl", "spacy", "doccano", "hf"):
        for line in out.splitlines() if out.isascii() else out.split("\n")[:-1]:
            json.loads(line)


@settings(max_examples=30, deadline=4000, suppress_health_check=list(HealthCheck))
@given(raw=SPOILT, to=st.sampled_from([to for to in OUTPUT_FORMATS if to != "docbin"]))
def test_any_bytes_are_converted_or_refused(tmp_path_factory, raw, to):
    path = tmp_path_factory.getbasetemp() / "odd"
    path.write_bytes(raw)
    out = path.with_name("out")
    shutil.rmtree(out) if out.is_dir() else out.unlink(missing_ok=True)
    try:
        convert(
            [path], "auto", to, Reading(misaligned="drop"), Writing(), False, out, Ledger(),
            lambda line: None,
        )  # fmt: skip
    except (CorpusError, UnicodeEncodeError) as error:
        check_error(error)


@pytest.mark.parametrize("seed", range(0, len(SEEDS), 2))
def test_odd_files_end_in_one_line_or_a_whole_file_on_the_command_line(
    seed, run_dir, main, tmp_path: Path
):
    path, out = tmp_path / "in", tmp_path / "out"
    path.write_bytes(SEEDS[seed])
    for command in (
        ("predict", run_dir, path, "-o", out),
        ("predict", run_dir, path, "--to", "html", "-o", out),
        ("corpus", "convert", path, "-o", out),
        ("corpus", "check", path),
    ):
        done = main(*command)
        assert done.returncode in (0, 1)
        assert "Traceback" not in done.stderr
        assert "panicked" not in done.stderr
        assert done.stdout == "" or command[0] != "predict"
        errors = [line for line in done.stderr.splitlines() if line.startswith("nertool: ")]
        assert len(errors) == done.returncode
        assert out.exists() == (done.returncode == 0 and "-o" in command)
        assert sorted(p.name for p in tmp_path.iterdir()) == ["in", "out"][: 1 + out.exists()]
        out.unlink(missing_ok=True)


def test_a_line_of_a_megabyte_and_more_is_read_in_bounded_memory(tagger):
    text = b"Ada met Charles, and then she went to London with him and they talked. " * 20_000
    total = sum(map(len, tag_text(tagger, text, format_name="raw", to="inline")))
    assert total >= len(text)
