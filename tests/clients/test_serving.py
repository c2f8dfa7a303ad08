"""The services of docs/serving.md, called as their clients call them."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import nertool

pytestmark = pytest.mark.integration

fastapi = pytest.importorskip("fastapi")
pytest.importorskip("httpx")

from fastapi.testclient import TestClient  # noqa: E402

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "serving.md").read_text(encoding="utf-8")
TEXT = 'Ada met Charles in London. "New York" \U0001f600 is where Ada lives.'
CONFIG = (
    '<View><Labels name="kind" toName="body"><Label value="PER"/><Label value="LOC"/></Labels>'
    '<Text name="body" value="$message"/></View>'
)


def code_of(title: str) -> str:
    found = re.search(rf'```\w+ title="{re.escape(title)}"\n(.*?)```', PAGE, re.DOTALL)
    assert found, title
    return found[1]


def client_of(title: str, run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a client of a service of the page, with the model of a run."""
    monkeypatch.setenv("NERTOOL_MODEL", str(run_dir))
    names: dict[str, Any] = {"__name__": "service"}
    exec(compile(code_of(title), title, "exec", dont_inherit=True), names)
    return TestClient(names["app"])


@pytest.fixture
def expected(run_dir) -> list[tuple[int, int, str]]:
    document = nertool.load(run_dir)(TEXT)
    return [(e.start, e.end, e.label) for e in document.entities]


def test_the_service_has_fewer_than_40_lines():
    assert len(code_of("service.py").splitlines()) < 40


def test_the_service_tags_one_text_and_several(run_dir, expected, monkeypatch):
    client = client_of("service.py", run_dir, monkeypatch)
    assert client.get("/health").json() == {"status": "UP", "labels": ["LOC", "ORG", "PER"]}
    (one,) = client.post("/tag", json={"text": TEXT}).json()
    assert one["text"] == TEXT
    assert [(e["start"], e["end"], e["label"]) for e in one["entities"]] == expected != []
    several = client.post("/tag", json={"text": [TEXT, "", "It rained."], "threshold": 0.0}).json()
    assert several[0] == one
    assert [len(own["entities"]) for own in several[1:]] == [0, 0]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": 3},
        {"text": "a", "threshold": 2},
        {"text": "x" * 100_001},
        {"text": ["a"] * 1001},
    ],
)
def test_the_service_refuses_what_it_is_not_made_for(run_dir, monkeypatch, body):
    assert client_of("service.py", run_dir, monkeypatch).post("/tag", json=body).status_code == 422


def test_threads_of_the_service_get_the_same_answers(run_dir, monkeypatch):
    client = client_of("service.py", run_dir, monkeypatch)
    texts = [f"{TEXT} Siemens hired {name}." for name in ("Ada", "Charles", "nobody")] * 20
    alone = [client.post("/tag", json={"text": text}).json() for text in texts]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda t: client.post("/tag", json={"text": t}).json(), texts))
    assert together == alone


def test_label_studio_gets_a_prediction_for_each_task(run_dir, expected, monkeypatch):
    """The requests are those of label_studio/ml/api_connector.py (Label Studio 1.23)."""
    client = client_of("label_studio_backend.py", run_dir, monkeypatch)
    assert client.get("/health").json()["status"] == "UP"
    asked = {
        "project": "1.1700000000",
        "schema": CONFIG,
        "hostname": "http://localhost:8080",
        "access_token": "x",
        "extra_params": None,
    }
    assert client.post("/setup", json=asked).json() == {"model_version": str(run_dir)}
    tasks = [
        {"id": 7, "data": {"message": TEXT}, "project": 1, "annotations": [], "predictions": []},
        {"id": 8, "data": {"message": "It rained."}, "project": 1},
    ]
    request = {
        "tasks": tasks,
        "project": "1.1700000000",
        "label_config": CONFIG,
        "params": {"login": None, "password": None, "context": None},
    }
    results = client.post("/predict", json=request).json()["results"]
    assert len(results) == len(tasks)  # as Label Studio demands
    first, second = results
    assert second["result"] == []
    assert second["score"] == 1.0
    assert first["model_version"] == str(run_dir)
    assert 0 < first["score"] <= 1
    found = []
    for entry in first["result"]:
        assert (entry["from_name"], entry["to_name"], entry["type"]) == ("kind", "body", "labels")
        value = entry["value"]
        assert TEXT[value["start"] : value["end"]] == value["text"]
        assert 0 < entry["score"] <= 1
        found.append((value["start"], value["end"], value["labels"][0]))
    assert found == expected


def test_doccano_labels_by_its_own_pipeline(run_dir, expected, monkeypatch):
    """doccano runs the package auto-labeling-pipeline; its HTTP request goes to the service here."""
    models = pytest.importorskip("auto_labeling_pipeline.models")
    from auto_labeling_pipeline.labels import SequenceLabels
    from auto_labeling_pipeline.mappings import MappingTemplate
    from auto_labeling_pipeline.pipeline import pipeline
    from auto_labeling_pipeline.postprocessing import PostProcessor

    client = client_of("service.py", run_dir, monkeypatch)

    def request(url: str, method: str, params: Any, headers: Any, json: Any) -> Any:
        assert url.endswith("/tag")
        return client.request(method, "/tag", params=params, headers=headers, json=json)

    monkeypatch.setattr(models.requests, "request", request)
    model = models.RequestModelFactory.create(
        "Custom REST Request",
        {
            "url": "http://localhost:8000/tag",
            "method": "POST",
            "params": {},
            "headers": {},
            "body": {"text": "{{ text }}"},
        },
    )
    template = MappingTemplate(SequenceLabels, code_of("mapping.jinja2"))
    labels = pipeline(TEXT, model, template, PostProcessor({})).dict()
    found = [(own["start_offset"], own["end_offset"], own["label"]) for own in labels]
    assert found == expected
