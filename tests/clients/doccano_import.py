"""Import JSON lines into doccano by its own API, and export them again.

It runs in a process and a database of its own:

    python doccano_import.py FOLDER PROJECT <lines.jsonl

FOLDER: where its database and files go; PROJECT: the project's fields as JSON, such as
`{"project_type": "SequenceLabeling", "use_relation": false}`. Writes JSON: what the import said (errors),
and the lines of the export.
"""

from __future__ import annotations

import json
import os
import sys
import zipfile
from pathlib import Path
from typing import Any


def started(folder: Path) -> None:
    """Set Django up for doccano, with an empty database; its tasks run at once, without a worker."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings.development",
        "DATABASE_URL": f"sqlite:///{folder / 'doccano.sqlite3'}",
        "MEDIA_ROOT": str(folder / "media"),
    }
    import backend

    sys.path.insert(0, str(Path(backend.__file__).parent))
    import django
    from django.conf import settings
    from django.core.management import call_command

    for name in ("media", "uploads"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    settings.DJANGO_DRF_FILEPOND_UPLOAD_TMP = str(folder / "uploads")
    settings.DJANGO_DRF_FILEPOND_ALLOW_EXTERNAL_UPLOAD_DIR = True
    django.setup()
    from config.celery import app

    app.conf.update(task_always_eager=True, task_store_eager_result=True)
    call_command("migrate", verbosity=0)
    call_command("create_roles", verbosity=0)


def round_trip(content: bytes, project: dict[str, Any]) -> dict[str, Any]:
    """Import a file into a new project and export the project, each as a browser asks for it."""
    from django.contrib.auth.models import User
    from django.core.files.uploadedfile import SimpleUploadedFile
    from django_celery_results.models import TaskResult
    from rest_framework.test import APIClient

    client = APIClient(raise_request_exception=True)
    client.force_authenticate(User.objects.create_superuser("a", "a@example.org", "only here"))
    made = client.post(
        "/v1/projects",
        {"name": "p", "description": "d", "guideline": "g", "resourcetype": "SequenceLabelingProject",
         "collaborative_annotation": True, "tags": [], **project},
        format="json",
    )  # fmt: skip
    assert made.status_code == 201, made.content
    number = made.json()["id"]
    given = {"filepond": SimpleUploadedFile("tagged.jsonl", content)}
    upload = client.post("/v1/fp/process/", given, format="multipart")
    assert upload.status_code == 200, upload.content
    relations = project.get("use_relation")
    asked = {
        "uploadIds": [upload.content.decode()],
        "format": "JSONL",
        "task": "RelationExtraction" if relations else project["project_type"],
        "encoding": "utf_8",  # as the page has it; without, doccano guesses
    }
    task = client.post(f"/v1/projects/{number}/upload", asked, format="json").json()["task_id"]
    told = TaskResult.objects.get(task_id=task)
    client.post(f"/v1/projects/{number}/download", {"format": "JSONL"}, format="json")
    archive = json.loads(TaskResult.objects.latest("id").result)
    with zipfile.ZipFile(archive) as files:
        exported = files.read("all.jsonl").decode()
    return {"status": told.status, "result": json.loads(told.result), "exported": exported}


if __name__ == "__main__":
    started(Path(sys.argv[1]).resolve())
    print(json.dumps(round_trip(sys.stdin.buffer.read(), json.loads(sys.argv[2]))))
