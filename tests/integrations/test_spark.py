"""Tagging on a real Spark, of a driver and two executors: row for row what one machine finds."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import nertool
from nertool.errors import NertoolError
from tests.docs.test_pages import blocks

pytestmark = pytest.mark.integration
pytest.importorskip("pyspark")

ROOT = Path(__file__).resolve().parents[2]
TEXTS = [
    "Ada Lovelace met Charles in London. 🙂 Ada left.",
    "It rained.",
    "Siemens hired Ada in Paris.",
    "Charles left London for New York.",
]


@pytest.fixture(scope="module")
def spark(tmp_path_factory) -> Iterator:
    from pyspark.sql import SparkSession

    work = tmp_path_factory.mktemp("spark")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("SPARK_LOCAL_DIRS", str(work / "local"))
        session = (
            SparkSession.builder.master("local-cluster[2,1,1024]")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.executorEnv.PYTHONPATH", str(ROOT))
            .config("spark.ui.enabled", "false")
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.log.level", "ERROR")
            .config("spark.sql.shuffle.partitions", "4")
            .config("spark.sql.warehouse.dir", str(work / "warehouse"))
            .getOrCreate()
        )
        yield session
        session.stop()


@pytest.fixture(scope="module")
def tagger(run_dir) -> nertool.Tagger:
    return nertool.load(run_dir)


def expected(tagger, text: str | None) -> list[tuple] | None:
    if text is None:
        return None
    return [(e.start, e.end, e.label, e.text) for e in tagger(text)]


def check(rows, tagger) -> None:
    """Compare rows with what one machine finds in the same text."""
    for row in rows:
        found = row.entities and [(e.start, e.end, e.label, e.text) for e in row.entities]
        assert (found or None) == (expected(tagger, row.text) or None)
        for entity, own in zip(row.entities or (), tagger(row.text or ""), strict=True):
            assert entity.probability == pytest.approx(own.probability, abs=1e-6)
        assert row.quarantine == (None if row.text is not None else "null text")


def frame(spark, texts, partitions: int):
    rows = list(enumerate(texts))
    return spark.createDataFrame(rows, "id bigint, text string").repartition(partitions, "id")


def test_each_row_has_what_one_machine_finds_and_keeps_its_other_columns(spark, tagger, run_dir):
    from pyspark.sql import functions as F

    texts = [*TEXTS, None, ""] * 20
    source = frame(spark, texts, 4).select(
        "id",
        F.struct(F.col("text").alias("Body"), F.array("id").alias("ids")).alias("doc"),
        "text",
        F.create_map(F.lit("k"), F.col("id")).alias("map"),
    )
    out = nertool.spark.tag(source, run_dir)
    entities = "array<struct<start:bigint,end:bigint,label:string,text:string,probability:double>>"
    assert out.dtypes == [*source.dtypes, ("entities", entities), ("quarantine", "string")]
    rows = out.orderBy("id").collect()
    assert [(row.id, row.doc.Body, row.map["k"]) for row in rows] == [
        (i, text, i) for i, text in enumerate(texts)
    ]
    check(rows, tagger)
    assert any(row.entities for row in rows)
    # A struct's field, spelled otherwise, of a frame of no rows and of some.
    nested = nertool.spark.tag(source.drop("text"), tagger, "DOC.body", threshold=0.5)
    assert nested.limit(0).collect() == []
    assert nested.count() == len(texts)


def test_columns_that_do_not_fit_are_refused_before_a_task_runs(spark, run_dir):
    source = frame(spark, TEXTS, 1)
    cases = [
        (source, {"text_col": "body"}, "found no column body, expected one of id, text"),
        (source, {"entities_col": "ID"}, "found a column named ID already"),
        (source, {"text_col": "text.body"}, r"found no field body of the column text\.body"),
        (spark.sql("select 1 a, 2 a, 'x' text"), {}, "several columns named a"),
        (spark.sql("select make_interval(1) i, 'x' text"), {}, "which Spark can't hand to Python"),
    ]
    for of, options, message in cases:
        with pytest.raises(NertoolError, match=message):
            nertool.spark.tag(of, run_dir, **options)
    with pytest.raises(NertoolError, match="no such folder"):
        nertool.spark.tag(source, "nowhere")
    with pytest.warns(UserWarning, match="holds bigint, not strings"):
        out = nertool.spark.tag(source, run_dir, "id")
    assert {row.quarantine for row in out.collect()} == {"not a string: found int64"}


def _once(marker: str, what: str, batches):
    """Yield batches; on the first call of all, end this worker or its executor after the first of them."""
    for batch in batches:
        yield batch
        try:
            os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            continue
        if what == "raise":
            raise RuntimeError("a task that fails")
        pid = os.getpid()
        if what == "executor":
            while "java" not in os.path.basename(os.readlink(f"/proc/{pid}/exe")):
                pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("what", ["raise", "worker", "executor"])
def test_a_task_that_fails_is_tried_again_with_the_same_result(
    spark, tagger, run_dir, tmp_path, what
):
    from functools import partial

    import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    marker = tmp_path / "failed"
    texts = [*TEXTS, None] * 40
    failing = frame(spark, texts, 6).mapInArrow(
        partial(_once, str(marker), what), "id bigint, text string"
    )
    rows = nertool.spark.tag(failing, run_dir).collect()
    assert marker.exists()
    assert sorted(row.id for row in rows) == list(range(len(texts)))
    check(rows, tagger)


def test_a_skewed_input_is_tagged_whole(spark, tagger, run_dir):
    long = " ".join(TEXTS * 500)
    texts = [long, *TEXTS * 50, "x" * 3000]
    skewed = frame(spark, texts, 1).union(frame(spark, TEXTS[:1], 1))  # almost all in one partition
    rows = nertool.spark.tag(skewed, run_dir, max_characters=len(long)).collect()
    check(rows, tagger)
    assert len(next(row for row in rows if row.text == long).entities) > 1000
    shorter = nertool.spark.tag(skewed, run_dir, max_characters=2999).collect()
    reasons = [row.quarantine.partition(":")[0] for row in shorter if row.quarantine]
    assert reasons == ["too long", "too long"]


def test_the_command_tags_parquet_and_goes_on_after_a_failure(
    spark, tagger, run_dir, main, tmp_path
):
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = [*TEXTS, None] * 30
    source, out = tmp_path / "in", tmp_path / "out.parquet"
    source.mkdir()
    for i in range(3):
        rows = range(50 * i, 50 * i + 50)
        table = pa.table({"id": list(rows), "text": [texts[j] for j in rows]})
        pq.write_table(table, source / f"{i}.parquet", row_group_size=25)
    command = ("predict", "--engine", "spark", run_dir, source, out)
    whole = (source / "1.parquet").read_bytes()
    times = os.stat(source / "1.parquet")
    (source / "1.parquet").write_bytes(whole[:4] + b"\xff" * 300 + whole[304:])
    os.utime(source / "1.parquet", ns=(times.st_atime_ns, times.st_mtime_ns))
    done = main(*command)
    assert done.returncode == 1
    assert "1.parquet" in done.stderr.splitlines()[-1]
    assert "run the command again" in done.stderr
    assert "Traceback" not in done.stderr
    kept = {path.name: os.stat(path).st_ino for path in out.glob("part-*")}
    assert not (out / "_SUCCESS").exists()
    (source / "1.parquet").write_bytes(whole)
    os.utime(source / "1.parquet", ns=(times.st_atime_ns, times.st_mtime_ns))
    done = main(*command)
    assert done.returncode == 0, done.stderr
    assert "read 150 rows" in done.stderr
    assert "30 × rows put in quarantine: null text" in done.stderr
    assert (out / "_SUCCESS").exists()
    inodes = {path.name: os.stat(path).st_ino for path in out.glob("part-*")}
    assert len(inodes) == 6
    assert {name: inodes[name] for name in kept} == kept
    table = pq.read_table(out)
    assert table["text"].to_pylist() == texts  # in the input's order
    for text, entities in zip(texts, table["entities"].to_pylist(), strict=True):
        found = entities and [(e["start"], e["end"], e["label"], e["text"]) for e in entities]
        assert (found or None) == (expected(tagger, text) or None)
    assert "complete already" in main(*command).stderr


def test_the_examples_of_the_page_run(spark, run_dir, main, tmp_path, monkeypatch):
    import pyarrow as pa
    import pyarrow.parquet as pq

    page = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    shutil.copytree(run_dir / "best", tmp_path / "runs" / "quickstart")
    pq.write_table(pa.table({"text": TEXTS}), "in.parquet")
    ran = 0
    for language, _, code in blocks(page):
        if language == "sh":
            done = main(*shlex.split(code)[1:])
            assert done.returncode == 0, done.stderr
            assert pq.read_table("out.parquet").num_rows == len(TEXTS)
        elif "nertool.spark" in code:
            # The session's working folder is another than this test's.
            code = code.replace("tagged.parquet", str(tmp_path / "tagged.parquet"))
            exec(compile(code, "cluster.md", "exec"), {"__name__": "example"})
            assert pq.read_table("tagged.parquet")["quarantine"].to_pylist().count("null text") == 1
        else:
            continue
        ran += 1
    assert ran == 2
