"""The scripts beside the package (benchmarks/, data/, scripts/) import only what there is."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from scripts.pages.architecture import imports_of

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = [
    path for folder in ("benchmarks", "data", "scripts") for path in ROOT.glob(f"{folder}/**/*.py")
]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_a_script_imports_of_nertool_is_there(path):
    for line, module, names in imports_of(path):
        if module.partition(".")[0] != "nertool":
            continue
        imported = importlib.import_module(module)
        for name in names:
            if not hasattr(imported, name):
                importlib.import_module(f"{module}.{name}")  # a module, or an error that says which
            assert hasattr(imported, name), f"{path}:{line}"


def test_there_are_scripts_that_import_nertool():
    using = [
        path
        for path in SCRIPTS
        if any(module.startswith("nertool") for _, module, _ in imports_of(path))
    ]
    assert len(using) >= 4
