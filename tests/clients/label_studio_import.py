"""Import tasks into Label Studio by its own API, in a process and a database of its own.

    python label_studio_import.py FOLDER CONFIG <tasks.json

FOLDER: where its database goes; CONFIG: the project's labelling interface. Writes JSON: the status and the
body of the answer, and what the database holds then.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


class NoMigrations:
    """Tables are made as they are today: hundreds of migrations take a minute."""

    def __contains__(self, app: str) -> bool:
        return True

    def __getitem__(self, app: str) -> None:
        return None


def started(folder: str) -> None:
    """Set Django up for Label Studio, with an empty database, reporting to nobody."""
    os.environ |= {
        "BASE_DATA_DIR": folder,
        "LABEL_STUDIO_BASE_DATA_DIR": folder,
        "DJANGO_DB": "sqlite",
        "DJANGO_SETTINGS_MODULE": "core.settings.label_studio",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        "COLLECT_ANALYTICS": "false",
        "LATEST_VERSION_CHECK": "false",
        "LOG_LEVEL": "ERROR",
    }
    import label_studio

    sys.path.insert(0, str(Path(label_studio.__file__).parent))
    import django
    from django.conf import settings
    from django.core.management import call_command

    settings.MIGRATION_MODULES = NoMigrations()
    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)


def imported(tasks: list[dict], config: str) -> dict:
    """Post tasks to a new project; return the answer, and its predictions and annotations."""
    from organizations.models import Organization
    from projects.models import Project
    from rest_framework.test import APIClient
    from tasks.models import Annotation, Prediction
    from users.models import User

    user = User.objects.create_user(email="a@example.org", password="only for this test")
    user.active_organization = Organization.create_organization(created_by=user, title="o")
    user.save()
    project = Project.objects.create(
        title="p", label_config=config, organization=user.active_organization, created_by=user
    )
    client = APIClient()
    client.force_authenticate(user)
    answer = client.post(f"/api/projects/{project.id}/import", tasks, format="json")
    return {
        "status": answer.status_code,
        "body": answer.json(),
        "predictions": list(
            Prediction.objects.order_by("id").values("model_version", "score", "result")
        ),
        "annotations": list(Annotation.objects.order_by("id").values("ground_truth", "result")),
    }


if __name__ == "__main__":
    started(sys.argv[1])
    print(json.dumps(imported(json.load(sys.stdin), sys.argv[2])))
