"""The callbacks of docs/tracking.md, run with MLflow and tensorboardX."""

from __future__ import annotations

import re
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.integration

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "tracking.md").read_text(encoding="utf-8")


def run(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(code, "docs/tracking.md", "exec", dont_inherit=True), names)
    return names


def code_of(title: str) -> str:
    found = re.search(rf'```python title="{re.escape(title)}"\n(.*?)```', PAGE, re.DOTALL)
    assert found, title
    return found[1]


@pytest.fixture
def folder(tiny, run_dir, tmp_path, monkeypatch) -> Path:
    """A working folder with a small config by the name that the page gives."""
    (tmp_path / "configs").mkdir()
    config = (tiny / "config.yaml").read_text().replace("train.conll", f"{tiny}/train.conll")
    config = config.replace("dev.conll", f"{tiny}/dev.conll").replace(
        "vectors.txt", f"{tiny}/vectors.txt"
    )
    (tmp_path / "configs" / "quickstart.yaml").write_text(config)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "quickstart").symlink_to(run_dir)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_log_is_read_line_by_line(folder):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    with redirect_stdout(StringIO()) as out:
        run(code)
    assert [line.split()[0] for line in out.getvalue().splitlines()] == list("123456")


def test_mlflow_gets_each_epoch(folder, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri((folder / "mlruns").as_uri())
    history = run(code_of("mlflow_callback.py"))["run"].history
    monkeypatch.setattr(sys, "argv", ["send_log.py", "runs/quickstart"])
    run(code_of("send_log.py"))
    client = mlflow.MlflowClient()
    named = {run.info.run_name: run for run in client.search_runs(["0"])}
    assert set(named) == {"quickstart", "runs/quickstart"}
    of = named["quickstart"]
    assert of.data.params == {"hidden": "16"}
    loss = client.get_metric_history(of.info.run_id, "loss")
    assert [(m.step, m.value) for m in loss] == [(r.epoch, pytest.approx(r.loss)) for r in history]
    f1 = client.get_metric_history(of.info.run_id, "dev_f1")
    assert [m.value for m in f1] == [pytest.approx(r.dev.f1) for r in history]
    sent = client.get_metric_history(named["runs/quickstart"].info.run_id, "loss")
    assert [m.step for m in sent] == [1, 2, 3, 4, 5, 6]


def test_tensorboard_gets_each_epoch(folder):
    pytest.importorskip("tensorboardX")
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.record_writer import RecordWriter  # noqa: F401  (the format that is read below)

    history = run(code_of("tensorboard_callback.py"))["run"].history
    (file,) = (folder / "runs" / "tensorboard").iterdir()
    content, values = file.read_bytes(), []
    while content:  # a record: its length in 8 bytes, a checksum in 4, the event, a checksum in 4
        size = int.from_bytes(content[:8], "little")
        event = Event.FromString(content[12 : 12 + size])
        values += [(v.tag, event.step, v.simple_value) for v in event.summary.value]
        content = content[16 + size :]
    losses = [(step, value) for tag, step, value in values if tag == "loss"]
    assert losses == [(r.epoch, pytest.approx(r.loss)) for r in history]
    assert [value for tag, _, value in values if tag == "dev/f1"] == [
        pytest.approx(r.dev.f1) for r in history
    ]
