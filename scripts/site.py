"""A hook of mkdocs that adds the files outside docs/ that pages link to, so that no link leaves the site.

Markdown files become pages. Source code becomes a page with numbered lines. Figures are copied. A link such
as "[`forward` in nertool/network/scorer.py](../nertool/network/scorer.py)" leads to the function's line.
"""

from __future__ import annotations

import ast
import os
import posixpath
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ALWAYS = ("CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")  # they are in the site's navigation
FIGURES = {".png", ".svg"}

# The pattern also matches code blocks and inline code, so that no link is found inside them.
LINK = re.compile(
    r"^```.*?^```|`[^`\n]+`|(!?)(?<!\\)\[((?:[^\]\\`]|\\.|`[^`]*`)*)\]\(([^()\s#]+)(#[^()\s]*)?\)",
    re.MULTILINE | re.DOTALL,
)


def links(markdown: str) -> list[tuple[str, str, str]]:
    """Return the (text, target, anchor) of each link and image of a page that leads to a file."""
    return [(m[2], m[3], m[4] or "") for m in LINK.finditer(markdown) if m[3]]


def outside(page: Path, target: str) -> str | None:
    """Return the path, from the repository's root, of a link's target if it is a file outside docs/."""
    if re.match(r"[a-z]+:", target):
        return None
    path = os.path.normpath(page.parent / target)
    relative = Path(path).relative_to(ROOT).as_posix() if Path(path).is_relative_to(ROOT) else None
    if relative is None or relative.startswith("docs/") or not Path(path).exists():
        return None
    return relative


def place(path: str) -> str:
    """Return the path of a repository file in the site's sources, relative to docs/."""
    if path in ALWAYS or Path(path).suffix in FIGURES:
        return path
    name = f"{path}/index.md" if (ROOT / path).is_dir() else f"{path}.md"
    return f"source/{name}" if not path.endswith(".md") else f"source/{path}"


def line_of(path: Path, name: str) -> int | None:
    """Return the line at which a Python file defines a function or class."""
    if path.suffix != ".py":
        return None
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return node.lineno
    return None


def rewritten(markdown: str, page: Path, own: str) -> str:
    """Return a page whose links to files outside docs/ lead to their places in the site.

    page: the file that the Markdown is from. own: its place in the site's sources.
    """

    def link(match: re.Match[str]) -> str:
        image, text, target, anchor = match.groups()
        if target is None:
            return match[0]
        path = outside(page, target)
        if path is not None:
            name = re.match(r"`(\w+)`", text)
            line = line_of(ROOT / path, name[1]) if name and not anchor else None
            to = place(path)
            anchor = f"#line-{line}" if line else anchor
        elif not page.is_relative_to(ROOT / "docs") and not re.match(r"[a-z]+:", target):
            # A page outside docs/ that links into docs/.
            inside = Path(os.path.normpath(page.parent / target))
            to = inside.relative_to(ROOT / "docs").as_posix()
        else:
            return match[0]
        return (
            f"{image}[{text}]({posixpath.relpath(to, posixpath.dirname(own) or '.')}{anchor or ''})"
        )

    return LINK.sub(link, markdown)


def page_of(path: str) -> str:
    """Return the Markdown of a page that shows a file or lists a folder."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import TextLexer, get_lexer_for_filename
    from pygments.util import ClassNotFound

    file = ROOT / path
    if file.is_dir():
        names = sorted(entry.name for entry in file.iterdir() if entry.name != "__pycache__")
        return f"# {path}\n\n" + "".join(f"- `{name}`\n" for name in names)
    try:
        lexer = get_lexer_for_filename(file.name)
    except ClassNotFound:
        lexer = TextLexer()
    text = file.read_text(encoding="utf-8")
    code = highlight(text, lexer, HtmlFormatter(linespans="line", wrapcode=True))
    return f"---\nsearch: {{exclude: true}}\n---\n\n# {path}\n\n{code}\n"


def on_files(files: Any, config: Any) -> Any:
    """Add the files that the pages link to. mkdocs calls this after it has listed docs/."""
    from mkdocs.structure.files import File, InclusionLevel

    hidden = InclusionLevel.NOT_IN_NAV
    seen: set[str] = set()
    todo = [
        (file.src_uri, Path(file.abs_src_path)) for file in files if file.is_documentation_page()
    ]
    todo += [(name, ROOT / name) for name in ALWAYS]
    for name in ALWAYS:
        seen.add(name)
        text = rewritten((ROOT / name).read_text(encoding="utf-8"), ROOT / name, name)
        files.append(File.generated(config, name, content=text))
    while todo:
        _, page = todo.pop()
        for _, target, _ in links(page.read_text(encoding="utf-8")):
            path = outside(page, target)
            if path is None or path in seen:
                continue
            seen.add(path)
            file = ROOT / path
            if file.suffix in FIGURES:
                files.append(File.generated(config, path, abs_src_path=str(file)))
            elif file.suffix == ".md":
                todo.append((path, file))
                text = rewritten(file.read_text(encoding="utf-8"), file, place(path))
                files.append(File.generated(config, place(path), content=text, inclusion=hidden))
            else:
                own = page_of(path)
                files.append(File.generated(config, place(path), content=own, inclusion=hidden))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Change a page's links to files outside docs/ to their places in the site."""
    source = Path(config["docs_dir"]) / page.file.src_uri
    if page.file.generated_by or not source.is_file():
        return markdown  # a generated page, which is already rewritten
    return rewritten(markdown, source, page.file.src_uri)
