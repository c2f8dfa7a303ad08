"""The house's order: who imports what, who prints, and what a command loads."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import nertool

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
    assert not modules_of("--help") & {"numpy", "scipy", "gensim", "yaml", "safetensors", "tqdm"}


def test_tagging_imports_neither_gensim_nor_scipy_if_its_model_needs_none(tiny, run_dir):
    modules = modules_of("predict", run_dir, tiny / "dev.conll")
    assert "numpy" in modules
    assert not modules & {"gensim", "scipy", "yaml"}


# An import goes only to something before it in this list.
ORDER = [
    "errors", "version", "catalogue", "kernels", "files", "config", "network", "gradcheck", "corpus",
    "doctor", "formats", "vectors", "inputs", "decoding", "model", "tagging", "evaluation", "training",
    "predict", "explain", "api", "integrations", "cli",
]  # fmt: skip


def imports_of(path: Path) -> list[tuple[int, str, list[str]]]:
    """List a file's imports, those inside functions too: line, module, names taken from it."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name, []) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            found.append((node.lineno, node.module, [alias.name for alias in node.names]))
    return found


def part_of(path: Path) -> str:
    """Return the part of the house that a file is in: errors, config, corpus, …"""
    return path.relative_to(PACKAGE_DIR).parts[0].removesuffix(".py")


SOURCES = [p for p in sorted(PACKAGE_DIR.rglob("*.py")) if not p.name.startswith("__")]
MODULES = {
    "nertool." + p.relative_to(PACKAGE_DIR).as_posix().removesuffix(".py").replace("/", "."): p
    for p in SOURCES
}


def targets_of(path: Path) -> list[tuple[int, str]]:
    """List what a file imports of the package, as (line, module); `import nertool` is "nertool"."""
    found = []
    for line, module, names in imports_of(path):
        if module.partition(".")[0] != "nertool":
            continue
        inner = [f"{module}.{name}" for name in names if f"{module}.{name}" in MODULES]
        rooms = [f"{module}.{name}" for name in names if module == "nertool" and name in ORDER]
        found += [(line, target) for target in inner or rooms or [module]]
    return found


def test_an_import_goes_only_to_a_room_before_it():
    wrong = []
    seen = set()
    for path in SOURCES:
        here = part_of(path)
        for line, target in targets_of(path):
            room = target.split(".")[1] if "." in target else "api"  # the package is its API
            seen.add((here, room))
            # A room that is not in the list is refused, too.
            if ORDER.index(room) > ORDER.index(here):
                wrong.append(f"{path}:{line}: {here} imports {target}")
    assert wrong == []
    assert {("cli", "training"), ("tagging", "network"), ("formats", "corpus")} <= seen


def test_the_files_of_a_room_have_an_order_too():
    needs = {
        module: {target for _, target in targets_of(path) if target in MODULES}
        for module, path in MODULES.items()
    }
    list(TopologicalSorter(needs).static_order())  # CycleError names the files of a circle


def calls_of(path: Path) -> set[str]:
    """Return what a file calls, as it is written: {"print", "np.zeros", …}."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def test_the_network_is_numpy_alone_without_files_or_printing():
    for path in SOURCES:
        if part_of(path) != "network":
            continue
        modules = {module.partition(".")[0] for _, module, _ in imports_of(path)}
        allowed = {"__future__", "collections", "typing", "numpy", "scipy", "nertool"}
        assert modules <= allowed, path
        assert not calls_of(path) & {"open", "print", "input"}, path


def test_gensim_is_imported_in_one_place_alone_and_not_at_once():
    places = {
        path.relative_to(PACKAGE_DIR).as_posix()
        for path in SOURCES
        for _, module, _ in imports_of(path)
        if module.partition(".")[0] == "gensim"
    }
    assert places == {"vectors/load.py"}
    top = ast.parse((PACKAGE_DIR / "vectors" / "load.py").read_text()).body
    assert "gensim" not in ast.unparse(
        [n for n in top if isinstance(n, ast.Import | ast.ImportFrom)]
    )


def test_only_the_command_line_prints_or_exits():
    for path in SOURCES:
        if part_of(path) != "cli":
            assert not calls_of(path) & {"print", "exit", "quit", "sys.exit", "os._exit"}, path
