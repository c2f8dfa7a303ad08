"""Write what follows from the code: parts of docs/, and the config's reference.

Run it after adding a file or a key, or changing a help text.

python scripts/docs.py            write docs/architecture.md's lists of files, docs/commands.md,
                                  docs/api.md, docs/config.md, docs/play.html, configs/reference.yaml and
                                  configs/schema.json
python scripts/docs.py --check    exit 1, and name the files, if one of them is not current
"""

from __future__ import annotations

import argparse
import ast
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PACKAGE_DIR = ROOT / "nertool"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
COMMANDS = ROOT / "docs" / "commands.md"

# A room's heading: "## `network/`" or, for a file that is a room of its own, "## `errors.py`".
ROOM = re.compile(r"^## `(\w+)(?:/|\.py)`$", re.MULTILINE)
# A file of a room: "- [`scorer.py`](../nertool/network/scorer.py): what it holds".
LISTED = re.compile(r"^- \[`([\w/]+\.py)`\]\(\.\./nertool/([\w/]+\.py)\): .+$", re.MULTILINE)


# ------------------------------------------------------------ the rooms, and the files in them


def sources() -> dict[str, Path]:
    """Return the package's files by module name, `__init__.py` and `__main__.py` left out."""
    return {
        "nertool." + path.relative_to(PACKAGE_DIR).as_posix()[:-3].replace("/", "."): path
        for path in sorted(PACKAGE_DIR.rglob("*.py"))
        if not path.name.startswith("__")
    }


def rooms_in(text: str) -> dict[str, list[str]]:
    """Return docs/architecture.md's rooms in their order, each with its files' module names in theirs."""
    pieces = ROOM.split(text)
    return {
        room: ["nertool." + linked[:-3].replace("/", ".") for _, linked in LISTED.findall(section)]
        for room, section in zip(pieces[1::2], pieces[2::2], strict=True)
    }


def imports_of(path: Path) -> list[tuple[int, str, list[str]]]:
    """List a file's imports, those inside functions too: line, module, names taken from it."""
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
    """List what a file imports of the package, as (line, module); `import nertool` is "nertool"."""
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
    """Return text with the signs escaped that Markdown would take for a link or an element."""
    return text.replace("[", "\\[").replace("<", "&lt;").replace("|", "&#124;")


def in_reading_order(listed: list[str], needs: dict[str, set[str]]) -> list[str]:
    """Keep the order of a room's files, but put each behind those that it imports."""
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
    """Return docs/architecture.md with every file listed in its room, and its docstring's first sentence."""
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


# ------------------------------------------------------------ the command line


EXIT_CODES = """\
## Options of every command

| option | |
|---|---|
| `-q`, `--quiet` | Print no notes and no progress, only warnings, errors, and what was altered or refused. |
| `-v`, `--verbose` | Print versions, time and memory, too, and the traceback of an unexpected error. |
| `-h`, `--help` | Print the help of a command, and exit. |

`-q` and `-v` may stand before or behind the command. `nertool --version` prints the version.

Headings of help screens and the beginnings of errors and warnings have colours on a terminal. `NO_COLOR=1`
turns them off, `FORCE_COLOR=1` turns them on elsewhere. Results never have colours.

## Completion

`nertool --install-completion` lets the shell that it is called from complete commands, options, the values of
options and config keys with the Tab key: bash, zsh or fish. It writes one script and, for bash and zsh, one
line at the end of `~/.bashrc` or `~/.zshrc`. `nertool --show-completion` prints the script instead.

## Exit codes

| code | meaning |
|---|---|
| 0 | Done. |
| 1 | Failed. One line on stderr says what was found, where, and what to do. No half-written file is left. |
| 2 | The command line is wrong: an unknown command or option, a missing argument, a wrong value. |
| 129 | Ended by SIGHUP: the terminal was closed. |
| 130 | Ended by Ctrl-C (SIGINT). |
| 143 | Ended by SIGTERM, as `kill` sends it. |

Some commands answer by their exit code. `corpus check`, `gradcheck` and `lesson check` exit with 1 if
something is wrong, and `predict --on-error report` if an input could not be read. If a reader such as `head`
closes the output early, the command ends with 1 and without a message.
"""


def commands(_: str) -> str:
    """Return docs/commands.md: each command's text, arguments and options, as the command line has them."""
    from nertool.cli.app import app
    from nertool.cli.common.help import by_title, divided

    root: Any = app
    parts = [
        "# Commands\n",
        "<!-- Written by scripts/docs.py from the command line itself; change the help texts there. -->\n",
        "Every command has `--help`. Data goes to stdout, notes and progress to stderr.\n",
        "Where a command asks for a MODEL, give a model folder or a run folder; of a run, the best model "
        "is taken. `-` stands for stdin or stdout.\n",
        EXIT_CODES,
    ]
    for name, command in _leaves(root, "nertool"):
        parts.append(f"## {name}\n")
        about, examples = divided(command.help)
        parts.append(_paragraphs(about))
        wanted = [_metavar(p) for p in command.params if p.param_type_name == "argument"]
        parts.append(f"```text\n{' '.join([name, '[OPTIONS]', *wanted])}\n```\n")
        for title, parameters in by_title(command.params).items():
            rows = [_row(p) for p in parameters if p.name not in ("quiet", "verbose")]
            if rows:
                parts.append(f"| {title} | |\n|---|---|\n" + "".join(rows))
        if examples:
            lines = "\n".join(examples)
            parts.append(f"Examples:\n\n```text\n{lines}\n```\n")
    return "\n".join(parts)


def _leaves(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "commands"):
        yield name, command
        return
    for key, inner in command.commands.items():
        if not inner.hidden:
            yield from _leaves(inner, f"{name} {key}")


def _paragraphs(text: str) -> str:
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(plain(" ".join(paragraph.split())) for paragraph in paragraphs) + "\n"


def _metavar(parameter: Any) -> str:
    """Return what an argument or an option's value is called: FILE, N, io|iob2, …"""
    from nertool.cli.common.help import value_name

    called = value_name(parameter)
    several = parameter.param_type_name == "argument" and parameter.nargs != 1
    return f"{called}{'...' if several and '...' not in called else ''}"


def _row(parameter: Any) -> str:
    """Return a table's row for an argument or option: its names, its value, and its help."""
    from nertool.cli.common.help import help_of, names_of

    if parameter.param_type_name == "argument":
        left = f"`{_metavar(parameter)}`"
    else:
        left = ", ".join(f"`{name}`" for name in names_of(parameter))
        if not parameter.is_flag:
            left += " " + ", ".join(f"`{value}`" for value in _metavar(parameter).split("|"))
    return f"| {left} | {plain(help_of(parameter))} |\n"


# ------------------------------------------------------------ the formats

FORMATS_BEGIN, FORMATS_END = "<!-- formats:begin -->", "<!-- formats:end -->"


def formats(text: str) -> str:
    """Return docs/formats.md with the table of formats, and a sample of each, between its two marks."""
    from nertool.catalogue import FORMATS

    rows = ["| format | read, written | what it is |\n|---|---|---|\n"]
    samples = []
    for known in FORMATS:
        names = ", ".join(f"`{name}`" for name in (known.name, *known.other_names))
        how = "both" if known.reads and known.writes else "read" if known.reads else "written"
        needs = f"; needs `pip install 'nertool[{known.extra}]'`" if known.extra else ""
        rows.append(f"| {names} | {how} | {plain(known.title)}{needs} |\n")
        path = PACKAGE_DIR / "formats" / (known.module.replace(".", "/") + ".py")
        first, _, rest = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").partition(
            "\n\n"
        )
        sample = re.match(r"```\n(.*?)\n```", rest, re.DOTALL)
        if sample:
            shown = sample[1].replace("<tab>", "\t")
            about = plain(" ".join(first.split()))
            samples.append(f"### {known.name}\n\n{about}\n\n```text\n{shown}\n```\n")
    table = f"{FORMATS_BEGIN}\n{''.join(rows)}\n## Samples\n\n{chr(10).join(samples)}{FORMATS_END}"
    return _between(
        _between(text, FORMATS_BEGIN, FORMATS_END, table), KEPT_BEGIN, KEPT_END, kept(text)
    )


def _between(text: str, begin: str, end: str, new: str) -> str:
    """Return a text with something new in place of two marks and what stands between them."""
    return text[: text.index(begin)] + new + text[text.index(end) + len(end) :]


KEPT_BEGIN, KEPT_END = "<!-- kept:begin -->", "<!-- kept:end -->"


def kept(text: str) -> str:
    """Return the table of what each format keeps, found by a round trip of a small text. The row of a format
    whose package is absent stays as it is."""
    from importlib.util import find_spec

    from nertool.catalogue import FORMATS
    from scripts.roundtrip import ASPECTS, row

    lines = [f"| format | {' | '.join(ASPECTS)} |\n|---|{'---|' * len(ASPECTS)}\n"]
    packages = {"": "json", "arrow": "pyarrow", "spacy": "spacy"}
    for known in FORMATS:
        if known.reads and known.writes:
            if find_spec(packages[known.extra]):
                lines.append(f"| `{known.name}` | {' | '.join(row(known))} |\n")
            else:
                old = re.search(
                    rf"^\| `{known.name}` \| (?:kept|left out|altered).*\n", text, re.MULTILINE
                )
                lines.append(old[0] if old else "")
    return f"{KEPT_BEGIN}\n{''.join(lines)}{KEPT_END}"


# ------------------------------------------------------------ the Python API

API_BEGIN = "<!-- Written by scripts/docs.py from the docstrings; change them there. -->"
API_END = "<!-- End of what scripts/docs.py writes. -->"


def api(text: str) -> str:
    """Return docs/api.md with the reference of what `import nertool` offers, between its two marks."""
    import nertool

    offered = [getattr(nertool, name) for name in nertool.__all__ if name != "__version__"]
    functions = [thing for thing in offered if inspect.isfunction(thing)]
    classes = [thing for thing in offered if inspect.isclass(thing)]
    parts = [_api_entry(f"nertool.{thing.__name__}", thing) for thing in functions]
    for thing in sorted(classes, key=lambda c: c.__name__ != "Tagger"):
        parts.append(f"### nertool.{thing.__name__}\n\n{_api_text(thing)}")
        for name, member in vars(thing).items():
            if name == "__call__" or not name.startswith("_"):
                parts += _api_member(thing.__name__, name, member)
    begin, end = text.index(API_BEGIN), text.index(API_END)
    return f"{text[:begin]}{API_BEGIN}\n\n{chr(10).join(parts)}\n{text[end:]}"


def _api_entry(name: str, function: Any, level: str = "###") -> str:
    shown = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(function)))
    called = name if not name.endswith(".__call__") else name.removesuffix(".__call__")
    shown = re.sub(r"^\(self(?:, )?", "(", shown)
    return f"{level} {called}\n\n```text\n{called}{shown}\n```\n\n{_api_text(function)}"


def _api_member(owner: str, name: str, member: Any) -> Iterator[str]:
    named = f"{owner[0].lower()}{owner[1:]}.{name}"
    if isinstance(member, property) or hasattr(member, "attrname"):  # the latter is a cached one
        yield f"- `{named}`: {plain(' '.join((member.__doc__ or '').split()))}\n"
    elif inspect.isfunction(member):
        yield _api_entry(named, member, "####")


def _api_text(thing: Any) -> str:
    """Return a docstring as Markdown; lines that are set in stay an example."""
    return (inspect.getdoc(thing) or "").replace("<", "&lt;") + "\n"


# ------------------------------------------------------------ the page to play with


def play(_: str) -> str:
    """Return docs/play.html: the templates of nertool/explain, with the numbers of docs/play-model.json."""
    from nertool.explain.play import play_page

    numbers = json.loads((ROOT / "docs" / "play-model.json").read_text(encoding="utf-8"))
    return play_page(numbers, lesson="lesson/") + "\n"


# ------------------------------------------------------------ all

WRITTEN: dict[Path, Callable[[str], str]] = {
    ARCHITECTURE: architecture,
    COMMANDS: commands,
    ROOT / "docs" / "formats.md": formats,
    ROOT / "docs" / "api.md": api,
}


def written() -> dict[Path, Callable[[str], str]]:
    """Return each file that is written here, with the function from its old text to its new one."""
    from nertool.config.reference import generated_files

    of_config = {ROOT / name: write for name, write in generated_files().items()}
    return {**WRITTEN, **of_config, ROOT / "docs" / "play.html": play}


def stale() -> dict[Path, str]:
    """Return the files that are not current, with what should stand in each."""
    out = {}
    for path, write in written().items():
        old = path.read_text(encoding="utf-8") if path.is_file() else ""
        if (new := write(old)) != old:
            out[path] = new
    return out


def main() -> int:
    """Write the files that are not current, or with --check name them; return the exit code."""
    parser = argparse.ArgumentParser(
        description="Write the parts of docs/ that follow from the code."
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 if a file is stale"
    )
    check = parser.parse_args().check
    found = stale()
    for path, text in found.items():
        said = "is not current; run python scripts/docs.py" if check else "written"
        print(f"{path.relative_to(ROOT)}: {said}")
        if not check:
            path.write_text(text, encoding="utf-8")
    return int(check and bool(found))


if __name__ == "__main__":
    sys.exit(main())
