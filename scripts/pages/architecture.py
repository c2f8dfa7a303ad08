"""Generate docs/architecture.md: the rooms of the package, and the files in them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PACKAGE_DIR = ROOT / "nertool"

ARCHITECTURE = ROOT / "docs" / "architecture.md"


# A room's heading: "## `network/`" or, for a file that is a room of its own, "## `errors.py`".
ROOM = re.compile(r"^## `(\w+)(?:/|\.py)`$", re.MULTILINE)


# A file of a room: "- [`scorer.py`](../nertool/network/scorer.py): what it holds".
LISTED = re.compile(r"^- \[`([\w/]+\.py)`\]\(\.\./nertool/([\w/]+\.py)\): .+$", re.MULTILINE)


def sources() -> dict[str, Path]:
    """Return the package's files by module name, without `__init__.py` and `__main__.py`."""
    return {
        "nertool." + path.relative_to(PACKAGE_DIR).as_posix()[:-3].replace("/", "."): path
        for path in sorted(PACKAGE_DIR.rglob("*.py"))
        if not path.name.startswith("__")
    }


def rooms_in(text: str) -> dict[str, list[str]]:
    """Return the rooms of docs/architecture.md in order, each with the module names of its files in order."""
    pieces = ROOM.split(text)
    return {
        room: ["nertool." + linked[:-3].replace("/", ".") for _, linked in LISTED.findall(section)]
        for room, section in zip(pieces[1::2], pieces[2::2], strict=True)
    }


def imports_of(path: Path) -> list[tuple[int, str, list[str]]]:
    """List a file's imports, also those inside functions: line, module, imported names."""
    found: list[tuple[int, str, list[str]]] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name, []) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"{path}:{node.lineno}: relative import")
            found.append((node.lineno, node.module or "", [alias.name for alias in node.names]))
    return found


def targets_of(path: Path, modules: dict[str, Path], rooms: list[str]) -> list[tuple[int, str]]:
    """List a file's imports from the package, as (line, module). `import nertool` is "nertool"."""
    found = []
    for line, module, names in imports_of(path):
        if module.partition(".")[0] != "nertool":
            continue
        inner = [f"{module}.{name}" for name in names if f"{module}.{name}" in modules]
        whole = [f"{module}.{name}" for name in names if module == "nertool" and name in rooms]
        found += [(line, target) for target in inner or whole or [module]]
    return found


def summary(path: Path) -> str:
    """Return the first sentence of a file's docstring, on one line."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    first = " ".join(text.split("\n\n")[0].split())
    return plain(re.split(r"(?<=[a-z)’”`])[.] (?=[A-Z])", first)[0].rstrip(".:") + ".")


def plain(text: str) -> str:
    """Return a text with the characters escaped that Markdown would read as a link, an element or a table
    cell."""
    return text.replace("[", "\\[").replace("<", "&lt;").replace("|", "&#124;")


def in_reading_order(listed: list[str], needs: dict[str, set[str]]) -> list[str]:
    """Return a room's files in their order, but each after those that it imports."""
    placed: list[str] = []

    def place(module: str, above: tuple[str, ...] = ()) -> None:
        if module in placed:
            return
        if module in above:
            raise ValueError(f"a circle of imports: {' → '.join((*above, module))}")
        for other in listed:
            if other in needs[module] and other != module:
                place(other, (*above, module))
        placed.append(module)

    for module in listed:
        place(module)
    return placed


def architecture(text: str) -> str:
    """Return docs/architecture.md with every file listed in its room, with its docstring's first sentence."""
    modules = sources()
    rooms = rooms_in(text)
    needs = {
        module: {target for _, target in targets_of(path, modules, list(rooms))}
        for module, path in modules.items()
    }
    if lost := sorted({module.split(".")[1] for module in modules} - set(rooms)):
        raise ValueError(
            f"{ARCHITECTURE.name}: no heading for {', '.join(lost)}; write one, and what it holds"
        )
    pieces = ROOM.split(text)
    out = [pieces[0]]
    for room, section in zip(pieces[1::2], pieces[2::2], strict=True):
        own = [module for module in modules if module.split(".")[1] == room]
        listed = [module for module in rooms[room] if module in own]
        listed += [module for module in own if module not in listed]
        ordered = in_reading_order(listed, needs)
        lines = []
        for module in ordered:
            path = modules[module].relative_to(ROOT).as_posix()
            name = path.removeprefix(f"nertool/{room}/").removeprefix("nertool/")
            lines.append(f"- [`{name}`](../{path}): {summary(modules[module])}\n")
        found = list(LISTED.finditer(section))
        before = section[: found[0].start()] if found else section
        after = section[found[-1].end() :].strip() if found else ""
        heading = f"## `{room}{'/' if (PACKAGE_DIR / room).is_dir() else '.py'}`"
        whole = (heading, before.strip(), "".join(lines).rstrip(), after)
        out.append("\n\n".join(part for part in whole if part) + "\n\n")
    return "".join(out).rstrip() + "\n"
