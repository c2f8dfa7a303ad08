"""The house's order: who imports what, who prints, and what a command loads."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import nertool
from scripts.pages.architecture import ARCHITECTURE, imports_of, rooms_in, sources, targets_of

PACKAGE_DIR = Path(nertool.__file__).parent


MODULES_IN_USE = """
import sys
from nertool.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
import json
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
"""


def modules_of(*arguments: str | Path) -> set[str]:
    """Run a command in a fresh process; return the packages that it has imported by its end."""
    done = subprocess.run(
        [sys.executable, "-c", MODULES_IN_USE, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


def test_help_imports_nothing_heavy():
    assert not modules_of("--help") & {
        "numpy",
        "scipy",
        "gensim",
        "yaml",
        "msgspec",
        "safetensors",
        "tqdm",
    }


def test_tagging_imports_neither_gensim_nor_scipy_if_its_model_needs_none(tiny, run_dir):
    modules = modules_of("predict", run_dir, tiny / "dev.conll")
    assert "numpy" in modules
    assert not modules & {"gensim", "scipy", "yaml", "jinja2"}


# docs/architecture.md has the rooms in their order, and each room's files in theirs.
ROOMS = rooms_in(ARCHITECTURE.read_text(encoding="utf-8"))
SOURCES = sources()
FIX = "run python scripts/docs.py, and see docs/architecture.md"


def part_of(path: Path) -> str:
    """Return the room that a file is in: errors, config, corpus, …"""
    return path.relative_to(PACKAGE_DIR).parts[0].removesuffix(".py")


def test_every_file_is_listed_once_and_in_its_room():
    listed = [module for modules in ROOMS.values() for module in modules]
    assert set(listed) == set(SOURCES), FIX
    assert len(listed) == len(set(listed)), FIX
    for room, modules in ROOMS.items():
        assert {module.split(".")[1] for module in modules} == {room}, FIX


def test_an_import_goes_only_to_a_room_higher_up_in_the_architecture():
    order = list(ROOMS)
    wrong = []
    seen = set()
    for path in SOURCES.values():
        here = part_of(path)
        for line, target in targets_of(path, SOURCES, order):
            room = target.split(".")[1] if "." in target else "api"  # the package is its API
            seen.add((here, room))
            # A room that is not in the list is refused, too.
            if order.index(room) > order.index(here):
                wrong.append(f"{path}:{line}: {here} imports {target}")
    assert wrong == []
    assert {("cli", "training"), ("tagging", "network"), ("formats", "corpus")} <= seen


def test_inside_a_room_an_import_goes_only_to_a_file_listed_before():
    wrong = []
    seen = 0
    for modules in ROOMS.values():
        for module in modules:
            for line, target in targets_of(SOURCES[module], SOURCES, list(ROOMS)):
                if target not in modules:
                    continue
                seen += 1
                if modules.index(target) >= modules.index(module):
                    wrong.append(f"{SOURCES[module]}:{line}: {module} imports {target}; {FIX}")
    assert wrong == []
    assert seen > 50


def calls_of(path: Path) -> set[str]:
    """Return what a file calls, as it is written: {"print", "np.zeros", …}."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def test_the_network_is_numpy_alone_without_files_or_printing():
    for path in SOURCES.values():
        if part_of(path) != "network":
            continue
        modules = {module.partition(".")[0] for _, module, _ in imports_of(path)}
        allowed = {"__future__", "collections", "functools", "typing", "numpy", "scipy", "nertool"}
        assert modules <= allowed, path
        assert not calls_of(path) & {"open", "print", "input"}, path


def test_gensim_is_imported_for_vectors_alone_and_only_when_it_is_needed():
    files = {
        path
        for path in SOURCES.values()
        for _, module, _ in imports_of(path)
        if module.partition(".")[0] == "gensim"
    }
    assert {part_of(path) for path in files} == {"vectors"}
    for path in files:
        top = ast.parse(path.read_text(encoding="utf-8")).body
        imports = [node for node in top if isinstance(node, ast.Import | ast.ImportFrom)]
        assert "gensim" not in ast.unparse(imports), path


def test_only_the_command_line_prints_or_exits():
    for path in SOURCES.values():
        if part_of(path) != "cli":
            assert not calls_of(path) & {"print", "exit", "quit", "sys.exit", "os._exit"}, path


def undocumented(path: Path) -> list[str]:
    """List a file's public definitions without a docstring, as "line: name"."""
    found = []

    def visit(node: ast.Module | ast.ClassDef, prefix: str) -> None:
        for inner in node.body:
            if not isinstance(inner, ast.FunctionDef | ast.ClassDef) or inner.name.startswith("_"):
                continue
            stands_in = any("overload" in ast.unparse(d) for d in inner.decorator_list)
            if not ast.get_docstring(inner) and not stands_in:
                found.append(f"{inner.lineno}: {prefix}{inner.name}")
            if isinstance(inner, ast.ClassDef):
                visit(inner, f"{inner.name}.")

    module = ast.parse(path.read_text(encoding="utf-8"))
    if not ast.get_docstring(module):
        found.append("1: the file itself")
    visit(module, "")
    return found


def test_every_public_definition_says_what_it_is():
    missing = {str(path): names for path in SOURCES.values() if (names := undocumented(path))}
    assert missing == {}


def test_a_definition_without_a_docstring_is_found(tmp_path):
    path = tmp_path / "x.py"
    path.write_text('"""x"""\nclass A:\n    """A"""\n    def f(self): ...\n    def _g(self): ...\n')
    assert undocumented(path) == ["4: A.f"]
