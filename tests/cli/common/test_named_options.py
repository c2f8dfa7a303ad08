"""Every option that a message names is an option of the command that prints the message."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import nertool
from nertool.catalogue import FORMATS
from nertool.cli.app import app
from nertool.errors import NertoolError

ROOT = Path(nertool.__file__).parent
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
# Options of the programs that a message tells the user to run, and CSS variables.
FOREIGN = {"--blue", "--red", "--label", "--on-label", "--rule"}
# Modules whose functions are called by the registry of formats, not by name.
BY_REGISTRY = [f"nertool.formats.{known.module}" for known in FORMATS]

Node = tuple[str, str]  # a module, and a name at its top level


def commands(group: Any = app, name: str = "") -> Iterator[tuple[str, Any]]:
    for key in list(group.commands):
        command = group.commands[key]
        whole = f"{name} {key}".strip()
        if hasattr(command, "commands"):
            yield from commands(command, whole)
        else:
            yield whole, command


def options_of(command: Any) -> set[str]:
    names = {name for p in command.params for name in (*p.opts, *p.secondary_opts)}
    return {name for name in names if name.startswith("--")} | {"--help", "--version"}


@cache
def definitions(module: str) -> dict[str, ast.AST]:
    """Return what a module defines at its top level: functions, classes, constants; and what it imports."""
    path = Path(import_module(module).__file__ or "")
    found: dict[str, ast.AST] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign):
            found |= {t.id: node for t in node.targets if isinstance(t, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = node
        elif isinstance(node, ast.ImportFrom):
            found |= {a.asname or a.name: node for a in node.names}
    return found


@cache
def references(module: str, name: str) -> frozenset[Node]:
    """Return what a definition refers to, by name."""
    return frozenset(_references(module, name))


def _references(module: str, name: str) -> Iterator[Node]:
    own = definitions(module)
    node = own.get(name)
    if node is None or isinstance(node, ast.ImportFrom):
        return
    local: dict[str, Node] = {}
    for part in ast.walk(node):
        if isinstance(part, ast.ImportFrom) and (part.module or "").startswith("nertool"):
            local |= {a.asname or a.name: (str(part.module), a.name) for a in part.names}
    for part in ast.walk(node):
        if not isinstance(part, ast.Name):
            continue
        if part.id in local:
            yield local[part.id]
        elif isinstance(found := own.get(part.id), ast.ImportFrom):
            if (found.module or "").startswith("nertool"):
                alias = next(a for a in found.names if (a.asname or a.name) == part.id)
                yield str(found.module), alias.name
        elif found is not None:
            yield module, part.id
    if name in ("module_of", "find_format"):
        for other in BY_REGISTRY:
            yield from ((other, known) for known in definitions(other))


@cache
def is_module(name: str) -> bool:
    return (ROOT.parent / f"{name.replace('.', '/')}.py").is_file()


def reached(start: Node) -> set[Node]:
    seen: set[Node] = set()
    todo = [start]
    while todo:
        node = todo.pop()
        if node in seen:
            continue
        seen.add(node)
        for module, name in references(*node):
            if is_module(whole := f"{module}.{name}"):
                todo += [(whole, known) for known in definitions(whole)]
            else:
                todo.append((module, name))
    return seen


@cache
def messages(module: str, name: str) -> list[tuple[int, str]]:
    """Return the strings of a definition that are no docstrings, with what is put into them left out.
    Only those with an option in them: every command looks through them."""
    return [(line, text) for line, text in _messages(module, name) if OPTION.search(text)]


def _messages(module: str, name: str) -> Iterator[tuple[int, str]]:
    node = definitions(module).get(name)
    if node is None or isinstance(node, ast.ImportFrom):
        return
    documented = (ast.FunctionDef, ast.ClassDef)
    docstrings = {
        id(part.body[0].value)
        for part in ast.walk(node)
        if isinstance(part, documented) and isinstance(part.body[0], ast.Expr)
    }
    inner = {
        id(value)
        for part in ast.walk(node)
        if isinstance(part, ast.JoinedStr)
        for value in part.values
    }
    for part in ast.walk(node):
        if isinstance(part, ast.JoinedStr):
            yield (
                part.lineno,
                "".join(str(v.value) if isinstance(v, ast.Constant) else "…" for v in part.values),
            )
        elif (
            isinstance(part, ast.Constant)
            and isinstance(part.value, str)
            and id(part) not in docstrings | inner
        ):
            yield part.lineno, part.value


# Messages that a command reaches and can't print, with the reason.
LABELS = {"--misaligned", "--tag-names", "--offsets", "--class-name"}
PREDICT_ALONE = {"--out-dir", "--n-best", "--marginals", "--min-probability"}
UNLABELLED = {
    "predict",
    "suggest",
    "vectors info",
    "vectors prune",
    "vectors convert",
    "vectors train",
}


def cannot_print(command: str, module: str, option: str) -> bool:
    return (
        # Labels are not looked at: test_labels_that_are_not_looked_at_stop_nothing.
        (command in UNLABELLED and option in LABELS)
        # The place of an override, which none of these takes.
        or (module == "nertool.config.file" and option == "--set")
        # What only predict can be asked for.
        or (command == "suggest" and option in PREDICT_ALONE)
        # The pages and lines of explain, whose functions predict shares by name alone.
        or (module.startswith("nertool.explain.") and command == "predict")
        # Its runs stand in a temporary folder of their own.
        or (command in ("corpus suspects", "learning-curve") and option == "--run-dir")
    )


def missing(command: str, options: dict[str, set[str]], start: Node) -> Iterator[str]:
    names = sorted(options, key=len, reverse=True)
    for module, name in sorted(reached(start)):
        for line, message in messages(module, name):
            for match in OPTION.finditer(message):
                if message == match[0]:  # an option's name, to begin a message that it causes
                    continue
                if match[0] in options[command] | FOREIGN or cannot_print(
                    command, module, match[0]
                ):
                    continue
                before = re.split(r"[;:(]", message[: match.start()])[-1]
                named = next((n for n in names if re.search(rf"\b{n}\b", before)), None)
                if named is None or match[0] not in options[named]:
                    yield f"{command}: {module}:{line} names {match[0]}: {message!r}"


def test_every_option_that_a_message_names_exists_in_the_command_that_prints_it() -> None:
    all_commands = dict(commands())
    options = {name: options_of(command) for name, command in all_commands.items()}
    found: list[str] = []
    for name, command in all_commands.items():
        function = inspect.unwrap(command.callback)
        found += missing(name, options, (function.__module__, function.__name__))
    assert not found, "\n".join(found)


def test_that_check_can_fail():
    options = {"x": {"--from"}, "corpus convert": {"--to"}}
    start = (__name__, "_faulty")
    assert [line.split(": ")[1] for line in missing("x", options, start)] == [
        f"{__name__}:{_faulty.__code__.co_firstlineno + 2} names --part"
    ]


def _faulty() -> None:
    """--not-a-message."""
    raise NertoolError("found a, expected b; use --from, or --part, or first corpus convert --to c")


def test_labels_that_are_not_looked_at_stop_nothing(main, run_dir, tmp_path):
    text = tmp_path / "odd.jsonl"
    text.write_text(
        '{"text": "Ada met me.", "entities": [[0, 2, "PER"], [1, 5, "LOC"], [-1, 99, "X"]]}\n'
        '{"tokens": ["Ada", "met"], "ner_tags": [7, -1]}\n',
        encoding="utf-8",
    )
    for command in (("predict", str(run_dir)), ("vectors", "train", "-o", str(tmp_path / "v"))):
        done = main(*command, str(text), "--min-count=1" if command[0] == "vectors" else "-q")
        assert done.returncode == 0, done.stderr
