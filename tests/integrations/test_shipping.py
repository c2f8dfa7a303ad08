"""A model goes to other machines as one file, and is loaded once by each process."""

from __future__ import annotations

import shutil
import sys
import zipfile

import pytest

import nertool
from nertool.errors import ModelError, NertoolError
from nertool.integrations import shipping
from nertool.integrations.shipping import Shipped, digest_of, pack, tagger_of

TEXT = "Ada Lovelace met Charles in London."


def test_a_shipped_model_finds_the_same_and_is_loaded_once(run_dir, tmp_path):
    shipped = pack(run_dir, tmp_path)
    assert pack(run_dir, tmp_path) == shipped
    tagger = tagger_of(shipped)
    assert tagger(TEXT).entities == nertool.load(run_dir)(TEXT).entities
    assert tagger_of(shipped) is tagger
    shipping._loaded.clear()
    before = sorted(tmp_path.iterdir())
    again = tagger_of(shipped)
    assert again is not tagger
    assert sorted(tmp_path.iterdir()) == before
    assert [path.suffix for path in before] == [".nertool"]


def test_models_in_one_file_and_taggers_are_shipped_too(run_dir, tmp_path):
    tagger = nertool.load(run_dir)
    shipped = pack(tagger, tmp_path)
    assert tagger_of(shipped)(TEXT).entities == tagger(TEXT).entities
    copy = tmp_path / "elsewhere"
    copy.mkdir()
    packed = pack(shipped.path, copy)
    assert tagger_of(packed)(TEXT).entities == tagger(TEXT).entities


def test_one_model_has_one_digest_and_one_file(run_dir, tmp_path):
    shutil.copytree(run_dir / "best", tmp_path / "copy")
    assert digest_of(tmp_path / "copy") == digest_of(run_dir)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    one, other = pack(run_dir, tmp_path / "a"), pack(tmp_path / "copy", tmp_path / "b")
    with open(one.path, "rb") as first, open(other.path, "rb") as second:
        assert first.read() == second.read()


def test_a_model_on_shared_storage_must_stay_the_one_that_it_was(run_dir, full_run_dir, tmp_path):
    shutil.copytree(run_dir / "best", tmp_path / "m")
    shipped = Shipped(str(tmp_path / "m"), digest_of(tmp_path / "m"), packed=False)
    assert tagger_of(shipped)(TEXT).entities
    shipping._loaded.clear()
    shutil.rmtree(tmp_path / "m")
    shutil.copytree(full_run_dir / "best", tmp_path / "m")
    with pytest.raises(ModelError, match="found another model than when the job began"):
        tagger_of(shipped)


def test_a_damaged_file_is_refused(run_dir, tmp_path):
    shipped = pack(run_dir, tmp_path)
    shipping._loaded.clear()
    with zipfile.ZipFile(shipped.path) as archive:
        at = archive.getinfo("model.safetensors").header_offset + 2000
    with open(shipped.path, "r+b") as file:
        file.seek(at)
        file.write(b"\xff" * 64)
    with pytest.raises(ModelError, match="damaged"):
        tagger_of(shipped)


def test_spark_without_pyspark_or_java_says_what_to_install(main, run_dir, monkeypatch, tmp_path):
    import nertool.integrations.spark as spark

    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "pyspark", None)
        with pytest.raises(NertoolError, match=r"pip install 'nertool\[spark\]'"):
            nertool.spark.tag(None, run_dir)
    monkeypatch.setattr(spark, "_pyspark", lambda: None)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(NertoolError, match=r"found no java in JAVA_HOME .* install Java 17"):
        spark.check_java()
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NertoolError, match="found no java on the PATH"):
        spark.check_java()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("in.parquet",), "expected Parquet files and an output"),
        (("-", "out"), "expected Parquet files and an output"),
        (("in", "out", "--n-best", "2", "--tokens"), "--n-best, --tokens: not with --engine spark"),
        (("in", "out", "--workers", "2"), "--master says how many"),
        (("in", "out", "--from", "jsonl"), "--from: not with --engine spark"),
    ],
)
def test_options_that_spark_has_not_are_misuse(main, run_dir, options, message):
    done = main("predict", "--engine", "spark", run_dir, *options)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())


def test_options_of_spark_alone_are_misuse_elsewhere(main, run_dir):
    done = main("predict", run_dir, "x.txt", "--master", "local[2]")
    assert done.returncode == 2
    assert "--master is only for --engine spark" in done.stderr
